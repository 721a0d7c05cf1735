// A CUDA stream with the temporary storage that CUB's algorithms want. The storage is reserved, or grows.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>

#include "kernels/cuda/check.hpp"

namespace weir::kernels::cuda {

/// @throws DeviceError when there is no room, which leaves the device as it was
inline void* allocate_memory(std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // or the next launch would report it
    throw DeviceError("CUDA: the device has no room for " + std::to_string(bytes) + " bytes more");
  }
  WEIR_CUDA(status);
  return memory;
}

struct StreamState {
  cudaStream_t stream = nullptr;
  void* scratch = nullptr;
  std::size_t scratch_bytes = 0;

  StreamState() { WEIR_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)); }
  ~StreamState() {
    cudaFree(scratch);
    cudaStreamDestroy(stream);
  }
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  /// @brief At least so many bytes, good until the next call; `room` when they have to be allocated.
  void* reserve(std::size_t bytes, std::size_t room) {
    if (bytes <= scratch_bytes) return scratch;
    WEIR_CUDA(cudaStreamSynchronize(stream));
    WEIR_CUDA(cudaFree(scratch));
    scratch = nullptr;
    scratch_bytes = 0;
    scratch = allocate_memory(room);
    scratch_bytes = room;
    return scratch;
  }
};

inline StreamState& state_of(const Stream& stream) {
  return *static_cast<StreamState*>(stream.handle.get());
}
inline cudaStream_t cuda_stream(const Stream& stream) {
  return state_of(stream).stream;
}

}  // namespace weir::kernels::cuda
