// A file system whose calls fail on command: the n-th call of a kind, every call while it is told so, or a write that
// stops half way. Everything else is done by the system's own calls.
//
// Any thread may call it, also to change what fails.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_system.hpp"

namespace weir::test {

class FaultyFileSystem : public FileSystem {
 public:
  enum class Call : std::uint8_t { open, write, allocate, truncate, sync, rename, remove, sync_directory };

  /// @brief The n-th call of this kind from now on (1: the next one) fails once with `error_number`.
  void fail_nth(Call call, std::uint64_t n, int error_number) {
    const std::lock_guard lock(mutex_);
    Faults& faults = of(call);
    faults.nth = faults.calls + n;
    faults.nth_error = error_number;
  }
  /// @brief The n-th write from now on writes only its first `bytes` bytes and then fails with `error_number`.
  void write_short(std::uint64_t n, std::size_t bytes, int error_number = ENOSPC) {
    fail_nth(Call::write, n, error_number);
    const std::lock_guard lock(mutex_);
    short_bytes_ = bytes;
  }
  /// @brief Every call of this kind fails with `error_number` until heal().
  void fail(Call call, int error_number) {
    const std::lock_guard lock(mutex_);
    of(call).always = error_number;
  }
  void heal(Call call) {
    const std::lock_guard lock(mutex_);
    of(call).always = 0;
    of(call).nth = 0;
  }
  /// @brief How many calls of this kind there were, failed ones included.
  [[nodiscard]] std::uint64_t calls(Call call) {
    const std::lock_guard lock(mutex_);
    return of(call).calls;
  }

  FileDescriptor open(const std::string& path, int flags, ::mode_t mode) override {
    raise(Call::open, "open", path);
    return FileSystem::open(path, flags, mode);
  }
  void write(const FileDescriptor& file, std::string_view bytes, const std::string& path) override {
    const int error_number = next(Call::write);
    if (error_number == 0) return FileSystem::write(file, bytes, path);
    std::optional<std::size_t> part;
    {
      const std::lock_guard lock(mutex_);
      part.swap(short_bytes_);
    }
    if (part) FileSystem::write(file, bytes.substr(0, *part), path);
    throw FileError("write", path, error_number);
  }
  void allocate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) override {
    raise(Call::allocate, "make room for", path);
    FileSystem::allocate(file, bytes, path);
  }
  void truncate(const FileDescriptor& file, std::uint64_t bytes, const std::string& path) override {
    raise(Call::truncate, "truncate", path);
    FileSystem::truncate(file, bytes, path);
  }
  void sync(const FileDescriptor& file, const std::string& path) override {
    raise(Call::sync, "sync", path);
    FileSystem::sync(file, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    raise(Call::rename, "rename", from);
    FileSystem::rename(from, to);
  }
  void remove(const std::string& path) override {
    raise(Call::remove, "remove", path);
    FileSystem::remove(path);
  }
  void sync_directory(const std::string& directory) override {
    raise(Call::sync_directory, "sync directory", directory);
    FileSystem::sync_directory(directory);
  }

 private:
  struct Faults {
    std::uint64_t calls = 0;
    std::uint64_t nth = 0;  ///< ordinal of the call that fails, from 1; 0: none
    int nth_error = 0;
    int always = 0;  ///< errno; 0: none
  };

  Faults& of(Call call) { return faults_.at(static_cast<std::size_t>(call)); }

  /// The errno with which this call fails, or 0.
  int next(Call call) {
    const std::lock_guard lock(mutex_);
    Faults& faults = of(call);
    ++faults.calls;
    return faults.calls == faults.nth ? faults.nth_error : faults.always;
  }
  void raise(Call call, std::string_view action, const std::string& path) {
    if (const int error_number = next(call); error_number != 0) throw FileError(action, path, error_number);
  }

  std::mutex mutex_;
  std::array<Faults, 8> faults_;
  std::optional<std::size_t> short_bytes_;
};

}  // namespace weir::test
