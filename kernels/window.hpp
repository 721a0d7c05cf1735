// Closing a window on the device, one thread a group: panes enter running totals, totals are emitted, panes leave, the
// back becomes the front. What the CPU backend does in sections, for all groups at once.
//
// A group that a reading entered behind the derived values (dirty) is derived anew from its panes, the others are not
// touched by it.
#pragma once

#include "kernels/views.hpp"

namespace weir::kernels {

struct CloseWindow {
  static constexpr bool kBarriers = false;
  WindowView window;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t group = block.first(); group < window.groups; group += block.stride()) {
      const bool rebuild = window.rebuild || (window.dirty != nullptr && window.dirty[group] != 0);
      const PlanView& plan = window.plan;
      Word* const totals = window.totals + group * plan.words;
      for (std::uint32_t p = 0; p < plan.part_count; ++p) close_part(plan.parts[p], group, rebuild, totals);
      window.flags[group] = totals[0] != 0 ? 1 : 0;
      if (window.dirty != nullptr) window.dirty[group] = 0;
    }
  }

 private:
  [[nodiscard]] WEIR_HOST_DEVICE const Word* pane(std::uint32_t i, std::uint64_t group, const Part& part) const {
    return window.panes[i] + group * window.plan.words + part.word;
  }
  [[nodiscard]] WEIR_HOST_DEVICE Word* front(std::uint32_t i, std::uint64_t group, const Part& part) const {
    return window.fronts[i] + group * window.plan.front_words + part.front;
  }

  /// Fronts of panes [from, to): each holds everything from its pane to the newest of them.
  WEIR_HOST_DEVICE void stack(std::uint32_t from, std::uint32_t to, std::uint64_t group, const Part& part) const {
    PartValue value = empty_part(part.kind);
    for (std::uint32_t i = to; i-- > from;) {
      merge_own(value.words, pane(i, group, part), part.kind);
      store_part(front(i, group, part), value, part.kind);
    }
  }

  WEIR_HOST_DEVICE void close_part(const Part& part, std::uint64_t group, bool rebuild, Word* totals) const {
    const bool running_total = invertible(part.kind);
    Word* const derived = window.running == nullptr ? nullptr : window.running + group * window.plan.words + part.word;
    PartValue value = derived == nullptr || rebuild ? empty_part(part.kind) : load_part(derived, part.kind);
    if (rebuild) {
      for (std::uint32_t i = running_total ? window.begin : window.front_end; i < window.entered; ++i) {
        merge_own(value.words, pane(i, group, part), part.kind);
      }
      if (!running_total) stack(window.begin, window.front_end, group, part);
    }
    for (std::uint32_t i = window.entered; i < window.end; ++i) {
      merge_own(value.words, pane(i, group, part), part.kind);
    }
    PartValue total = value;
    if (!running_total && window.begin < window.front_end) {
      merge_own(total.words, front(window.begin, group, part), part.kind);
    }
    store_part(totals + part.word, total, part.kind);
    if (derived == nullptr) return;
    if (running_total) {
      for (std::uint32_t i = window.begin; i < window.stay; ++i) {
        subtract_own(value.words, pane(i, group, part), part.kind);
      }
    } else if (window.flip) {
      value = empty_part(part.kind);
      stack(window.stay, window.end, group, part);
    }
    store_part(derived, value, part.kind);
  }
};

/// Totals of some panes, straight from their cells: revisions and checkpoints.
struct FoldPanes {
  static constexpr bool kBarriers = false;
  FoldView fold;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    const PlanView& plan = fold.plan;
    for (std::uint64_t entry = block.first(); entry < fold.size; entry += block.stride()) {
      const std::uint64_t group = fold.groups == nullptr ? entry : fold.groups[entry];
      for (std::uint32_t p = 0; p < plan.part_count; ++p) {
        const Part& part = plan.parts[p];
        PartValue value = empty_part(part.kind);
        for (std::uint32_t i = fold.begin; i < fold.end; ++i) {
          merge_own(value.words, fold.panes[i] + group * plan.words + part.word, part.kind);
        }
        store_part(fold.totals + entry * plan.words + part.word, value, part.kind);
      }
      if (fold.flags != nullptr) fold.flags[entry] = fold.totals[entry * plan.words] != 0 ? 1 : 0;
    }
  }
};

/// The second half of a compaction: groups with readings move together, in their order.
struct GatherTotals {
  static constexpr bool kBarriers = false;
  GatherView view;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t group = block.first(); group < view.groups; group += block.stride()) {
      if (group + 1 == view.groups) *view.out_size = view.positions[group] + view.flags[group];
      if (view.flags[group] == 0) continue;
      const std::uint64_t entry = view.positions[group];
      view.out_groups[entry] = static_cast<std::uint32_t>(group);
      for (std::uint32_t w = 0; w < view.words; ++w) {
        view.out_totals[entry * view.words + w] = view.totals[group * view.words + w];
      }
    }
  }
};

struct EmptyCells {
  static constexpr bool kBarriers = false;
  EmptyView view;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    const PlanView& plan = view.plan;
    for (std::uint64_t i = block.first(); i < view.size; i += block.stride()) {
      for (std::uint32_t p = 0; p < plan.part_count; ++p) {
        const Part& part = plan.parts[p];
        if (view.fronts && invertible(part.kind)) continue;
        Word* const words =
            view.fronts ? view.cells + i * plan.front_words + part.front : view.cells + i * plan.words + part.word;
        store_part(words, empty_part(part.kind), part.kind);
      }
    }
  }
};

}  // namespace weir::kernels
