// The CUDA backend on a device of the tests, which counts what happens to it.
#pragma once

#include <memory>
#include <utility>

#include "execute/cuda/cuda_backend.hpp"
#include "kernels/host_device.hpp"

namespace weir::contract {

struct HostCuda {
  explicit HostCuda(const kernels::host::HostDeviceOptions& options = {}, const execute::cuda::Tuning& tuning = {}) {
    auto made = kernels::host::make_host_device(options);
    device = made.get();
    backend = std::make_unique<execute::cuda::CudaBackend>(std::move(made), 1, tuning);
  }
  kernels::host::HostDevice* device;
  std::unique_ptr<execute::cuda::CudaBackend> backend;
};

}  // namespace weir::contract
