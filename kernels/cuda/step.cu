// Launches of the step and of what follows it for first and last.
#include "kernels/step.hpp"

#include "kernels/cuda/launch.cuh"
#include "kernels/launch/launches.hpp"
#include "kernels/pairs.hpp"

namespace weir::kernels::cuda {

void launch_global_step(const StepView& step, const DeviceProperties& device, const Stream& stream) {
  launch(GlobalStep{step}, step.chunk.rows, 0, device, stream);
}

void launch_shared_step(const StepView& step, std::size_t shared_bytes, const DeviceProperties& device,
                        const Stream& stream) {
  launch(SharedStep{step}, step.chunk.rows, shared_bytes, device, stream);
}

void launch_sort_step(const StepView& step, const DeviceProperties& device, const Stream& stream) {
  launch(SortStep{step}, step.chunk.rows, 0, device, stream);
}

void launch_sorted_runs(const RunsView& runs, const DeviceProperties& device, const Stream& stream) {
  const std::uint64_t shares = (runs.step.chunk.rows + runs.per_thread - 1) / runs.per_thread;
  launch(SortedRuns{runs}, shares, 0, device, stream);
}

void launch_pairs(const StepView& step, const DeviceProperties& device, const Stream& stream) {
  launch(ClearPairs{step}, step.chunk.rows, 0, device, stream);
  launch(SettlePairs{step}, step.chunk.rows, 0, device, stream);
}

}  // namespace weir::kernels::cuda
