// Arithmetic on instants that stays within 64 bits: a broken clock's year 2262 must not become undefined
// behaviour.
#pragma once

#include <cstdint>
#include <limits>

namespace weir {

inline constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

/// Instants from `first` to `last`, both included.
struct InstantRange {
  std::int64_t first = kEarliest;
  std::int64_t last = kLatest;
  [[nodiscard]] bool contains(std::int64_t instant) const noexcept { return first <= instant && instant <= last; }
};

/// The first and the last of the instants that were added; `first` is above `last` while there is none.
struct SeenInstants {
  std::int64_t first = kLatest;
  std::int64_t last = kEarliest;
  [[nodiscard]] bool any() const noexcept { return first <= last; }
  void add(std::int64_t instant) noexcept {
    first = instant < first ? instant : first;
    last = instant > last ? instant : last;
  }
  void add(const SeenInstants& others) noexcept {
    first = others.first < first ? others.first : first;
    last = others.last > last ? others.last : last;
  }
};

/// @brief a + b, held at the limits.
inline std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? kEarliest : kLatest;
  return sum;
}

/// @brief a - b, held at the limits.
inline std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return b < 0 ? kLatest : kEarliest;
  return difference;
}

/// @brief a mod step in [0, step), for step > 0.
inline std::int64_t floor_mod(std::int64_t a, std::int64_t step) noexcept {
  const std::int64_t rest = a % step;
  return rest < 0 ? rest + step : rest;
}

/// @brief The largest multiple of step that is <= a, for step > 0; the smallest representable multiple where that one
/// does not fit.
inline std::int64_t floor_multiple(std::int64_t a, std::int64_t step) noexcept {
  const std::int64_t rest = a % step;
  if (rest >= 0) return a - rest;
  const std::int64_t toward_zero = a - rest;
  return toward_zero < kEarliest + step ? toward_zero : toward_zero - step;
}

/// @brief The smallest multiple of step that is > a, for step > 0, held at the limits.
inline std::int64_t next_multiple(std::int64_t a, std::int64_t step) noexcept {
  return saturating_add(floor_multiple(a, step), step);
}

}  // namespace weir
