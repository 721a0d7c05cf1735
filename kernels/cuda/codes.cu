// Launches over lists of codes.
#include "kernels/codes.hpp"

#include "kernels/cuda/launch.cuh"
#include "kernels/launch/launches.hpp"

namespace weir::kernels::cuda {

void launch_find_slots(const FindSlotsView& find, const DeviceProperties& device, const Stream& stream) {
  launch(FindSlots{find}, find.slots + std::uint64_t{1}, 0, device, stream);
}

void launch_strip_slots(const StripSlotsView& strip, const DeviceProperties& device, const Stream& stream) {
  launch(StripSlots{strip}, strip.size, 0, device, stream);
}

void launch_subtract_codes(const SubtractCodesView& subtract, const DeviceProperties& device, const Stream& stream) {
  launch(SubtractCodes{subtract}, subtract.size, 0, device, stream);
}

}  // namespace weir::kernels::cuda
