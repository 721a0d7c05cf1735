// The last step of a window: integers become result values, `having` chooses rows, rows are put in order.
//
// Owned by the QueryRunner, used by the engine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "batch/result_table.hpp"
#include "execute/backend.hpp"
#include "execute/group_table.hpp"
#include "plan/plan.hpp"

namespace weir::execute {

class Finalizer {
 public:
  /// All outlive the finalizer. With a backend, its threads share the work of large windows.
  Finalizer(const plan::QueryPlan& query, GroupTable& groups, Backend* backend = nullptr);

  /// @brief From now on `spill` is given the table whenever it holds `rows` rows or more, also within a window; it
  /// takes them and clears the table. So rows stay in the caches from here to who writes them out.
  void set_spill(std::size_t rows, std::function<void(batch::ResultTable&)> spill) {
    spill_rows_ = rows;
    spill_ = std::move(spill);
  }

  /// @brief Appends the rows of a window, sorted by group keys bytewise, those that `having` keeps.
  /// @param revisions one for each entry of `totals`, or empty: all 0
  /// @returns how many rows
  std::size_t append(const WindowTotals& totals, std::int64_t start_ns, std::int64_t end_ns,
                     std::span<const std::uint32_t> revisions, batch::ResultTable& out);

  /// @brief Appends the row of a window without readings of a query without group_by: count 0, the rest null.
  /// @returns how many rows: 0 where `having` refuses it
  std::size_t append_empty(std::int64_t start_ns, std::int64_t end_ns, batch::ResultTable& out);

 private:
  /// The entries that have readings, in the order of their rows.
  std::span<const std::uint32_t> sorted_entries(const WindowTotals& totals, bool all_have_readings);
  void prefetch(const WindowTotals& totals, std::uint32_t entry) const noexcept;
  std::size_t append_entries(const WindowTotals& totals, std::span<const std::uint32_t> entries,
                             const batch::ResultRow& row, std::span<const std::uint32_t> revisions,
                             batch::ResultTable& out);
  void set_rows(const WindowTotals& totals, std::span<const std::uint32_t> entries, const batch::ResultRow& row,
                std::span<const std::uint32_t> revisions, const batch::ResultTable::Room& room) const;
  std::size_t keep_rows(const WindowTotals& totals, std::span<const std::uint32_t> entries,
                        const batch::ResultTable::Room& room, batch::ResultTable& out);
  void set_column(const WindowTotals& totals, std::span<const std::uint32_t> entries, std::size_t aggregate,
                  batch::Value* values, std::size_t stride) const;
  [[nodiscard]] bool kept(std::uint32_t group) const;
  [[nodiscard]] const batch::ResultColumn& column(std::size_t aggregate) const noexcept;

  const plan::QueryPlan* query_;
  GroupTable* groups_;
  Backend* backend_;
  std::vector<std::size_t> quantile_of_;  ///< [argument] → its place among those with bins
  std::vector<std::size_t> distinct_of_;  ///< [aggregate] → its place among the distinct ones
  std::size_t quantile_arguments_ = 0;
  std::size_t distinct_aggregates_ = 0;
  WindowTotals none_;
  std::size_t spill_rows_ = 0;
  std::function<void(batch::ResultTable&)> spill_;

  // Reused from window to window.
  std::vector<std::uint32_t> entry_order_;
  std::vector<std::uint32_t> entry_of_rank_;
  std::vector<batch::Value> hidden_;  ///< of a block, of the aggregates that only `having` reads
  std::vector<double> fields_;
};

}  // namespace weir::execute
