// The closing lines of a run: the ledger of every stream and query.
#pragma once

#include <string>

#include "runtime/engine.hpp"

namespace weir::runtime {

/// @brief Several lines of text; `seconds` 0 leaves the rate out.
std::string summary(const runtime::Report& report, double seconds);

}  // namespace weir::runtime
