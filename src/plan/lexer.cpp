#include "plan/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace weir::plan {
namespace {

// Far above what anyone types, so that no input can make the compiler slow.
constexpr std::size_t kMaxExpressionBytes = 64 * 1024;

// Locale-independent, unlike <cctype>.
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
constexpr bool begins_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) > 127;
}
constexpr bool continues_name(char c) noexcept {
  return begins_name(c) || is_digit(c);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    if (text_.size() > kMaxExpressionBytes) {
      throw SyntaxError{1, fmt::format("the expression is longer than {} bytes", kMaxExpressionBytes), {}};
    }
    while (true) {
      while (at_ < text_.size() && is_blank(text_[at_])) {
        ++at_;
      }
      if (at_ == text_.size()) {
        tokens_.push_back({TokenKind::end, at_ + 1, {}});
        return std::move(tokens_);
      }
      const char c = text_[at_];
      if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
        number();
      } else if (begins_name(c)) {
        word();
      } else if (c == '\'' || c == '"') {
        literal(c);
      } else {
        symbol();
      }
    }
  }

 private:
  void number() {
    double value = 0.0;
    const char* const begin = text_.data() + at_;
    const auto [rest, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    const std::string_view spelling(begin, static_cast<std::size_t>(rest - begin));
    if (error != std::errc() || !std::isfinite(value)) {
      throw SyntaxError{at_ + 1, fmt::format("the number {} is too large or too small for a double", spelling), {}};
    }
    const std::size_t end = at_ + spelling.size();
    if (end < text_.size() && (continues_name(text_[end]) || text_[end] == '.')) {
      throw SyntaxError{at_ + 1, fmt::format("'{}{}' is neither a number nor a name", spelling, text_[end]),
                        "write a number as in 12, 0.5 or 1e-3"};
    }
    tokens_.push_back({TokenKind::number, at_ + 1, std::string(spelling), value});
    at_ = end;
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_name(text_[at_])) {
      ++at_;
    }
    const std::string_view spelling = text_.substr(begin, at_ - begin);
    const std::string lower = lower_case(spelling);
    if (lower == "and" || lower == "or" || lower == "not" || lower == "as") {
      tokens_.push_back({TokenKind::symbol, begin + 1, lower});
    } else {
      tokens_.push_back({TokenKind::name, begin + 1, std::string(spelling)});
    }
  }

  /// A doubled quote stands for one, as in SQL.
  void literal(char quote) {
    const std::size_t begin = at_;
    std::string value;
    ++at_;
    while (true) {
      if (at_ == text_.size()) {
        throw SyntaxError{begin + 1, fmt::format("the text that begins here has no closing {}", quote), {}};
      }
      if (text_[at_] == quote) {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
          ++at_;
        } else {
          break;
        }
      }
      value += text_[at_++];
    }
    ++at_;
    tokens_.push_back({TokenKind::text, begin + 1, std::move(value)});
  }

  void symbol() {
    struct Spelling {
      std::string_view written;
      std::string_view canonical;
    };
    // Longer spellings first.
    static constexpr std::array kSpellings{
        Spelling{"<=", "<="},  Spelling{">=", ">="}, Spelling{"==", "=="}, Spelling{"!=", "!="}, Spelling{"<>", "!="},
        Spelling{"&&", "and"}, Spelling{"||", "or"}, Spelling{"(", "("},   Spelling{")", ")"},   Spelling{",", ","},
        Spelling{"+", "+"},    Spelling{"-", "-"},   Spelling{"*", "*"},   Spelling{"/", "/"},   Spelling{"%", "%"},
        Spelling{"<", "<"},    Spelling{">", ">"},   Spelling{"=", "=="},  Spelling{"!", "not"}};
    for (const Spelling& spelling : kSpellings) {
      if (text_.substr(at_, spelling.written.size()) == spelling.written) {
        tokens_.push_back({TokenKind::symbol, at_ + 1, std::string(spelling.canonical)});
        at_ += spelling.written.size();
        return;
      }
    }
    const char c = text_[at_];
    std::string suggestion;
    if (c == '&' || c == '|') {
      suggestion = c == '&' ? "write 'and' or &&" : "write 'or' or ||";
    } else if (c == '^') {
      suggestion = "there is no power: multiply, as in x * x";
    }
    const bool printable = c > ' ' && c < 127;
    throw SyntaxError{at_ + 1,
                      printable ? fmt::format("unexpected character '{}'", c)
                                : fmt::format("unexpected byte 0x{:02x}", static_cast<unsigned char>(c)),
                      suggestion};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  return Lexer(text).run();
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && begins_name(text.front()) && std::all_of(text.begin(), text.end(), continues_name);
}

bool is_reserved_word(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 4> kWords{"and", "or", "not", "as"};
  return std::any_of(kWords.begin(), kWords.end(), [text](std::string_view word) {
    return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
  });
}

}  // namespace weir::plan
