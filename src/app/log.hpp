// The log of the command line: human-readable or JSON lines, always on standard error, so that rows on standard output
// can be piped.
#pragma once

#include "app/command.hpp"

namespace weir::app {

/// @throws ConfigError on an unknown level.
void set_up_log(const Context& context);

}  // namespace weir::app
