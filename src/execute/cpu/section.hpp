// A section is what a query keeps of one kind for each group: count and sum and extremes of one argument, say, or sums
// of squares. It owns the arithmetic over a pane's cells of that kind and what is derived from them for the open
// window.
//
// A pane holds, for each section, an array of raw cells [group] and, where the section cannot subtract, an array of
// front cells [group]. Invertible parts keep a running total over the panes of the next window to close: panes enter,
// panes leave. The others (min, max, first, last) are two stacks: `front` cells hold the aggregate from that pane to
// the newest pane of the front stack, `back` the aggregate of all panes since.
//
// Calls are per chunk of rows or per block of groups, never per reading. Threads may call a section at the same time as
// long as they pass disjoint groups or different cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cpu {

/// Rows of one chunk that go into one pane, in columns.
struct RowSet {
  std::uint32_t size = 0;
  const std::uint32_t* groups = nullptr;        ///< nullptr: all of group 0
  const std::int64_t* times = nullptr;          ///< only when a section asks for times
  const std::int64_t* const* values = nullptr;  ///< [argument]
  bool nulls = false;                           ///< values may be kNullUnits
  bool* wide = nullptr;                         ///< of the pane: a value beyond kNarrow may have entered its cells
  bool prefetch = false;                        ///< the cells do not fit the near caches
};

/// Groups [begin, end).
struct GroupRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  [[nodiscard]] std::uint32_t size() const noexcept { return end - begin; }
};

/// Groups of a block that have readings, and where their entries go.
struct Picked {
  const std::uint32_t* groups = nullptr;
  std::uint32_t size = 0;
  ArgumentTotal* arguments = nullptr;  ///< of the first entry
  std::size_t stride = 0;              ///< from an entry to the next
};

/// Cells of a pane, opaque to everybody but the section.
using Cells = std::byte*;
using ConstCells = const std::byte*;

/// The usual close of a block of groups in one go: a pane enters, the window is emitted, a pane leaves. All cells cover
/// the block; nullptr where there is none.
struct Slide {
  ConstCells entering = nullptr;
  ConstCells front = nullptr;
  ConstCells leaving = nullptr;
  std::uint32_t* groups = nullptr;  ///< entries, from the first one of the block on
  std::uint64_t* counts = nullptr;
  ArgumentTotal* arguments = nullptr;
  std::size_t stride = 0;
};

class Section {
 public:
  Section() = default;
  virtual ~Section() = default;
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  [[nodiscard]] virtual std::size_t raw_bytes() const noexcept = 0;     ///< of a group in a pane
  [[nodiscard]] virtual std::size_t front_bytes() const noexcept = 0;   ///< likewise; 0: the section can subtract
  [[nodiscard]] virtual std::size_t window_bytes() const noexcept = 0;  ///< of a group, once
  /// @brief Makes room for the derived values of `groups` groups, the new ones empty.
  virtual void grow(std::uint32_t groups) = 0;
  /// @brief Its cells change only by rows whose argument is null: panes without such rows are skipped.
  [[nodiscard]] virtual bool only_nulls() const noexcept { return false; }

  // Raw cells.
  virtual void clear(Cells raw, GroupRange groups) const noexcept = 0;
  virtual void scatter(Cells raw, const RowSet& rows) const noexcept = 0;
  virtual void merge(Cells into, ConstCells from, GroupRange groups) const noexcept = 0;
  /// @brief Adds a group's cell to its totals (at first empty_total()), and to `rows` if the section counts readings.
  virtual void read(ConstCells raw, std::uint32_t group, ArgumentTotal* totals, std::uint64_t& rows) const noexcept = 0;
  /// @brief The same of each group of a block: totals of the first one, `stride` from one to the next, and its rows.
  virtual void read_block(ConstCells raw, GroupRange groups, ArgumentTotal* totals, std::size_t stride,
                          std::uint64_t* rows) const noexcept = 0;
  /// @brief Sets a cell from a total; count and rows are below 2^32.
  virtual void write(Cells raw, std::uint32_t group, const ArgumentTotal* totals,
                     std::uint64_t rows) const noexcept = 0;

  // Derived from the panes of the next window to close.
  virtual void reset(GroupRange groups) noexcept = 0;  ///< no pane has entered
  virtual void enter(ConstCells raw, GroupRange groups) noexcept = 0;
  virtual void leave(ConstCells raw, GroupRange groups) noexcept = 0;
  virtual void reset_back(GroupRange groups) noexcept = 0;
  virtual void clear_front(Cells front, GroupRange groups) const noexcept = 0;
  /// @brief front = raw merged with the front of the next newer pane; `newer` is nullptr for the newest. It covers
  /// only `newer_groups`.
  virtual void stack(Cells front, ConstCells raw, ConstCells newer, GroupRange groups,
                     GroupRange newer_groups) const noexcept = 0;
  /// @brief A late row enters what is derived: the running total, and the back or (see next) the front.
  virtual void enter_rows(const RowSet& rows, bool into_back) noexcept = 0;
  /// @brief A late row enters one front; false when that changed nothing.
  virtual bool enter_front(Cells front, const RowSet& rows) const noexcept = 0;

  // Emission. `front` is nullptr when the front stack is empty; it covers groups below `front_groups`.
  virtual void add_row_counts(GroupRange groups, std::uint64_t* counts) const noexcept = 0;
  virtual void add_row_counts(ConstCells raw, GroupRange groups, std::uint64_t* counts) const noexcept = 0;
  virtual void emit(ConstCells front, std::uint32_t front_groups, const Picked& picked) const noexcept = 0;
  virtual void emit_raw(ConstCells raw, const Picked& picked) const noexcept = 0;
  /// @brief enter, emit and leave in one pass, only of a section that counts readings all by itself.
  /// @return the number of entries
  virtual std::uint32_t slide(const Slide& /*slide*/, GroupRange /*block*/) noexcept { return 0; }
};

/// @brief A total that no reading has entered.
ArgumentTotal empty_total() noexcept;

/// @brief The sections that a query needs, in a fixed order.
std::vector<std::unique_ptr<Section>> make_sections(const plan::QueryPlan& query);

}  // namespace weir::execute::cpu
