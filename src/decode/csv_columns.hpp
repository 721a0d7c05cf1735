// Which column of a CSV file goes into which slot of a reading: resolved once a header, used for every row.
//
// Owned by one decoder, used by its thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/reading_writer.hpp"
#include "decode/token.hpp"
#include "spec/stream_spec.hpp"

namespace weir::decode {

/// So many rows are split before the first of them is written: enough for a load from memory to come back.
inline constexpr std::size_t kRowsAhead = 8;
/// Rows that are needed further than this are read one by one: their cells would not fit the caches.
inline constexpr std::size_t kWidestAhead = 65'536;

class CsvColumns {
 public:
  /// @param stream must outlive this; `writer` gives the slots
  CsvColumns(const spec::Stream& stream, const ReadingWriter& writer);

  /// @brief Takes the names of the columns. @return the declared names that are not among them
  std::vector<std::string> resolve(std::span<const std::string_view> names);

  /// @brief Some key, field or the time is taken from a column of that name.
  [[nodiscard]] bool wants(std::string_view name) const noexcept {
    return std::any_of(wanted_.begin(), wanted_.end(), [name](const Wanted& wanted) { return wanted.name == name; });
  }

  /// @brief Columns from here on are not looked at.
  [[nodiscard]] std::size_t needed() const noexcept { return needed_; }
  /// @brief How many columns have a name.
  [[nodiscard]] std::size_t named() const noexcept { return named_; }

  /// @brief Puts the cells into the slots they belong to. An empty cell is absent.
  /// @param cells needed() cells, without the blanks around them
  void fill(const std::string_view* cells, std::vector<Token>& values) const noexcept {
    for (const Use& use : uses_) {
      const std::string_view cell = cells[use.column];
      values[use.slot] = {cell, cell.empty() ? Token::Kind::absent : Token::Kind::text};
    }
  }

  /// @brief The key cells, one each key of the schema; false where one of them does not come from a column.
  bool keys(const std::string_view* cells, std::span<std::string_view> tuple) const noexcept {
    for (std::size_t i = 0; i < tuple.size() && i < key_columns_.size(); ++i) {
      tuple[i] = cells[key_columns_[i]];
    }
    return tuple.size() == key_columns_.size();
  }

  /// @brief The bytes of all key cells with what stands between them, where the key columns are neighbours; they
  /// determine the keys. Empty where they are not, or where a key is empty. Not for quoted cells.
  [[nodiscard]] std::string_view key_bytes(const std::string_view* cells) const noexcept {
    if (!keys_adjoin_ || cells[first_key_].empty() || cells[last_key_].empty()) {
      return {};
    }
    const char* const begin = cells[first_key_].data();
    const char* const end = cells[last_key_].data() + cells[last_key_].size();
    return {begin, static_cast<std::size_t>(end - begin)};
  }

 private:
  struct Wanted {
    std::string_view name;
    std::size_t slot;
    bool key;
    bool optional;  ///< the topic gives it
  };
  struct Use {
    std::size_t column;
    std::size_t slot;
  };

  std::vector<Wanted> wanted_;
  std::vector<Use> uses_;
  std::vector<std::size_t> key_columns_;  ///< in the schema's order
  std::size_t needed_ = 0;
  std::size_t named_ = 0;
  bool keys_adjoin_ = false;
  std::size_t first_key_ = 0;
  std::size_t last_key_ = 0;
};

}  // namespace weir::decode
