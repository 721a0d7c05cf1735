// A segment that is being written: allocated whole, mapped, appended to by copying.
//
// Producers append behind end() under the journal's lock, which publishes it; the worker reads before end() without a
// lock. Owned by shared pointers: the journal, the worker and the thread that finishes it release it one by one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/file_system.hpp"
#include "journal/mapping_guard.hpp"
#include "journal/record.hpp"
#include "journal/segment_format.hpp"

namespace weir::journal {

/// @brief "<directory>/journal-<ordinal>.tmp": what a segment is called until it begins.
std::string unfinished_path(const std::string& directory, std::uint64_t ordinal);

class LiveSegment {
 public:
  /// @brief Creates `<directory>/journal-<ordinal>.tmp` of `bytes` bytes, with room on the disk for all of them.
  /// @throws FileError, Error; nothing is left behind
  static std::shared_ptr<LiveSegment> create(FileSystem& files, const std::string& directory, std::uint64_t ordinal,
                                             std::uint64_t bytes);
  ~LiveSegment();
  LiveSegment(const LiveSegment&) = delete;
  LiveSegment& operator=(const LiveSegment&) = delete;

  /// @brief Takes all its pages from the system now, so that no append has to: half of what a small append costs. They
  /// will be written to the disk whether they are used or not.
  void touch() noexcept;
  /// @brief Writes the header and gives the file its name. The name is durable after sync(). @throws FileError
  void begin(std::uint64_t first_number);
  /// @brief Removes the file of a segment that was never begun. Never throws.
  void discard() noexcept;

  /// @brief Room for a record's frame, if there may be `reserve` bytes behind it.
  [[nodiscard]] bool fits(std::uint64_t bytes, std::uint64_t reserve) const noexcept {
    return end_.load(std::memory_order_relaxed) + bytes + reserve <= capacity_;
  }
  /// @brief Appends; the caller holds the journal's lock and has made sure that it fits.
  void append(const Record& record, std::uint64_t bytes) noexcept;
  /// @brief Bytes of the file that hold whole records. Any thread.
  [[nodiscard]] std::uint64_t end() const noexcept { return end_.load(std::memory_order_acquire); }
  [[nodiscard]] const char* at(std::uint64_t offset) const noexcept { return memory_ + offset; }

  /// @brief The file was cut off by somebody else, or its disk fails: what memory has of it may be nothing. Any thread.
  [[nodiscard]] bool broken() const noexcept { return guard_->broken(); }
  /// @brief One line about that.
  [[nodiscard]] std::string describe_broken() const;
  /// @brief Whether somebody removed the file.
  [[nodiscard]] bool removed() const noexcept;

  /// @brief What was appended before the call survives a power cut, and the file's name does. Any thread. @throws Error
  /// for good once a sync has failed
  void sync();
  /// @brief Nothing more is appended: marks it complete, durably, and gives back the room that was not used.
  /// @param followed another segment was begun, and is named in the directory @throws Error
  void complete(std::uint64_t end_number, bool followed);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t first_number() const noexcept { return header().first_number; }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }

 private:
  LiveSegment(FileSystem& files, std::string directory, std::string path)
      : files_(files), directory_(std::move(directory)), path_(std::move(path)) {}
  void sync_file();
  [[nodiscard]] SegmentHeader& header() const noexcept { return *reinterpret_cast<SegmentHeader*>(memory_); }

  FileSystem& files_;
  std::string directory_;
  std::string path_;
  FileDescriptor file_;
  char* memory_ = nullptr;
  std::uint64_t capacity_ = 0;
  std::optional<MappingGuard> guard_;
  std::atomic<std::uint64_t> end_{kSegmentHeaderBytes};

  // A page whose write failed is marked clean, so the next fdatasync would succeed: the first failure stays.
  std::mutex sync_mutex_;
  std::uint64_t file_bytes_ = 0;  // a shorter file was cut off by somebody else
  std::string sync_failure_;
  bool name_durable_ = false;
  bool complete_ = false;  // durable, and cut to what it holds: nothing is left to sync
};

/// @brief A complete segment of an earlier process learns that another one follows it, whose name is durable.
/// @throws FileError, Error
void mark_followed(FileSystem& files, const std::string& path);

/// @brief As LiveSegment::complete(), for the segment of an earlier process: `bytes` of it hold records.
/// @throws FileError, Error
void complete_segment(FileSystem& files, const std::string& path, SegmentHeader header, std::uint64_t bytes,
                      std::uint64_t end_number);

}  // namespace weir::journal
