// Integers wide enough for the exact moments of any window: multiplied, shifted, subtracted and divided without
// rounding. No state; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "core/int128.hpp"

namespace weir {

/// Unsigned integer of 512 bits, little-endian limbs: room for a variance's numerator and denominator (256 and 248
/// bits) shifted so that their quotient has 128 bits.
struct Wide {
  static constexpr std::size_t kLimbs = 8;
  std::array<std::uint64_t, kLimbs> limb{};

  Wide() = default;
  explicit Wide(UInt128 value) : limb{static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(value >> 64U)} {}
  /// The lowest limbs; the others are zero.
  template <std::size_t size>
  explicit Wide(const std::uint64_t (&low)[size]) {
    static_assert(size <= kLimbs);
    std::copy(std::begin(low), std::end(low), limb.begin());
  }

  /// @brief Limbs up to the highest that is not zero.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t n = kLimbs;
    while (n > 0 && limb[n - 1] == 0) {
      --n;
    }
    return n;
  }
  /// @brief Bits up to the highest that is set.
  [[nodiscard]] int bits() const noexcept {
    const std::size_t n = size();
    return n == 0 ? 0 : static_cast<int>(64 * n) - std::countl_zero(limb[n - 1]);
  }
};

/// @brief value · 2^shift, shift < 512; bits beyond the top are lost.
Wide operator<<(const Wide& value, unsigned shift) noexcept;

/// @brief The product, which fits 512 bits.
Wide operator*(const Wide& a, const Wide& b) noexcept;

/// @brief The difference, a >= b.
Wide operator-(const Wide& a, const Wide& b) noexcept;

struct Quotient {
  UInt128 value = 0;
  bool exact = true;  ///< no remainder
};

/// @brief floor(a / b), which fits 128 bits; b > 0.
Quotient divide(const Wide& a, const Wide& b) noexcept;

}  // namespace weir
