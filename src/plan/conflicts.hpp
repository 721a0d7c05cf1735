// What cannot run side by side, though each part is right by itself: clients that throw each other out at the broker,
// and files that two of the parts would have as their own.
#pragma once

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// @brief Compares the sources, the sinks, `dead_letter` and `state_dir` with each other. Paths are compared as the
/// files that they name now, symbolic links followed.
void check_conflicts(const Plan& plan, Diagnostics& diagnostics);

}  // namespace weir::plan
