// Reads one table of a configuration entry by entry: wrong types, values out of range and entries that nobody asked
// for become diagnostics with the nearest valid spelling.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/duration.hpp"
#include "plan/diagnostics.hpp"
#include "plan/document.hpp"

namespace weir::plan {

/// Every reading function leaves its target as it is when the entry is absent or wrong, and returns whether it was set.
class TableReader {
 public:
  /// @param what names the table in messages: "[pipeline]", "stream 'plugs'"
  /// Both `table` and `diagnostics` must outlive the reader.
  TableReader(const Document& table, std::string what, Diagnostics& diagnostics);

  /// @brief The entry, or nullptr. Counts as asked for.
  const Document* find(std::string_view name);
  /// @brief The same, but nullptr also where a mistake in it was reported already.
  const Document* take(std::string_view name);
  /// @brief The entry is there in a form that cannot be read; for those that are read by other means than this class.
  void unreadable(std::string_view name) { unread_.emplace_back(name); }
  /// @brief What could not be read, for spec::Unread. Misspelt entries are known after finish().
  [[nodiscard]] std::vector<std::string> unread() && { return std::move(unread_); }
  /// @brief Line of the entry, or 0.
  [[nodiscard]] int line_of(std::string_view name) const;
  [[nodiscard]] int line() const noexcept { return table_.line; }
  [[nodiscard]] const std::string& what() const noexcept { return what_; }

  bool string(std::string_view name, std::string& out);
  bool boolean(std::string_view name, bool& out);
  bool duration(std::string_view name, Duration& out);
  bool bytes(std::string_view name, std::uint64_t& out);
  bool real(std::string_view name, double& out, double least, double most);
  /// @brief An array of strings, or one string for an array of one.
  bool strings(std::string_view name, std::vector<std::string>& out);
  bool integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most);
  template <typename Integer>
  bool integer(std::string_view name, Integer& out, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    if (!integer(name, value, least, most)) {
      return false;
    }
    out = static_cast<Integer>(value);
    return true;
  }
  /// @brief One of a few words.
  template <typename Enum>
  bool choice(std::string_view name, Enum& out, std::span<const std::pair<std::string_view, Enum>> choices) {
    std::string word;
    if (!string(name, word)) {
      return false;
    }
    std::vector<std::string_view> words;
    for (const auto& [spelling, value] : choices) {
      if (spelling == word) {
        out = value;
        return true;
      }
      words.push_back(spelling);
    }
    bad_choice(name, word, words);
    return false;
  }

  /// @brief The entry has another type than expected.
  void wrong_type(const Document& entry, std::string_view name, std::string_view expected);
  /// @brief Names that are valid elsewhere: an unknown entry of that name gets this explanation.
  void foreign(std::string_view name, std::string explanation);
  /// @brief Every entry that was not asked for is a mistake. Call last. @return there was none
  bool finish();

 private:
  void bad_choice(std::string_view name, const std::string& word, std::span<const std::string_view> words);

  const Document& table_;
  std::string what_;
  Diagnostics& diagnostics_;
  std::vector<std::string_view> asked_;
  std::vector<std::string> unread_;
  std::vector<std::pair<std::string_view, std::string>> foreign_;
};

}  // namespace weir::plan
