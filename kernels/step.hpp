// The step: one pass over the rows of a chunk that maps, filters and accumulates. Three ways to accumulate, same bits:
//
//   GlobalStep   atomics on the cells in device memory: many groups
//   SharedStep   cells of all groups and panes in the block's shared memory first: few groups
//   SortStep     keys for a radix sort; SortedRuns then adds up equal cells before it touches memory: heavy skew
//
// The order of questions is that of execute::Horizon.
#pragma once

#include "kernels/views.hpp"
#include "ops/hyperloglog.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::kernels {

/// What the readings of one thread came to.
struct Tally {
  std::uint32_t filtered = 0;
  std::uint32_t late = 0;
};

/// Where a counted reading goes.
struct Place {
  bool counted = false;
  std::uint32_t group = 0;
  std::uint32_t pane = 0;  ///< in ChunkView::panes
  std::int64_t time = 0;
};

/// @brief a mod step in [0, step).
WEIR_HOST_DEVICE inline std::int64_t floor_mod(std::int64_t a, std::int64_t step) noexcept {
  const std::int64_t rest = a % step;
  return rest < 0 ? rest + step : rest;
}

/// @brief Whether an instant lies between two windows (only when slide > window).
WEIR_HOST_DEVICE inline bool in_gap(const PlanView& plan, std::int64_t time) noexcept {
  if (plan.slide_ns <= plan.window_ns) return false;
  // (time + window) mod slide without leaving 64 bits.
  const std::int64_t left = plan.slide_ns - plan.window_ns;
  const std::int64_t rest = floor_mod(time, plan.slide_ns);
  return (rest < left ? rest + plan.window_ns : rest - left) >= plan.window_ns;
}

WEIR_HOST_DEVICE inline double run_program(const StepView& step, ops::ProgramView program, std::uint64_t row) {
  program.code = in_device_memory(program.code);
  program.constants = in_device_memory(program.constants);
  return ops::evaluate(
      program,
      [&](std::uint16_t field) {
        return ops::units_to_double(step.chunk.fields[field].at(row), step.plan.scales[field]);
      },
      [&](std::uint16_t test) {
        return in_device_memory(step.keys.tests[test])[step.chunk.keys[row]] != 0 ? 1.0 : 0.0;
      });
}

/// @brief The units of an argument, ops::kAbsent for null.
WEIR_HOST_DEVICE inline std::int64_t argument_value(const StepView& step, const ArgumentView& argument,
                                                    std::uint64_t row) {
  if (argument.field >= 0) return step.chunk.fields[argument.field].at(row);
  return ops::double_to_units(run_program(step, argument.program, row), argument.scale);
}

/// @brief The last pane that starts at or before `time`, or the first; 0 when there is none.
WEIR_HOST_DEVICE inline std::uint32_t pane_at(const ChunkView& chunk, std::int64_t time) noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = chunk.pane_count;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (chunk.panes[middle].start <= time) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/// @brief Codes of a row's sketches, or kNoKey.
WEIR_HOST_DEVICE inline void write_codes(const StepView& step, std::uint64_t row, const Place& place) {
  for (std::uint32_t s = 0; s < step.plan.sketch_count; ++s) {
    std::uint64_t& out = step.codes[static_cast<std::uint64_t>(s) * step.chunk.rows + row];
    out = kNoKey;
    if (!place.counted) continue;
    const SketchView& sketch = step.plan.sketches[s];
    std::uint32_t code = 0;
    if (sketch.kind == SketchKind::quantile) {
      const std::int64_t value = argument_value(step, step.plan.arguments[sketch.source], row);
      if (value == ops::kAbsent) continue;
      code = static_cast<std::uint32_t>(ops::quantile_bin(value) + ops::kQuantileLastBin);
    } else {
      const ops::HllUpdate update =
          ops::hll_update(in_device_memory(step.keys.hashes[sketch.source])[step.chunk.keys[row]]);
      code = (update.index << kRankBits) | update.rank;
    }
    out = step.code_bits.key(step.chunk.panes[place.pane].slot, place.group, (s << kSketchShift) | code);
  }
}

