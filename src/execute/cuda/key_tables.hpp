// What key ids mean, on the device: a copy of GroupView that grows with it. Entries never change once there.
#pragma once

#include <vector>

#include "execute/backend.hpp"
#include "execute/cuda/device_memory.hpp"

namespace weir::execute::cuda {

class KeyTables {
 public:
  explicit KeyTables(kernels::Device& device) : device_(device), group_of_(device), pointers_(device) {}

  /// @brief Copies what came since the last call, in `stream`; the host's arrays stay untouched until the stream was
  /// synchronized.
  void extend(const GroupView& view, const kernels::Stream& stream);
  /// @brief The host's tables are others from now on.
  void forget() noexcept { copied_ = copied_groups_ = 0; }
  [[nodiscard]] const kernels::KeyView& view() const noexcept { return view_; }
  /// @brief The tables of `having`'s key tests: [test] → [group].
  [[nodiscard]] const std::uint8_t* const* having_tests() const noexcept {
    return reinterpret_cast<const std::uint8_t* const*>(pointers_.data() + tests_.size() + hashes_.size());
  }
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  kernels::Device& device_;
  DeviceArray<std::uint32_t> group_of_;
  std::vector<DeviceArray<std::uint8_t>> tests_;
  std::vector<DeviceArray<std::uint64_t>> hashes_;       ///< [schema key], empty where nobody asks
  std::vector<DeviceArray<std::uint8_t>> having_tests_;  ///< [test][group]
  DeviceArray<const void*> pointers_;                    ///< of tests_, of hashes_, of having_tests_
  std::vector<const void*> host_pointers_;
  std::vector<const void*> next_pointers_;  ///< reused storage
  std::uint32_t copied_ = 0;                ///< key ids
  std::uint32_t copied_groups_ = 0;
  kernels::KeyView view_;
};

}  // namespace weir::execute::cuda
