// The clock of arrival, from which batch intervals and, where time is arrival, windows are made. A stream's journal
// owns one.
//
// It is the wall clock, measured against a clock that nobody sets, so that a wrong wall clock cannot do harm that
// stays:
//
// - It never goes back while it runs. Set back by up to kMostSlewed, it goes on at half its rate until the wall clock
//   has caught up; set back by more, it goes on at its own rate, and the next start follows the wall clock again.
// - It follows a jump ahead of more than a second only when that has lasted for kPatience: a glitch never gets in.
//
// Each change is told once. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <string>

#include "core/duration.hpp"

namespace weir {

class ArrivalClock {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(10);
  static constexpr Duration kMostSlewed = std::chrono::seconds(10);

  /// Nanoseconds since the epoch, and since some fixed moment, on through suspensions of the machine.
  struct Reading {
    std::int64_t wall_ns;
    std::int64_t steady_ns;
  };
  static Reading read_clocks() noexcept;

  /// Told what happens to the wall clock, one line each, from the thread that notices.
  using Notice = std::function<void(const std::string&)>;
  explicit ArrivalClock(Notice notice = {}, std::function<Reading()> read = read_clocks);

  /// @brief Before anything else: an earlier life had come to `last_ns`, the smallest int64 for none. The clock goes on
  /// from there where the wall clock is a little behind, or cannot be right because it is before `not_before_ns`; else
  /// a wall clock that is behind is believed, and the clock starts from it.
  void resume(std::int64_t last_ns, std::int64_t not_before_ns);

  /// @brief Nanoseconds since the Unix epoch.
  [[nodiscard]] std::int64_t now_ns();

 private:
  enum class State : std::uint8_t { right, suspects, behind, far_behind };
  [[nodiscard]] bool agrees(Reading reading) const noexcept;
  void follow(Reading reading);
  void tell(const std::string& line) const;

  const Notice notice_;
  const std::function<Reading()> read_;
  std::atomic<std::int64_t> offset_;         ///< this clock minus the steady one
  std::atomic<State> state_ = State::right;  ///< of the wall clock against this one; changed under mutex_
  std::mutex mutex_;
  std::int64_t since_ns_ = 0;          ///< steady: since when suspected, or slewed up to when
  std::int64_t suspected_offset_ = 0;  ///< of the wall clock's jump
};

}  // namespace weir
