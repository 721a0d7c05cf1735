#include "plan/expression.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace weir::plan {
namespace {

using ops::Op;

struct BinaryOperator {
  std::string_view symbol;
  Op op;
  int precedence;
};

constexpr int kOr = 1;
constexpr int kAnd = 2;
constexpr int kNot = 3;
constexpr int kComparison = 4;
constexpr int kSum = 5;
constexpr int kProduct = 6;

constexpr std::array kBinaryOperators{
    BinaryOperator{"or", Op::or_, kOr},        BinaryOperator{"and", Op::and_, kAnd},
    BinaryOperator{"<", Op::lt, kComparison},  BinaryOperator{"<=", Op::le, kComparison},
    BinaryOperator{">", Op::gt, kComparison},  BinaryOperator{">=", Op::ge, kComparison},
    BinaryOperator{"==", Op::eq, kComparison}, BinaryOperator{"!=", Op::ne, kComparison},
    BinaryOperator{"+", Op::add, kSum},        BinaryOperator{"-", Op::sub, kSum},
    BinaryOperator{"*", Op::mul, kProduct},    BinaryOperator{"/", Op::div, kProduct},
    BinaryOperator{"%", Op::mod, kProduct}};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(tokenize(text)) {}

  void expression() {
    if (next().kind == TokenKind::end) {
      throw SyntaxError{next().column, "the expression is empty", {}};
    }
    expression(kOr);
  }

  void end() {
    if (next().kind != TokenKind::end) {
      unexpected("an operator or the end");
    }
  }

  [[nodiscard]] const Token& next() const { return tokens_[at_]; }
  void skip() { ++at_; }
  [[nodiscard]] bool next_is(std::string_view symbol) const {
    return next().kind == TokenKind::symbol && next().text == symbol;
  }
  Expression take() { return std::move(result_); }

  [[noreturn]] void unexpected(std::string_view expected) const {
    const Token& token = next();
    std::string suggestion;
    if (token.kind == TokenKind::symbol && token.text == "as") {
      suggestion = "only an entry of select has an alias, after its end";
    }
    throw SyntaxError{token.column,
                      token.kind == TokenKind::end ? fmt::format("expected {}, the expression ends here", expected)
                                                   : fmt::format("expected {}, not '{}'", expected, token.text),
                      suggestion};
  }

 private:
  /// Counts one level of nesting for as long as it lives; between two levels the recursion is bounded by the operators.
  class Level {
   public:
    Level(Parser& parser, std::size_t column) : parser_(parser) {
      if (++parser_.depth_ > kMaxNesting) {
        throw SyntaxError{column, fmt::format("the expression is nested more than {} deep", kMaxNesting),
                          "give a part of it a name with let"};
      }
    }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  /// Precedence climbing: parses operators that bind at least as strongly as `least`; returns the root's index.
  int expression(int least) {
    int left = operand(least);
    while (next().kind == TokenKind::symbol) {
      const Token token = next();
      const BinaryOperator* found = nullptr;
      for (const BinaryOperator& candidate : kBinaryOperators) {
        if (candidate.symbol == token.text) {
          found = &candidate;
        }
      }
      if (found == nullptr || found->precedence < least) {
        break;
      }
      skip();
      const int right = expression(found->precedence + 1);
      if (found->precedence == kComparison) {
        refuse_chain();
      }
      left = push({Node::Kind::binary, token.column, token.text, 0.0, found->op, {left, right}});
    }
    return left;
  }

  void refuse_chain() const {
    for (const BinaryOperator& candidate : kBinaryOperators) {
      if (candidate.precedence == kComparison && next_is(candidate.symbol)) {
        throw SyntaxError{next().column, "comparisons cannot be chained", "write a < b and b < c"};
      }
    }
  }

  int operand(int least) {
    const Token token = next();
    if (next_is("not")) {
      if (least > kNot) {
        unexpected("a value");
      }
      const Level level(*this, token.column);
      skip();
      const int child = expression(kNot);
      return push({Node::Kind::unary, token.column, "not", 0.0, Op::not_, {child}});
    }
    if (next_is("-") || next_is("+")) {
      const Level level(*this, token.column);
      skip();
      // Binds more strongly than every binary operator.
      const int child = expression(kProduct + 1);
      return token.text == "+" ? push({Node::Kind::unary, token.column, "+", 0.0, Op::add, {child}})
                               : push({Node::Kind::unary, token.column, "-", 0.0, Op::neg, {child}});
    }
    if (next_is("(")) {
      const Level level(*this, token.column);
      skip();
      const int child = expression(kOr);
      close(token);
      return child;
    }
    switch (token.kind) {
      case TokenKind::number:
        skip();
        return push({Node::Kind::number, token.column, token.text, token.number});
      case TokenKind::text:
        skip();
        return push({Node::Kind::text, token.column, token.text});
      case TokenKind::name:
        skip();
        return next_is("(") ? call(token) : push({Node::Kind::name, token.column, token.text});
      default:
        unexpected("a value");
    }
  }

  int call(const Token& name) {
    const Token open = next();
    const Level level(*this, open.column);
    skip();
    std::vector<int> arguments;
    if (next_is("*") && name.text == "count") {
      throw SyntaxError{next().column, "count takes no '*'", "write count()"};
    }
    std::vector<std::string> texts;
    const auto argument = [&] {
      const std::size_t begin = next().column - 1;
      arguments.push_back(expression(kOr));
      texts.push_back(trimmed(text_.substr(begin, next().column - 1 - begin)));
    };
    if (!next_is(")")) {
      argument();
      while (next_is(",")) {
        skip();
        argument();
      }
    }
    close(open);
    return push({Node::Kind::call, name.column, name.text, 0.0, {}, std::move(arguments), std::move(texts)});
  }

  void close(const Token& open) {
    if (!next_is(")")) {
      if (next().kind == TokenKind::end) {
        throw SyntaxError{open.column, "this '(' has no ')'", {}};
      }
      unexpected("an operator, ',' or ')'");
    }
    skip();
  }

  int push(Node node) {
    const int index = static_cast<int>(result_.nodes.size());
    node.first = node.children.empty() ? index : result_.nodes[static_cast<std::size_t>(node.children.front())].first;
    result_.nodes.push_back(std::move(node));
    return index;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Expression result_;
};

}  // namespace

Expression parse_expression(std::string_view text) {
  Parser parser(text);
  parser.expression();
  parser.end();
  return parser.take();
}

SelectEntry parse_select_entry(std::string_view text) {
  Parser parser(text);
  SelectEntry entry;
  parser.expression();
  const std::size_t end = parser.next().column - 1;
  entry.text = trimmed(text.substr(0, end));
  if (parser.next_is("as")) {
    parser.skip();
    if (parser.next().kind != TokenKind::name) {
      parser.unexpected("a name after 'as'");
    }
    entry.alias = parser.next().text;
    parser.skip();
  }
  parser.end();
  entry.expression = parser.take();
  return entry;
}

}  // namespace weir::plan
