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

#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "execute/backend.hpp"
#include "execute/watermark.hpp"
#include "state/ledger.hpp"
#include "state/section_writer.hpp"

namespace weir::execute {

//
// A new beginning. Where the arrival clock was set back and the watermark with it (WatermarkTrace::new_beginning), what
// is still open is emitted as it is, and windows that had no reading open again. Those that had one stay closed, as
// long as the readings' times are not themselves beyond the clock: no row comes a second time with another content.
class QueryRunner {
 public:
  /// All arguments outlive the runner.
  QueryRunner(const plan::Plan& plan, const plan::QueryPlan& query, Backend& backend, const batch::KeyDictionary& keys);
  ~QueryRunner();
  QueryRunner(const QueryRunner&) = delete;
  QueryRunner& operator=(const QueryRunner&) = delete;

  /// @brief One batch of the query's stream. Result rows are appended to `out`; `windows_closed` is increased by the
  /// windows (and intervals of a per-batch query) that ended, also empty ones. The rows that are late here are appended
  /// to `late_rows`, ascending, as many as the pipeline's dead letters take.
  void run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out,
           std::uint64_t& windows_closed, std::vector<std::uint32_t>& late_rows);

  /// @brief While run() goes on, `spill` is given the table whenever it holds `rows` rows or more; it takes them and
  /// clears the table. Keeps memory bounded where one batch closes many windows. Without it all rows of a batch are
  /// collected.
  void set_spill(std::size_t rows, std::function<void(batch::ResultTable&)> spill);

  // Keys of the stream are released, between batches: first pin_keys() of every query on it, then
  // KeyDictionary::keep(), then renumber() of every query.
  /// @brief Where a group has readings and none of its keys is kept, keeps its first one.
  /// @param kept a flag for each key id
  void pin_keys(std::span<std::uint8_t> kept) const;
  /// @brief The dictionary gave all ids anew. @param ids [old key id] → new one, kNoKey for one that was released
  void renumber(std::span<const std::uint32_t> ids);
  static constexpr std::uint32_t kNoKey = 0xFFFF'FFFF;

  [[nodiscard]] const state::QueryLedger& ledger() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const;
  /// @brief Readings with an event time before this are late for the query from now on (dedupe keeps nothing older). Of
  /// a per-batch query nothing is ever late: then the watermark when its last interval ended, less one interval.
  [[nodiscard]] std::int64_t late_before() const noexcept;

  /// @brief What changed since the checkpoint that `section` knows; the panes in chunks of their own.
  void save(state::SectionWriter& section) const;
  /// @brief Goes on from what save() of a runner on any backend wrote; the dictionary must already hold the keys that
  /// it held then, under the same ids. @throws Error on damage.
  void load(state::Reader& in);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::execute
