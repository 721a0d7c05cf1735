#include "execute/device_bench.hpp"

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "execute/cuda/cuda_backend.hpp"

namespace weir::execute {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{256} << 20U;

cuda::CudaBackend& cuda_backend(Backend& backend) {
  auto* const found = dynamic_cast<cuda::CudaBackend*>(&backend);
  if (found == nullptr) throw Error(backend.name() + " is no CUDA backend");
  return *found;
}

/// Calls work(times) with more and more times until it takes so long. @return times per second
template <class Work>
double rate_of(double seconds, const Work& work) {
  for (std::uint32_t times = 1;; times *= 2) {
    const auto begin = std::chrono::steady_clock::now();
    work(times);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (took >= seconds || times >= 1U << 30U) return times / took;
  }
}

class Ignore final : public WindowConsumer {
 public:
  void window(const WindowTotals& /*totals*/) override {}
};

}  // namespace

double measure_link(Backend& backend, double seconds) {
  kernels::Device& device = cuda_backend(backend).device();
  cuda::PinnedArray<std::byte> here(device);
  cuda::DeviceArray<std::byte> there(device);
  here.reserve(kCopyBytes);
  there.reserve(kCopyBytes);
  std::fill_n(here.data(), kCopyBytes, std::byte{1});
  const kernels::Stream stream = device.make_stream();
  return kCopyBytes * rate_of(seconds, [&](std::uint32_t times) {
           for (std::uint32_t i = 0; i < times; ++i) {
             device.copy_to_device(there.data(), here.data(), kCopyBytes, stream);
           }
           device.synchronize(stream);
         });
}

double measure_resident(Backend& backend, const plan::QueryPlan& query, const batch::Batch& batch,
                        const GroupView& groups, double seconds) {
  cuda::CudaBackend& cuda = cuda_backend(backend);
  Ignore ignore;
  const std::uint32_t rows = std::min(batch.size(), cuda.tuning().chunk_rows);
  cuda::CudaPanes panes(cuda.device(), query, ignore, {.panes = 1, .batch_rows = rows, .keys = groups.keys},
                        cuda.tuning());
  Horizon horizon;
  horizon.single_pane = true;
  panes.begin(batch, groups);
  panes.accumulate({0, rows}, horizon);
  panes.repeat_step(1);
  return rows * rate_of(seconds, [&](std::uint32_t times) { panes.repeat_step(times); });
}

}  // namespace weir::execute
