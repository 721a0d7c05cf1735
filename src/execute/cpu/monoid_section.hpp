// Sections of one plain value for each group: nulls, sums of squares, first and last readings.
#pragma once

#include "core/decimal.hpp"
#include "core/large_array.hpp"
#include "execute/cpu/section.hpp"
#include "ops/accumulate.hpp"

namespace weir::execute::cpu {

/// What a monoid section keeps, as a policy: Cell, kInvertible, and static add / merge / subtract / write / emit.
///
/// Readings whose argument is null: with the count of the values they make up the number of readings.
struct NullCount {
  using Cell = std::uint32_t;
  using Total = std::uint64_t;
  static constexpr bool kInvertible = true;
  static constexpr bool kCountsRows = true;
  static constexpr bool kTakesNulls = true;
  static void add(Cell& into, std::int64_t /*time*/, std::int64_t /*value*/) noexcept { ++into; }
  static void add(Total& into, std::int64_t /*time*/, std::int64_t /*value*/) noexcept { ++into; }
  static void merge(Cell& into, const Cell& from) noexcept { into += from; }
  static void merge(Total& into, const Cell& from) noexcept { into += from; }
  static void subtract(Total& into, const Cell& from) noexcept { into -= from; }
  template <class Any>
  static void emit(const Any& /*from*/, ArgumentTotal& /*total*/) noexcept {}
};

struct Squares {
  using Cell = UInt192;
  using Total = UInt192;
  static constexpr bool kInvertible = true;
  static constexpr bool kCountsRows = false;
  static constexpr bool kTakesNulls = false;
  static void add(Cell& into, std::int64_t /*time*/, std::int64_t value) noexcept { ops::add_square(into, value); }
  static void merge(Cell& into, const Cell& from) noexcept { ops::add_squares(into, from); }
  static void subtract(Total& into, const Cell& from) noexcept { ops::subtract_squares(into, from); }
  static Cell write(const ArgumentTotal& total) noexcept { return total.squares; }
  static void emit(const Cell& from, ArgumentTotal& total) noexcept { total.squares = from; }
};

struct First {
  using Cell = ops::FirstValue;
  using Total = ops::FirstValue;
  static constexpr bool kInvertible = false;
  static constexpr bool kCountsRows = false;
  static constexpr bool kTakesNulls = false;
  static void add(Cell& into, std::int64_t time, std::int64_t value) noexcept { ops::merge(into, {time, value}); }
  static void merge(Cell& into, const Cell& from) noexcept { ops::merge(into, from); }
  static void emit(const Cell& from, ArgumentTotal& total) noexcept {
    total.first_time = from.time;
    total.first_value = from.value;
  }
  static Cell write(const ArgumentTotal& total) noexcept { return {total.first_time, total.first_value}; }
};

struct Last {
  using Cell = ops::LastValue;
  using Total = ops::LastValue;
  static constexpr bool kInvertible = false;
  static constexpr bool kCountsRows = false;
  static constexpr bool kTakesNulls = false;
  static void add(Cell& into, std::int64_t time, std::int64_t value) noexcept { ops::merge(into, {time, value}); }
  static void merge(Cell& into, const Cell& from) noexcept { ops::merge(into, from); }
  static void emit(const Cell& from, ArgumentTotal& total) noexcept {
    total.last_time = from.time;
    total.last_value = from.value;
  }
  static Cell write(const ArgumentTotal& total) noexcept { return {total.last_time, total.last_value}; }
};

template <class Policy>
class MonoidSection final : public Section {
 public:
  using Cell = typename Policy::Cell;
  using Total = typename Policy::Total;

  MonoidSection(std::size_t argument, bool nullable) : argument_(argument), nullable_(nullable) {}

  std::size_t raw_bytes() const noexcept override { return sizeof(Cell); }
  std::size_t front_bytes() const noexcept override { return Policy::kInvertible ? 0 : sizeof(Cell); }
  std::size_t window_bytes() const noexcept override { return sizeof(Total); }
  void grow(std::uint32_t groups) override { window_.resize(groups); }
  bool only_nulls() const noexcept override { return Policy::kTakesNulls; }

