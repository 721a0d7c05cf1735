// Where the cells of CSV text begin and end: positions found 64 bytes at a time by vector code that is chosen for the
// processor at run time (Highway).
//
// No state; any thread may call it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::decode {

struct CsvIndex {
  std::size_t count = 0;  ///< positions written
  bool quotes = false;    ///< a '"' occurs: the positions do not tell the cells
};

/// @brief Ascending positions of every `separator` and '\n' in text[0, size).
/// @param text 64 bytes after the text must be readable
/// @param positions room for size + 64 entries
CsvIndex index_separators(const char* text, std::size_t size, char separator, std::uint32_t* positions) noexcept;

/// @brief For columns between blanks and tabs: ascending positions where a cell begins, where it ends (the blank or
/// '\n' after it), and of every other '\n'. A cell at position 0 begins there.
/// @param text, positions as above
CsvIndex index_blanks(const char* text, std::size_t size, std::uint32_t* positions) noexcept;

}  // namespace weir::decode
