// The rows of a chunk of CSV text without quotes, read off the positions of its separators (csv_index.hpp).
//
// A view on text and positions, for one pass; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "decode/csv_record.hpp"

namespace weir::decode {

template <bool kBlanks>
class CsvRows {
 public:
  /// @param positions from index_blanks or index_separators for `text`, which begins with a row
  CsvRows(const char* text, std::span<const std::uint32_t> positions, const CsvDialect& dialect) noexcept
      : text_(text), next_(positions.data()), last_(positions.data() + positions.size()), dialect_(dialect) {}

  /// @brief Puts the first `needed` cells of the next row into `cells`, without the blanks around them.
  /// @return false when no whole row is left. Blank lines and comments are passed over.
  bool next(std::string_view* cells, std::size_t needed) noexcept {
    while (split(cells, needed)) {
      if (dialect_.comment != '\0' && line_.starts_with(dialect_.comment)) {
        continue;
      }
      if constexpr (!kBlanks) {
        for (std::size_t i = 0; i < std::min(found_, needed); ++i) {
          cells[i] = trim_cell(cells[i].data(), cells[i].data() + cells[i].size(), dialect_);
        }
      }
      if (found_ <= 1 && line_.find_first_not_of(" \t") == std::string_view::npos) {
        continue;
      }
      return true;
    }
    return false;
  }

  [[nodiscard]] std::string_view line() const noexcept { return line_; }  ///< the row without its line break
  [[nodiscard]] std::size_t found() const noexcept { return found_; }     ///< cells that it has
  [[nodiscard]] std::size_t taken() const noexcept { return row_; }       ///< bytes of whole rows so far
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }   ///< so far, blank ones and comments too

 private:
  bool split(std::string_view* cells, std::size_t needed) noexcept {
    const char* const text = text_;
    const std::uint32_t* next = next_;
    std::size_t found = 0;
    std::size_t end = row_;
    if constexpr (kBlanks) {
      // Positions come in pairs, beginning and end of a cell, but for a line break behind a blank.
      while (true) {
        if (next == last_) {
          return false;
        }
        const std::size_t begin = *next++;
        if (text[begin] == '\n') {
          end = begin;
          break;
        }
        if (next == last_) {
          return false;
        }
        end = *next++;
        if (found < needed) {
          cells[found] = {text + begin, end - begin};
        }
        if (text[end] == '\n') {
          // "\r" alone, between the last blank and the line break, is no cell.
          found += end - begin == 1 && text[begin] == '\r' ? 0U : 1U;
          break;
        }
        ++found;
      }
    } else {
      std::size_t begin = row_;
      do {
        if (next == last_) {
          return false;
        }
        end = *next++;
        if (found < needed) {
          cells[found] = {text + begin, end - begin};
        }
        ++found;
        begin = end + 1;
      } while (text[end] != '\n');
    }
    line_ = {text + row_, end - row_};
    found_ = found;
    next_ = next;
    row_ = end + 1;
    ++lines_;
    if (line_.ends_with('\r')) {
      line_.remove_suffix(1);
      // The last cell has it too, unless blanks stand between.
      if (found != 0 && found <= needed && cells[found - 1].data() + cells[found - 1].size() == text + end) {
        cells[found - 1].remove_suffix(1);
      }
    }
    return true;
  }

  const char* text_;
  const std::uint32_t* next_;
  const std::uint32_t* last_;
  const CsvDialect& dialect_;
  std::size_t row_ = 0;
  std::string_view line_;
  std::size_t found_ = 0;
  std::uint64_t lines_ = 0;
};

}  // namespace weir::decode
