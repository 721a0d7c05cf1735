// One query: from what the user wrote to a QueryPlan.
#pragma once

#include <cstddef>

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// @brief Compiles the query at `index` of the plan's specification. Sinks are resolved by name in plan.spec.sinks.
/// The result is only meaningful when `diagnostics` stays empty.
QueryPlan compile_query(const Plan& plan, std::size_t index, Diagnostics& diagnostics);

}  // namespace weir::plan
