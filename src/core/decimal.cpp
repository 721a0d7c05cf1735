#include "core/decimal.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>

namespace weir {

ParsedDecimal parse_decimal_any(std::string_view text, int places) noexcept {
  const ScaledDecimal scaled = scan_decimal(text, places);
  if (!scaled.valid) {
    return {0, DecimalStatus::not_a_number};
  }
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (scaled.overflow || scaled.magnitude > kLargest) {
    return {0, DecimalStatus::out_of_range};
  }
  std::uint64_t magnitude = scaled.magnitude;
  const bool above_half = scaled.dropped_digit > 5 || (scaled.dropped_digit == 5 && scaled.dropped_tail);
  const bool half = scaled.dropped_digit == 5 && !scaled.dropped_tail;
  if (above_half || (half && magnitude % 2 == 1)) {
    if (magnitude == kLargest) {
      return {0, DecimalStatus::out_of_range};
    }
    ++magnitude;
  }
  const auto units = static_cast<std::int64_t>(magnitude);
  return {scaled.negative ? -units : units, scaled.exact() ? DecimalStatus::ok : DecimalStatus::rounded};
}

ParsedDecimal round_plain(const PlainDecimal& plain, int places) noexcept {
  const int dropped = plain.fraction_digits - places;
  if (dropped > kMaxPlaces) {
    // 19 fraction digits and none kept: below one unit, and half a unit is 5·10^18.
    constexpr std::uint64_t kHalf = 5'000'000'000'000'000'000;
    const std::int64_t units = plain.mantissa > kHalf ? 1 : 0;
    return {plain.negative ? -units : units, plain.mantissa == 0 ? DecimalStatus::ok : DecimalStatus::rounded};
  }
  const auto divisor = static_cast<std::uint64_t>(kPowersOf10[dropped]);
  const std::uint64_t quotient = plain.mantissa / divisor;
  const std::uint64_t rest = plain.mantissa % divisor;
  // Ten times smaller than the mantissa at least, so that a carry stays in range.
  const bool up = rest > divisor / 2 || (rest == divisor / 2 && quotient % 2 == 1);
  const auto units = static_cast<std::int64_t>(quotient + (up ? 1 : 0));
  return {plain.negative ? -units : units, rest == 0 ? DecimalStatus::ok : DecimalStatus::rounded};
}

void append_decimal(std::string& out, Int128 units, int places) {
  // 39 digits of a 128-bit magnitude, filled from the right.
  constexpr std::size_t kDigits = 39;
  char digits[kDigits];
  std::size_t first = kDigits;
  // Negating as unsigned also holds for the smallest value, which has no positive counterpart.
  UInt128 magnitude = units < 0 ? UInt128{0} - static_cast<UInt128>(units) : static_cast<UInt128>(units);
  while (magnitude > std::numeric_limits<std::uint64_t>::max()) {
    digits[--first] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  }
  for (auto low = static_cast<std::uint64_t>(magnitude); low != 0; low /= 10) {
    digits[--first] = static_cast<char>('0' + static_cast<int>(low % 10));
  }
  const std::size_t significant = kDigits - first;
  auto fraction = static_cast<std::size_t>(places);
  std::size_t last = kDigits;
  while (fraction > 0 && last > first && digits[last - 1] == '0') {
    --last;
    --fraction;
  }
  if (last == first) {
    out += '0';
    return;
  }
  if (units < 0) {
    out += '-';
  }
  const std::size_t point = static_cast<std::size_t>(places);
  if (significant > point) {
    out.append(digits + first, significant - point);
  } else {
    out += '0';
  }
  if (fraction > 0) {
    out += '.';
    const std::size_t kept = last - first;
    if (kept < fraction) {
      out.append(fraction - kept, '0');
      out.append(digits + first, kept);
    } else {
      out.append(digits + last - fraction, fraction);
    }
  }
}

void append_double(std::string& out, double value) {
  if (value == 0.0) {
    out += '0';
    return;
  }
  // Longest plain form: sign, "0.", five zeros and 17 digits; longest with an exponent: "-1.7976931348623157e+308".
  char text[40];
  const double magnitude = std::fabs(value);
  const bool plain = magnitude >= 1e-6 && magnitude < 1e15;
  const std::to_chars_result result =
      std::to_chars(text, text + sizeof text, value, plain ? std::chars_format::fixed : std::chars_format::scientific);
  out.append(text, result.ptr);
}

std::int64_t double_to_units(double value, int places) noexcept {
  const double scaled = value * static_cast<double>(kPowersOf10[places]);
  // The comparison is false for NaN. -2^63 itself is kNullUnits, and the largest double below 2^63 fits.
  if (!(std::fabs(scaled) < 0x1p63)) {
    return kNullUnits;
  }
  return std::llrint(scaled);
}

}  // namespace weir
