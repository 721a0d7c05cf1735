// A CUDA stream with the temporary storage that CUB's algorithms want. The storage only grows.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>

#include "kernels/cuda/check.hpp"

namespace weir::kernels::cuda {

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

  /// @brief At least so many bytes, good until the next call.
  void* reserve(std::size_t bytes) {
    if (bytes <= scratch_bytes) return scratch;
    WEIR_CUDA(cudaStreamSynchronize(stream));
    WEIR_CUDA(cudaFree(scratch));
    scratch = nullptr;
    scratch_bytes = 0;
    WEIR_CUDA(cudaMalloc(&scratch, 2 * bytes));
    scratch_bytes = 2 * bytes;
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
