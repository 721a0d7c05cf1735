#include "core/exact.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>

#include "core/decimal.hpp"

namespace weir {
namespace {

/// Unsigned integer of 512 bits, little-endian limbs: room for a variance's numerator and denominator (256 and 248
/// bits) shifted so that their quotient has 128 bits.
struct Wide {
  static constexpr std::size_t kLimbs = 8;
  std::array<std::uint64_t, kLimbs> limb{};

  Wide() = default;
  explicit Wide(UInt128 value) : limb{static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(value >> 64U)} {}
  explicit Wide(const UInt192& value) : limb{value.limb[0], value.limb[1], value.limb[2]} {}

  /// Limbs up to the highest that is not zero.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t n = kLimbs;
    while (n > 0 && limb[n - 1] == 0) {
      --n;
    }
    return n;
  }
  [[nodiscard]] int bits() const noexcept {
    const std::size_t n = size();
    return n == 0 ? 0 : static_cast<int>(64 * n) - std::countl_zero(limb[n - 1]);
  }
};

Wide operator<<(const Wide& value, unsigned shift) noexcept {
  Wide out;
  const std::size_t limbs = shift / 64;
  const unsigned rest = shift % 64;
  for (std::size_t i = Wide::kLimbs; i-- > limbs;) {
    out.limb[i] = value.limb[i - limbs] << rest;
    if (rest != 0 && i > limbs) {
      out.limb[i] |= value.limb[i - limbs - 1] >> (64 - rest);
    }
  }
  return out;
}

/// The product fits 512 bits.
Wide operator*(const Wide& a, const Wide& b) noexcept {
  Wide out;
  const std::size_t a_size = a.size();
  const std::size_t b_size = b.size();
  for (std::size_t i = 0; i < a_size; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < b_size; ++j) {
      const UInt128 sum = UInt128{a.limb[i]} * b.limb[j] + out.limb[i + j] + carry;
      out.limb[i + j] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> 64U);
    }
    if (carry != 0) {
      out.limb[i + b_size] = carry;
    }
  }
  return out;
}

/// a >= b.
Wide operator-(const Wide& a, const Wide& b) noexcept {
  Wide out;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < Wide::kLimbs; ++i) {
    const UInt128 difference = UInt128{a.limb[i]} - b.limb[i] - borrow;
    out.limb[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<std::uint64_t>(difference >> 64U) & 1U;
  }
  return out;
}

struct Quotient {
  UInt128 value = 0;
  bool exact = true;  ///< no remainder
};

/// floor(a / b), which fits 128 bits; b > 0. Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D, with
/// 64-bit digits.
Quotient divide(const Wide& a, const Wide& b) noexcept {
  const std::size_t n = b.size();
  const std::size_t a_size = a.size();
  Wide quotient;
  if (a_size < n) {
    return {0, a_size == 0};
  }
  // D1: the divisor's top bit set makes the estimate of a digit at most 2 too large.
  const auto shift = static_cast<unsigned>(std::countl_zero(b.limb[n - 1]));
  const Wide v = b << shift;
  std::array<std::uint64_t, Wide::kLimbs + 1> u{};
  const Wide shifted = a << shift;
  for (std::size_t i = 0; i < Wide::kLimbs; ++i) {
    u[i] = shifted.limb[i];
  }
  if (shift != 0) {
    u[Wide::kLimbs] = a.limb[Wide::kLimbs - 1] >> (64 - shift);
  }
  const UInt128 base_mask = ~std::uint64_t{0};
  for (std::size_t j = a_size - n + 1; j-- > 0;) {
    // D3: estimate from the top two digits, corrected by the third.
    const UInt128 top = UInt128{u[j + n]} << 64U | u[j + n - 1];
    UInt128 digit = top / v.limb[n - 1];
    UInt128 rest = top % v.limb[n - 1];
    while (digit > base_mask || (n > 1 && digit * v.limb[n - 2] > (rest << 64U | u[j + n - 2]))) {
      --digit;
      rest += v.limb[n - 1];
      if (rest > base_mask) {
        break;
      }
    }
    // D4: multiply and subtract.
    std::uint64_t carry = 0;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const UInt128 product = digit * v.limb[i] + carry;
      carry = static_cast<std::uint64_t>(product >> 64U);
      const UInt128 difference = UInt128{u[i + j]} - static_cast<std::uint64_t>(product) - borrow;
      u[i + j] = static_cast<std::uint64_t>(difference);
      borrow = static_cast<std::uint64_t>(difference >> 64U) & 1U;
    }
    const UInt128 difference = UInt128{u[j + n]} - carry - borrow;
    u[j + n] = static_cast<std::uint64_t>(difference);
    if ((difference >> 64U) != 0) {
      // D6: the estimate was one too large: add the divisor back.
      --digit;
      std::uint64_t overflow = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const UInt128 sum = UInt128{u[i + j]} + v.limb[i] + overflow;
        u[i + j] = static_cast<std::uint64_t>(sum);
        overflow = static_cast<std::uint64_t>(sum >> 64U);
      }
      u[j + n] += overflow;
    }
    quotient.limb[j] = static_cast<std::uint64_t>(digit);
  }
  bool exact = true;
  for (std::size_t i = 0; i < n; ++i) {
    exact = exact && u[i] == 0;
  }
  return {UInt128{quotient.limb[1]} << 64U | quotient.limb[0], exact};
}

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
  return Wide(UInt128{count}) * Wide(squares) - absolute * absolute;
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
