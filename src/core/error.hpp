// The errors that Weir throws at set-up and while running, which are a part of the public API. On the hot path nothing
// throws: it counts.
#pragma once

#include <weir/error.hpp>  // IWYU pragma: export
