// What names mean in `having`: the selected columns, the group keys, and calls of aggregates.
#pragma once

#include <string>
#include <vector>

#include "plan/aggregate_set.hpp"
#include "plan/type_check.hpp"

namespace weir::plan {

class GroupScope final : public Scope {
 public:
  /// All references must outlive the scope.
  GroupScope(QueryPlan& plan, RowScope& rows, AggregateSet& aggregates, ValueGraph& graph)
      : plan_(plan), rows_(rows), aggregates_(aggregates), graph_(graph) {}

  Operand name(const std::string& name, std::size_t column, const Site& site) override;
  Operand aggregate(const Expression& expression, int node, const Site& site) override;

 private:
  QueryPlan& plan_;
  RowScope& rows_;
  AggregateSet& aggregates_;
  ValueGraph& graph_;  ///< of `having`
};

}  // namespace weir::plan
