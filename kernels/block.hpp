// What a kernel sees of the grid that runs it, on the device.
//
// A kernel is a functor over a Block: `template <class Block> void operator()(Block& block) const`. On the device a
// block is blockIdx, threadIdx and the hardware's barrier (Block below, used by kernels/cuda); the tests have another
// one with the same members that runs the threads of a block one after the other, or as fibres where there is a
// barrier, so that the source of the kernels itself is what they run.
//
//   first(), stride()        the grid-wide index of this thread and how many there are: for (i = first(); i < n; i +=
//   stride()) thread(), threads()      within the block shared()                 the block's shared memory barrier()
//   only in kernels that say so: `static constexpr bool kBarriers = true` add(word, value)         *word += the sum of
//   `value` over the threads; called by all threads of a warp together
#pragma once

#include <cstdint>

#include "kernels/atomics.hpp"

#ifdef __CUDACC__

namespace weir::kernels {

struct CudaBlock {
  Word* memory;

  [[nodiscard]] __device__ std::uint64_t first() const {
    return static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  }
  [[nodiscard]] __device__ std::uint64_t stride() const { return static_cast<std::uint64_t>(gridDim.x) * blockDim.x; }
  [[nodiscard]] __device__ std::uint32_t thread() const { return threadIdx.x; }
  [[nodiscard]] __device__ std::uint32_t threads() const { return blockDim.x; }
  [[nodiscard]] __device__ Word* shared() const { return memory; }
  __device__ void barrier() const { __syncthreads(); }
  __device__ void add(Word* word, std::uint32_t value) const {
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_down_sync(0xFFFF'FFFFU, value, offset);
    if ((threadIdx.x & 31U) == 0 && value != 0) Shared::add(word, value);
  }
};

}  // namespace weir::kernels

#endif
