#include "plan/type_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/spelling.hpp"
#include "plan/aggregate.hpp"
#include "plan/code_generator.hpp"

namespace weir::plan {
namespace {

using ops::Op;

struct Function {
  std::string_view name;
  Op op;
  std::size_t least;  ///< arguments
  std::size_t most;
};

constexpr std::size_t kAny = 1000;
constexpr std::array kFunctions{
    Function{"abs", Op::abs, 1, 1},    Function{"sqrt", Op::sqrt, 1, 1},   Function{"floor", Op::floor, 1, 1},
    Function{"ceil", Op::ceil, 1, 1},  Function{"round", Op::round, 1, 1}, Function{"min", Op::min, 2, kAny},
    Function{"max", Op::max, 2, kAny}, Function{"if", Op::select, 3, 3},   Function{"is_null", Op::is_null, 1, 1}};

bool is_comparison(Op op) noexcept {
  return op >= Op::lt && op <= Op::ne;
}

KeyTest::Compare compare_of(Op op) noexcept {
  switch (op) {
    case Op::lt:
      return KeyTest::Compare::lt;
    case Op::le:
      return KeyTest::Compare::le;
    case Op::gt:
      return KeyTest::Compare::gt;
    case Op::ge:
      return KeyTest::Compare::ge;
    case Op::ne:
      return KeyTest::Compare::ne;
    default:
      return KeyTest::Compare::eq;
  }
}

/// 'literal' < key is key > 'literal'.
KeyTest::Compare mirrored(KeyTest::Compare compare) noexcept {
  switch (compare) {
    case KeyTest::Compare::lt:
      return KeyTest::Compare::gt;
    case KeyTest::Compare::le:
      return KeyTest::Compare::ge;
    case KeyTest::Compare::gt:
      return KeyTest::Compare::lt;
    case KeyTest::Compare::ge:
      return KeyTest::Compare::le;
    default:
      return compare;
  }
}

class Checker {
 public:
  Checker(const Expression& expression, Scope& scope, ValueGraph& graph, std::vector<KeyTest>& key_tests,
          const Site& site)
      : expression_(expression), scope_(scope), graph_(graph), key_tests_(key_tests), site_(site) {}

  Operand run(int first, int root) {
    first_ = first;
    // A call of an aggregate is one operand here; what it holds belongs to another scope.
    const std::size_t size = static_cast<std::size_t>(root) + 1 - static_cast<std::size_t>(first);
    std::vector<int> aggregate_from(size, -1);
    for (int id = first; id <= root; ++id) {
      if (is_aggregate_call(node(id))) {
        aggregate_from[static_cast<std::size_t>(node(id).first - first)] = id;
      }
    }
    operands_.assign(size, {});
    for (int id = first; id <= root; ++id) {
      const int aggregate = aggregate_from[static_cast<std::size_t>(id - first)];
      if (aggregate >= 0) {
        id = aggregate;
        operand(id) = scope_.aggregate(expression_, id, site_);
      } else {
        operand(id) = visit(node(id));
      }
    }
    return operand(root);
  }

