// The sketches of a query's panes on the device, as counts of codes. A quantile's code is its bin; a HyperLogLog's a
// (register, rank) pair.
//
//   pending    what steps appended, as keys (pane's slot, group, code), in any order
//   of a pane  (group, code) → count, ascending: DevicePane::codes
//   window     the same over all panes of the open window, where windows overlap
//
// settle() sorts what is pending, and nothing else is ever sorted: its counts are merged into those of its panes, and
// into the window's where the pane is part of it. A pane that enters the window is merged into it, one that leaves is
// subtracted, which is exact for counts. Order is that of the keys, so it does not show in which order or in how many
// steps codes came.
//
// Owned by a query's panes and used by the engine's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "execute/cuda/code_list.hpp"
#include "execute/cuda/device_memory.hpp"
#include "execute/cuda/pane_ring.hpp"

namespace weir::execute::cuda {

/// Codes on the host: ascending keys with their counts.
struct Codes {
  std::vector<std::uint64_t> keys;
  std::vector<std::uint64_t> counts;
  void clear() noexcept {
    keys.clear();
    counts.clear();
  }
};

class CodeStore {
 public:
  /// @param panes outlives the store
  CodeStore(kernels::Device& device, const kernels::Stream& stream, PaneRing& panes, std::uint32_t sketches,
            const MemoryPlan& memory);

  [[nodiscard]] const kernels::CodeBits& bits() const noexcept { return bits_; }
  [[nodiscard]] std::uint32_t group_of(std::uint64_t key) const noexcept {
    return static_cast<std::uint32_t>((key >> bits_.code) & ((std::uint64_t{1} << bits_.group) - 1));
  }
  [[nodiscard]] std::uint32_t sketch_of(std::uint64_t key) const noexcept {
    return static_cast<std::uint32_t>((key & ((std::uint64_t{1} << bits_.code) - 1)) >> kernels::kSketchShift);
  }
  [[nodiscard]] static std::uint32_t code_of(std::uint64_t key) noexcept {
    return static_cast<std::uint32_t>(key & ((std::uint64_t{1} << kernels::kSketchShift) - 1));
  }

  /// @brief Room for `size` keys, which a step writes (kNoKey: nothing).
  /// @throws kernels::DeviceError when there are more panes than keys have bits for
  std::uint64_t* append(std::uint64_t size);
  /// @brief What is pending goes to its panes.
  void settle();

  // After settle().
  /// @brief The panes that start in [from, to) become part of the window.
  void enter(std::int64_t from, std::int64_t to);
  /// @brief The panes that start before it leave the window.
  void leave(std::int64_t before);
  [[nodiscard]] const CodeList& window() const noexcept { return window_; }
  /// @brief Copies a list to the host, and waits.
  void fetch(const CodeList& list, Codes& out);
  /// @brief The same of all panes that start in [from, to) together.
  void fetch(std::int64_t from, std::int64_t to, Codes& out);

  /// @brief Codes of a pane that a checkpoint holds.
  void load(DevicePane& pane, const Codes& codes);
  /// @brief Nothing is pending, the window is empty. What panes hold is theirs.
  void clear() noexcept { pending_ = window_.size = 0; }

  [[nodiscard]] std::size_t device_bytes() const noexcept;
  [[nodiscard]] std::size_t host_bytes() const noexcept { return bounds_here_.bytes() + size_here_.bytes(); }

 private:
  void merge(const CodeList& list, const kernels::CountList& more);
  void add(CodeList& list, const kernels::CountList& more);
  void add_to_window(const kernels::CountList& more);
  void copy(const kernels::CountList& from, CodeList& to);
  [[nodiscard]] std::uint64_t fetch_size();

  kernels::Device& device_;
  const kernels::Stream& stream_;
  PaneRing& panes_;
  kernels::CodeBits bits_;
  std::uint64_t pending_ = 0;
  DeviceArray<std::uint64_t> pending_keys_;
  DeviceArray<std::uint64_t> sorted_keys_;
  DeviceArray<std::uint64_t> new_counts_;
  DeviceArray<std::uint64_t> bounds_;  ///< of the slots, in what is new
  PinnedArray<std::uint64_t> bounds_here_;
  CodeList window_;
  CodeList merged_;  ///< scratch of a merge, as long as both lists together
  CodeList summed_;  ///< and what comes out of it
  CodeList folded_;  ///< scratch of fetch() of several panes
  DeviceArray<std::uint64_t> size_;
  PinnedArray<std::uint64_t> size_here_;
};

}  // namespace weir::execute::cuda
