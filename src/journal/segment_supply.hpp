// The next segment, made ready ahead by a thread of its own: allocating a file takes milliseconds, which no producer
// should wait for. When the disk is full it tries again, until there is room or it is stopped.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/file_system.hpp"
#include "journal/live_segment.hpp"

namespace weir::journal {

/// Any thread may call it.
class SegmentSupply {
 public:
  struct Callbacks {
    /// A segment is ready; or there will be none any more, and why. Called without the supply's lock.
    std::function<void(const std::string& failure)> changed;
    std::function<void(const std::string&)> notice;
  };

  SegmentSupply(FileSystem& files, std::string directory, std::uint64_t segment_bytes, Callbacks callbacks);
  /// Stops, and removes the segment that was not taken.
  ~SegmentSupply();
  SegmentSupply(const SegmentSupply&) = delete;
  SegmentSupply& operator=(const SegmentSupply&) = delete;

  /// @brief A segment of at least `bytes`, or nullptr when none is ready: `changed` is called when one is. Never blocks
  /// for long.
  std::shared_ptr<LiveSegment> take(std::uint64_t bytes);
  /// @brief There is no room on the disk for a segment.
  [[nodiscard]] bool disk_full() const noexcept { return disk_full_.load(std::memory_order_relaxed); }

 private:
  void run();
  void prepare(std::unique_lock<std::mutex>& lock);

  FileSystem& files_;
  const std::string directory_;
  const std::uint64_t segment_bytes_;
  const Callbacks callbacks_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<LiveSegment> ready_;
  std::uint64_t wanted_bytes_;
  std::chrono::steady_clock::time_point taken_at_;
  bool busy_ = false;  // segments fill so quickly that the next one's pages are worth taking ahead
  std::uint64_t ordinal_ = 0;
  std::string failure_;
  bool stopping_ = false;
  std::atomic<bool> disk_full_{false};
  std::thread thread_;
};

}  // namespace weir::journal
