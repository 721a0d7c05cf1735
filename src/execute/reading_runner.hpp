// Runs a query without aggregation: each reading that passes `where` is a row of its own, with its keys and the
// selected values. Stateless but for its ledger; owned and used by the engine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "core/instant.hpp"
#include "execute/group_table.hpp"
#include "execute/operator.hpp"
#include "ops/evaluate_columns.hpp"

namespace weir::execute {

class ReadingRunner final : public Operator {
 public:
  /// All arguments outlive the runner.
  ReadingRunner(const plan::QueryPlan& query, const batch::KeyDictionary& keys);

  /// @brief Every reading is counted or filtered; none is late. The batch's intervals are what ends.
  void run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out,
           std::uint64_t& windows_closed, std::vector<std::uint32_t>& late_rows) override;
  /// @brief A batch never makes more rows than it has itself.
  void set_spill(std::size_t /*rows*/, std::function<void(batch::ResultTable&)> /*spill*/) override {}

  [[nodiscard]] std::int64_t late_before() const noexcept override { return kLatest; }
  void pin_keys(std::span<std::uint8_t> /*kept*/) const override {}
  void renumber(std::span<const std::uint32_t> /*ids*/) override { groups_.begin_anew(); }

  [[nodiscard]] const state::QueryLedger& ledger() const noexcept override { return ledger_; }
  [[nodiscard]] std::uint64_t bytes() const override { return groups_.bytes() + registers_.bytes(); }
  void save(state::SectionWriter& section) const override;
  void load(state::Reader& in) override;

 private:
  static constexpr std::uint32_t kNoRow = 0xFFFF'FFFF;

  void mark_until(std::uint32_t row, const WatermarkTrace& trace, batch::ResultTable& out);
  void find_rise(const WatermarkTrace& trace, std::uint32_t from);

  const plan::QueryPlan* query_;
  const batch::KeyDictionary* keys_;
  GroupTable groups_;
  std::vector<double> scales_;           ///< [field]
  std::vector<double> argument_scales_;  ///< [argument]
  ops::ColumnRegisters registers_;
  state::QueryLedger ledger_;
  std::int64_t watermark_ = kNoWatermark;  ///< that was marked last; of a query whose rows are read
  std::uint32_t next_rise_ = kNoRow;       ///< before which row of the batch it rises
  // Reused from batch to batch.
  std::vector<const std::int64_t*> fields_;
  std::vector<std::uint8_t> kept_;
  std::vector<std::vector<std::int64_t>> units_;  ///< [argument][row of the chunk]
  std::vector<std::string_view> texts_;
  std::vector<batch::Value> values_;
};

}  // namespace weir::execute
