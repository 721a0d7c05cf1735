// The pieces of a written time and how they become an instant. No state; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "core/civil.hpp"
#include "core/local_clock.hpp"

namespace weir {

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

/// @brief seconds + nanos (0 <= nanos < 10^9) as one count, or nothing when it does not fit 64 bits.
inline std::optional<std::int64_t> join_seconds(std::int64_t seconds, std::int64_t nanos) noexcept {
  // Before the epoch the whole second alone may be out of range where the sum is not.
  if (seconds < 0 && nanos > 0) {
    ++seconds;
    nanos -= kNanosPerSecond;
  }
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &ns) || __builtin_add_overflow(ns, nanos, &ns)) {
    return std::nullopt;
  }
  return ns;
}

/// A date and a clock's reading, with the offset if one was written.
struct ClockTime {
  CivilDate date;
  unsigned hour = 0, minute = 0, second = 0;  ///< second 60 is a leap second
  std::int64_t nanos = 0;
  bool has_offset = false;
  std::int64_t offset = 0;  ///< seconds east of UTC

  /// @brief The instant; nothing when a part is out of its range or the instant is. 24:00:00 is the midnight at the end
  /// of the day (ISO 8601), and no later time of that hour exists. Second 60 is the next second's 0,
  /// and is a time only where UTC may have a leap second: at the end of a day.
  /// @param local where the time belongs if it has no offset; nullptr is UTC. @param order as LocalClock has it
  [[nodiscard]] std::optional<std::int64_t> to_ns(const LocalClock* local, LocalOrder* order = nullptr) const noexcept {
    const bool end_of_day = hour == 24 && minute == 0 && second == 0 && nanos == 0;
    if (date.month - 1 > 11 || date.day - 1 >= days_in_month(date.year, date.month) || (hour > 23 && !end_of_day) ||
        minute > 59 || second > 60) {
      return std::nullopt;
    }
    std::int64_t seconds = days_from_civil(date) * kSecondsPerDay + hour * 3600 + minute * 60 + second;
    if (has_offset) {
      seconds -= offset;
    } else if (local != nullptr) {
      // The offset is that of the second before: the leap second still belongs to its day.
      const std::int64_t leap = second == 60 ? 1 : 0;
      const std::optional<std::int64_t> utc = local->to_utc(seconds - leap, order);
      if (!utc) {
        return std::nullopt;
      }
      seconds = *utc + leap;
    }
    if (second == 60 && seconds % kSecondsPerDay != 0) {
      return std::nullopt;
    }
    return join_seconds(seconds, nanos);
  }
};

/// @brief Takes one or more fraction digits from the front: nanoseconds, further digits cut off. False when there are
/// none.
inline bool take_fraction(const char*& p, const char* end, std::int64_t& nanos) noexcept {
  const char* const first = p;
  std::int64_t unit = kNanosPerSecond;
  nanos = 0;
  unsigned digit = 0;
  while (p != end && (digit = static_cast<unsigned>(*p) - unsigned{'0'}) <= 9) {
    unit /= 10;
    nanos += unit * digit;
    ++p;
  }
  return p != first;
}

}  // namespace weir
