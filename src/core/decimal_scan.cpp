#include "core/decimal_scan.hpp"

namespace weir {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

const char* skip_digits(const char* p, const char* end) noexcept {
  while (p != end && is_digit(*p)) {
    ++p;
  }
  return p;
}

// Larger than any text, so that no number of digits can bring a saturated exponent back into range.
constexpr std::int64_t kExponentLimit = std::int64_t{1} << 61;

/// The digits' exponent, saturated; `p` is at its sign or first digit. False when it is none or does not end the text.
bool read_exponent(const char* p, const char* end, std::int64_t& exponent) noexcept {
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) {
    ++p;
  }
  if (p == end) {
    return false;
  }
  for (; p != end; ++p) {
    if (!is_digit(*p)) {
      return false;
    }
    exponent = exponent >= kExponentLimit / 10 ? kExponentLimit : exponent * 10 + (*p - '0');
  }
  if (negative) {
    exponent = -exponent;
  }
  return true;
}

}  // namespace

ScaledDecimal scan_decimal(std::string_view text, int places) noexcept {
  ScaledDecimal out;
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p != end && (*p == '-' || *p == '+')) {
    out.negative = *p == '-';
    ++p;
  }
  const char* const mantissa_begin = p;
  p = skip_digits(p, end);
  std::int64_t digits = p - mantissa_begin;
  std::int64_t fraction = 0;
  if (p != end && *p == '.') {
    const char* const point = p;
    p = skip_digits(p + 1, end);
    fraction = p - point - 1;
    digits += fraction;
  }
  const char* const mantissa_end = p;
  if (digits == 0) {
    return out;
  }
  std::int64_t exponent = 0;
  if (p != end && ((*p != 'e' && *p != 'E') || !read_exponent(p + 1, end, exponent))) {
    return out;
  }
  out.valid = true;

  p = mantissa_begin;
  for (; p != mantissa_end && (*p == '0' || *p == '.'); ++p) {
    digits -= *p == '0' ? 1 : 0;
  }
  if (digits == 0) {
    return out;
  }
  // The value times 10^places has this many digits before its point; the first of them is not zero.
  const std::int64_t kept = digits - fraction + exponent + places;
  if (kept > 19) {
    out.overflow = true;
    return out;
  }
  if (kept < 0) {
    out.dropped_tail = true;
    return out;
  }
  std::uint64_t magnitude = 0;
  std::int64_t position = 0;
  for (; p != mantissa_end; ++p) {
    if (*p == '.') {
      continue;
    }
    if (position < kept) {
      magnitude = magnitude * 10 + static_cast<unsigned>(*p - '0');
    } else if (position == kept) {
      out.dropped_digit = *p - '0';
    } else if (*p != '0') {
      out.dropped_tail = true;
      break;
    }
    ++position;
  }
  for (; position < kept; ++position) {
    magnitude *= 10;
  }
  out.magnitude = magnitude;
  return out;
}

}  // namespace weir
