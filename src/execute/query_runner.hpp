// Runs one query over sealed batches on any backend: finds the rows where windows close, cuts the batch there, closes
// windows in order, re-emits revised rows, turns integers into result rows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "execute/backend.hpp"
#include "execute/watermark.hpp"
#include "state/ledger.hpp"

namespace weir::execute {

class QueryRunner {
 public:
  /// All arguments outlive the runner.
  QueryRunner(const plan::Plan& plan, const plan::QueryPlan& query, Backend& backend, const batch::KeyDictionary& keys);
  ~QueryRunner();
  QueryRunner(const QueryRunner&) = delete;
  QueryRunner& operator=(const QueryRunner&) = delete;

  /// @brief One batch of the query's stream. Result rows are appended to `out`; `windows_closed` counts windows (and
  /// intervals of a per-batch query) that ended, also empty ones. `late_rows` gets the rows that are late here.
  void run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out, std::uint64_t& windows_closed,
           std::vector<std::uint32_t>& late_rows);

  [[nodiscard]] const state::QueryLedger& ledger() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const;
  /// @brief Readings with an event time before this are late for the query from now on (dedupe keeps nothing older).
  [[nodiscard]] std::int64_t late_before() const noexcept;

  void save(state::Writer& out) const;
  void load(state::Reader& in);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::execute
