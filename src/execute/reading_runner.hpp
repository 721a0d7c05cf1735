// Runs a query without aggregation: each reading that passes `where` is a row of its own, with its keys and the
// selected values. Stateless but for its ledger; owned and used by the engine's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "execute/group_table.hpp"
#include "ops/evaluate_columns.hpp"
#include "plan/plan.hpp"
#include "state/ledger.hpp"

namespace weir::execute {

class ReadingRunner {
 public:
  /// All arguments outlive the runner.
  ReadingRunner(const plan::Plan& plan, const plan::QueryPlan& query, const batch::KeyDictionary& keys);

  /// @brief Appends the rows of one batch. Every reading is counted or filtered; none is late.
  void run(const batch::Batch& batch, batch::ResultTable& out);

  /// @brief The dictionary gave all ids anew (KeyDictionary::keep). Between batches.
  void renumber() { groups_.begin_anew(); }

  [[nodiscard]] const state::QueryLedger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] std::uint64_t bytes() const { return groups_.bytes() + registers_.bytes(); }
  void save(state::Writer& out) const { ledger_.save(out); }
  void load(state::Reader& in) { ledger_.load(in); }

 private:
  const plan::QueryPlan* query_;
  const batch::KeyDictionary* keys_;
  GroupTable groups_;
  std::vector<double> scales_;           ///< [field]
  std::vector<double> argument_scales_;  ///< [argument]
  ops::ColumnRegisters registers_;
  state::QueryLedger ledger_;
  // Reused from batch to batch.
  std::vector<const std::int64_t*> fields_;
  std::vector<std::uint8_t> kept_;
  std::vector<std::vector<std::int64_t>> units_;  ///< [argument][row of the chunk]
  std::vector<std::string_view> texts_;
  std::vector<batch::Value> values_;
};

}  // namespace weir::execute
