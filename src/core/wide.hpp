// Integers wide enough for the exact moments of any window: multiplied, shifted, subtracted and divided without
// rounding. No state; any thread. Host and device.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/host_device.hpp"
#include "core/int128.hpp"

namespace weir {

/// Unsigned integer of 512 bits, little-endian limbs: room for a variance's numerator and denominator (256 and 248
/// bits) shifted so that their quotient has 128 bits.
struct Wide {
  static constexpr std::size_t kLimbs = 8;
  std::array<std::uint64_t, kLimbs> limb{};

  Wide() = default;
  WEIR_HOST_DEVICE explicit Wide(UInt128 value)
      : limb{static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(value >> 64U)} {}
  /// The lowest limbs; the others are zero.
  template <std::size_t size>
  WEIR_HOST_DEVICE explicit Wide(const std::uint64_t (&low)[size]) {
    static_assert(size <= kLimbs);
    for (std::size_t i = 0; i < size; ++i) limb[i] = low[i];
  }

  /// @brief Limbs up to the highest that is not zero.
  [[nodiscard]] WEIR_HOST_DEVICE std::size_t size() const noexcept {
    std::size_t n = kLimbs;
    while (n > 0 && limb[n - 1] == 0) {
      --n;
    }
    return n;
  }
  /// @brief Bits up to the highest that is set.
  [[nodiscard]] WEIR_HOST_DEVICE int bits() const noexcept {
    const std::size_t n = size();
    return n == 0 ? 0 : static_cast<int>(64 * n) - std::countl_zero(limb[n - 1]);
  }
};

/// @brief value · 2^shift, shift < 512; bits beyond the top are lost.
WEIR_HOST_DEVICE inline Wide operator<<(const Wide& value, unsigned shift) noexcept {
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

/// @brief The product, which fits 512 bits.
WEIR_HOST_DEVICE inline Wide operator*(const Wide& a, const Wide& b) noexcept {
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

/// @brief The difference, a >= b.
WEIR_HOST_DEVICE inline Wide operator-(const Wide& a, const Wide& b) noexcept {
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

/// @brief floor(a / b), which fits 128 bits; b > 0.
/// Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D, with 64-bit digits.
WEIR_HOST_DEVICE inline Quotient divide(const Wide& a, const Wide& b) noexcept {
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

}  // namespace weir
