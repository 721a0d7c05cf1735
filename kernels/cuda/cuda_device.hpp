// The CUDA runtime as a Device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/launch/device.hpp"

namespace weir::kernels::cuda {

/// A device of this machine.
struct Found {
  int index = 0;
  DeviceProperties properties;
  std::string missing;  ///< why it cannot be used; empty: it can
};

/// @brief The devices that the driver knows; `why` says why there is none.
std::vector<Found> find_devices(std::string& why);

/// @brief Takes device number `index`. @throws DeviceError
std::unique_ptr<Device> make_device(int index);

}  // namespace weir::kernels::cuda
