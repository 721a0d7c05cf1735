// Gives every part of an expression its type, and its value in the graph. Each mistake is reported with its column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/diagnostics.hpp"
#include "plan/expression.hpp"
#include "plan/plan.hpp"
#include "plan/value_graph.hpp"

namespace weir::plan {

enum class Type : std::uint8_t {
  number,
  condition,  ///< true, false or null
  key,        ///< the text of a key
  literal,    ///< a text in quotes
  wrong       ///< already reported
};

struct Operand {
  Type type = Type::wrong;
  int value = -1;       ///< number, condition: id in the graph
  std::size_t key = 0;  ///< key: what KeyTest::key shall be
};

/// Where the mistakes of one expression go.
class Site {
 public:
  /// @param what "query 'q', where"
  Site(Diagnostics& diagnostics, int line, std::string what)
      : diagnostics_(diagnostics), line_(line), what_(std::move(what)) {}

  void mistake(std::size_t column, const std::string& message, const std::string& suggestion = {}) const;
  void mistake(const std::string& message, const std::string& suggestion = {}) const;
  void mistake(const SyntaxError& error) const { mistake(error.column, error.message, error.suggestion); }
  [[nodiscard]] int line() const noexcept { return line_; }

 private:
  Diagnostics& diagnostics_;
  int line_;
  std::string what_;
};

/// What names stand for where an expression is written.
class Scope {
 public:
  virtual ~Scope() = default;
  /// @brief A name; reports it when it is unknown.
  virtual Operand name(const std::string& name, std::size_t column, const Site& site) = 0;
  /// @brief A call of an aggregate, `node` of the expression; reports it where aggregates have no place.
  virtual Operand aggregate(const Expression& expression, int node, const Site& site) = 0;
};

/// @brief The node calls an aggregate: sum(x), avg(x), … . min and max are aggregates with one argument, functions
/// with two or more.
bool is_aggregate_call(const Node& node) noexcept;

/// @brief abs, sqrt, if, …
bool is_function(std::string_view name) noexcept;

/// @brief Checks the subtree [first, root]. @param key_tests gets the comparisons of keys, equal ones once
Operand check(const Expression& expression, int first, int root, Scope& scope, ValueGraph& graph,
              std::vector<KeyTest>& key_tests, const Site& site);

/// @brief Parses and checks a condition (`where`, `having`) and compiles it; empty when it is wrong or `text` is empty.
ops::Program compile_condition(const std::string& text, Scope& scope, ValueGraph& graph,
                               std::vector<KeyTest>& key_tests, const Site& site);

/// @brief The program of a value; reports an expression that is too large.
ops::Program generate_or_report(const ValueGraph& graph, int root, const Site& site);

/// @brief "a number", "a key", …
std::string_view type_name(Type type) noexcept;

}  // namespace weir::plan
