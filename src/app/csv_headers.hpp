// A look at the header of each CSV file before a run begins, so that a misspelt column is told of at once and not after
// every row was refused.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "plan/plan.hpp"

namespace weir::app {

enum class HeaderChecks : std::uint8_t {
  missing_columns,  ///< with which no row can be read
  all               ///< also headers that do not name the first cell of the rows
};

/// @brief What speaks against the headers of the files that sources of type "file" name and that are there. A file that
/// cannot be read is left to whoever reads it.
/// @param journals streams that are read from a journal instead of their sources
std::vector<Diagnostic> mistakes_in_headers(const plan::Plan& plan, HeaderChecks checks,
                                            const std::map<std::string, std::string>& journals = {});

/// @throws ConfigError with all of them
void require_headers(const plan::Plan& plan, HeaderChecks checks,
                     const std::map<std::string, std::string>& journals = {});

}  // namespace weir::app
