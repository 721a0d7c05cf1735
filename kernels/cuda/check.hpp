// How calls of the CUDA runtime are checked: where they stand, with file and line.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "kernels/launch/device.hpp"

namespace weir::kernels::cuda {

/// @throws DeviceError when `status` is no success
inline void check(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  const std::string path = file;
  const std::size_t from = path.rfind("kernels/");
  throw DeviceError("CUDA: " + std::string(cudaGetErrorString(status)) + ", from " + call + " (" +
                    (from == std::string::npos ? path : path.substr(from)) + ":" + std::to_string(line) + ")");
}

}  // namespace weir::kernels::cuda

#define WEIR_CUDA(call) ::weir::kernels::cuda::check((call), #call, __FILE__, __LINE__)
