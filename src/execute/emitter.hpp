// Takes the integers of windows from a backend and appends their rows, in the order in which windows were closed.
//
// A backend may answer late, so what is to come is kept in a queue, together with the empty windows in between, of
// which the backend knows nothing. Owned by the QueryRunner, used by the engine's thread.
//
// Rows of empty windows (emit_empty) are as many as event time is long, and one reading may move it by decades. So of
// what one step of the watermark closes, the empty windows in a row are emitted only if they are at most
// kMostEmptyWindows: beyond that, time did not pass but was set, and the query begins anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "batch/result_table.hpp"
#include "execute/backend.hpp"
#include "execute/finalize.hpp"
#include "execute/group_table.hpp"
#include "execute/revisions.hpp"
#include "execute/watermark.hpp"
#include "state/ledger.hpp"

namespace weir::execute {

/// Empty windows in a row, closed by one reading or tick, that get rows.
inline constexpr std::uint64_t kMostEmptyWindows = 100'000;

class Emitter final : public WindowConsumer {
 public:
  /// All outlive the emitter.
  Emitter(const plan::QueryPlan& query, GroupTable& groups, Revisions& revisions, state::QueryLedger& ledger,
          Backend& backend);

  /// @brief As QueryRunner::set_spill().
  void set_spill(std::size_t rows, std::function<void(batch::ResultTable&)> spill) {
    finalizer_.set_spill(rows, std::move(spill));
  }
  /// @brief Rows go to `out` from now on.
  void start(batch::ResultTable& out) noexcept { out_ = &out; }

  // What the backend was asked for, in order, right before asking. `end_ns` is the end that the row shows.
  void expect_window(std::int64_t end_ns) { expected_.push_back({Kind::window, end_ns, end_ns}); }
  void expect_revision(std::int64_t end_ns) { expected_.push_back({Kind::revision, end_ns, end_ns}); }
  /// @brief What is expected from now on is closed by another step of the watermark. Called behind the last one too.
  void step() {
    if (emits_empty_) expected_.push_back({Kind::step, 0, 0});
  }
  /// @brief Behind everything expected so far, the watermark is `watermark_ns`; where the rows are read.
  void mark(std::int64_t watermark_ns) {
    if (!marks_) return;
    step();
    expected_.push_back({Kind::mark, watermark_ns, watermark_ns});
  }
  /// @brief Windows without readings that the backend is not asked for: ends first_end, first_end + slide … last_end.
  void skip_empty(std::int64_t first_end, std::int64_t last_end);

  void window(const WindowTotals& totals) override;
  /// @brief The backend has answered everything. @throws Error when it has not.
  void finish();

  /// @brief Everything asked for was answered, and time begins anew.
  void begin_anew(const WatermarkTrace::NewBeginning& beginning);

  // emit_empty begins with the first window that has readings.
  [[nodiscard]] bool started() const noexcept { return started_; }
  void set_started(bool started) noexcept { started_ = started; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  enum class Kind : std::uint8_t { window, revision, empty, step, mark };
  struct Expected {
    Kind kind;
    std::int64_t first_end;
    std::int64_t last_end;
  };
  void emit_skipped();
  void add_empty(std::int64_t first_end, std::int64_t last_end);
  void emit_empty();
  void mark_before_row(std::int64_t end_ns);

  const plan::QueryPlan* query_;
  Revisions* revisions_;
  state::QueryLedger* ledger_;
  Finalizer finalizer_;
  bool emits_empty_;
  bool marks_;
  bool started_;
  batch::ResultTable* out_ = nullptr;
  std::vector<Expected> expected_;
  std::size_t answered_ = 0;  ///< so many of expected_ are done; both start again when all are
  // Empty windows in a row that wait for the end of the row.
  std::uint64_t empty_ = 0;
  std::int64_t first_empty_ = 0;
  std::int64_t last_empty_ = 0;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace weir::execute
