// The aggregates of one query and the arguments that they share.
#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "plan/plan.hpp"
#include "plan/row_scope.hpp"

namespace weir::plan {

/// Fills QueryPlan's arguments, aggregates and columns. Equal arguments are one, with the parts of all their uses.
class AggregateSet {
 public:
  /// Both must outlive the set.
  AggregateSet(QueryPlan& plan, RowScope& rows, ValueGraph& graph);

  /// @brief The aggregate that a call means; reports what is wrong with it.
  std::optional<Aggregate> resolve(const Expression& expression, int call, const Site& site);

  /// @brief For a query of readings: appends a column with the value of an expression over the reading.
  void select_value(const Expression& expression, const std::string& text, std::string column_name, const Site& site);

  /// @brief Appends a selected column.
  void select(const Aggregate& aggregate, std::string column_name);

  /// @brief Index of an equal aggregate, which is appended as a hidden one where there is none.
  std::size_t find_or_hide(const Aggregate& aggregate, std::string text);

 private:
  std::optional<int> argument(const Expression& expression, int call, AggregateKind kind, const Site& site);
  std::optional<int> field_argument(const Node& node, const std::string& text);
  int derived_argument(const Node& node, const std::string& text, const Operand& operand, const Site& site);
  int merge(Argument argument, int value);
  [[nodiscard]] batch::ResultColumn column(const Aggregate& aggregate, std::string name) const;

  QueryPlan& plan_;
  RowScope& rows_;
  ValueGraph& graph_;
  /// Field, value in the graph (-1 for a field) and places of each argument → its index.
  std::map<std::tuple<int, int, int>, int> arguments_;
};

}  // namespace weir::plan
