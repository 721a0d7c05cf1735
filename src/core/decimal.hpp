// Exact decimals: a signed 64-bit count of units of 10^-places, read from text and printed without a binary float.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/decimal_scan.hpp"
#include "core/int128.hpp"

namespace weir {

/// The value of a field that a reading does not have. It is outside the range of a decimal: |units| <= 2^63 - 1.
inline constexpr std::int64_t kNullUnits = std::numeric_limits<std::int64_t>::min();

/// Most decimal places a field can keep: 10^18 is the largest power of ten in 64 bits.
inline constexpr int kMaxPlaces = 18;

inline constexpr std::int64_t kPowersOf10[kMaxPlaces + 1] = {1,
                                                             10,
                                                             100,
                                                             1'000,
                                                             10'000,
                                                             100'000,
                                                             1'000'000,
                                                             10'000'000,
                                                             100'000'000,
                                                             1'000'000'000,
                                                             10'000'000'000,
                                                             100'000'000'000,
                                                             1'000'000'000'000,
                                                             10'000'000'000'000,
                                                             100'000'000'000'000,
                                                             1'000'000'000'000'000,
                                                             10'000'000'000'000'000,
                                                             100'000'000'000'000'000,
                                                             1'000'000'000'000'000'000};

/// @brief 10^exponent for 0 <= exponent <= 18.
constexpr std::int64_t pow10(int exponent) noexcept {
  return kPowersOf10[exponent];
}

enum class DecimalStatus : std::uint8_t {
  ok,            ///< exact
  rounded,       ///< more digits than places: rounded half to even
  not_a_number,  ///< not a number, NaN, an infinity, empty
  out_of_range   ///< does not fit 64 bits
};

struct ParsedDecimal {
  std::int64_t units = 0;
  DecimalStatus status = DecimalStatus::not_a_number;
};

/// @brief Reads `[+-]digits[.digits][(e|E)[+-]digits]` (also ".5" and "5.") into units of 10^-places, rounding half to
/// even. All of `text` must be consumed; no blanks. Exponents of any size are handled exactly ("1e400" is
/// out_of_range, "1e-400" rounds to 0, "0e999999" is 0). 0 <= places <= 18.
ParsedDecimal parse_decimal(std::string_view text, int places) noexcept;

/// @brief parse_decimal without its fast path: any form, any length.
ParsedDecimal parse_decimal_any(std::string_view text, int places) noexcept;

/// @brief The same for a plain number with more than `places` fraction digits.
ParsedDecimal round_plain(const PlainDecimal& plain, int places) noexcept;

/// @brief Appends units·10^-places as the shortest exact decimal: no trailing zeros, no exponent, "-0" never.
void append_decimal(std::string& out, Int128 units, int places);

/// @brief Appends the fewest digits that read back to the same double; `value` is finite. Plain notation where
/// 1e-6 <= |value| < 1e15 ("21", not "21.0" or "2.1e+01"), otherwise with an exponent ("1e+20"); both are JSON numbers.
/// "-0" prints as "0".
void append_double(std::string& out, double value);

/// @brief The double that an expression sees for a field: double(units) / 10^places, each step rounded by IEEE.
double decimal_to_double(std::int64_t units, int places) noexcept;

/// @brief A computed double as units of 10^-places, rounded half to even (rint(value * 10^places)); kNullUnits when it
/// is not finite or does not fit.
std::int64_t double_to_units(double value, int places) noexcept;

inline ParsedDecimal parse_decimal(std::string_view text, int places) noexcept {
  const PlainDecimal plain = scan_plain(text);
  if (!plain.valid) [[unlikely]] {
    return parse_decimal_any(text, places);
  }
  if (plain.fraction_digits > places) [[unlikely]] {
    return round_plain(plain, places);
  }
  std::int64_t units = 0;
  if (__builtin_mul_overflow(plain.mantissa, kPowersOf10[places - plain.fraction_digits], &units)) [[unlikely]] {
    return {0, DecimalStatus::out_of_range};
  }
  return {plain.negative ? -units : units, DecimalStatus::ok};
}

inline double decimal_to_double(std::int64_t units, int places) noexcept {
  return static_cast<double>(units) / static_cast<double>(kPowersOf10[places]);
}

}  // namespace weir
