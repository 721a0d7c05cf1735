#include "oracle/expression_oracle.hpp"

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace weir::oracle {
namespace {

/// A recursive-descent evaluator: each level of the grammar is one function that returns the value at once.
class Evaluator {
 public:
  Evaluator(std::string_view text, const NamedValues& row) : text_(text), row_(row) {}

  Answer run() {
    const Answer answer = disjunction();
    blanks();
    if (at_ != text_.size()) {
      throw std::invalid_argument("rest: " + std::string(text_.substr(at_)));
    }
    return answer;
  }

 private:
  // Not a number is what null is.
  static Answer number(double value) { return std::isnan(value) ? Answer() : Answer(value); }
  static Answer truth(bool value) { return value ? 1.0 : 0.0; }

  void blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') {
      ++at_;
    }
  }
  bool take(std::string_view symbol) {
    blanks();
    if (text_.substr(at_, symbol.size()) != symbol) {
      return false;
    }
    at_ += symbol.size();
    return true;
  }
  bool take_word(std::string_view word) {
    blanks();
    const std::size_t end = at_ + word.size();
    if (text_.substr(at_, word.size()) != word || (end < text_.size() && std::isalnum(text_[end]) != 0)) {
      return false;
    }
    at_ = end;
    return true;
  }

  Answer disjunction() {
    Answer left = conjunction();
    while (take_word("or")) {
      const Answer right = conjunction();
      if (left == 1.0 || right == 1.0) {
        left = 1.0;
      } else if (!left || !right) {
        left.reset();
      } else {
        left = 0.0;
      }
    }
    return left;
  }

  Answer conjunction() {
    Answer left = negation();
    while (take_word("and")) {
      const Answer right = negation();
      if (left == 0.0 || right == 0.0) {
        left = 0.0;
      } else if (!left || !right) {
        left.reset();
      } else {
        left = 1.0;
      }
    }
    return left;
  }

  Answer negation() {
    if (!take_word("not")) {
      return comparison();
    }
    const Answer value = negation();
    return value ? truth(*value == 0.0) : Answer();
  }

  template <typename T>
  static bool compare(const std::string& symbol, const T& a, const T& b) {
    return symbol == "<"    ? a < b
           : symbol == "<=" ? a <= b
           : symbol == ">"  ? a > b
           : symbol == ">=" ? a >= b
           : symbol == "==" ? a == b
                            : a != b;
  }

  std::string comparison_symbol() {
    for (const char* symbol : {"<=", ">=", "==", "!=", "<", ">"}) {
      if (take(symbol)) {
        return symbol;
      }
    }
    return {};
  }

  /// A key or a text in quotes begins here.
  std::optional<std::string> text() {
    blanks();
    if (take("'")) {
      const std::size_t end = text_.find('\'', at_);
      std::string value(text_.substr(at_, end - at_));
      at_ = end + 1;
      return value;
    }
    for (const auto& [name, value] : row_.keys) {
      if (take_word(name)) {
        return value;
      }
    }
    return std::nullopt;
  }

  Answer comparison() {
    if (const std::optional<std::string> left = text()) {
      const std::string symbol = comparison_symbol();
      const std::optional<std::string> right = text();
      // Bytewise, as unsigned.
      const std::basic_string<unsigned char> a(left->begin(), left->end());
      const std::basic_string<unsigned char> b(right.value().begin(), right.value().end());
      return truth(compare(symbol, a, b));
    }
    const Answer left = sum();
    const std::string symbol = comparison_symbol();
    if (symbol.empty()) {
      return left;
    }
    const Answer right = sum();
    return left && right ? truth(compare(symbol, *left, *right)) : Answer();
  }

  Answer sum() {
    Answer left = product();
    while (true) {
      const bool plus = take("+");
      if (!plus && !take("-")) {
        return left;
      }
      const Answer right = product();
      left = left && right ? number(plus ? *left + *right : *left - *right) : Answer();
    }
  }

  Answer product() {
    Answer left = sign();
    while (true) {
      const char symbol = take("*") ? '*' : take("/") ? '/' : take("%") ? '%' : '\0';
      if (symbol == '\0') {
        return left;
      }
      const Answer right = sign();
      if (!left || !right) {
        left.reset();
      } else {
        left = number(symbol == '*' ? *left * *right : symbol == '/' ? *left / *right : std::fmod(*left, *right));
      }
    }
  }

  Answer sign() {
    if (take("-")) {
      const Answer value = sign();
      return value ? Answer(-*value) : value;
    }
    return take("+") ? sign() : value();
  }

  Answer value() {
    if (take("(")) {
      const Answer inside = disjunction();
      expect(")");
      return inside;
    }
    blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(text_[at_]) != 0 || text_[at_] == '_' || text_[at_] == '.')) {
      ++at_;
    }
    const std::string word(text_.substr(begin, at_ - begin));
    if (word.empty()) {
      throw std::invalid_argument("no value");
    }
    if (std::isdigit(word.front()) != 0) {
      return std::strtod(word.c_str(), nullptr);
    }
    if (take("(")) {
      return call(word);
    }
    const std::optional<double> found = row_.numbers.at(word);
    return found ? number(*found) : found;
  }

  void expect(std::string_view symbol) {
    if (!take(symbol)) {
      throw std::invalid_argument("expected " + std::string(symbol));
    }
  }

  Answer call(const std::string& name) {
    std::vector<Answer> values{disjunction()};
    while (take(",")) {
      values.push_back(disjunction());
    }
    expect(")");
    if (name == "is_null") {
      return truth(!values[0]);
    }
    if (name == "if") {
      return values[0] ? (*values[0] != 0.0 ? values[1] : values[2]) : Answer();
    }
    for (const Answer& value : values) {
      if (!value) {
        return {};
      }
    }
    const double a = *values[0];
    if (name == "min" || name == "max") {
      double best = a;
      for (const Answer& value : values) {
        best = name == "min" ? (*value < best ? *value : best) : (*value > best ? *value : best);
      }
      return best;
    }
    if (name == "abs") {
      return std::copysign(a, 1.0);
    }
    if (name == "sqrt") {
      return number(std::sqrt(a));
    }
    if (name == "floor") {
      return std::floor(a);
    }
    if (name == "ceil") {
      return std::ceil(a);
    }
    if (name == "round") {
      return std::round(a);
    }
    throw std::invalid_argument(name);
  }

  std::string_view text_;
  const NamedValues& row_;
  std::size_t at_ = 0;
};

}  // namespace

Answer evaluate_text(std::string_view expression, const NamedValues& row) {
  return Evaluator(expression, row).run();
}

}  // namespace weir::oracle
