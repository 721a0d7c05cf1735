#include "execute/cuda/cuda_backend.hpp"

#include <cstring>
#include <utility>

#include "execute/cuda/fallback_panes.hpp"

namespace weir::execute::cuda {

void* PinnedColumns::allocate(std::size_t bytes) {
  void* const memory = device_.allocate_pinned(bytes);
  std::memset(memory, 0, bytes);
  return memory;
}

void PinnedColumns::release(void* memory, std::size_t /*bytes*/) noexcept {
  device_.release_pinned(memory);
}

CudaBackend::CudaBackend(std::unique_ptr<kernels::Device> device, unsigned threads, const Tuning& tuning)
    : device_(std::move(device)), cpu_(make_cpu_backend(threads)), columns_(*device_), tuning_(tuning) {}

CudaBackend::~CudaBackend() = default;

MemoryNeed CudaBackend::worst_case(const plan::QueryPlan& query, const Extent& extent) const {
  MemoryNeed need = CudaPanes::worst_case(*device_, query, extent, tuning_);
  need.host_bytes += FallbackPanes::worst_case(need.device_bytes, tuning_.keep_bytes);
  return need;
}

std::unique_ptr<QueryPanes> CudaBackend::make_panes(const plan::QueryPlan& query, WindowConsumer& consumer,
                                                    const Extent& extent) {
  const auto make = [](void* self, const plan::QueryPlan& plan, WindowConsumer& windows, const Extent& planned) {
    auto& backend = *static_cast<CudaBackend*>(self);
    return std::unique_ptr<QueryPanes>(
        std::make_unique<CudaPanes>(*backend.device_, plan, windows, planned, backend.tuning_, backend.cpu_.get()));
  };
  try {
    return std::make_unique<FallbackPanes>(make, this, *cpu_, query, consumer, extent, tuning_.keep_bytes);
  } catch (const kernels::DeviceError& error) {
    throw Error("query '" + query.spec.name + "': its panes take " +
                std::to_string(CudaPanes::worst_case(*device_, query, extent, tuning_).device_bytes) + " bytes on " +
                name() + ": " + error.what());
  }
}

}  // namespace weir::execute::cuda
