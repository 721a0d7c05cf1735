// Cuts the text of an expression into tokens. Columns are 1-based bytes of the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::plan {

/// A mistake in one expression, thrown by the lexer and the parser, which cannot go on after it.
struct SyntaxError {
  std::size_t column;
  std::string message;
  std::string suggestion;
};

enum class TokenKind : std::uint8_t { number, name, text, symbol, end };

struct Token {
  TokenKind kind;
  std::size_t column;
  std::string text;     ///< as written; of a text literal its value; of a symbol its canonical spelling ("==", "and")
  double number = 0.0;  ///< number
};

/// @brief All tokens; the last is TokenKind::end. Symbols: ( ) , + - * / % < <= > >= == != and or not.
/// `=`, `<>`, `&&`, `||`, `!` and the words in capitals are other spellings of them.
/// @throws SyntaxError
std::vector<Token> tokenize(std::string_view text);

/// @brief A name as expressions understand it: letters, digits, '_' and bytes above 127, not beginning with a digit.
bool is_name(std::string_view text) noexcept;

/// @brief `and`, `or`, `not` and `as` cannot be names.
bool is_reserved_word(std::string_view text) noexcept;

}  // namespace weir::plan
