// Scanning decimal text into an integer magnitude: shared by parse_decimal (which rounds) and TimeReader (which
// floors). No state; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

/// `[-]digits[.digits]` with 1 to 19 digits in all: the value is mantissa / 10^fraction_digits.
struct PlainDecimal {
  std::uint64_t mantissa = 0;
  int fraction_digits = 0;
  bool negative = false;
  bool valid = false;  ///< false: not of this plain form; scan_decimal decides
};

namespace detail {

// Eight characters at once in one 64-bit word, the first in the lowest byte.

inline constexpr std::uint64_t kEightZeros = 0x3030'3030'3030'3030;

inline std::uint64_t load8(const char* p) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}
inline std::uint32_t load4(const char* p) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

inline bool all_digits(std::uint64_t word) noexcept {
  // A byte below '0' borrows into its top bit, one above '9' carries into it.
  return (((word + 0x4646'4646'4646'4646) | (word - kEightZeros)) & 0x8080'8080'8080'8080) == 0;
}

/// Eight digits to their number: pairs, then fours, then eight (Lemire, "Quickly parsing eight digits", 2018).
inline std::uint64_t digits_to_number(std::uint64_t word) noexcept {
  word -= kEightZeros;
  word = word * 10 + (word >> 8U);
  return ((word & 0x0000'00ff'0000'00ff) * 0x000f'4240'0000'0064 +
          ((word >> 16U) & 0x0000'00ff'0000'00ff) * 0x0000'2710'0000'0001) >>
         32U;
}

/// One to eight characters at `p`, moved to the top of the word, with '0' in front of them. Reads nothing else.
inline std::uint64_t load_to_top(const char* p, std::size_t size) noexcept {
  std::uint64_t word = 0;
  if (size >= 4) {
    // Two loads that overlap in the same bytes.
    word = load4(p) | std::uint64_t{load4(p + size - 4)} << (8 * (size - 4));
  } else {
    const auto byte = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i); };
    word = byte(0) | byte(size / 2) | byte(size - 1);
  }
  const std::size_t empty = 8 * (8 - size);
  return word << empty | (kEightZeros & ~(~std::uint64_t{0} << empty));
}

/// `digits[.digits]` of one to eight characters, without a branch on where the point is.
inline void scan_short(const char* p, std::size_t size, PlainDecimal& out) noexcept {
  std::uint64_t word = load_to_top(p, size);
  const std::uint64_t differs = word ^ 0x2e2e'2e2e'2e2e'2e2e;
  const std::uint64_t points = (differs - 0x0101'0101'0101'0101) & ~differs & 0x8080'8080'8080'8080;
  std::size_t digits = size;
  if (points != 0) {
    // The characters in front of the point close up; a second point stays and is no digit.
    const auto at = static_cast<unsigned>(std::countr_zero(points)) - 7;
    const std::uint64_t before = (std::uint64_t{1} << at) - 1;
    word = (word & ~before & ~(std::uint64_t{0xff} << at)) | (word & before) << 8U | 0x30U;
    out.fraction_digits = static_cast<int>(7 - at / 8);
    --digits;
  }
  out.mantissa = digits_to_number(word);
  out.valid = digits != 0 && all_digits(word);
}

/// The same for up to twenty characters.
inline void scan_long(const char* p, const char* end, PlainDecimal& out) noexcept {
  const char* const first = p;
  std::uint64_t mantissa = 0;
  unsigned digit = 0;
  if constexpr (std::endian::native == std::endian::little) {
    while (end - p >= 8 && all_digits(load8(p))) {
      mantissa = mantissa * 100'000'000 + digits_to_number(load8(p));
      p += 8;
    }
  }
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
}

}  // namespace detail

/// @brief Reads the form that nearly all numbers have. Never reads outside `text`.
inline PlainDecimal scan_plain(std::string_view text) noexcept {
  PlainDecimal out;
  if (text.empty()) {
    return out;
  }
  out.negative = text.front() == '-';
  const char* const p = text.data() + (out.negative ? 1 : 0);
  const std::size_t size = text.size() - (out.negative ? 1 : 0);
  if (std::endian::native == std::endian::little && size - 1 < 8) {
    detail::scan_short(p, size, out);
  } else if (size <= 20) {
    // 19 digits and a point: no mantissa of this length overflows.
    detail::scan_long(p, p + size, out);
  }
  return out;
}

/// Any decimal, scaled: |value|·10^places = magnitude + a dropped part in [0, 1).
struct ScaledDecimal {
  std::uint64_t magnitude = 0;
  bool negative = false;
  bool valid = false;         ///< the text is a number
  bool overflow = false;      ///< the magnitude has more than 19 digits
  int dropped_digit = 0;      ///< first digit of the dropped part
  bool dropped_tail = false;  ///< a further digit of the dropped part is not zero

  [[nodiscard]] bool exact() const noexcept { return dropped_digit == 0 && !dropped_tail; }
};

/// @brief Reads `[+-]digits[.digits][(e|E)[+-]digits]`, all of `text`, at any length and exponent.
ScaledDecimal scan_decimal(std::string_view text, int places) noexcept;

}  // namespace weir
