#include "core/file_system.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace weir {

FileDescriptor FileSystem::open(const std::string& path, int flags, ::mode_t mode) {
  FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!file) throw FileError("open", path, errno);
  return file;
}

void FileSystem::write(const FileDescriptor& file, std::string_view bytes, const std::string& path) {
  if (const int error = write_all(file.get(), bytes); error != 0) throw FileError("write", path, error);
}

void FileSystem::allocate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) {
  // Returns the error instead of setting errno.
  if (const int error = ::posix_fallocate(file.get(), 0, static_cast<::off_t>(bytes)); error != 0) {
    throw FileError("make room for", path, error);
  }
}

void FileSystem::truncate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) {
  if (::ftruncate(file.get(), static_cast<::off_t>(bytes)) != 0) throw FileError("truncate", path, errno);
}

void FileSystem::sync(const FileDescriptor& file, const std::string& path) {
  if (::fdatasync(file.get()) != 0) throw FileError("sync", path, errno);
}

void FileSystem::rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw FileError("rename", from, errno);
}

void FileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw FileError("remove", path, errno);
}

void FileSystem::sync_directory(const std::string& directory) {
  weir::sync_directory(directory);
}

FileSystem& real_file_system() {
  static FileSystem files;
  return files;
}

FileDescriptor open_output(FileSystem& files, const std::string& path, int flags, ::mode_t mode) {
  struct ::stat status {};
  const bool created = ::stat(path.c_str(), &status) != 0;
  FileDescriptor file = files.open(path, flags | O_CREAT, mode);
  // Where a file system has no modes there is nothing to give.
  if (created) static_cast<void>(::fchmod(file.get(), mode));
  return file;
}

}  // namespace weir
