// Secrets that a configuration shows to every user of the machine.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace weir::plan {

/// @brief A sentence for each file that holds a secret and that others than its owner and group can read: the
/// configuration, where a password stands in it instead of ${NAME}, and private keys. Files that cannot be looked at
/// are left out.
std::vector<std::string> exposed_secrets(const Plan& plan);

}  // namespace weir::plan
