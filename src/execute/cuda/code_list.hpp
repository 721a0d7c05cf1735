// Codes of sketches on the device: ascending keys, each once, with their counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "execute/cuda/device_memory.hpp"

namespace weir::execute::cuda {

struct CodeList {
  explicit CodeList(kernels::Device& device) noexcept : keys(device), counts(device) {}

  [[nodiscard]] kernels::CountList view() const noexcept { return {keys.data(), counts.data(), size}; }
  [[nodiscard]] std::size_t bytes() const noexcept { return keys.bytes() + counts.bytes(); }
  /// @brief Room for `room` codes, at least twice what there was when there was too little; what it held is then lost.
  void reserve(std::uint64_t room) {
    if (room <= keys.size()) return;
    const std::size_t larger = std::max<std::size_t>(room, 2 * keys.size());
    keys.reserve(larger);
    counts.reserve(larger);
  }

  DeviceArray<std::uint64_t> keys;
  DeviceArray<std::uint64_t> counts;
  std::uint64_t size = 0;
};

}  // namespace weir::execute::cuda
