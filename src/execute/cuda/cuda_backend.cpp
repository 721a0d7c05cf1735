#include "execute/cuda/cuda_backend.hpp"

#include <cstring>
#include <utility>

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

MemoryNeed CudaBackend::worst_case(const plan::QueryPlan& query, std::int64_t panes) const {
  return CudaPanes::worst_case(query, panes, tuning_);
}

std::unique_ptr<QueryPanes> CudaBackend::make_panes(const plan::QueryPlan& query, WindowConsumer& consumer) {
  return std::make_unique<CudaPanes>(*device_, query, consumer, tuning_);
}

}  // namespace weir::execute::cuda
