// Count, sum and extremes of one argument in one cell: the section that every query has and that bounds its speed.
#pragma once

#include <algorithm>
#include <array>

#include "core/decimal.hpp"
#include "core/large_array.hpp"
#include "execute/cpu/core_cell.hpp"
#include "execute/cpu/section.hpp"
#include "ops/accumulate.hpp"

namespace weir::execute::cpu {

template <bool kSum, bool kExtremes>
class CoreSection final : public Section {
 public:
  using Cell = CoreCell<kSum, kExtremes>;

  /// @param argument index of the argument, or -1 to count readings
  /// @param first its count, plus the nulls, is the number of readings
  CoreSection(int argument, bool nullable, bool first) : argument_(argument), nullable_(nullable), first_(first) {}

  std::size_t raw_bytes() const noexcept override { return sizeof(Cell); }
  std::size_t front_bytes() const noexcept override { return kExtremes ? sizeof(ops::Extremes) : 0; }
  std::size_t window_bytes() const noexcept override { return sizeof(Running); }
  void grow(std::uint32_t groups) override { running_.resize(groups); }

  void clear(Cells raw, GroupRange groups) const noexcept override {
    Cell* const cells = cell(raw);
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) cells[g] = Cell{};
  }

  void scatter(Cells raw, const RowSet& rows) const noexcept override {
    if (rows.groups == nullptr) {
      add_to_one(cell(raw)[0], rows);
    } else if (nullable_ && rows.nulls) {
      rows.prefetch ? scatter_rows<true, true>(cell(raw), rows) : scatter_rows<true, false>(cell(raw), rows);
    } else {
      rows.prefetch ? scatter_rows<false, true>(cell(raw), rows) : scatter_rows<false, false>(cell(raw), rows);
    }
  }

