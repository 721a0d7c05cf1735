// The two things about a device that cannot be measured through the backend's interface, for `weir bench gpu`.
//
// As cuda_choice.hpp: implemented by cuda/device_bench.cpp, or without CUDA by no_cuda.cpp.
#pragma once

#include "batch/batch.hpp"
#include "execute/backend.hpp"
#include "plan/plan.hpp"

namespace weir::execute {

/// @brief Bytes per second of large copies from page-locked memory to the device: what the link can do.
/// @param backend a CUDA backend @throws Error for any other
double measure_link(Backend& backend, double seconds);

/// @brief Readings per second when they already lie on the device: the kernels alone. Takes the first chunk of `batch`,
/// all of one pane. @param backend a CUDA backend @throws Error for any other
double measure_resident(Backend& backend, const plan::QueryPlan& query, const batch::Batch& batch,
                        const GroupView& groups, double seconds);

}  // namespace weir::execute