/// @brief Asks the row everything, notes what it is, and leaves what later kernels need.
WEIR_HOST_DEVICE inline Place place_row(const StepView& step, std::uint64_t row, Tally& tally) {
  Place place;
  const std::uint32_t key = step.chunk.keys == nullptr ? 0 : step.chunk.keys[row];
  place.group = step.keys.group_of == nullptr ? 0 : step.keys.group_of[key];
  if (run_program(step, step.plan.where, row) != 1.0 || place.group == kNoGroup) {
    ++tally.filtered;
    return place;
  }
  if (step.chunk.times.data != nullptr) place.time = step.chunk.times.at(row);
  if (!step.single_pane) {
    if (place.time < step.late_before) {
      if (in_gap(step.plan, place.time)) {
        ++tally.filtered;
        return place;
      }
      ++tally.late;
      const Word at = Shared::add(step.counters + kLateListed, 1);
      step.late_rows[at] = step.chunk.first_row + static_cast<std::uint32_t>(row);
      return place;
    }
    // A time between two windows has no pane; looking that up is cheaper than a division.
    place.pane = pane_at(step.chunk, place.time);
    if (place.pane == step.chunk.pane_count ||
        as_word(place.time) - as_word(step.chunk.panes[place.pane].start) >= as_word(step.plan.pane_ns)) {
      ++tally.filtered;
      return place;
    }
    if (step.keep_stragglers && place.time < step.closed_end) {
      const Word at = Shared::add(step.counters + kStragglers, 1);
      step.stragglers[at] = {step.chunk.panes[place.pane].start, place.group, 0};
    }
  }
  place.counted = true;
  const PaneTarget& pane = step.chunk.panes[place.pane];
  *in_device_memory(pane.used) = 1;
  if (pane.entered != 0) step.dirty[place.group] = 1;
  return place;
}

WEIR_HOST_DEVICE inline Word* cell_of(const StepView& step, const Place& place) noexcept {
  return in_device_memory(step.chunk.panes[place.pane].cells) +
         static_cast<std::uint64_t>(place.group) * step.plan.words;
}

template <class Block>
WEIR_HOST_DEVICE void count_rows(Block& block, const StepView& step, const Tally& tally) {
  block.add(step.counters + kFiltered, tally.filtered);
  block.add(step.counters + kLate, tally.late);
}

struct GlobalStep {
  static constexpr bool kBarriers = false;
  StepView step;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    Tally tally;
    for (std::uint64_t row = block.first(); row < step.chunk.rows; row += block.stride()) {
      const Place place = place_row(step, row, tally);
      Word* const cell = place.counted ? cell_of(step, place) : nullptr;
      if (step.row_cells != nullptr) step.row_cells[row] = cell;
      if (step.codes != nullptr) write_codes(step, row, place);
      if (cell == nullptr) continue;
      Shared::add(cell, 1);
      for (std::uint32_t a = 0; a < step.plan.argument_count; ++a) {
        const ArgumentView& argument = step.plan.arguments[a];
        if (argument.parts == 0) continue;
        const std::int64_t value = argument_value(step, argument, row);
        if (value == ops::kAbsent) continue;
        for (std::uint32_t p = argument.first_part; p < argument.first_part + argument.parts; ++p) {
          add_value<Shared>(cell + step.plan.parts[p].word, step.plan.parts[p].kind, value, place.time);
        }
      }
    }
    count_rows(block, step, tally);
  }
};

struct SharedStep {
  static constexpr bool kBarriers = true;
  StepView step;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    const PlanView& plan = step.plan;
    const std::uint32_t cells = step.groups * step.chunk.pane_count;
    for (std::uint32_t p = block.thread(); p < cells * plan.part_count; p += block.threads()) {
      const Part& part = plan.parts[p % plan.part_count];
      store_part(block.shared() + p / plan.part_count * plan.words + part.word, empty_part(part.kind), part.kind);
    }
    block.barrier();
    Tally tally;
    for (std::uint64_t row = block.first(); row < step.chunk.rows; row += block.stride()) {
      const Place place = place_row(step, row, tally);
      if (step.row_cells != nullptr) step.row_cells[row] = place.counted ? cell_of(step, place) : nullptr;
      if (step.codes != nullptr) write_codes(step, row, place);
      if (place.counted) add_row(block, row, place);
    }
    count_rows(block, step, tally);
    block.barrier();
    flush(block, cells);
  }

 private:
  template <class Block>
  WEIR_HOST_DEVICE void add_row(Block& block, std::uint64_t row, const Place& place) const {
    const PlanView& plan = step.plan;
    Word* const cell = block.shared() + (place.pane * step.groups + place.group) * plan.words;
    InBlock::count(cell);
    for (std::uint32_t a = 0; a < plan.argument_count; ++a) {
      const ArgumentView& argument = plan.arguments[a];
      if (argument.parts == 0) continue;
      const std::int64_t value = argument_value(step, argument, row);
      if (value == ops::kAbsent) continue;
      for (std::uint32_t p = argument.first_part; p < argument.first_part + argument.parts; ++p) {
        Word* const words = cell + plan.parts[p].word;
        const PartKind kind = plan.parts[p].kind;
        if (kind == PartKind::count) {
          InBlock::count(words);
        } else if (kind == PartKind::sum && step.narrow_sums) {
          InBlock::add(words, as_word(value));
        } else {
          add_value<InBlock>(words, kind, value, place.time);
        }
      }
    }
  }

  template <class Block>
  WEIR_HOST_DEVICE void flush(Block& block, std::uint32_t cells) const {
    const PlanView& plan = step.plan;
    for (std::uint32_t p = block.thread(); p < cells * plan.part_count; p += block.threads()) {
      const std::uint32_t cell = p / plan.part_count;
      const Part& part = plan.parts[p % plan.part_count];
      const Word* const from = block.shared() + cell * plan.words;
      if (from[0] == 0) continue;
      Word* const into = in_device_memory(step.chunk.panes[cell / step.groups].cells) +
                         static_cast<std::uint64_t>(cell % step.groups) * plan.words + part.word;
      const Word* const words = from + part.word;
      if (part.kind == PartKind::sum && step.narrow_sums) {
        add_sum<Shared>(into, words[0], as_signed(words[0]) < 0 ? ~Word{0} : 0);
      } else if (part.kind == PartKind::first) {
        Shared::min(into, as_signed(words[0]));
      } else if (part.kind == PartKind::last) {
        Shared::max(into, as_signed(words[0]));
      } else {
        merge_part<Shared>(into, words, part.kind);
      }
    }
  }
};

