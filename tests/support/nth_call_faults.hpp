// A file system in which the n-th call fails, whatever call it is, and perhaps some that follow: a test that runs
// through all n has seen every failure once. And one whose transfers are short and interrupted, as the system's may be.
//
// Any thread may call them.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.hpp"

namespace weir::test {

class NthCallFaults : public FileSystem {
 public:
  /// @brief Calls are counted from 0; those from `first` on, `count` of them, fail with `error_number`. A write does
  /// the first half of its work before it fails.
  NthCallFaults(std::uint64_t first, std::uint64_t count, int error_number)
      : first_(first), last_(first + count), error_number_(error_number) {}
  NthCallFaults() = default;

  [[nodiscard]] std::uint64_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  /// @brief The calls that failed: "sync '/tmp/…/checkpoint-….weir.tmp'".
  [[nodiscard]] std::vector<std::string> failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  FileDescriptor open(const std::string& path, int flags, ::mode_t mode) override {
    return call("open", path), FileSystem::open(path, flags, mode);
  }
  void write(const FileDescriptor& file, std::string_view bytes, const std::string& path) override {
    try {
      call("write", path);
    } catch (const FileError&) {
      FileSystem::write(file, bytes.substr(0, bytes.size() / 2), path);
      throw;
    }
    FileSystem::write(file, bytes, path);
  }
  std::size_t read(const FileDescriptor& file, std::uint64_t offset, char* to, std::size_t bytes,
                   const std::string& path) override {
    return call("read", path), FileSystem::read(file, offset, to, bytes, path);
  }
  FileDescriptor duplicate(const FileDescriptor& file, const std::string& path) override {
    return call("duplicate", path), FileSystem::duplicate(file, path);
  }
  FileStatus status(const FileDescriptor& file, const std::string& path) override {
    return call("look at", path), FileSystem::status(file, path);
  }
  std::optional<FileStatus> status(const std::string& path) override {
    return call("look at", path), FileSystem::status(path);
  }
  bool lock(const FileDescriptor& file, const std::string& path) override {
    return call("lock", path), FileSystem::lock(file, path);
  }
  void allocate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) override {
    call("make room for", path);
    FileSystem::allocate(file, bytes, path);
  }
  void truncate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) override {
    call("truncate", path);
    FileSystem::truncate(file, bytes, path);
  }
  void sync(const FileDescriptor& file, const std::string& path) override {
    call("sync", path);
    FileSystem::sync(file, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    call("rename", from);
    FileSystem::rename(from, to);
  }
  void remove(const std::string& path) override {
    call("remove", path);
    FileSystem::remove(path);
  }
  void sync_directory(const std::string& directory) override {
    call("sync directory", directory);
    FileSystem::sync_directory(directory);
  }
  void make_directories(const std::string& directory, ::mode_t mode) override {
    call("create directory", directory);
    FileSystem::make_directories(directory, mode);
  }
  std::vector<std::string> names_in(const std::string& directory) override {
    return call("read directory", directory), FileSystem::names_in(directory);
  }

 private:
  void call(std::string_view action, const std::string& path) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = calls_++;
    if (number < first_ || number >= last_) return;
    failed_.push_back(std::string(action) + " '" + path + "'");
    throw FileError(action, path, error_number_);
  }

  mutable std::mutex mutex_;
  std::uint64_t calls_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  int error_number_ = 0;
  std::vector<std::string> failed_;
};

/// Every other transfer is interrupted by a signal, and the rest are short.
class ShortTransfers : public FileSystem {
 protected:
  ::ssize_t write_some(int descriptor, std::string_view bytes) noexcept override {
    return interrupted() ? -1 : FileSystem::write_some(descriptor, bytes.substr(0, kMost));
  }
  ::ssize_t read_some(int descriptor, char* to, std::size_t bytes, ::off_t offset) noexcept override {
    return interrupted() ? -1 : FileSystem::read_some(descriptor, to, std::min(bytes, kMost), offset);
  }

 private:
  static constexpr std::size_t kMost = 777;

  bool interrupted() noexcept {
    const std::lock_guard lock(mutex_);
    if (++transfers_ % 2 == 0) return false;
    errno = EINTR;
    return true;
  }
  std::mutex mutex_;
  std::uint64_t transfers_ = 0;
};

}  // namespace weir::test
