// The lines of a block, without their line breaks ("\n" or "\r\n").
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::decode {

/// @brief The line that begins at `at`; moves `at` to the next one's beginning, at most to text.size().
inline std::string_view next_line(std::string_view text, std::size_t& at) noexcept {
  const std::size_t found = text.find('\n', at);
  const std::size_t end = found == std::string_view::npos ? text.size() : found;
  std::string_view line = text.substr(at, end - at);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  at = found == std::string_view::npos ? text.size() : found + 1;
  return line;
}

/// @brief `text` without the characters of `drop` at both ends.
inline std::string_view trimmed(std::string_view text, std::string_view drop = " \t\r\n") noexcept {
  const std::size_t first = text.find_first_not_of(drop);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(drop) - first + 1);
}

/// @brief `text` without the byte order mark that some programs write at the beginning of UTF-8 files.
inline std::string_view without_byte_order_mark(std::string_view text) noexcept {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

}  // namespace weir::decode
