// Runs a kernel functor (kernels/block.hpp) on the device.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/block.hpp"
#include "kernels/cuda/stream.hpp"

namespace weir::kernels::cuda {

inline constexpr std::uint32_t kThreads = 256;
/// Blocks for each processor: enough to hide the latency of memory; threads take further items in a loop.
inline constexpr std::uint32_t kBlocksPerProcessor = 8;
/// Blocks of any kernel that a processor holds at least, which bounds their registers. Without a bound the compiler
/// aims at five and spills for it in the loop over rows; with three nothing is spilled.
inline constexpr std::uint32_t kLeastBlocks = 3;

template <class Kernel>
__global__ void __launch_bounds__(kThreads, kLeastBlocks) run(Kernel kernel) {
  extern __shared__ Word memory[];
  CudaBlock block{memory};
  kernel(block);
}

/// @brief Enough threads for `items`, at most what the device holds at once.
template <class Kernel>
void launch(const Kernel& kernel, std::uint64_t items, std::size_t shared_bytes, const DeviceProperties& device,
            const Stream& stream) {
  if (items == 0) return;
  const std::uint64_t most = std::uint64_t{device.processors} * kBlocksPerProcessor;
  const auto blocks = static_cast<std::uint32_t>(std::min((items + kThreads - 1) / kThreads, most));
  run<<<blocks, kThreads, shared_bytes, cuda_stream(stream)>>>(kernel);
  WEIR_CUDA(cudaGetLastError());
}

}  // namespace weir::kernels::cuda
