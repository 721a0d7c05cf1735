// The rules of the three intervals (batch, slide, window) and the panes that follow from them.
#pragma once

#include <cstdint>

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// More panes a window are refused: a window would be a sum over so many of them for each group.
inline constexpr std::int64_t kMaxPanes = 100'000;

/// @brief Fills per_batch, window_ns, slide_ns, pane_ns and allowed_lateness_ns of the query's plan from its
/// specification; a violated rule names both values and the nearest valid ones.
/// @param arrival the stream's event time is arrival: window and slide follow the batch interval
void plan_intervals(QueryPlan& query, Duration batch_interval, bool arrival, Diagnostics& diagnostics);

}  // namespace weir::plan
