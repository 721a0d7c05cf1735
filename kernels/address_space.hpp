// Which memory a pointer points to, where the compiler cannot see it. Host and device.
//
// A pointer that a kernel reads from memory may point anywhere as far as nvcc knows. Its loads then ask for the kind of
// memory first, and its atomics always wait for the old value; with the kind known, an addition whose result nobody
// wants is sent off and forgotten (scripts/kernel-report shows which is which).
#pragma once

#include <cstddef>

#include "core/host_device.hpp"

namespace weir::kernels {

/// @brief The same pointer, known to point into the device's memory.
template <class T>
WEIR_HOST_DEVICE inline T* in_device_memory(T* pointer) noexcept {
#ifdef __CUDA_ARCH__
  std::size_t address = 0;
  asm("cvta.to.global.u64 %0, %1;" : "=l"(address) : "l"(pointer));
  return static_cast<T*>(__cvta_global_to_generic(address));
#else
  return pointer;
#endif
}

}  // namespace weir::kernels
