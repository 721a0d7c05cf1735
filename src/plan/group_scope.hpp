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

  /// @brief A name that is not found is no mistake: what declares it is wrong, which was reported.
  void some_names_are_unread() noexcept { unread_names_ = true; }

  void column_is_wrong(std::string name) { wrong_columns_.push_back(std::move(name)); }

  Operand name(const std::string& name, std::size_t column, const Site& site) override;
  Operand aggregate(const Expression& expression, int node, const Site& site) override;

 private:
  QueryPlan& plan_;
  RowScope& rows_;
  AggregateSet& aggregates_;
  ValueGraph& graph_;  ///< of `having`
  std::vector<std::string> wrong_columns_;
  bool unread_names_ = false;
};

}  // namespace weir::plan
