// How much of a query there can be at once: what its panes are made for, and what their memory is planned from.
#pragma once

#include <cstdint>

#include "plan/plan.hpp"

namespace weir::execute {

struct Extent {
  std::int64_t panes = 1;        ///< alive at once
  std::uint32_t batch_rows = 1;  ///< of a batch
  std::uint32_t keys = 1;        ///< key ids
};

/// @brief The extent of a query of this plan. Panes are those of the open window, those kept for revisions, and those
/// that disorder and sources that run ahead of the slowest one can reach. Only several sources of very different event
/// time, before they all have spoken, can go beyond it.
Extent extent_of(const plan::Plan& plan, const plan::QueryPlan& query);

}  // namespace weir::execute
