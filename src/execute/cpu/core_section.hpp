// Count, sum and extremes of one argument in one cell: the section that every query has and that bounds its speed.
//
// With sum and extremes a cell is 32 bytes: half a cache line, never straddling two. The count has 32 bits and the sum
// 96, which is exact for up to 2^32 - 1 readings; a pane that holds more is continued in another pane with the same
// start (pane.hpp), so nothing here has to look out for it.
#pragma once

#include <array>

#include "core/decimal.hpp"
#include "execute/cpu/section.hpp"
#include "ops/accumulate.hpp"

namespace weir::execute::cpu {

template <bool kSum, bool kMinMax>
struct CoreCell;

template <>
struct CoreCell<false, false> {
  std::uint32_t count = 0;
};
template <>
struct CoreCell<true, false> {
  std::uint64_t low = 0;
  std::int32_t high = 0;
  std::uint32_t count = 0;
};
template <>
struct CoreCell<false, true> {
  ops::MinMax extremes;
  std::uint32_t count = 0;
  std::uint32_t unused = 0;
};
template <>
struct CoreCell<true, true> {
  std::uint64_t low = 0;
  std::int32_t high = 0;
  std::uint32_t count = 0;
  ops::MinMax extremes;
};

template <bool kSum, bool kMinMax>
class CoreSection final : public Section {
 public:
  using Cell = CoreCell<kSum, kMinMax>;

  /// @param argument index of the argument, or -1 to count readings
  /// @param first its count, plus the nulls, is the number of readings
  CoreSection(int argument, bool nullable, bool first) : argument_(argument), nullable_(nullable), first_(first) {}

