// Scanning decimal text into an integer magnitude: shared by parse_decimal (which rounds) and TimeReader (which
// floors). No state; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

/// `[-]digits[.digits]` with 1 to 19 digits in all: the value is mantissa / 10^fraction_digits.
struct PlainDecimal {
  std::uint64_t mantissa = 0;
  int fraction_digits = 0;
  bool negative = false;
  bool valid = false;  ///< false: not of this plain form; scan_decimal decides
};

/// @brief Reads the form that nearly all numbers have. Never reads outside `text`.
inline PlainDecimal scan_plain(std::string_view text) noexcept {
  PlainDecimal out;
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p != end && *p == '-') {
    out.negative = true;
    ++p;
  }
  // 19 digits and a point: no mantissa of this length overflows.
  if (end - p > 20) {
    return out;
  }
  const char* const first = p;
  std::uint64_t mantissa = 0;
  unsigned digit = 0;
  while (p != end && (digit = static_cast<unsigned>(*p) - unsigned{'0'}) <= 9) {
    mantissa = mantissa * 10 + digit;
    ++p;
  }
  std::ptrdiff_t digits = p - first;
  if (p != end && *p == '.') {
    const char* const point = p++;
    while (p != end && (digit = static_cast<unsigned>(*p) - unsigned{'0'}) <= 9) {
      mantissa = mantissa * 10 + digit;
      ++p;
    }
    out.fraction_digits = static_cast<int>(p - point - 1);
    digits += out.fraction_digits;
  }
  out.mantissa = mantissa;
  out.valid = p == end && digits >= 1 && digits <= 19;
  return out;
}

/// Any decimal, scaled: |value|·10^places = magnitude + a dropped part in [0, 1).
struct ScaledDecimal {
  std::uint64_t magnitude = 0;
  bool negative = false;
  bool valid = false;         ///< the text is a number
  bool overflow = false;      ///< the magnitude does not fit 64 bits
  int dropped_digit = 0;      ///< first digit of the dropped part
  bool dropped_tail = false;  ///< a further digit of the dropped part is not zero

  [[nodiscard]] bool exact() const noexcept { return dropped_digit == 0 && !dropped_tail; }
};

/// @brief Reads `[+-]digits[.digits][(e|E)[+-]digits]`, all of `text`, at any length and exponent.
ScaledDecimal scan_decimal(std::string_view text, int places) noexcept;

}  // namespace weir
