// The calls on files that the durable rooms (journal, state) make, behind an interface, so that tests can make each of
// them fail: short writes, ENOSPC, EIO, a failed sync, a torn end.
//
// Every failure is a FileError with the errno of the call. Thread-safe, as the calls themselves are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/posix_file.hpp"

namespace weir {

/// A call on a file that failed. what(): "cannot <action> '<path>': <reason>".
class FileError : public Error {
 public:
  FileError(std::string_view action, std::string_view path, int error_number)
      : Error(system_error(action, path, error_number)), error_number_(error_number) {}
  [[nodiscard]] int error_number() const noexcept { return error_number_; }
  /// @brief No room now (ENOSPC, EDQUOT): worth another try later.
  [[nodiscard]] bool full() const noexcept { return error_number_ == ENOSPC || error_number_ == EDQUOT; }

 private:
  int error_number_;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// @brief open(2) with O_CLOEXEC.
  virtual FileDescriptor open(const std::string& path, int flags, ::mode_t mode = 0600);
  /// @brief Writes all of `bytes` at the file's position; part of them may have been written when it throws.
  virtual void write(const FileDescriptor& file, std::string_view bytes, const std::string& path);
  /// @brief The file has `bytes` bytes from now on and room on the disk for all of them (posix_fallocate), so that a
  /// mapping of it can be written without SIGBUS.
  virtual void allocate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path);
  virtual void truncate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path);
  /// @brief fdatasync: what was written, through a mapping too, survives a power cut.
  virtual void sync(const FileDescriptor& file, const std::string& path);
  virtual void rename(const std::string& from, const std::string& to);
  /// @brief Removes a file; that it does not exist is no error.
  virtual void remove(const std::string& path);
  /// @brief Makes created, renamed and removed names in the directory durable.
  virtual void sync_directory(const std::string& directory);
};

/// @brief The system's own.
FileSystem& real_file_system();

/// @brief Opens a file that others are to read, or creates it with just this mode, whatever the umask is. One that is
/// there keeps its own mode. @throws FileError
FileDescriptor open_output(FileSystem& files, const std::string& path, int flags, ::mode_t mode);

}  // namespace weir
