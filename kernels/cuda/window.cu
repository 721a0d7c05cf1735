// Launches of everything that has a thread for each group.
#include "kernels/window.hpp"

#include "kernels/cuda/launch.cuh"
#include "kernels/having.hpp"
#include "kernels/launch/launches.hpp"

namespace weir::kernels::cuda {

void launch_close(const WindowView& window, const DeviceProperties& device, const Stream& stream) {
  launch(CloseWindow{window}, window.groups, 0, device, stream);
}

void launch_fold(const FoldView& fold, const DeviceProperties& device, const Stream& stream) {
  launch(FoldPanes{fold}, fold.size, 0, device, stream);
}

void launch_gather(const GatherView& gather, const DeviceProperties& device, const Stream& stream) {
  launch(GatherTotals{gather}, gather.groups, 0, device, stream);
}

void launch_empty(const EmptyView& empty, const DeviceProperties& device, const Stream& stream) {
  launch(EmptyCells{empty}, empty.size, 0, device, stream);
}

void launch_having(const HavingView& having, const DeviceProperties& device, const Stream& stream) {
  launch(KeepRows{having}, having.groups, 0, device, stream);
}

}  // namespace weir::kernels::cuda
