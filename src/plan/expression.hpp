// The syntax tree of an expression, and the parser.
//
//   expression := and-term { "or" and-term }
//   and-term   := not-term { "and" not-term }
//   not-term   := [ "not" ] comparison
//   comparison := sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]
//   sum        := product { ("+" | "-") product }
//   product    := unary { ("*" | "/" | "%") unary }
//   unary      := [ "-" | "+" ] primary
//   primary    := number | text | name | name "(" [ expression { "," expression } ] ")" | "(" expression ")"
//
// The nodes lie in one vector in postorder, so whatever walks the tree is a loop and no input can overflow the stack.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ops/program.hpp"
#include "plan/lexer.hpp"

namespace weir::plan {

struct Node {
  enum class Kind : std::uint8_t { number, text, name, call, unary, binary };
  Kind kind;
  std::size_t column;                         ///< of its token
  std::string text;                           ///< name, function, literal's value, or operator as it is spelt
  double number = 0.0;                        ///< number
  ops::Op op{};                               ///< unary and binary
  std::vector<int> children{};                ///< indices of earlier nodes
  std::vector<std::string> argument_texts{};  ///< call: its arguments as written
  int first = 0;                              ///< the node's subtree is [first, the node itself]
};

struct Expression {
  std::vector<Node> nodes;  ///< postorder; the last is the root
  [[nodiscard]] int root() const noexcept { return static_cast<int>(nodes.size()) - 1; }
};

/// An entry of `select`: "avg(load)", "max(kw) as peak".
struct SelectEntry {
  Expression expression;
  std::string text;   ///< the expression as written, without blanks around it
  std::string alias;  ///< empty: none
};

/// Parentheses, calls and signs may be nested this deep.
inline constexpr int kMaxNesting = 200;

/// @throws SyntaxError
Expression parse_expression(std::string_view text);

/// @throws SyntaxError
SelectEntry parse_select_entry(std::string_view text);

}  // namespace weir::plan