  std::size_t raw_bytes() const noexcept override { return sizeof(Cell); }
  std::size_t front_bytes() const noexcept override { return kMinMax ? sizeof(ops::MinMax) : 0; }
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
      if constexpr (kSum) ops::add_sum(cells[g].low, cells[g].high, others[g].low, others[g].high);
      if constexpr (kMinMax) ops::merge(cells[g].extremes, others[g].extremes);
    }
  }

  void read(ConstCells raw, std::uint32_t group, ArgumentTotal* totals, std::uint64_t& rows) const noexcept override {
    const Cell& from = cell(raw)[group];
    if (first_) rows += from.count;
    if (argument_ < 0 || from.count == 0) return;
    ArgumentTotal& total = totals[argument_];
    if constexpr (kSum) total.sum += ops::to_int128(from.low, from.high);
    if constexpr (kMinMax) {
      ops::MinMax both{total.min, total.max};
      ops::merge(both, from.extremes);
      total.min = both.min;
      total.max = both.max;
    }
    total.count += from.count;
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
    if constexpr (kSum) {
      into.low = static_cast<std::uint64_t>(static_cast<UInt128>(total.sum));
      into.high = static_cast<std::int32_t>(total.sum >> 64);
    }
    if constexpr (kMinMax) {
      if (total.count > 0) into.extremes = {total.min, total.max};
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
      if constexpr (kSum) add_running(running[g], ops::to_int128(cells[g].low, cells[g].high));
      if constexpr (kMinMax) ops::merge(running[g].back, cells[g].extremes);
    }
  }

  void leave(ConstCells raw, GroupRange groups) noexcept override {
    const Cell* const cells = cell(raw);
    Running* const running = running_.data();
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) {
      running[g].count -= cells[g].count;
      if constexpr (kSum) add_running(running[g], -ops::to_int128(cells[g].low, cells[g].high));
    }
  }

  void reset_back(GroupRange groups) noexcept override {
    if constexpr (kMinMax) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) running_[g].back = ops::MinMax{};
    }
  }

  void clear_front(Cells front, GroupRange groups) const noexcept override {
    if constexpr (kMinMax) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) extremes(front)[g] = ops::MinMax{};
    }
  }

  void stack(Cells front, ConstCells raw, ConstCells newer, GroupRange groups,
             GroupRange newer_groups) const noexcept override {
    if constexpr (kMinMax) {
      const Cell* const cells = cell(raw);
      ops::MinMax* const into = extremes(front);
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) into[g] = cells[g].extremes;
      if (newer == nullptr) return;
      const ops::MinMax* const from = extremes(newer);
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
      if constexpr (kMinMax) {
        if (into_back) ops::merge(total.back, {value, value});
      }
    }
  }

  bool enter_front(Cells front, const RowSet& rows) const noexcept override {
    bool changed = false;
    if constexpr (kMinMax) {
      for (std::uint32_t i = 0; i < rows.size; ++i) {
        const std::int64_t value = value_of(rows, i);
        if (is_null(rows, value)) continue;
        ops::MinMax& into = extremes(front)[group_of(rows, i)];
        changed = changed || value < into.min || value > into.max;
        ops::merge(into, {value, value});
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
        total->sum = static_cast<Int128>((static_cast<UInt128>(running.high) << 64) | running.low);
      }
      if constexpr (kMinMax) {
        ops::MinMax both = running.back;
        if (g < front_groups) ops::merge(both, extremes(front)[g]);
        total->min = both.min;
        total->max = both.max;
      }
    }
  }

  void emit_raw(ConstCells raw, const Picked& picked) const noexcept override {
    if (argument_ < 0) return;
    ArgumentTotal* total = picked.arguments + argument_;
    for (std::uint32_t i = 0; i < picked.size; ++i, total += picked.stride) {
      const Cell& from = cell(raw)[picked.groups[i]];
      total->count = from.count;
      if constexpr (kSum) total->sum = ops::to_int128(from.low, from.high);
      if constexpr (kMinMax) {
        total->min = from.extremes.min;
        total->max = from.extremes.max;
      }
    }
  }

 private:
  /// Over the panes of a window: 64-bit count, 128-bit sum in two words (an Int128 would round the struct up to 48).
  struct Running {
    std::uint64_t count = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    ops::MinMax back;
  };

  static void add_running(Running& into, Int128 value) noexcept {
    const UInt128 sum = ((static_cast<UInt128>(into.high) << 64) | into.low) + static_cast<UInt128>(value);
    into.low = static_cast<std::uint64_t>(sum);
    into.high = static_cast<std::uint64_t>(sum >> 64);
  }

  static Cell* cell(Cells raw) noexcept { return static_cast<Cell*>(static_cast<void*>(raw)); }
  static const Cell* cell(ConstCells raw) noexcept { return static_cast<const Cell*>(static_cast<const void*>(raw)); }
  static ops::MinMax* extremes(Cells front) noexcept { return static_cast<ops::MinMax*>(static_cast<void*>(front)); }
  static const ops::MinMax* extremes(ConstCells front) noexcept {
    return static_cast<const ops::MinMax*>(static_cast<const void*>(front));
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
    if constexpr (kSum) ops::add_value(into.low, into.high, value);
    if constexpr (kMinMax) ops::merge(into.extremes, {value, value});
  }

  template <bool kNulls, bool kPrefetch>
  void scatter_rows(Cell* cells, const RowSet& rows) const noexcept {
    // About as many rows ahead as a read from memory takes rows to pass.
    constexpr std::uint32_t kAhead = 24;
    const std::uint32_t* const groups = rows.groups;
    const std::int64_t* const values = argument_ < 0 ? nullptr : rows.values[argument_];
    const auto add_row = [&](std::uint32_t i) {
      if constexpr (kSum || kMinMax) {
        if constexpr (kNulls) {
          if (values[i] == kNullUnits) return;
        }
        add(cells[groups[i]], values[i]);
      } else {
        cells[groups[i]].count += !kNulls || values[i] != kNullUnits ? 1U : 0U;
      }
    };
    std::uint32_t i = 0;
    if constexpr (kPrefetch) {
      for (; i + kAhead < rows.size; ++i) {
        __builtin_prefetch(&cells[groups[i + kAhead]], 1);
        add_row(i);
      }
    }
    for (; i < rows.size; ++i) add_row(i);
  }

  /// All rows go to one cell: reduced in registers, for a cell in memory would be a chain of stores and loads.
  void add_to_one(Cell& into, const RowSet& rows) const noexcept {
    if constexpr (!kSum && !kMinMax) {
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
        if constexpr (kSum) ops::add_sum(into.low, into.high, part.low, part.high);
        if constexpr (kMinMax) ops::merge(into.extremes, part.extremes);
      }
    }
  }

  int argument_;
  bool nullable_;
  bool first_;
  std::vector<Running> running_;
};

}  // namespace weir::execute::cpu
