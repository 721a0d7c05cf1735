// One query on one backend, fed with the oracle's events, its rows collected and compared with the oracle's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "execute/backend.hpp"
#include "execute/query_runner.hpp"
#include "execute/watermark.hpp"
#include "oracle/oracle.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"

namespace weir::contract {

/// A result row with texts of its own.
struct EngineRow {
  batch::ResultRow window;
  std::vector<std::string> group;
  std::vector<batch::Value> values;
};

/// @brief One line, doubles to the last bit: equal text is equal result.
std::string to_text(const EngineRow& row, const batch::ResultShape& shape);
std::string to_text(const oracle::Row& row);

/// @brief The stream "plugs" of the suite: keys house, household, plug; fields load (3 places, required) and temp (2).
spec::Stream plugs_stream(std::size_t sources, std::int64_t out_of_order_ns);

/// @brief Compiles a pipeline of that stream and one query.
plan::Plan plan_of(spec::Stream stream, spec::Query query, std::int64_t batch_interval_ns = 1'000'000'000);

class EngineUnderTest {
 public:
  /// Both outlive the engine.
  EngineUnderTest(const plan::Plan& plan, execute::Backend& backend);

  /// @brief The events as one batch.
  void feed(std::span<const oracle::Event> events, bool end_of_input = false);

  /// @brief The arrival clock is set back before the next batch.
  void set_clock_back(std::int64_t instant_ns) { clock_set_back_ns_ = instant_ns; }

  /// @brief Between two batches: releases every key without which the query can be. How many.
  std::uint32_t release_keys();

  [[nodiscard]] std::string save() const;
  /// @brief The same without what `section` knows to be stored.
  void save(state::SectionWriter& section) const;
  /// @brief Goes on from what save() of another engine wrote, with its dictionary.
  void load(const std::string& state, const EngineUnderTest& saved_by);

  [[nodiscard]] const std::vector<EngineRow>& rows() const noexcept { return rows_; }
  [[nodiscard]] std::vector<std::string> texts() const;
  [[nodiscard]] const state::QueryLedger& ledger() const noexcept { return runner_.ledger(); }
  [[nodiscard]] const std::vector<std::size_t>& late_readings() const noexcept { return late_readings_; }
  [[nodiscard]] std::uint64_t windows_closed() const noexcept { return windows_closed_; }
  execute::QueryRunner& runner() noexcept { return runner_; }

  /// @brief Everything that differs from the oracle's answer, in words; empty: nothing.
  [[nodiscard]] std::string differences(const oracle::Answer& answer) const;

 private:
  const plan::Plan& plan_;
  const plan::QueryPlan& query_;
  execute::Backend& backend_;
  batch::KeyDictionary keys_;
  execute::WatermarkTracker tracker_;
  execute::WatermarkTrace trace_;
  execute::QueryRunner runner_;
  batch::ResultTable table_;
  std::vector<EngineRow> rows_;
  std::vector<std::size_t> late_readings_;
  std::size_t delivered_ = 0;
  std::uint64_t windows_closed_ = 0;
  std::optional<std::int64_t> clock_set_back_ns_;
};

}  // namespace weir::contract
