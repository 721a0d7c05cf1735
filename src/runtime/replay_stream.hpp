// One stream of a replay: reads recorded files in its own thread, so that the order of several inputs is decided by the
// data alone (the one with the smallest watermark is read next), at full speed or paced by event time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/pipeline.hpp"
#include "runtime/stream_feed.hpp"
#include "source/source.hpp"

namespace weir::runtime {

class ReplayStream {
 public:
  ReplayStream(const StreamFeed::Wiring& wiring, const StreamResume& resume, const ReplayOptions& options);
  ~ReplayStream();
  ReplayStream(const ReplayStream&) = delete;
  ReplayStream& operator=(const ReplayStream&) = delete;

  void start();
  /// @brief Stops at the next message boundary and ends the stream without closing windows. Any thread, returns at
  /// once.
  void request_stop();
  void join();
  /// @brief What went wrong while reading, after join().
  [[nodiscard]] std::exception_ptr error() const { return error_; }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t bytes_total() const noexcept { return bytes_total_.load(std::memory_order_relaxed); }

 private:
  struct Input;
  void work();
  void open_inputs(bool resume);
  void read_one();
  void read_merged();
  bool next_message(Input& input);
  bool refill(Input& input);
  void decode_next(Input& input);
  void pace(std::int64_t newest);
  [[nodiscard]] bool stopping() const noexcept { return stop_.load(std::memory_order_relaxed) || feed_.stopped(); }

  StreamFeed::Wiring wiring_;
  const plan::StreamPlan& plan_;
  StreamResume resume_;
  ReplayOptions options_;
  StreamFeed feed_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::int64_t first_event_time_;
  std::chrono::steady_clock::time_point first_instant_;
  std::int64_t paced_until_;
  std::atomic<std::uint64_t> bytes_read_{0};
  std::atomic<std::uint64_t> bytes_total_{0};
  std::exception_ptr error_;
  std::thread worker_;
};

}  // namespace weir::runtime
