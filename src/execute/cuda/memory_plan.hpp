// How long every array of a query's panes is, planned before the start. The panes allocate exactly this when they are
// made, and nothing more while they run.
//
// Two things can outgrow it, and are then allocated anew, at least twice as long: lists of codes of sketches, whose
// length depends on the readings, and the number of panes (extent.hpp). Where the device has no room for that the
// query goes on on the CPU (fallback_panes.hpp). Bytes are those asked for; what the device rounds them up to, its
// driver and the kernels' code are not in it.
#pragma once

#include <cstdint>

#include "execute/backend.hpp"
#include "execute/cuda/cell_layout.hpp"
#include "execute/cuda/tuning.hpp"
#include "kernels/launch/device.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cuda {

struct MemoryPlan {
  MemoryPlan(const plan::QueryPlan& query, const Extent& extent, const Tuning& tuning);

  std::uint64_t panes = 1;
  std::uint32_t groups = 1;
  std::uint32_t keys = 1;
  std::uint32_t batch_rows = 1;
  std::uint32_t chunk_rows = 1;
  std::uint32_t copy_groups = 1;  ///< of a window, on their way to the host
  bool overlapping = false;       ///< windows share panes: totals are derived, not read from one pane
  bool sorts_rows = false;        ///< steps may sort their rows
  bool pairs = false;             ///< first and last
  bool revisions = false;
  std::uint32_t words = 0;        ///< of a cell
  std::uint32_t front_words = 0;  ///< of a front; 0 without overlap
  // Codes of sketches; 0 without any.
  std::uint64_t pending_codes = 0;
  std::uint64_t pane_codes = 0;
  std::uint64_t window_codes = 0;  ///< of a window and one pane more: what a merge needs
  std::uint64_t revised_codes = 0;

  /// @brief What the device's algorithms are asked to do at most.
  [[nodiscard]] kernels::AlgorithmSizes algorithms() const noexcept;
  [[nodiscard]] std::uint64_t device_bytes(const plan::QueryPlan& query, const kernels::Device& device) const;
  /// @brief Page-locked bytes on the host.
  [[nodiscard]] std::uint64_t pinned_bytes(const plan::QueryPlan& query) const;
  /// @brief Those and everything else on the host.
  [[nodiscard]] std::uint64_t host_bytes(const plan::QueryPlan& query) const;
};

/// Windows that are on their way to the consumer at once.
inline constexpr std::size_t kResults = 2;
/// Numbers that come with one: its entries; whether `having` refused a group.
inline constexpr std::size_t kSizes = 2;

}  // namespace weir::execute::cuda