  void clear(Cells raw, GroupRange groups) const noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) cells(raw)[g] = Cell{};
  }
  void scatter(Cells raw, const RowSet& rows) const noexcept override {
    if constexpr (Policy::kTakesNulls) {
      if (!rows.nulls) return;
    }
    each_row(rows, [&](std::uint32_t group, std::int64_t time, std::int64_t value) {
      Policy::add(cells(raw)[group], time, value);
    });
  }
  void merge(Cells into, ConstCells from, GroupRange groups) const noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) Policy::merge(cells(into)[g], cells(from)[g]);
  }
  void read(ConstCells raw, std::uint32_t group, ArgumentTotal* totals, std::uint64_t& rows) const noexcept override {
    const Cell& from = cells(raw)[group];
    if constexpr (Policy::kCountsRows) {
      rows += from;
    } else {
      Cell total = Policy::write(totals[argument_]);
      Policy::merge(total, from);
      Policy::emit(total, totals[argument_]);
    }
  }

  void read_block(ConstCells raw, GroupRange groups, ArgumentTotal* totals, std::size_t stride,
                  std::uint64_t* rows) const noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g, totals += stride, ++rows) read(raw, g, totals, *rows);
  }
  void write(Cells raw, std::uint32_t group, const ArgumentTotal* totals, std::uint64_t rows) const noexcept override {
    Cell& into = cells(raw)[group];
    into = Cell{};
    if constexpr (Policy::kCountsRows) {
      into = static_cast<std::uint32_t>(rows - totals[argument_].count);
    } else if (totals[argument_].count > 0) {
      into = Policy::write(totals[argument_]);
    }
  }

  void reset(GroupRange groups) noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) window_[g] = Total{};
  }
  void enter(ConstCells raw, GroupRange groups) noexcept override {
    for (std::uint32_t g = groups.begin; g < groups.end; ++g) Policy::merge(window_[g], cells(raw)[g]);
  }
  void leave(ConstCells raw, GroupRange groups) noexcept override {
    if constexpr (Policy::kInvertible) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) Policy::subtract(window_[g], cells(raw)[g]);
    }
  }
  void reset_back(GroupRange groups) noexcept override {
    if constexpr (!Policy::kInvertible) reset(groups);
  }
  void clear_front(Cells front, GroupRange groups) const noexcept override {
    if constexpr (!Policy::kInvertible) clear(front, groups);
  }
  void stack(Cells front, ConstCells raw, ConstCells newer, GroupRange groups,
             GroupRange newer_groups) const noexcept override {
    if constexpr (!Policy::kInvertible) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) cells(front)[g] = cells(raw)[g];
      if (newer != nullptr) merge(front, newer, newer_groups);
    }
  }
  void enter_rows(const RowSet& rows, bool into_back) noexcept override {
    if (!Policy::kInvertible && !into_back) return;
    each_row(rows, [&](std::uint32_t group, std::int64_t time, std::int64_t value) {
      Policy::add(window_[group], time, value);
    });
  }
  bool enter_front(Cells front, const RowSet& rows) const noexcept override {
    bool changed = false;
    if constexpr (!Policy::kInvertible) {
      each_row(rows, [&](std::uint32_t group, std::int64_t time, std::int64_t value) {
        Cell& into = cells(front)[group];
        const Cell before = into;
        Policy::add(into, time, value);
        changed = changed || before.time != into.time || before.value != into.value;
      });
    }
    return changed;
  }

  void add_row_counts(GroupRange groups, std::uint64_t* counts) const noexcept override {
    if constexpr (Policy::kCountsRows) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) counts[g - groups.begin] += window_[g];
    }
  }
  void add_row_counts(ConstCells raw, GroupRange groups, std::uint64_t* counts) const noexcept override {
    if constexpr (Policy::kCountsRows) {
      for (std::uint32_t g = groups.begin; g < groups.end; ++g) counts[g - groups.begin] += cells(raw)[g];
    }
  }
  void emit(ConstCells front, std::uint32_t front_groups, const Picked& picked) const noexcept override {
    if constexpr (!Policy::kCountsRows) {
      for (std::uint32_t i = 0; i < picked.size; ++i) {
        const std::uint32_t g = picked.groups[i];
        Total total = window_[g];
        if constexpr (!Policy::kInvertible) {
          if (g < front_groups) Policy::merge(total, cells(front)[g]);
        }
        Policy::emit(total, picked.arguments[i * picked.stride + argument_]);
      }
    }
  }
  void emit_raw(ConstCells raw, const Picked& picked) const noexcept override {
    for (std::uint32_t i = 0; i < picked.size; ++i) {
      Policy::emit(cells(raw)[picked.groups[i]], picked.arguments[i * picked.stride + argument_]);
    }
  }

 private:
  static Cell* cells(Cells memory) noexcept { return static_cast<Cell*>(static_cast<void*>(memory)); }
  static const Cell* cells(ConstCells memory) noexcept {
    return static_cast<const Cell*>(static_cast<const void*>(memory));
  }

  /// Calls on(group, time, value) for the rows that the policy takes: those with a value, or those without.
  template <class On>
  void each_row(const RowSet& rows, const On& on) const noexcept {
    const std::int64_t* const values = rows.values[argument_];
    const bool nulls = nullable_ && rows.nulls;
    for (std::uint32_t i = 0; i < rows.size; ++i) {
      const bool null = nulls && values[i] == kNullUnits;
      if (null == Policy::kTakesNulls) {
        on(rows.groups == nullptr ? 0 : rows.groups[i], rows.times == nullptr ? 0 : rows.times[i], values[i]);
      }
    }
  }

  std::size_t argument_;
  bool nullable_;
  LargeVector<Total> window_;
};

}  // namespace weir::execute::cpu
