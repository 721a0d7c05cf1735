// The grammar of InfluxDB's line protocol: one point, `measurement,tag=value field=value,field="text" timestamp`.
//
// Names, tags and the measurement end at a blank, a comma or (but for the measurement) an equals sign; a backslash in
// front of one of these makes it a part of the text, and stands for itself in front of anything else. In a quoted
// string a backslash escapes quotes and backslashes only, and line breaks are a part of it. Free functions; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::decode {

/// A point whose strings hold line breaks ends within so many bytes, or its first line is taken for damaged.
inline constexpr std::size_t kLongestLines = 64U * 1024U;

/// A part of a point as it is written.
struct LineText {
  std::string_view raw;
  bool escaped = false;  ///< it holds an escape
};

inline constexpr std::string_view kLineMeasurementEscapes = ", ";
inline constexpr std::string_view kLineNameEscapes = ", =";
inline constexpr std::string_view kLineStringEscapes = "\"\\";

/// @brief The text without its escapes: as it stands where there is none, else in `out`, with 8 readable bytes behind
/// it.
/// @param escapes the characters that a backslash makes a part of the text
std::string_view unescaped(const LineText& text, std::string_view escapes, std::string& out);

enum class LineStatus : std::uint8_t {
  point,
  nothing,    ///< a blank line or a comment
  broken,     ///< the first line of what stands here is no point
  incomplete  ///< a string has not ended, and more text may follow
};

/// @brief What escapes do not hide.
class LineCursor {
 public:
  LineCursor(std::string_view text, std::size_t at) noexcept : text_(text), at_(at) {}

  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  /// @brief The character here; a line break at the end.
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\n'; }
  /// @brief A carriage return counts as a blank, so that lines may end with "\r\n".
  [[nodiscard]] bool at_blank() const noexcept { return is_blank(peek()); }
  [[nodiscard]] bool at_end_of_line() const noexcept { return peek() == '\n'; }
  bool take(char c) noexcept {
    const bool found = at_ < text_.size() && text_[at_] == c;
    at_ += found ? 1U : 0U;
    return found;
  }
  void skip_blanks() noexcept {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      ++at_;
    }
  }
  void skip_line() noexcept {
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }

  LineText until_separator(bool equals_separates, std::string_view escapes) noexcept {
    const std::size_t begin = at_;
    bool escaped = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\') {
        const bool escapes_next = at_ + 1 < text_.size() && escapes.find(text_[at_ + 1]) != std::string_view::npos;
        at_ += escapes_next ? 1U : 0U;
        escaped = escaped || escapes_next;
      } else if (c == ',' || c == '\n' || is_blank(c) || (c == '=' && equals_separates)) {
        break;
      }
    }
    return {text_.substr(begin, at_ - begin), escaped};
  }

  enum class Quoted : std::uint8_t { complete, open, too_long };

  /// @brief Behind the opening quote of a string: to behind the closing one.
  /// @param point where the point begins
  Quoted quoted(std::size_t point, LineText& out) noexcept {
    const std::size_t begin = at_;
    const std::size_t line_end = std::min(text_.find('\n', at_), text_.size());
    const std::size_t limit = std::min(text_.size(), std::max(line_end, point + kLongestLines));
    out.escaped = false;
    while (at_ < limit) {
      const char c = text_[at_];
      if (c == '"') {
        out.raw = text_.substr(begin, at_ - begin);
        ++at_;
        return Quoted::complete;
      }
      const bool escape =
          c == '\\' && at_ + 1 < limit && kLineStringEscapes.find(text_[at_ + 1]) != std::string_view::npos;
      out.escaped = out.escaped || escape;
      at_ += escape ? 2U : 1U;
    }
    return text_.size() < point + kLongestLines ? Quoted::open : Quoted::too_long;
  }

 private:
  static bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

  std::string_view text_;
  std::size_t at_;
};

template <class Visitor>
LineStatus read_line_parts(LineCursor& in, bool complete, Visitor& visitor) {
  const std::size_t begin = in.at();
  const LineText measurement = in.until_separator(false, kLineMeasurementEscapes);
  if (measurement.raw.empty()) {
    return LineStatus::broken;
  }
  visitor.measurement(measurement);
  while (in.take(',')) {
    const LineText name = in.until_separator(true, kLineNameEscapes);
    if (name.raw.empty() || !in.take('=')) {
      return LineStatus::broken;
    }
    const LineText value = in.until_separator(true, kLineNameEscapes);
    if (in.peek() == '=') {
      return LineStatus::broken;
    }
    visitor.tag(name, value);
  }
  if (!in.at_blank()) {
    return LineStatus::broken;
  }
  in.skip_blanks();
  do {
    const LineText name = in.until_separator(true, kLineNameEscapes);
    if (name.raw.empty() || !in.take('=')) {
      return LineStatus::broken;
    }
    LineText value;
    const bool is_string = in.take('"');
    if (is_string) {
      const LineCursor::Quoted quoted = in.quoted(begin, value);
      if (quoted != LineCursor::Quoted::complete) {
        return quoted == LineCursor::Quoted::open && !complete ? LineStatus::incomplete : LineStatus::broken;
      }
    } else {
      value = in.until_separator(true, kLineNameEscapes);
      if (value.raw.empty() || in.peek() == '=') {
        return LineStatus::broken;
      }
    }
    visitor.field(name, value, is_string);
  } while (in.take(','));
  if (!in.at_blank() && !in.at_end_of_line()) {
    return LineStatus::broken;
  }
  in.skip_blanks();
  if (in.at_end_of_line()) {
    return LineStatus::point;
  }
  const LineText timestamp = in.until_separator(false, {});
  in.skip_blanks();
  if (timestamp.raw.empty() || !in.at_end_of_line()) {
    return LineStatus::broken;
  }
  visitor.timestamp(timestamp.raw);
  return LineStatus::point;
}

/// @brief Reads the point that begins at `at`, and moves `at` behind its last line; for a broken one behind its first,
/// for an incomplete one not at all. The visitor gets, before it is known that the point is whole:
///   void measurement(const LineText&), void tag(const LineText& name, const LineText& value),
///   void field(const LineText& name, const LineText& value, bool is_string), void timestamp(std::string_view)
/// @param complete no more text follows
template <class Visitor>
LineStatus read_line_point(std::string_view text, std::size_t& at, bool complete, Visitor& visitor) {
  LineCursor in(text, at);
  in.skip_blanks();
  LineStatus status = LineStatus::nothing;
  if (!in.at_end_of_line() && in.peek() != '#') {
    const LineCursor first_line = in;
    status = read_line_parts(in, complete, visitor);
    if (status == LineStatus::incomplete) {
      return status;
    }
    in = status == LineStatus::broken ? first_line : in;
  }
  in.skip_line();
  at = in.at();
  return status;
}

}  // namespace weir::decode
