// The panes of a query in the memory of a device: cells, and fronts where windows overlap, of every group, in ascending
// order of time, sparse in time. As on the CPU a pane exists only where readings may fall; panes that are over go back
// to a pool and come out empty, in the order of the stream that they are used in. All that were planned are allocated
// at once, for max_groups; only groups that there are get emptied.
//
// Owned by a query's panes and used by the engine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "execute/cuda/code_list.hpp"
#include "execute/cuda/device_memory.hpp"
#include "execute/cuda/memory_plan.hpp"

namespace weir::execute::cuda {

struct DevicePane {
  explicit DevicePane(kernels::Device& device) : cells(device), fronts(device), codes(device) {}
  std::int64_t start = 0;
  std::uint32_t slot = 0;    ///< index of its flag; stays with its memory
  std::uint32_t groups = 0;  ///< whose cells and fronts are not undefined
  DeviceArray<kernels::Word> cells;
  DeviceArray<kernels::Word> fronts;
  CodeList codes;          ///< of its sketches (code_store.hpp)
  bool in_window = false;  ///< its codes are part of the window's
};

class PaneRing {
 public:
  /// @param memory how many panes, groups, words and codes there is room for; more panes are made when they are asked
  /// for
  PaneRing(kernels::Device& device, const kernels::PlanView& plan, const kernels::Stream& stream,
           const MemoryPlan& memory);

  [[nodiscard]] std::size_t size() const noexcept { return panes_.size(); }
  [[nodiscard]] const DevicePane& operator[](std::size_t i) const noexcept { return *panes_[i]; }
  [[nodiscard]] DevicePane& operator[](std::size_t i) noexcept { return *panes_[i]; }
  /// @brief Position of the first pane that starts at or after `start`.
  [[nodiscard]] std::size_t lower_bound(std::int64_t start) const noexcept;
  /// @brief The pane of that start; `made` says whether it is new, with empty cells.
  DevicePane& at(std::int64_t start, bool& made);
  /// @brief So many groups may have readings from now on.
  void use_groups(std::uint32_t groups);
  /// @brief The panes before `start` are over.
  void recycle_before(std::int64_t start);
  /// @brief All of them are over.
  void clear();

  /// @brief Where a pane's flag lies on the device: 1 once it has a reading.
  [[nodiscard]] std::uint32_t* used_flag(const DevicePane& pane) const noexcept { return used_.data() + pane.slot; }
  void set_used(const DevicePane& pane);
  /// @brief Copies the flags to the host; they can be asked when the stream was synchronized.
  void fetch_used();
  [[nodiscard]] bool used(std::size_t i) const noexcept { return used_here_[panes_[i]->slot] != 0; }
  [[nodiscard]] std::uint32_t slots() const noexcept { return slots_; }

  [[nodiscard]] std::size_t device_bytes() const noexcept;
  [[nodiscard]] std::size_t host_bytes() const noexcept { return used_here_.bytes(); }

 private:
  void make();
  void empty(kernels::Word* memory, bool fronts, std::uint64_t size);
  void ensure(DevicePane& pane);
  void recycle(std::unique_ptr<DevicePane> pane);

  kernels::Device& device_;
  const kernels::PlanView& plan_;
  const kernels::Stream& stream_;
  const MemoryPlan& memory_;
  std::uint32_t groups_ = 0;
  std::uint32_t slots_ = 0;
  std::vector<std::unique_ptr<DevicePane>> panes_;
  std::vector<std::unique_ptr<DevicePane>> free_;
  DeviceArray<std::uint32_t> used_;
  PinnedArray<std::uint32_t> used_here_;
};

}  // namespace weir::execute::cuda
