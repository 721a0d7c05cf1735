// Lists of the codes of sketches: what the sort, the merge and the sums of the whole device leave to do.
#pragma once

#include "kernels/views.hpp"

namespace weir::kernels {

/// @brief The first position in keys[0, size) whose key is at least `key`.
WEIR_HOST_DEVICE inline std::uint64_t lower_bound(const std::uint64_t* keys, std::uint64_t size,
                                                  std::uint64_t key) noexcept {
  std::uint64_t from = 0;
  while (size > 0) {
    const std::uint64_t half = size / 2;
    if (keys[from + half] < key) {
      from += half + 1;
      size -= half + 1;
    } else {
      size = half;
    }
  }
  return from;
}

struct FindSlots {
  static constexpr bool kBarriers = false;
  FindSlotsView view;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t slot = block.first(); slot <= view.slots; slot += block.stride()) {
      view.bounds[slot] = lower_bound(view.keys, *view.size, view.bits.key(static_cast<std::uint32_t>(slot), 0, 0));
    }
  }
};

struct StripSlots {
  static constexpr bool kBarriers = false;
  StripSlotsView view;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    const std::uint64_t mask = (std::uint64_t{1} << (view.bits.group + view.bits.code)) - 1;
    for (std::uint64_t i = block.first(); i < view.size; i += block.stride()) view.keys[i] &= mask;
  }
};

struct SubtractCodes {
  static constexpr bool kBarriers = false;
  SubtractCodesView view;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t i = block.first(); i < view.size; i += block.stride()) {
      view.from_counts[lower_bound(view.from_keys, view.from_size, view.keys[i])] -= view.counts[i];
    }
  }
};

}  // namespace weir::kernels
