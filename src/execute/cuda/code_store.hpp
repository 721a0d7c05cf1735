// The sketches of all panes on the device: one sorted list of (pane's slot, group, code) → count, and behind it the
// codes that steps appended since it was last put in order. Order is a radix sort and a sum over equal keys, so it
// does not show in which order or in how many steps codes came.
//
// A quantile's code is its bin; a HyperLogLog's a (register, rank) pair, whose count is not used. Owned by a query's
// panes and used by the engine's thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "execute/cuda/device_memory.hpp"

namespace weir::execute::cuda {

/// Codes on the host: ascending keys with their counts.
struct Codes {
  std::vector<std::uint64_t> keys;
  std::vector<std::uint64_t> counts;
};

class CodeStore {
 public:
  /// @throws Error when slots, groups and codes do not fit 64 bits
  CodeStore(kernels::Device& device, const kernels::Stream& stream, std::uint32_t sketches, std::uint32_t max_groups);

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
  std::uint64_t* append(std::uint64_t size);
  /// @brief So much is out of order that compact() pays.
  [[nodiscard]] bool unordered() const noexcept { return pending_ > kMostPending && pending_ > sorted_; }
  [[nodiscard]] bool empty() const noexcept { return sorted_ + pending_ == 0; }
  /// @brief Codes that a checkpoint holds.
  void load(const Codes& codes);
  /// @brief Puts everything in order and drops the panes whose slot is not wanted ([slot] → 0 or 1).
  void compact(std::span<const std::uint8_t> slots);
  /// @brief Codes of the panes in these slots, without the slot, or with it; after compact().
  void fetch(std::span<const std::uint8_t> slots, bool keep_slot, Codes& out);
  void clear() noexcept { sorted_ = pending_ = 0; }

  [[nodiscard]] std::size_t device_bytes() const noexcept;
  [[nodiscard]] std::size_t host_bytes() const noexcept { return slots_here_.bytes() + size_here_.bytes(); }

 private:
  static constexpr std::uint64_t kMostPending = std::uint64_t{1} << 20U;
  std::uint64_t order(std::uint64_t size);
  void reserve(std::uint64_t size, std::uint64_t keep);
  void select(std::span<const std::uint8_t> slots, bool keep_slot, std::uint64_t size);

  kernels::Device& device_;
  const kernels::Stream& stream_;
  kernels::CodeBits bits_;
  std::uint64_t sorted_ = 0;
  std::uint64_t pending_ = 0;  ///< behind the sorted ones
  // The list; two more for the steps of ordering.
  DeviceArray<std::uint64_t> keys_;
  DeviceArray<std::uint64_t> counts_;
  DeviceArray<std::uint64_t> selected_;
  DeviceArray<std::uint64_t> sorted_keys_;
  DeviceArray<std::uint64_t> sorted_counts_;
  DeviceArray<std::uint64_t> summed_keys_;
  DeviceArray<std::uint64_t> summed_counts_;
  DeviceArray<std::uint64_t> size_;
  DeviceArray<std::uint8_t> slots_;
  PinnedArray<std::uint8_t> slots_here_;
  PinnedArray<std::uint64_t> size_here_;
};

}  // namespace weir::execute::cuda
