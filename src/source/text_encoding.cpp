#include "source/text_encoding.hpp"

#include <array>
#include <cstdint>

#include "core/utf8.hpp"

namespace weir::source {
namespace {

// Of the bytes 0x80 to 0x9F: https://encoding.spec.whatwg.org/index-windows-1252.txt
constexpr std::array<char16_t, 32> kWindows1252{0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                                0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

void append(std::string& utf8, std::uint32_t character) {
  const auto tail = [&](unsigned shift) { utf8 += static_cast<char>(0x80U | ((character >> shift) & 0x3FU)); };
  if (character < 0x80) {
    utf8 += static_cast<char>(character);
  } else if (character < 0x800) {
    utf8 += static_cast<char>(0xC0U | (character >> 6U));
    tail(0);
  } else if (character < 0x10000) {
    utf8 += static_cast<char>(0xE0U | (character >> 12U));
    tail(6);
    tail(0);
  } else {
    utf8 += static_cast<char>(0xF0U | (character >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_high(std::uint32_t unit) noexcept {
  return unit >= 0xD800 && unit < 0xDC00;
}

bool is_low(std::uint32_t unit) noexcept {
  return unit >= 0xDC00 && unit < 0xE000;
}

}  // namespace

std::size_t append_as_utf8(spec::TextEncoding encoding, std::string_view text, bool starts, std::string& utf8,
                           std::size_t& replaced) {
  const auto byte = [text](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[i])}; };
  if (encoding == spec::TextEncoding::latin1) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint32_t value = byte(i);
      append(utf8, value >= 0x80 && value < 0xA0 ? kWindows1252.at(value - 0x80) : value);
    }
    return text.size();
  }
  const bool big = encoding == spec::TextEncoding::utf16be;
  const auto unit = [&](std::size_t i) { return big ? byte(i) << 8U | byte(i + 1) : byte(i + 1) << 8U | byte(i); };
  std::size_t at = 0;
  while (at + 2 <= text.size()) {
    const std::uint32_t first = unit(at);
    if (is_high(first)) {
      if (at + 4 > text.size()) {
        break;
      }
      if (const std::uint32_t second = unit(at + 2); is_low(second)) {
        append(utf8, 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00));
        at += 4;
        continue;
      }
    }
    if (is_high(first) || is_low(first)) {
      utf8 += kReplacementCharacter;
      ++replaced;
    } else if (first != 0xFEFF || !starts || at > 0) {
      append(utf8, first);
    }
    at += 2;
  }
  return at;
}

}  // namespace weir::source