 private:
  [[nodiscard]] const Node& node(int id) const { return expression_.nodes[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Operand& operand(int id) { return operands_[static_cast<std::size_t>(id - first_)]; }

  Operand visit(const Node& node) {
    switch (node.kind) {
      case Node::Kind::number:
        return {Type::number, graph_.constant(node.number)};
      case Node::Kind::text:
        return {Type::literal};
      case Node::Kind::name:
        return scope_.name(node.text, node.column, site_);
      case Node::Kind::unary:
        return unary(node);
      case Node::Kind::binary:
        return is_comparison(node.op) ? comparison(node) : binary(node);
      case Node::Kind::call:
        return call(node);
    }
    return {};
  }

  static std::string advice(Type expected, Type found) {
    if (expected == Type::condition && found == Type::number) {
      return "write a comparison, as in x > 0";
    }
    if (expected == Type::number && found == Type::condition) {
      return "write if(condition, 1, 0) to count with it";
    }
    if (found == Type::literal) {
      return "numbers are written without quotes";
    }
    return found == Type::key ? "a key can only be compared with a text" : "";
  }

  Operand unary(const Node& node) {
    const Operand child = operand(node.children[0]);
    const Type expected = node.op == Op::not_ ? Type::condition : Type::number;
    if (child.type == Type::wrong) {
      return {};
    }
    if (child.type != expected) {
      site_.mistake(
          node.column,
          fmt::format("expected {} after '{}', this is {}", type_name(expected), node.text, type_name(child.type)),
          advice(expected, child.type));
      return {};
    }
    // The parser marks the sign '+' with Op::add; it changes nothing.
    return {expected, node.op == Op::add ? child.value : graph_.apply(node.op, child.value)};
  }

  Operand binary(const Node& node) {
    const Operand left = operand(node.children[0]);
    const Operand right = operand(node.children[1]);
    const Type expected = node.op == Op::and_ || node.op == Op::or_ ? Type::condition : Type::number;
    if (!both_are(node, left, right, expected)) {
      return {};
    }
    return {expected, graph_.apply(node.op, left.value, right.value)};
  }

  bool both_are(const Node& node, const Operand& left, const Operand& right, Type expected) const {
    if (left.type == Type::wrong || right.type == Type::wrong) {
      return false;
    }
    if (left.type == expected && right.type == expected) {
      return true;
    }
    const bool left_wrong = left.type != expected;
    const Type found = left_wrong ? left.type : right.type;
    const std::string sides = left.type == right.type
                                  ? fmt::format("both sides are {}", type_plural(found))
                                  : fmt::format("the {} side is {}", left_wrong ? "left" : "right", type_name(found));
    site_.mistake(node.column,
                  fmt::format("expected {} on both sides of '{}', {}", type_name(expected), node.text, sides),
                  advice(expected, found));
    return false;
  }

  static std::string_view type_plural(Type type) noexcept {
    switch (type) {
      case Type::number:
        return "numbers";
      case Type::condition:
        return "conditions";
      case Type::key:
        return "keys";
      default:
        return "texts";
    }
  }

  Operand comparison(const Node& node) {
    const Operand left = operand(node.children[0]);
    const Operand right = operand(node.children[1]);
    if (left.type == Type::wrong || right.type == Type::wrong) {
      return {};
    }
    if (left.type == Type::key && right.type == Type::literal) {
      return key_test(left.key, compare_of(node.op), node.children[1]);
    }
    if (left.type == Type::literal && right.type == Type::key) {
      return key_test(right.key, mirrored(compare_of(node.op)), node.children[0]);
    }
    if (left.type == Type::key || right.type == Type::key) {
      const Operand& other = left.type == Type::key ? right : left;
      site_.mistake(node.column,
                    fmt::format("a key can only be compared with a text, not with {}", type_name(other.type)),
                    other.type == Type::number ? "put the value in quotes, as in machine == '7'" : "");
      return {};
    }
    if (!both_are(node, left, right, Type::number)) {
      return {};
    }
    return {Type::condition, graph_.apply(node.op, left.value, right.value)};
  }

  Operand key_test(std::size_t key, KeyTest::Compare compare, int literal) {
    const std::string& text = node(literal).text;
    const auto found = std::find_if(key_tests_.begin(), key_tests_.end(), [&](const KeyTest& test) {
      return test.key == key && test.compare == compare && test.literal == text;
    });
    const auto index = static_cast<std::size_t>(found - key_tests_.begin());
    if (found == key_tests_.end()) {
      key_tests_.push_back({key, compare, text});
    }
    return {Type::condition, graph_.key_test(index)};
  }

  Operand call(const Node& node) {
    const auto* const function = std::find_if(kFunctions.begin(), kFunctions.end(),
                                              [&](const Function& candidate) { return candidate.name == node.text; });
    if (function == kFunctions.end()) {
      std::vector<std::string_view> names(aggregate_names().begin(), aggregate_names().end());
      std::transform(kFunctions.begin(), kFunctions.end(), std::back_inserter(names),
                     [](const Function& candidate) { return candidate.name; });
      site_.mistake(node.column, fmt::format("unknown function '{}'", node.text), suggest(node.text, names));
      return {};
    }
    const std::size_t count = node.children.size();
    if (count < function->least || count > function->most) {
      const std::string expected = function->most == kAny ? fmt::format("{} or more values", function->least)
                                   : function->least == 1 ? std::string("one value")
                                                          : fmt::format("{} values", function->least);
      site_.mistake(node.column, fmt::format("'{}' takes {}, not {}", node.text, expected, count),
                    function->op == Op::select ? "write if(condition, value, other value)" : "");
      return {};
    }
    return function->op == Op::select ? choose(node) : numeric_call(node, *function);
  }

  Operand choose(const Node& node) {
    const Operand condition = operand(node.children[0]);
    const Operand yes = operand(node.children[1]);
    const Operand no = operand(node.children[2]);
    if (condition.type == Type::wrong || yes.type == Type::wrong || no.type == Type::wrong) {
      return {};
    }
    if (condition.type != Type::condition) {
      site_.mistake(
          node.column,
          fmt::format("expected a condition as the first argument of 'if', this is {}", type_name(condition.type)),
          advice(Type::condition, condition.type));
      return {};
    }
    if (yes.type != no.type || (yes.type != Type::number && yes.type != Type::condition)) {
      site_.mistake(node.column, fmt::format("'if' chooses between two numbers or two conditions, these are {} and {}",
                                             type_name(yes.type), type_name(no.type)));
      return {};
    }
    return {yes.type, graph_.apply(Op::select, condition.value, yes.value, no.value)};
  }

  Operand numeric_call(const Node& node, const Function& function) {
    int value = -1;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Operand child = operand(node.children[i]);
      if (child.type == Type::wrong) {
        return {};
      }
      if (child.type != Type::number) {
        site_.mistake(node.column,
                      fmt::format("expected a number as argument {} of '{}', this is {}", i + 1, node.text,
                                  type_name(child.type)),
                      function.op == Op::is_null && child.type == Type::key ? "a key is never null"
                                                                            : advice(Type::number, child.type));
        return {};
      }
      if (node.children.size() == 1) {
        value = graph_.apply(function.op, child.value);
      } else {
        value = i == 0 ? child.value : graph_.apply(function.op, value, child.value);
      }
    }
    return {function.op == Op::is_null ? Type::condition : Type::number, value};
  }

  const Expression& expression_;
  Scope& scope_;
  ValueGraph& graph_;
  std::vector<KeyTest>& key_tests_;
  const Site& site_;
  int first_ = 0;
  std::vector<Operand> operands_;
};

}  // namespace

void Site::mistake(std::size_t column, const std::string& message, const std::string& suggestion) const {
  diagnostics_.add(line_, fmt::format("{}, column {}: {}", what_, column, message), suggestion);
}

void Site::mistake(const std::string& message, const std::string& suggestion) const {
  diagnostics_.add(line_, fmt::format("{}: {}", what_, message), suggestion);
}

std::string_view type_name(Type type) noexcept {
  switch (type) {
    case Type::number:
      return "a number";
    case Type::condition:
      return "a condition";
    case Type::key:
      return "a key";
    case Type::literal:
      return "a text";
    case Type::wrong:
      break;
  }
  return "wrong";
}

bool is_aggregate_call(const Node& node) noexcept {
  if (node.kind != Node::Kind::call) {
    return false;
  }
  const std::optional<AggregateKind> kind = aggregate_named(node.text);
  if (!kind.has_value()) {
    return false;
  }
  const bool also_function = *kind == AggregateKind::min || *kind == AggregateKind::max;
  return !also_function || node.children.size() < 2;
}

bool is_function(std::string_view name) noexcept {
  return std::any_of(kFunctions.begin(), kFunctions.end(),
                     [name](const Function& function) { return function.name == name; });
}

Operand check(const Expression& expression, int first, int root, Scope& scope, ValueGraph& graph,
              std::vector<KeyTest>& key_tests, const Site& site) {
  return Checker(expression, scope, graph, key_tests, site).run(first, root);
}

ops::Program generate_or_report(const ValueGraph& graph, int root, const Site& site) {
  if (std::optional<ops::Program> program = generate(graph, root)) {
    return *std::move(program);
  }
  site.mistake(fmt::format("the expression takes more than {} registers or {} instructions", ops::kMaxRegisters,
                           kMaxInstructions),
               "write a shorter one");
  return {};
}

ops::Program compile_condition(const std::string& text, Scope& scope, ValueGraph& graph,
                               std::vector<KeyTest>& key_tests, const Site& site) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return {};
  }
  try {
    const Expression expression = parse_expression(text);
    const Operand result = check(expression, 0, expression.root(), scope, graph, key_tests, site);
    if (result.type == Type::condition) {
      return generate_or_report(graph, result.value, site);
    }
    if (result.type != Type::wrong) {
      site.mistake(fmt::format("expected a condition, this is {}", type_name(result.type)),
                   "write a comparison, as in x > 0");
    }
  } catch (const SyntaxError& error) {
    site.mistake(error);
  }
  return {};
}

}  // namespace weir::plan
