// Compiling a pipeline of which parts could not be read: the mistakes in the rest are reported together with theirs.
#pragma once

#include <algorithm>
#include <string_view>

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// @brief compile() that throws nothing: the plan means something only when `diagnostics` stays empty.
Plan compile(spec::Pipeline pipeline, Diagnostics& diagnostics);

/// @brief Every one of these entries of a stream, source, query, sink or pipeline could be read, or is absent.
template <typename Part>
bool known(const Part& part, std::initializer_list<std::string_view> entries) {
  return std::none_of(entries.begin(), entries.end(), [&part](std::string_view entry) {
    return std::find(part.unread.begin(), part.unread.end(), entry) != part.unread.end();
  });
}

}  // namespace weir::plan
