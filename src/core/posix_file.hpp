// File descriptors and the calls that make bytes durable, with errors as one line: what, path, reason.
//
// Header-only: thin wrappers of POSIX calls. Used at set-up, on flushes and checkpoints, never per reading.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace weir {

/// @brief "cannot <action> '<path>': <text of errno>", for the errno of the call that has just failed.
inline Error system_error(std::string_view action, std::string_view path, int error_number = errno) {
  std::string text("cannot ");
  text.append(action).append(" '").append(path).append("': ").append(std::strerror(error_number));
  return Error(text);
}

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }
  void reset() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

/// @brief Writes all of `bytes`; 0, or the errno of the call that failed (part may have been written then).
inline int write_all(int descriptor, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (written == 0) return EIO;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// @brief The directory that holds `path`: "." when it names none.
inline std::string parent_directory(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

/// @brief Makes the names in `directory` durable: after a file was created, renamed or removed there. @throws Error
inline void sync_directory(const std::string& directory) {
  const FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) throw system_error("open directory", directory);
  // EINVAL: a file system whose directories cannot be synced.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) throw system_error("sync directory", directory);
}

/// @brief Creates `directory` with `mode` (parents: 0777), each one durably, unless it exists. What exists need not be
/// a directory: opening a file in it tells. @throws Error
inline void make_directories(const std::string& directory, ::mode_t mode = 0777) {
  int result = ::mkdir(directory.c_str(), mode);
  const std::string parent = parent_directory(directory);
  if (result != 0 && errno == ENOENT && parent != directory) {
    make_directories(parent);
    result = ::mkdir(directory.c_str(), mode);
  }
  if (result == 0) {
    sync_directory(parent);
  } else if (errno != EEXIST) {
    throw system_error("create directory", directory);
  }
}

}  // namespace weir
