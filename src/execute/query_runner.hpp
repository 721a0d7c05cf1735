// Runs one query over sealed batches on any backend: finds the rows where windows close, cuts the batch there, closes
// windows in order, re-emits revised rows, turns integers into result rows.
//
// Where a batch is cut depends on the readings and ticks alone, never on how they were cut into batches, so neither do
// the results. Belongs to the engine's thread.
//
// Revisions. With allowed_lateness, a reading for a closed window marks its group's row there. The marked rows are
// computed again right before the next window closes, with every reading counted up to then, and go out before that
// window's rows, in the order of (window end, group keys). The number of such a row counts how often it was computed
// since the window closed, which was 0 whether or not the group had a row then: a group that only late readings have
// starts with revision 1. A revised row that `having` refuses is not emitted, but counted in the number. At the end of
// the input what is still marked goes out first.
//
// Empty windows. With emit_empty and without group_by, every window without readings after the first one with readings
// gets a row; of a per-batch query every interval. They are skipped without a look at each of them otherwise: a jump
// over years costs no more than a jump over minutes. More than kMostEmptyWindows in a row, closed by one reading or one
// tick, get none: the query begins anew with the next window that has readings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "execute/operator.hpp"

namespace weir::execute {

//
// A new beginning. Where the arrival clock was set back and the watermark with it (WatermarkTrace::new_beginning), what
// is still open is emitted as it is, and windows that had no reading open again. Those that had one stay closed, as
// long as the readings' times are not themselves beyond the clock: no row comes a second time with another content.
class QueryRunner final : public Operator {
 public:
  /// All arguments outlive the runner.
  QueryRunner(const plan::Plan& plan, const plan::QueryPlan& query, Backend& backend, const batch::KeyDictionary& keys);
  ~QueryRunner() override;

  void run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out,
           std::uint64_t& windows_closed, std::vector<std::uint32_t>& late_rows) override;
  void set_spill(std::size_t rows, std::function<void(batch::ResultTable&)> spill) override;

  /// @brief Where a group has readings and none of its keys is kept, keeps its first one.
  void pin_keys(std::span<std::uint8_t> kept) const override;
  void renumber(std::span<const std::uint32_t> ids) override;

  [[nodiscard]] const state::QueryLedger& ledger() const noexcept override;
  [[nodiscard]] std::uint64_t bytes() const override;
  /// @brief Of a per-batch query nothing is ever late: then the watermark when its last interval ended, less one
  /// interval.
  [[nodiscard]] std::int64_t late_before() const noexcept override;

  /// @brief The panes go in chunks of their own.
  void save(state::SectionWriter& section) const override;
  void load(state::Reader& in) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::execute
