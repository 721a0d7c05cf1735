// What the entries of a sink mean together, and with the queries that write to it.
#pragma once

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// @brief Checks every sink of plan.spec; call when plan.queries are compiled.
void check_sinks(const Plan& plan, Diagnostics& diagnostics);

}  // namespace weir::plan
