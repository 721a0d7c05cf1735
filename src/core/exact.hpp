// From exact integers to a correctly rounded IEEE double: the last step of avg, variance and stddev. Host only;
// core/exact_arithmetic.hpp has what the device computes with too.
#pragma once

#include <cstdint>

#include "core/int128.hpp"

namespace weir {

/// Unsigned 192-bit integer, little-endian limbs: holds any sum of 2^64 squares of 64-bit values.
struct UInt192 {
  std::uint64_t limb[3] = {0, 0, 0};
  friend bool operator==(const UInt192&, const UInt192&) = default;
};

/// @brief The IEEE double nearest to sum / (count · 10^places), ties to even. count >= 1, 0 <= places <= 18.
double exact_mean(Int128 sum, std::uint64_t count, int places) noexcept;

/// @brief Variance of `count` values in units of 10^-places, from their exact sum and sum of squares:
/// (count·squares − sum²) / (count·divisor·10^(2·places)) with divisor = count − 1 (sample) or count (population),
/// correctly rounded. The caller handles divisor = 0.
double exact_variance(Int128 sum, UInt192 squares, std::uint64_t count, std::uint64_t divisor, int places) noexcept;

/// @brief The correctly rounded square root of the exact variance (not of the rounded one).
double exact_stddev(Int128 sum, UInt192 squares, std::uint64_t count, std::uint64_t divisor, int places) noexcept;

/// @brief The IEEE double nearest to value / 10^places, ties to even.
double exact_decimal_to_double(Int128 units, int places) noexcept;

}  // namespace weir
