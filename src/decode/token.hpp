// The text of one value of a reading, as a decoder found it: not yet a number, a time or a key.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::decode {

struct Token {
  enum class Kind : std::uint8_t {
    absent,     ///< the reading has no such value
    null,       ///< JSON null
    number,     ///< a JSON number's own characters
    text,       ///< a JSON string without its quotes and escapes, or a CSV cell
    boolean,    ///< "true" or "false"
    no_number,  ///< a word for what is no number (a bare NaN, an infinity), or a value that cannot be read as one
    container,  ///< a JSON array or object where a value should be
  };

  std::string_view text;
  Kind kind = Kind::absent;

  [[nodiscard]] bool missing() const noexcept { return kind == Kind::absent || kind == Kind::null; }
};

}  // namespace weir::decode
