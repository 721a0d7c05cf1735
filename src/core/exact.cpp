#include "core/exact.hpp"

#include <cmath>

#include "core/decimal.hpp"
#include "core/wide.hpp"

namespace weir {
namespace {

/// floor(sqrt(value)) for value >= 2^124.
std::uint64_t integer_sqrt(UInt128 value) noexcept {
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
double round_to_double(std::uint64_t significand, bool exact, int exponent) noexcept {
  // A conversion rounds to nearest, ties to even; a last bit that stands for all below it cannot make or break a tie.
  return std::ldexp(static_cast<double>(significand | (exact ? 0U : 1U)), exponent);
}

/// numerator / denominator scaled by a power of two so that the quotient has `bits` or one bit more.
struct Scaled {
  Wide numerator, denominator;
  int shift = 0;  ///< the quotient is 2^shift times the true one
};
Scaled scale(const Wide& numerator, const Wide& denominator, int bits, bool even) noexcept {
  int shift = bits + denominator.bits() - numerator.bits();
  if (even && shift % 2 != 0) {
    --shift;
  }
  if (shift >= 0) {
    return {numerator << static_cast<unsigned>(shift), denominator, shift};
  }
  return {numerator, denominator << static_cast<unsigned>(-shift), shift};
}

double nearest_quotient(const Wide& numerator, const Wide& denominator) noexcept {
  if (numerator.size() == 0) {
    return 0.0;
  }
  const Scaled scaled = scale(numerator, denominator, 63, false);
  const Quotient quotient = divide(scaled.numerator, scaled.denominator);
  return round_to_double(static_cast<std::uint64_t>(quotient.value), quotient.exact, -scaled.shift);
}

double nearest_sqrt(const Wide& numerator, const Wide& denominator) noexcept {
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

UInt128 magnitude(Int128 value) noexcept {
  return value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

UInt128 power(int places) noexcept {
  return static_cast<UInt128>(pow10(places));
}

/// count·squares − sum², which the Cauchy–Schwarz inequality keeps from being negative.
Wide variance_numerator(Int128 sum, const UInt192& squares, std::uint64_t count) noexcept {
  const Wide absolute(magnitude(sum));
  return Wide(UInt128{count}) * Wide(squares.limb) - absolute * absolute;
}

Wide variance_denominator(std::uint64_t count, std::uint64_t divisor, int places) noexcept {
  return Wide(UInt128{count} * divisor) * Wide(power(places) * power(places));
}

}  // namespace

double exact_mean(Int128 sum, std::uint64_t count, int places) noexcept {
  const UInt128 absolute = magnitude(sum);
  const UInt128 denominator = power(places) * count;
  constexpr UInt128 kExactInDouble = UInt128{1} << 53U;
  if (absolute <= kExactInDouble && denominator <= kExactInDouble) [[likely]] {
    // Both are doubles without rounding, so that the one division is correctly rounded.
    return static_cast<double>(static_cast<std::int64_t>(sum)) /
           static_cast<double>(static_cast<std::int64_t>(denominator));
  }
  const double mean = nearest_quotient(Wide(absolute), Wide(denominator));
  return sum < 0 ? -mean : mean;
}

double exact_variance(Int128 sum, UInt192 squares, std::uint64_t count, std::uint64_t divisor, int places) noexcept {
  return nearest_quotient(variance_numerator(sum, squares, count), variance_denominator(count, divisor, places));
}

double exact_stddev(Int128 sum, UInt192 squares, std::uint64_t count, std::uint64_t divisor, int places) noexcept {
  return nearest_sqrt(variance_numerator(sum, squares, count), variance_denominator(count, divisor, places));
}

double exact_decimal_to_double(Int128 units, int places) noexcept {
  return exact_mean(units, 1, places);
}

}  // namespace weir
