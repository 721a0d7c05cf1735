// UTF-8 as it comes from sensors: well-formed or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

struct Utf8Sequence {
  std::size_t length = 0;  ///< bytes taken, at least 1
  bool valid = false;      ///< false: the bytes stand for one U+FFFD
};

/// @brief The sequence at the front of `text`, which is not empty: a well-formed character (Unicode 15, table 3-7), or
/// the maximal part of one that is to be replaced.
constexpr Utf8Sequence front_utf8(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;  // of the second byte
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;   // overlong
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;   // overlong
    if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  } else {
    return {1, false};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

/// @brief Where the first sequence begins that is not well-formed; npos: there is none.
inline std::size_t find_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080U) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const Utf8Sequence front = front_utf8(text.substr(at));
    if (!front.valid) return at;
    at += front.length;
  }
  return std::string_view::npos;
}

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace weir
