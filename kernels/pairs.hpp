// first and last: what a step does after the times of its readings are in the cells. See cell.hpp.
#pragma once

#include "kernels/step.hpp"

namespace weir::kernels {

/// Clears the values that belong to another time than the cell's. Threads that find the same cell write the same.
struct ClearPairs {
  static constexpr bool kBarriers = false;
  StepView step;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t row = block.first(); row < step.chunk.rows; row += block.stride()) {
      Word* const cell = step.row_cells[row];
      if (cell == nullptr) continue;
      const Word time = as_word(step.chunk.times.at(row));
      for (std::uint32_t p = 0; p < step.plan.part_count; ++p) {
        const Part& part = step.plan.parts[p];
        if (part.kind != PartKind::first && part.kind != PartKind::last) continue;
        Word* const words = in_device_memory(cell) + part.word;
        if (words[0] == time && words[2] != time) {
          words[1] = empty_word(part.kind);
          words[2] = time;
        }
      }
    }
  }
};

/// Of the readings at the cell's time, the smallest (largest) value.
struct SettlePairs {
  static constexpr bool kBarriers = false;
  StepView step;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t row = block.first(); row < step.chunk.rows; row += block.stride()) {
      Word* const cell = step.row_cells[row];
      if (cell == nullptr) continue;
      const Word time = as_word(step.chunk.times.at(row));
      for (std::uint32_t p = 0; p < step.plan.part_count; ++p) {
        const Part& part = step.plan.parts[p];
        if (part.kind != PartKind::first && part.kind != PartKind::last) continue;
        Word* const words = in_device_memory(cell) + part.word;
        if (words[0] != time) continue;
        const std::int64_t value = argument_value(step, step.plan.arguments[part.argument], row);
        if (value == ops::kAbsent) continue;
        if (part.kind == PartKind::first) {
          Shared::min(words + 1, value);
        } else {
          Shared::max(words + 1, value);
        }
      }
    }
  }
};

}  // namespace weir::kernels
