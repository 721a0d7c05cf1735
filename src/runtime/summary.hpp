// The closing lines of a run: the ledger of every stream and query.
#pragma once

#include <string>

#include "runtime/engine.hpp"

namespace weir::runtime {

/// @brief Several lines of text; `seconds` 0 leaves the rate out.
std::string summary(const runtime::Report& report, double seconds);

/// @brief One line with the commonest reason when readings came in, but none could be delivered; else empty.
std::string why_nothing_was_delivered(const runtime::Report& report);

}  // namespace weir::runtime
