// What a configuration names that must lie on this machine before a run can start, and for which no run could wait.
#pragma once

#include <cstdint>

#include "plan/plan.hpp"

namespace weir::plan {

enum class Inputs : std::uint8_t { leave_out, include };

/// @brief Looks for the TLS files of every broker, and at `state_dir`; with Inputs::include also for the files and
/// directories that sources read. A replay needs none of them.
/// @throws ConfigError with everything that is not there, cannot be read or is of another kind
void require_files(const Plan& plan, Inputs inputs);

}  // namespace weir::plan
