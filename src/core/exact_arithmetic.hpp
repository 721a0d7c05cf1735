// The arithmetic of core/exact.hpp: host and device, the same bits on both, for a correctly rounded result is only one.
//
// `unit` is 10^places. No state; any thread.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/exact.hpp"
#include "core/host_device.hpp"
#include "core/int128.hpp"
#include "core/wide.hpp"

namespace weir::exact {

/// floor(sqrt(value)) for value >= 2^124.
WEIR_HOST_DEVICE inline std::uint64_t integer_sqrt(UInt128 value) noexcept {
  // The double is within a few 2^-53 of the root; one step of Newton's method leaves an error below 2.
  auto root = static_cast<UInt128>(std::sqrt(static_cast<double>(value)));
  root = (root + value / root) / 2;
  while (root >> 64U != 0 || root * root > value) {
    --root;
  }
  while (root + 1 <= ~std::uint64_t{0} && (root + 1) * (root + 1) <= value) {
    ++root;
  }
  return static_cast<std::uint64_t>(root);
}

/// (significand + a part below one, zero if exact) · 2^exponent, rounded once; significand has at least 55 bits.
WEIR_HOST_DEVICE inline double round_to_double(std::uint64_t significand, bool exact, int exponent) noexcept {
  // A conversion rounds to nearest, ties to even; a last bit that stands for all below it cannot make or break a tie.
  return std::ldexp(static_cast<double>(significand | (exact ? 0U : 1U)), exponent);
}

/// numerator / denominator scaled by a power of two so that the quotient has `bits` or one bit more.
struct Scaled {
  Wide numerator, denominator;
  int shift = 0;  ///< the quotient is 2^shift times the true one
};
WEIR_HOST_DEVICE inline Scaled scale(const Wide& numerator, const Wide& denominator, int bits, bool even) noexcept {
  int shift = bits + denominator.bits() - numerator.bits();
  if (even && shift % 2 != 0) {
    --shift;
  }
  if (shift >= 0) {
    return {numerator << static_cast<unsigned>(shift), denominator, shift};
  }
  return {numerator, denominator << static_cast<unsigned>(-shift), shift};
}

WEIR_HOST_DEVICE inline double nearest_quotient(const Wide& numerator, const Wide& denominator) noexcept {
  if (numerator.size() == 0) {
    return 0.0;
  }
  const Scaled scaled = scale(numerator, denominator, 63, false);
  const Quotient quotient = divide(scaled.numerator, scaled.denominator);
  return round_to_double(static_cast<std::uint64_t>(quotient.value), quotient.exact, -scaled.shift);
}

WEIR_HOST_DEVICE inline double nearest_sqrt(const Wide& numerator, const Wide& denominator) noexcept {
  if (numerator.size() == 0) {
    return 0.0;
  }
  // floor(sqrt(floor(x))) = floor(sqrt(x)), so the root of the truncated quotient has the right digits.
  const Scaled scaled = scale(numerator, denominator, 126, true);
  const Quotient quotient = divide(scaled.numerator, scaled.denominator);
  const std::uint64_t root = integer_sqrt(quotient.value);
  const bool exact = quotient.exact && UInt128{root} * root == quotient.value;
  return round_to_double(root, exact, -scaled.shift / 2);
}

WEIR_HOST_DEVICE inline UInt128 magnitude(Int128 value) noexcept {
  return value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

/// count·squares − sum², which the Cauchy–Schwarz inequality keeps from being negative.
WEIR_HOST_DEVICE inline Wide variance_numerator(Int128 sum, const UInt192& squares, std::uint64_t count) noexcept {
  const Wide absolute(magnitude(sum));
  return Wide(UInt128{count}) * Wide(squares.limb) - absolute * absolute;
}

WEIR_HOST_DEVICE inline Wide variance_denominator(std::uint64_t count, std::uint64_t divisor,
                                                  std::uint64_t unit) noexcept {
  return Wide(UInt128{count} * divisor) * Wide(UInt128{unit} * unit);
}

/// @brief exact_mean()
WEIR_HOST_DEVICE inline double mean(Int128 sum, std::uint64_t count, std::uint64_t unit) noexcept {
  const UInt128 absolute = magnitude(sum);
  const UInt128 denominator = UInt128{unit} * count;
  constexpr UInt128 kExactInDouble = UInt128{1} << 53U;
  if (absolute <= kExactInDouble && denominator <= kExactInDouble) [[likely]] {
    // Both are doubles without rounding, so that the one division is correctly rounded.
    return static_cast<double>(static_cast<std::int64_t>(sum)) /
           static_cast<double>(static_cast<std::int64_t>(denominator));
  }
  const double result = nearest_quotient(Wide(absolute), Wide(denominator));
  return sum < 0 ? -result : result;
}

/// @brief exact_variance()
WEIR_HOST_DEVICE inline double variance(Int128 sum, const UInt192& squares, std::uint64_t count, std::uint64_t divisor,
                                        std::uint64_t unit) noexcept {
  return nearest_quotient(variance_numerator(sum, squares, count), variance_denominator(count, divisor, unit));
}

/// @brief exact_stddev()
WEIR_HOST_DEVICE inline double stddev(Int128 sum, const UInt192& squares, std::uint64_t count, std::uint64_t divisor,
                                      std::uint64_t unit) noexcept {
  return nearest_sqrt(variance_numerator(sum, squares, count), variance_denominator(count, divisor, unit));
}

}  // namespace weir::exact
