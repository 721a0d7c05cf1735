// What about a device cannot be measured through the backend's interface, for `weir bench gpu`.
//
// Implemented by cuda/device_bench.cpp, or without CUDA by no_device_bench.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "execute/backend.hpp"
#include "execute/extent.hpp"
#include "plan/plan.hpp"

namespace weir::execute {

/// Readings of one pane of a query, which come again and again as the next pane.
struct BenchWork {
  const plan::QueryPlan& query;
  const std::vector<std::unique_ptr<batch::Batch>>& batches;
  const GroupView& groups;
  Extent extent;  ///< with all batches as one
};

/// Something that took its time.
struct TimelineSpan {
  std::string lane;  ///< "host", "kernels", "copies to the device", "results"
  std::string name;
  double begin_ms = 0.0;
  double end_ms = 0.0;
  std::uint64_t bytes = 0;  ///< of a copy
};

// The backend is a CUDA backend; @throws Error for any other.

/// @brief Bytes per second of large copies from page-locked memory to the device: what the link can do.
double measure_link(Backend& backend, double seconds);

/// @brief Readings per second when they already lie on the device: the kernels alone. Takes the first chunk.
double measure_resident(Backend& backend, const BenchWork& work, double seconds);

/// @brief Seconds of each of several closes of a window, until its totals lie on the device, compacted.
std::vector<double> measure_close(Backend& backend, const BenchWork& work, double seconds);

/// @brief What host and device did in `rounds` panes and the closes of their windows, in the steady state.
std::vector<TimelineSpan> trace_timeline(Backend& backend, const BenchWork& work, std::uint32_t rounds);

}  // namespace weir::execute
