// The integers that a group keeps for an argument, and how a value enters them. Host and device.
//
// Every part is a commutative monoid over integers: values and partial results merge in any order to the same bits.
// Sums and squares are also invertible: what entered can be taken out again exactly.
#pragma once

#include <cstdint>
#include <limits>

#include "core/exact.hpp"
#include "core/host_device.hpp"
#include "core/int128.hpp"

namespace weir::ops {

// A sum in 96 bits is low + wraps·2^64 with a signed low word: as long as no addition overflows it, which with sensor
// values is always, `wraps` is not even touched. Up to 2^32 - 1 values of 64 bits fit. With the count beside it the
// whole is 16 bytes, half of what a 128-bit sum and a 64-bit count take in a pane's cells.

/// @brief Adds a value to a 96-bit sum.
WEIR_HOST_DEVICE inline void add_value(std::int64_t& low, std::int32_t& wraps, std::int64_t value) noexcept {
#ifdef __CUDA_ARCH__
  const auto sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + static_cast<std::uint64_t>(value));
  if (((low ^ sum) & (value ^ sum)) < 0) wraps += value < 0 ? -1 : 1;
#else
  std::int64_t sum = 0;
  if (__builtin_add_overflow(low, value, &sum)) [[unlikely]] {
    wraps += value < 0 ? -1 : 1;
  }
#endif
  low = sum;
}

WEIR_HOST_DEVICE inline Int128 to_int128(std::int64_t low, std::int32_t wraps) noexcept {
  return static_cast<Int128>(low) + (static_cast<Int128>(wraps) << 64);
}

/// @brief a += b for two 96-bit sums.
WEIR_HOST_DEVICE inline void add_sum(std::int64_t& low, std::int32_t& wraps, std::int64_t other_low,
                                     std::int32_t other_wraps) noexcept {
  add_value(low, wraps, other_low);
  wraps += other_wraps;
}

/// @brief The two words of a 128-bit sum that is within the range of 96 bits.
WEIR_HOST_DEVICE inline void from_int128(Int128 sum, std::int64_t& low, std::int32_t& wraps) noexcept {
  low = static_cast<std::int64_t>(static_cast<UInt128>(sum));
  wraps = static_cast<std::int32_t>((sum - low) >> 64);
}

/// @brief total += addend (mod 2^192, which no count of 64 bits can reach).
WEIR_HOST_DEVICE inline void add_squares(UInt192& total, const UInt192& addend) noexcept {
  const UInt128 first = static_cast<UInt128>(total.limb[0]) + addend.limb[0];
  const UInt128 second = static_cast<UInt128>(total.limb[1]) + addend.limb[1] + static_cast<std::uint64_t>(first >> 64);
  total.limb[0] = static_cast<std::uint64_t>(first);
  total.limb[1] = static_cast<std::uint64_t>(second);
  total.limb[2] += addend.limb[2] + static_cast<std::uint64_t>(second >> 64);
}

/// @brief total -= part, which entered it before.
WEIR_HOST_DEVICE inline void subtract_squares(UInt192& total, const UInt192& part) noexcept {
  const UInt128 first = static_cast<UInt128>(total.limb[0]) - part.limb[0];
  const std::uint64_t first_borrow = static_cast<std::uint64_t>(first >> 64) & 1U;
  const UInt128 second = static_cast<UInt128>(total.limb[1]) - part.limb[1] - first_borrow;
  const std::uint64_t second_borrow = static_cast<std::uint64_t>(second >> 64) & 1U;
  total.limb[0] = static_cast<std::uint64_t>(first);
  total.limb[1] = static_cast<std::uint64_t>(second);
  total.limb[2] -= part.limb[2] + second_borrow;
}

/// @brief total += value².
WEIR_HOST_DEVICE inline void add_square(UInt192& total, std::int64_t value) noexcept {
  const auto magnitude = value < 0 ? 0U - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const UInt128 square = static_cast<UInt128>(magnitude) * magnitude;
  add_squares(total, {{static_cast<std::uint64_t>(square), static_cast<std::uint64_t>(square >> 64), 0}});
}

/// The smallest and the largest value. The largest is kept as its complement, which turns its order around: both parts
/// take the smaller of two numbers, so vector code treats them alike. Default: no value, which loses to any.
struct Extremes {
  std::int64_t min = std::numeric_limits<std::int64_t>::max();
  std::int64_t not_max = std::numeric_limits<std::int64_t>::max();
  [[nodiscard]] WEIR_HOST_DEVICE std::int64_t max() const noexcept { return ~not_max; }
};

WEIR_HOST_DEVICE inline Extremes extremes_of(std::int64_t value) noexcept {
  return {value, ~value};
}

WEIR_HOST_DEVICE inline void merge(Extremes& into, const Extremes& from) noexcept {
  into.min = from.min < into.min ? from.min : into.min;
  into.not_max = from.not_max < into.not_max ? from.not_max : into.not_max;
}

/// The first reading by event time; of equal times the smaller value. Default: no reading, which loses to any.
struct FirstValue {
  std::int64_t time = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = std::numeric_limits<std::int64_t>::max();
};

WEIR_HOST_DEVICE inline void merge(FirstValue& into, const FirstValue& from) noexcept {
  const bool wins = from.time < into.time || (from.time == into.time && from.value < into.value);
  into.time = wins ? from.time : into.time;
  into.value = wins ? from.value : into.value;
}

/// The last reading by event time; of equal times the larger value.
struct LastValue {
  std::int64_t time = std::numeric_limits<std::int64_t>::min();
  std::int64_t value = std::numeric_limits<std::int64_t>::min();
};

WEIR_HOST_DEVICE inline void merge(LastValue& into, const LastValue& from) noexcept {
  const bool wins = from.time > into.time || (from.time == into.time && from.value > into.value);
  into.time = wins ? from.time : into.time;
  into.value = wins ? from.value : into.value;
}

}  // namespace weir::ops
