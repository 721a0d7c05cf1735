#include "core/printable.hpp"

#include <cstdint>

#include "core/utf8.hpp"

namespace weir {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_byte_escape(std::string& out, unsigned char byte) {
  out.append("\\x").push_back(kHex[byte >> 4U]);
  out.push_back(kHex[byte & 0xFU]);
}

// Of well-formed characters with two or three bytes; longer ones are all printable.
std::uint32_t code_point(std::string_view character) {
  const auto bits = [character](std::size_t i) { return static_cast<unsigned char>(character[i]) & 0x3FU; };
  if (character.size() == 2) return (static_cast<unsigned char>(character[0]) & 0x1FU) << 6U | bits(1);
  return (static_cast<unsigned char>(character[0]) & 0xFU) << 12U | bits(1) << 6U | bits(2);
}

// C1, the marks and overrides of bidirectional text (Unicode annex 9), and what may count as an end of line.
constexpr bool obeyed(std::uint32_t point) {
  return (point >= 0x80 && point <= 0x9F) || point == 0x61C || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

void append_code_point_escape(std::string& out, std::uint32_t point) {
  out.append("\\u");
  for (unsigned shift = 16; shift > 0;) {
    shift -= 4;
    out.push_back(kHex[point >> shift & 0xFU]);
  }
}

}  // namespace

bool append_printable(std::string& out, std::string_view text, std::size_t most) {
  const std::size_t begin = out.size();
  while (!text.empty()) {
    const std::size_t before = out.size();
    const Utf8Sequence sequence = front_utf8(text);
    const std::string_view character = text.substr(0, sequence.length);
    const auto first = static_cast<unsigned char>(character.front());
    if (!sequence.valid) {
      for (const char c : character) append_byte_escape(out, static_cast<unsigned char>(c));
    } else if (character.size() == 1 && (first < 0x20 || first == 0x7F)) {
      append_byte_escape(out, first);
    } else if ((character.size() == 2 || character.size() == 3) && obeyed(code_point(character))) {
      append_code_point_escape(out, code_point(character));
    } else {
      out.append(character);
    }
    if (out.size() - begin > most) {
      out.resize(before);
      return false;
    }
    text.remove_prefix(sequence.length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

}  // namespace weir
