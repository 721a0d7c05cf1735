// Cuts blocks of lines into JSON values. Mostly a line is a value; but one may span lines, and several may stand in one
// line, with blanks or a comma between them or nothing.
//
// Damage costs the line in which it begins and nothing behind it: reading goes on at the next line that begins a value.
// Where elements are wanted, an array that does not end in its line is a sequence of values, so its size has no bound.
// Owned by one decoder, used by its thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "decode/json_scan.hpp"
#include "decode/lines.hpp"
#include "decode/padded_text.hpp"

namespace weir::decode {

class JsonLines {
 public:
  /// @param text where the values lie when the visitor gets them
  /// @param elements the elements of an array are values by themselves
  /// @param rows they are arrays
  /// @param longest a value that has not ended after so many bytes is damaged
  JsonLines(PaddedText& text, bool elements, bool rows, std::size_t longest)
      : text_(text), elements_(elements), rows_(rows), longest_(longest) {}

  /// @brief What is held back takes so many bytes at most, while it grows.
  static constexpr std::uint64_t worst_case_bytes(std::uint64_t longest) noexcept { return 3 * longest; }

  /// @brief Gives the visitor what the block holds, in its order:
  ///   bool line(line)        a line that may be one value: false if it is not, and nothing was done with it
  ///   void value(text)       a value by its brackets, or what a line has in place of one; it may still be broken
  ///   void damaged(line)     the line in which a value begins that does not end
  template <class Visitor>
  void read(std::string_view block, bool starts_file, Visitor& visitor) {
    if (starts_file) {
      finish(visitor);
      array_ = Array::no;
    }
    if (held_back_.empty()) {
      text_.assign(block);
    } else {
      held_back_.append(block);
      if (held_back_.size() <= longest_ && scanner_.scan(held_back_) == JsonScanner::Status::incomplete) {
        return;
      }
      text_.assign(held_back_);
      held_back_.clear();
    }
    cut(false, visitor);
  }

  /// @brief No more text follows.
  template <class Visitor>
  void finish(Visitor& visitor) {
    if (!held_back_.empty()) {
      text_.assign(held_back_);
      held_back_.clear();
      cut(true, visitor);
    }
    break_off(visitor);
  }

  [[nodiscard]] bool holds_back() const noexcept { return !held_back_.empty(); }
  void save(std::string& state) const { state = array_ == Array::yes ? "[" : ""; }
  void load(std::string_view state) { array_ = state.empty() ? Array::no : Array::yes; }

 private:
  /// Whether an array that began in an earlier line has not ended. Unknown where reading goes on in the middle of a
  /// file.
  enum class Array : std::uint8_t { no, unknown, yes };

  template <class Visitor>
  void cut(bool complete, Visitor& visitor) {
    const std::string_view text = text_.view();
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t first = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
      if (first == text.size()) {
        return;
      }
      const std::string_view skipped = text.substr(at, first - at);
      if (at == 0 || text[at - 1] == '\n' || skipped.find('\n') != std::string_view::npos) {
        std::size_t next = first;
        std::string_view line = next_line(text, next);
        line.remove_suffix(line.ends_with(',') ? 1 : 0);
        if (visitor.line(line)) {
          at = next;
          continue;
        }
      }
      if (between_elements(text[first])) {
        at = first + 1;
        continue;
      }
      const std::size_t next = cut_value(text, first, complete, visitor);
      if (next == first) {
        held_back_ = text.substr(first);
        scanner_.drop_front(first);
        return;
      }
      at = next;
    }
  }

  /// An array that did not end counts as one.
  template <class Visitor>
  void break_off(Visitor& visitor) {
    if (array_ == Array::yes) {
      array_ = Array::no;
      visitor.damaged("[");
    }
  }

  bool between_elements(char c) noexcept {
    if (array_ == Array::no || (c != ',' && c != ']')) {
      return false;
    }
    array_ = c == ']' ? Array::no : array_;
    return true;
  }

  /// Where to go on; `first` when the value has not ended.
  template <class Visitor>
  std::size_t cut_value(std::string_view text, std::size_t first, bool complete, Visitor& visitor) {
    std::size_t after_line = first;
    const std::string_view line = next_line(text, after_line);
    const char c = text[first];
    if (c != '{' && c != '[') {
      visitor.value(line);
      return after_line;
    }
    scanner_.begin(first);
    JsonScanner::Status status = scanner_.scan(text);
    std::size_t end = scanner_.position();
    if (status == JsonScanner::Status::complete && !may_follow(text, end)) {
      status = JsonScanner::Status::damaged;
    }
    const bool within_line = status != JsonScanner::Status::incomplete && end <= first + line.size();
    const bool may_be_row = rows_ && array_ != Array::no;
    if (c == '[' && !may_be_row) {
      break_off(visitor);  // no reading is an array, so this one is not inside another
    }
    if (c == '[' && elements_ && !within_line && !may_be_row) {
      array_ = Array::yes;
      return first + 1;
    }
    if (status == JsonScanner::Status::complete) {
      visitor.value(text.substr(first, end - first));
      return behind_comma(text, end);
    }
    if (status == JsonScanner::Status::incomplete && !complete && text.size() - first <= longest_) {
      return first;
    }
    if (within_line) {
      visitor.value(line);
      return after_line;
    }
    visitor.damaged(line);
    return next_beginning(text, after_line, end);
  }

  /// Whether what stands behind a value in its line leaves the value alone.
  [[nodiscard]] bool may_follow(std::string_view text, std::size_t end) const noexcept {
    const std::size_t next = std::min(text.find_first_not_of(" \t\r", behind_comma(text, end)), text.size());
    return next == text.size() || std::string_view("\n{[").find(text[next]) != std::string_view::npos ||
           (array_ != Array::no && text[next] == ']');
  }

  static std::size_t behind_comma(std::string_view text, std::size_t end) noexcept {
    const std::size_t next = text.find_first_not_of(" \t\r", end);
    return next != std::string_view::npos && text[next] == ',' ? next + 1 : end;
  }

  /// The first line from `at` on that begins a value; at the latest the one behind the line that holds `damage`.
  static std::size_t next_beginning(std::string_view text, std::size_t at, std::size_t damage) noexcept {
    while (at < text.size() && at <= damage) {
      const std::size_t line = at;
      const std::string_view content = trimmed(next_line(text, at));
      if (content.starts_with('{') || content.starts_with('[')) {
        return line;
      }
    }
    return at;
  }

  PaddedText& text_;
  const bool elements_;
  const bool rows_;
  const std::size_t longest_;
  Array array_ = Array::unknown;
  std::string held_back_;  ///< begins with a value that has not ended; scanner_ stands in it
  JsonScanner scanner_;
};

}  // namespace weir::decode
