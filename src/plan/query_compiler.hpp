// One query: from what the user wrote to a QueryPlan.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// @brief Names of the sinks of a query: "console" where it names none, unless other queries read its rows.
std::vector<std::string> sinks_of(const spec::Pipeline& pipeline, const spec::Query& query);

/// @brief Compiles the query at `index` of the plan's specification. Sinks are resolved by name in plan.spec.sinks.
/// The plan has the query whose rows it reads, if it reads any. The result is only meaningful when `diagnostics` stays
/// empty.
QueryPlan compile_query(const Plan& plan, std::size_t index, Diagnostics& diagnostics);

}  // namespace weir::plan