struct SortStep {
  static constexpr bool kBarriers = false;
  StepView step;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    Tally tally;
    for (std::uint64_t row = block.first(); row < step.chunk.rows; row += block.stride()) {
      const Place place = place_row(step, row, tally);
      if (step.row_cells != nullptr) step.row_cells[row] = place.counted ? cell_of(step, place) : nullptr;
      if (step.codes != nullptr) write_codes(step, row, place);
      const std::uint64_t pane = static_cast<std::uint64_t>(place.pane) << step.group_bits;
      step.sort_keys[row] = place.counted ? pane | place.group : kNoKey;
      step.sort_rows[row] = static_cast<std::uint32_t>(row);
    }
    count_rows(block, step, tally);
  }
};

/// Each thread takes some consecutive sorted rows, adds up those of one cell in registers, then adds the sum to the
/// cell.
struct SortedRuns {
  static constexpr bool kBarriers = false;
  RunsView runs;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    const StepView& step = runs.step;
    for (std::uint64_t share = block.first();; share += block.stride()) {
      const std::uint64_t begin = share * runs.per_thread;
      if (begin >= step.chunk.rows) break;
      const std::uint64_t end = begin + runs.per_thread < step.chunk.rows ? begin + runs.per_thread : step.chunk.rows;
      for (std::uint64_t first = begin; first < end;) {
        const std::uint64_t key = runs.keys[first];
        if (key == kNoKey) return;  // they are the last
        std::uint64_t last = first + 1;
        while (last < end && runs.keys[last] == key) ++last;
        add_run(first, last, key);
        first = last;
      }
    }
  }

 private:
  WEIR_HOST_DEVICE void add_run(std::uint64_t first, std::uint64_t last, std::uint64_t key) const {
    const StepView& step = runs.step;
    const PlanView& plan = step.plan;
    const std::uint64_t group = key & ((std::uint64_t{1} << step.group_bits) - 1);
    Word* const cell = in_device_memory(step.chunk.panes[key >> step.group_bits].cells) + group * plan.words;
    Shared::add(cell, last - first);
    for (std::uint32_t a = 0; a < plan.argument_count; ++a) {
      const ArgumentView& argument = plan.arguments[a];
      if (argument.parts > 0) add_argument(argument, first, last, cell);
    }
  }

  WEIR_HOST_DEVICE void add_argument(const ArgumentView& argument, std::uint64_t first, std::uint64_t last,
                                     Word* cell) const {
    const StepView& step = runs.step;
    constexpr PartKind kKinds[] = {PartKind::count, PartKind::sum,   PartKind::squares, PartKind::min,
                                   PartKind::max,   PartKind::first, PartKind::last};
    PartValue values[7];
    for (int k = 0; k < 7; ++k) values[k] = empty_part(kKinds[k]);
    bool any = false;
    for (std::uint64_t i = first; i < last; ++i) {
      const std::uint32_t row = runs.rows[i];
      const std::int64_t value = argument_value(step, argument, row);
      if (value == ops::kAbsent) continue;
      any = true;
      const std::int64_t time = step.chunk.times.data == nullptr ? 0 : step.chunk.times.at(row);
      for (int k = 0; k < 7; ++k) add_value<Own>(values[k].words, kKinds[k], value, time);
    }
    if (!any) return;
    for (std::uint32_t p = argument.first_part; p < argument.first_part + argument.parts; ++p) {
      const Part& part = step.plan.parts[p];
      // Asked for each kind, so that the values stay in registers: those have no index.
      for (int k = 0; k < 7; ++k) {
        if (part.kind == kKinds[k]) merge_value(cell + part.word, values[k].words, kKinds[k]);
      }
    }
  }

  WEIR_HOST_DEVICE static void merge_value(Word* into, const Word* words, PartKind kind) {
    if (kind == PartKind::first) {
      Shared::min(into, as_signed(words[0]));
    } else if (kind == PartKind::last) {
      Shared::max(into, as_signed(words[0]));
    } else {
      merge_part<Shared>(into, words, kind);
    }
  }
};

}  // namespace weir::kernels
