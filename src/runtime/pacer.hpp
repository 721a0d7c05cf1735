// The speed of a replay: readings are handed on a batch interval at a time, when the wall clock has come as far as the
// recorded time has.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>

namespace weir::runtime {

/// stop() and stopped(): any thread. The rest: the replay's.
class Pacer {
 public:
  /// @param speed recorded seconds per second; 0: as fast as possible @param step_ns batch interval
  Pacer(double speed, std::int64_t step_ns) : speed_(speed), step_ns_(step_ns) {}

  [[nodiscard]] bool paced() const noexcept { return speed_ > 0.0; }
  /// @brief The recording has come to `time_ns`. True when a batch interval is over: hand on what was collected, then
  /// call wait().
  [[nodiscard]] bool interval_over(std::int64_t time_ns) {
    if (!paced() || time_ns == kBeforeAll) {
      return false;
    }
    if (first_ns_ == kBeforeAll) {
      first_ns_ = time_ns;
      first_instant_ = std::chrono::steady_clock::now();
      until_ns_ = later(time_ns, step_ns_);
    }
    return time_ns >= until_ns_;
  }
  /// @brief When it is `time_ns`'s turn, after the first interval_over().
  [[nodiscard]] std::chrono::steady_clock::time_point due(std::int64_t time_ns) const {
    const double recorded = (static_cast<double>(time_ns) - static_cast<double>(first_ns_)) / 1e9;
    return first_instant_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                std::chrono::duration<double>(std::clamp(recorded / speed_, 0.0, kLongestWait)));
  }
  /// @brief Waits until due(time_ns), or stop().
  void wait(std::int64_t time_ns) {
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, due(time_ns), [this] { return stopped(); });
    until_ns_ = later(time_ns, step_ns_);
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
  }
  [[nodiscard]] bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kBeforeAll = std::numeric_limits<std::int64_t>::min();
  // A century: nobody waits longer, and clocks can express it. Times far apart at a low speed give more.
  static constexpr double kLongestWait = 100.0 * 365 * 86400;

  static std::int64_t later(std::int64_t time_ns, std::int64_t step_ns) noexcept {
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    return time_ns > kNever - step_ns ? kNever : time_ns + step_ns;
  }

  const double speed_;
  const std::int64_t step_ns_;
  std::int64_t first_ns_ = kBeforeAll;
  std::int64_t until_ns_ = kBeforeAll;
  std::chrono::steady_clock::time_point first_instant_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopped_{false};
};

}  // namespace weir::runtime
