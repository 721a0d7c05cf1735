// Finds where a JSON value ends, by its grammar and without reading its scalars; goes on where the text had ended.
//
// Bracket by bracket, for what the fast paths of the decoders leave over: values that span lines, several in one line,
// and lines that were cut off. The grammar is what finds the latter: behind `{"v":` a line that begins a value of its
// own would otherwise be taken as a part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::decode {

/// One thread. Copies are independent.
class JsonScanner {
 public:
  enum class Status : std::uint8_t {
    complete,    ///< the value ends before position()
    incomplete,  ///< the text ends first
    damaged      ///< what stands at position() cannot follow
  };

  /// @brief A value begins at `at`, with a bracket.
  void begin(std::size_t at);
  /// @brief Goes on; `text` is that of the last call, or longer.
  Status scan(std::string_view text);
  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  /// @brief The text lost so many bytes at its front.
  void drop_front(std::size_t bytes) noexcept { at_ -= bytes; }

 private:
  /// What may come next.
  enum class Next : std::uint8_t { value, value_or_end, name, name_or_end, colon, comma_or_end };

  bool take(std::string_view text);
  bool open(char bracket);
  bool close(char bracket);
  bool take_string(std::string_view text);
  void after_value() noexcept { next_ = Next::comma_or_end; }

  std::size_t at_ = 0;
  Next next_ = Next::value;
  bool in_string_ = false;
  bool escaped_ = false;
  std::vector<char> open_;  ///< brackets that are not closed
};

}  // namespace weir::decode
