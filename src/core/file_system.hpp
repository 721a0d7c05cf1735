// The calls on files that the durable rooms (journal, state, output files) make, behind an interface, so that tests can
// make each of them fail: short writes, ENOSPC, EIO, a failed sync, a torn end.
//
// Every failure is a FileError with the errno of the call; a call that a signal interrupts is made again. Thread-safe,
// as the calls themselves are.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

struct FileStatus {
  std::uint64_t bytes = 0;
  bool regular = true;  ///< a plain file: it has positions, and can be cut
  bool directory = false;
  std::uint64_t links = 1;  ///< names that it has
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// @brief open(2) with O_CLOEXEC.
  virtual FileDescriptor open(const std::string& path, int flags, ::mode_t mode = 0600);
  /// @brief Writes all of `bytes` at the file's position; part of them may have been written when it throws.
  virtual void write(const FileDescriptor& file, std::string_view bytes, const std::string& path);
  /// @brief Reads `bytes` bytes from `offset` on; how many there were, fewer only at the file's end.
  virtual std::size_t read(const FileDescriptor& file, std::uint64_t offset, char* to, std::size_t bytes,
                           const std::string& path);
  /// @brief A second descriptor of the open file.
  virtual FileDescriptor duplicate(const FileDescriptor& file, const std::string& path);
  virtual FileStatus status(const FileDescriptor& file, const std::string& path);
  /// @brief Nothing when there is no such file.
  virtual std::optional<FileStatus> status(const std::string& path);
  /// @brief Whether this process may do so with it (access(2)): the error is that of opening it.
  virtual void require_access(const std::string& path, int mode);
  /// @brief The exclusive lock of the open file (flock), which goes with its last descriptor. False: somebody else has
  /// it.
  virtual bool lock(const FileDescriptor& file, const std::string& path);
  virtual void unlock(const FileDescriptor& file) noexcept;
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
  /// @brief Creates `directory` with `mode` (parents: 0777), each one durably, unless it exists. What exists need not
  /// be a directory: opening a file in it tells.
  virtual void make_directories(const std::string& directory, ::mode_t mode = 0777);
  /// @brief The names in a directory, in no order, "." and ".." among them.
  virtual std::vector<std::string> names_in(const std::string& directory);

 protected:
  /// @brief write(2) and pread(2): they may do a part of what they are asked for, or be interrupted.
  virtual ::ssize_t write_some(int descriptor, std::string_view bytes) noexcept;
  virtual ::ssize_t read_some(int descriptor, char* to, std::size_t bytes, ::off_t offset) noexcept;
};

/// @brief The system's own.
FileSystem& real_file_system();

/// @brief Opens a file that others are to read, or creates it with just this mode, whatever the umask is. One that is
/// there keeps its own mode. @throws FileError
FileDescriptor open_output(FileSystem& files, const std::string& path, int flags, ::mode_t mode);

}  // namespace weir
