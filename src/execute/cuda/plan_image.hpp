// A query plan in the memory of a device: programs, arguments, parts, scales, sketches, written once.
#pragma once

#include <cstddef>
#include <vector>

#include "execute/cuda/cell_layout.hpp"
#include "execute/cuda/device_memory.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cuda {

class PlanImage {
 public:
  PlanImage(kernels::Device& device, const plan::QueryPlan& query, const CellLayout& layout,
            const kernels::Stream& stream);

  /// @brief Pointers into the device's memory, valid as long as the image.
  [[nodiscard]] const kernels::PlanView& view() const noexcept { return view_; }
  /// @brief What the device needs for `having`, but for the window; an empty program where it is left to the host.
  [[nodiscard]] const kernels::HavingView& having() const noexcept { return having_; }
  /// @brief The sketches, on the host: quantile arguments in order, then distinct aggregates in order.
  [[nodiscard]] const std::vector<kernels::SketchView>& sketches() const noexcept { return sketches_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return memory_.bytes(); }
  /// @brief Bytes on the device, before there is one.
  [[nodiscard]] static std::uint64_t planned_bytes(const plan::QueryPlan& query);

 private:
  DeviceArray<std::byte> memory_;
  std::vector<kernels::SketchView> sketches_;
  kernels::PlanView view_;
  kernels::HavingView having_;
};

/// @brief Whether `having` reads nothing but what a cell decides: no quantile() and no distinct(), whose codes are put
/// together on the host.
bool having_on_device(const plan::QueryPlan& query) noexcept;

/// @brief The sketches that a query needs, in that order.
std::vector<kernels::SketchView> sketches_of(const plan::QueryPlan& query);

}  // namespace weir::execute::cuda
