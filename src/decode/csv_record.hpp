// One CSV record read byte by byte, with RFC 4180 quotes. The fast path over positions (csv_decoder.cpp) leaves to it
// what has a quote, and lines longer than a chunk; where no quote occurs both find the same cells.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace weir::decode {

/// How cells are told apart.
struct CsvDialect {
  char separator = ',';
  bool blanks = false;  ///< cells stand between runs of blanks and tabs; `separator` has no meaning
  char comment = '\0';  ///< '\0': none

  /// Blanks around a cell are not part of it.
  [[nodiscard]] bool is_blank(char c) const noexcept { return (c == ' ' || c == '\t') && (blanks || c != separator); }
};

/// @brief The cell without the blanks around it.
inline std::string_view trim_cell(const char* begin, const char* end, const CsvDialect& dialect) noexcept {
  while (begin != end && dialect.is_blank(*begin)) {
    ++begin;
  }
  while (begin != end && dialect.is_blank(end[-1])) {
    --end;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// A quoted record may not be longer: a stray quote must not swallow a file. What a decoder holds back is below it.
inline constexpr std::size_t kMaxQuotedRecord = 64U * 1024U;

/// So many cells of a record, or names of a header, are looked at; what is behind them is passed over.
inline constexpr std::size_t kMostColumns = std::size_t{1} << 20U;

/// Reads records; its cells are valid until the next read and while the text lives.
class CsvRecordReader {
 public:
  enum class Status {
    record,   ///< cells() holds it
    nothing,  ///< a blank line or a comment
    broken,   ///< text after a closing quote, or no closing quote: one line is taken, for the quote may be a stray one
    incomplete  ///< the text ends inside quotes, and more of it may come
  };

  explicit CsvRecordReader(const CsvDialect& dialect) : dialect_(dialect) {}

  /// @brief Reads the record that begins at text[at]; `end` is set behind its line break.
  /// @param complete no more text follows
  Status read(std::string_view text, std::size_t at, bool complete, std::size_t& end);

  [[nodiscard]] const std::vector<std::string_view>& cells() const noexcept { return cells_; }

 private:
  enum class Cell { next, last, broken, open };
  Cell read_cell(std::string_view text, std::size_t& at, std::size_t record);
  Cell read_quoted(std::string_view text, std::size_t& at, std::size_t record);
  Cell after_cell(std::string_view text, std::size_t& at) const noexcept;

  CsvDialect dialect_;
  void add(std::string_view cell) {
    if (cells_.size() < kMostColumns) {
      cells_.push_back(cell);
    }
  }

  std::vector<std::string_view> cells_;
  // Cells with doubled quotes, without them: at most kMaxQuotedRecord bytes a record, so the views never move.
  std::unique_ptr<char[]> unquoted_;
  std::size_t unquoted_size_ = 0;
};

}  // namespace weir::decode
