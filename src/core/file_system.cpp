#include "core/file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace weir {
namespace {

// Makes a call that returns -1 and sets errno again when a signal interrupted it.
template <class Call>
auto uninterrupted(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

FileStatus status_of(const struct ::stat& status) {
  return {static_cast<std::uint64_t>(std::max<::off_t>(status.st_size, 0)), S_ISREG(status.st_mode),
          S_ISDIR(status.st_mode), status.st_nlink};
}

}  // namespace

FileDescriptor FileSystem::open(const std::string& path, int flags, ::mode_t mode) {
  FileDescriptor file(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!file) throw FileError("open", path, errno);
  return file;
}

void FileSystem::write(const FileDescriptor& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ::ssize_t written = uninterrupted([&] { return write_some(file.get(), bytes); });
    if (written <= 0) throw FileError("write", path, written == 0 ? EIO : errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t FileSystem::read(const FileDescriptor& file, std::uint64_t offset, char* to, std::size_t bytes,
                             const std::string& path) {
  std::size_t have = 0;
  while (have < bytes) {
    const auto at = static_cast<::off_t>(offset + have);
    const ::ssize_t got = uninterrupted([&] { return read_some(file.get(), to + have, bytes - have, at); });
    if (got < 0) throw FileError("read", path, errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

FileDescriptor FileSystem::duplicate(const FileDescriptor& file, const std::string& path) {
  FileDescriptor own(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  if (!own) throw FileError("duplicate", path, errno);
  return own;
}

FileStatus FileSystem::status(const FileDescriptor& file, const std::string& path) {
  struct ::stat status {};
  if (::fstat(file.get(), &status) != 0) throw FileError("look at", path, errno);
  return status_of(status);
}

std::optional<FileStatus> FileSystem::status(const std::string& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) == 0) return status_of(status);
  if (errno != ENOENT) throw FileError("look at", path, errno);
  return std::nullopt;
}

void FileSystem::require_access(const std::string& path, int mode) {
  if (::access(path.c_str(), mode) != 0) throw FileError("open", path, errno);
}

bool FileSystem::lock(const FileDescriptor& file, const std::string& path) {
  if (uninterrupted([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno != EWOULDBLOCK) throw FileError("lock", path, errno);
  return false;
}

void FileSystem::unlock(const FileDescriptor& file) noexcept {
  static_cast<void>(::flock(file.get(), LOCK_UN));
}

void FileSystem::allocate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) {
  // Returns the error instead of setting errno.
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file.get(), 0, static_cast<::off_t>(bytes));
  if (error != 0) throw FileError("make room for", path, error);
}

void FileSystem::truncate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) {
  if (uninterrupted([&] { return ::ftruncate(file.get(), static_cast<::off_t>(bytes)); }) != 0) {
    throw FileError("truncate", path, errno);
  }
}

void FileSystem::sync(const FileDescriptor& file, const std::string& path) {
  if (uninterrupted([&] { return ::fdatasync(file.get()); }) != 0) throw FileError("sync", path, errno);
}

void FileSystem::rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw FileError("rename", from, errno);
}

void FileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw FileError("remove", path, errno);
}

void FileSystem::sync_directory(const std::string& directory) {
  const FileDescriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file) throw FileError("open directory", directory, errno);
  // EINVAL: a file system whose directories cannot be synced.
  if (uninterrupted([&] { return ::fsync(file.get()); }) != 0 && errno != EINVAL) {
    throw FileError("sync directory", directory, errno);
  }
}

void FileSystem::make_directories(const std::string& directory, ::mode_t mode) {
  int result = ::mkdir(directory.c_str(), mode);
  const std::string parent = parent_directory(directory);
  if (result != 0 && errno == ENOENT && parent != directory) {
    make_directories(parent);
    result = ::mkdir(directory.c_str(), mode);
  }
  if (result == 0) {
    sync_directory(parent);
  } else if (errno != EEXIST) {
    throw FileError("create directory", directory, errno);
  }
}

std::vector<std::string> FileSystem::names_in(const std::string& directory) {
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::opendir(directory.c_str()), close);
  if (!stream) throw FileError("read directory", directory, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const ::dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) throw FileError("read directory", directory, errno);
  return names;
}

::ssize_t FileSystem::write_some(int descriptor, std::string_view bytes) noexcept {
  return ::write(descriptor, bytes.data(), bytes.size());
}

::ssize_t FileSystem::read_some(int descriptor, char* to, std::size_t bytes, ::off_t offset) noexcept {
  return ::pread(descriptor, to, bytes, offset);
}

FileSystem& real_file_system() {
  static FileSystem files;
  return files;
}

FileDescriptor open_output(FileSystem& files, const std::string& path, int flags, ::mode_t mode) {
  const bool created = !files.status(path);
  FileDescriptor file = files.open(path, flags | O_CREAT, mode);
  // Where a file system has no modes there is nothing to give.
  if (created) static_cast<void>(::fchmod(file.get(), mode));
  return file;
}

}  // namespace weir