  void merge(Cells into, ConstCells from, GroupRange groups) const noexcept override {
    Cell* const cells = cell(into);
    const Cell* const others = cell(from);
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) {
      cells[g].count += others[g].count;
      if constexpr (kSum) ops::add_sum(cells[g].low, cells[g].wraps, others[g].low, others[g].wraps);
      if constexpr (kExtremes) ops::merge(cells[g].extremes, others[g].extremes);
    }
  }

  void read(ConstCells raw, std::uint32_t group, ArgumentTotal* totals, std::uint64_t& rows) const noexcept override {
    const Cell& from = cell(raw)[group];
    if (first_) rows += from.count;
    if (argument_ < 0 || from.count == 0) return;
    ArgumentTotal& total = totals[argument_];
    if constexpr (kSum) total.sum += ops::to_int128(from.low, from.wraps);
    if constexpr (kExtremes) {
      total.min = std::min(total.min, from.extremes.min);
      total.max = std::max(total.max, from.extremes.max());
    }
    total.count += from.count;
  }

  void read_block(ConstCells raw, GroupRange groups, ArgumentTotal* totals, std::size_t stride,
                  std::uint64_t* rows) const noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g, totals += stride, ++rows) read(raw, g, totals, *rows);
  }

  void write(Cells raw, std::uint32_t group, const ArgumentTotal* totals, std::uint64_t rows) const noexcept override {
    Cell& into = cell(raw)[group];
    into = Cell{};
    if (argument_ < 0) {
      into.count = static_cast<std::uint32_t>(rows);
      return;
    }
    const ArgumentTotal& total = totals[argument_];
    into.count = static_cast<std::uint32_t>(total.count);
    if constexpr (kSum) ops::from_int128(total.sum, into.low, into.wraps);
    if constexpr (kExtremes) {
      if (total.count > 0) into.extremes = {total.min, ~total.max};
    }
  }

  void reset(GroupRange groups) noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) running_[g] = Running{};
  }

  void enter(ConstCells raw, GroupRange groups) noexcept override {
    const Cell* const cells = cell(raw);
    Running* const running = running_.data();
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) {
      running[g].count += cells[g].count;
      if constexpr (kSum) add_running(running[g], ops::to_int128(cells[g].low, cells[g].wraps));
      if constexpr (kExtremes) ops::merge(running[g].back, cells[g].extremes);
    }
  }

  void leave(ConstCells raw, GroupRange groups) noexcept override {
    const Cell* const cells = cell(raw);
    Running* const running = running_.data();
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) {
      running[g].count -= cells[g].count;
      if constexpr (kSum) add_running(running[g], -ops::to_int128(cells[g].low, cells[g].wraps));
    }
  }

  void reset_back(GroupRange groups) noexcept override {
    if constexpr (kExtremes) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) running_[g].back = ops::Extremes{};
    }
  }

  void clear_front(Cells front, GroupRange groups) const noexcept override {
    if constexpr (kExtremes) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) extremes(front)[g] = ops::Extremes{};
    }
  }

  void stack(Cells front, ConstCells raw, ConstCells newer, GroupRange groups,
             GroupRange newer_groups) const noexcept override {
    if constexpr (kExtremes) {
      const Cell* const cells = cell(raw);
      ops::Extremes* const into = extremes(front);
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) into[g] = cells[g].extremes;
      if (newer == nullptr) return;
      const ops::Extremes* const from = extremes(newer);
      for (std::uint32_t g = newer_groups.begin; g < newer_groups.end; ++g) ops::merge(into[g], from[g]);
    }
  }

  void enter_rows(const RowSet& rows, bool into_back) noexcept override {
    for (std::uint32_t i = 0; i < rows.size; ++i) {
      const std::int64_t value = value_of(rows, i);
      if (is_null(rows, value)) continue;
      Running& total = running_[group_of(rows, i)];
      ++total.count;
      if constexpr (kSum) add_running(total, value);
      if constexpr (kExtremes) {
        if (into_back) ops::merge(total.back, ops::extremes_of(value));
      }
    }
  }

  bool enter_front(Cells front, const RowSet& rows) const noexcept override {
    bool changed = false;
    if constexpr (kExtremes) {
      for (std::uint32_t i = 0; i < rows.size; ++i) {
        const std::int64_t value = value_of(rows, i);
        if (is_null(rows, value)) continue;
        ops::Extremes& into = extremes(front)[group_of(rows, i)];
        changed = changed || value < into.min || value > into.max();
        ops::merge(into, ops::extremes_of(value));
      }
    }
    return changed;
  }

  void add_row_counts(GroupRange groups, std::uint64_t* counts) const noexcept override {
    if (!first_) return;
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) counts[g - groups.begin] += running_[g].count;
  }

  void add_row_counts(ConstCells raw, GroupRange groups, std::uint64_t* counts) const noexcept override {
    if (!first_) return;
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) counts[g - groups.begin] += cell(raw)[g].count;
  }

  void emit(ConstCells front, std::uint32_t front_groups, const Picked& picked) const noexcept override {
    if (argument_ < 0) return;
    ArgumentTotal* total = picked.arguments + argument_;
    for (std::uint32_t i = 0; i < picked.size; ++i, total += picked.stride) {
      const std::uint32_t g = picked.groups[i];
      const Running& running = running_[g];
      total->count = running.count;
      if constexpr (kSum) {
        total->sum = sum_of(running);
      }
      if constexpr (kExtremes) {
        ops::Extremes both = running.back;
        if (g < front_groups) ops::merge(both, extremes(front)[g]);
        total->min = both.min;
        total->max = both.max();
      }
    }
  }

  std::uint32_t slide(const Slide& slide, GroupRange block) noexcept override {
    if (slide.front == nullptr)
      return slide.leaving == nullptr ? pass<false, false>(slide, block) : pass<false, true>(slide, block);
    return slide.leaving == nullptr ? pass<true, false>(slide, block) : pass<true, true>(slide, block);
  }

  void emit_raw(ConstCells raw, const Picked& picked) const noexcept override {
    if (argument_ < 0) return;
    ArgumentTotal* total = picked.arguments + argument_;
    for (std::uint32_t i = 0; i < picked.size; ++i, total += picked.stride) {
      const Cell& from = cell(raw)[picked.groups[i]];
      total->count = from.count;
      if constexpr (kSum) total->sum = ops::to_int128(from.low, from.wraps);
      if constexpr (kExtremes) {
        total->min = from.extremes.min;
        total->max = from.extremes.max();
      }
    }
  }

 private:
  /// Over the panes of a window: 64-bit count, 128-bit sum in two words (an Int128 would round the struct up to 48).
  struct Running {
    std::uint64_t count = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    ops::Extremes back;
  };

  static void add_running(Running& into, Int128 value) noexcept {
    const UInt128 sum = ((static_cast<UInt128>(into.high) << 64) | into.low) + static_cast<UInt128>(value);
    into.low = static_cast<std::uint64_t>(sum);
    into.high = static_cast<std::uint64_t>(sum >> 64);
  }

  template <bool kFront, bool kLeaving>
  std::uint32_t pass(const Slide& slide, GroupRange block) noexcept {
    const Cell* const entering = cell(slide.entering);
    const Cell* const leaving = cell(slide.leaving);
    const ops::Extremes* const front = extremes(slide.front);
    ArgumentTotal* total = slide.arguments + (argument_ < 0 ? 0 : argument_);
    std::uint32_t entries = 0;
    for (std::uint32_t g = block.begin; g < block.end; ++g) {
      Running running = running_[g];
      running.count += entering[g].count;
      if constexpr (kSum) add_running(running, ops::to_int128(entering[g].low, entering[g].wraps));
      if constexpr (kExtremes) ops::merge(running.back, entering[g].extremes);
      if (running.count > 0) {
        slide.groups[entries] = g;
        slide.counts[entries] = running.count;
        ++entries;
        if (argument_ >= 0) {
          total->count = running.count;
          if constexpr (kSum) total->sum = sum_of(running);
          if constexpr (kExtremes) {
            ops::Extremes both = running.back;
            if constexpr (kFront) ops::merge(both, front[g]);
            total->min = both.min;
            total->max = both.max();
          }
          total += slide.stride;
        }
      }
      if constexpr (kLeaving) {
        running.count -= leaving[g].count;
        if constexpr (kSum) add_running(running, -ops::to_int128(leaving[g].low, leaving[g].wraps));
      }
      running_[g] = running;
    }
    return entries;
  }

  static Int128 sum_of(const Running& running) noexcept {
    return static_cast<Int128>((static_cast<UInt128>(running.high) << 64) | running.low);
  }

  static Cell* cell(Cells raw) noexcept { return static_cast<Cell*>(static_cast<void*>(raw)); }
  static const Cell* cell(ConstCells raw) noexcept { return static_cast<const Cell*>(static_cast<const void*>(raw)); }
  static ops::Extremes* extremes(Cells front) noexcept {
    return static_cast<ops::Extremes*>(static_cast<void*>(front));
  }
  static const ops::Extremes* extremes(ConstCells front) noexcept {
    return static_cast<const ops::Extremes*>(static_cast<const void*>(front));
  }

  static std::uint32_t group_of(const RowSet& rows, std::uint32_t i) noexcept {
    return rows.groups == nullptr ? 0 : rows.groups[i];
  }
  std::int64_t value_of(const RowSet& rows, std::uint32_t i) const noexcept {
    return argument_ < 0 ? 0 : rows.values[argument_][i];
  }
  bool is_null(const RowSet& rows, std::int64_t value) const noexcept {
    return nullable_ && rows.nulls && value == kNullUnits;
  }

  static void add(Cell& into, std::int64_t value) noexcept {
    ++into.count;
    if constexpr (kSum) ops::add_value(into.low, into.wraps, value);
    if constexpr (kExtremes) ops::merge(into.extremes, ops::extremes_of(value));
  }

  template <bool kNulls, bool kPrefetch>
  void scatter_rows(Cell* cells, const RowSet& rows) const noexcept {
    // About as many rows ahead as a read from memory takes rows to pass.
    constexpr std::uint32_t kAhead = 24;
    const std::uint32_t* const groups = rows.groups;
    const std::int64_t* const values = argument_ < 0 ? nullptr : rows.values[argument_];
    const auto add_row = [&](std::uint32_t i) {
      if constexpr (kSum || kExtremes) {
        if constexpr (kNulls) {
          if (values[i] == kNullUnits) return;
        }
        add(cells[groups[i]], values[i]);
      } else {
        cells[groups[i]].count += !kNulls || values[i] != kNullUnits ? 1U : 0U;
      }
    };
    const std::uint32_t size = rows.size;
    std::uint32_t i = 0;
    if constexpr (kSum && kExtremes && !kNulls) {
      if (!*rows.wide) {
        i = scatter_vectors(cells, groups, values, size, kPrefetch ? kAhead : 0);
        // What is left is a few rows at the end, or a value for which sums need all of their bits.
        *rows.wide =
            std::any_of(values + i, values + size, [](std::int64_t v) { return v < -kNarrow || v >= kNarrow; });
      }
    } else {
      *rows.wide = true;
    }
    if constexpr (kPrefetch) {
      for (; i + kAhead < size; ++i) {
        __builtin_prefetch(&cells[groups[i + kAhead]], 1);
        add_row(i);
      }
    }
    for (; i < size; ++i) add_row(i);
  }

  /// All rows go to one cell: reduced in registers, for a cell in memory would be a chain of stores and loads.
  void add_to_one(Cell& into, const RowSet& rows) const noexcept {
    *rows.wide = true;
    if constexpr (!kSum && !kExtremes) {
      std::uint32_t counted = rows.size;
      if (argument_ >= 0 && nullable_ && rows.nulls) {
        for (std::uint32_t i = 0; i < rows.size; ++i) counted -= rows.values[argument_][i] == kNullUnits ? 1U : 0U;
      }
      into.count += counted;
    } else {
      const std::int64_t* const values = rows.values[argument_];
      std::array<Cell, 2> partial;
      const bool nulls = nullable_ && rows.nulls;
      for (std::uint32_t i = 0; i < rows.size; ++i) {
        if (nulls && values[i] == kNullUnits) continue;
        add(partial[i % 2], values[i]);
      }
      for (const Cell& part : partial) {
        into.count += part.count;
        if constexpr (kSum) ops::add_sum(into.low, into.wraps, part.low, part.wraps);
        if constexpr (kExtremes) ops::merge(into.extremes, part.extremes);
      }
    }
  }

  int argument_;
  bool nullable_;
  bool first_;
  LargeVector<Running> running_;
};

}  // namespace weir::execute::cpu
