// What key ids mean, on the device: a copy of GroupView that grows with it. Entries never change once there.
#pragma once

#include <vector>

#include "execute/backend.hpp"
#include "execute/cuda/device_memory.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cuda {

class KeyTables {
 public:
  /// Allocates what so many key ids and groups need.
  KeyTables(kernels::Device& device, const plan::QueryPlan& query, std::uint32_t keys, std::uint32_t groups);

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
  /// @brief Bytes of that on the device.
  [[nodiscard]] static std::uint64_t planned_bytes(const plan::QueryPlan& query, std::uint32_t keys,
                                                   std::uint32_t groups);

 private:
  kernels::Device& device_;
  DeviceArray<std::uint32_t> group_of_;
  std::vector<DeviceArray<std::uint8_t>> tests_;
  /// [schema key] up to the last that is hashed; empty where nobody asks
  std::vector<DeviceArray<std::uint64_t>> hashes_;
  std::vector<DeviceArray<std::uint8_t>> having_tests_;  ///< [test][group]
  DeviceArray<const void*> pointers_;                    ///< of tests_, of hashes_, of having_tests_
  std::vector<const void*> host_pointers_;
  std::vector<const void*> next_pointers_;  ///< reused storage
  std::uint32_t copied_ = 0;                ///< key ids
  std::uint32_t copied_groups_ = 0;
  kernels::KeyView view_;
};

}  // namespace weir::execute::cuda
