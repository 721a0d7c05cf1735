// What the runner asks of a backend, call by call. Results are the contract suite's business (tests/contract).
#include "execute/query_runner.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "execute/queries.hpp"

namespace weir::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string instant(std::int64_t ns) {
  return ns == kNothingClosed ? "none" : std::to_string(ns);
}

/// Writes down every call; counts every reading; answers each window with one group of one reading.
class RecordingPanes final : public QueryPanes {
 public:
  RecordingPanes(WindowConsumer& consumer, std::vector<std::string>& calls) : consumer_(consumer), calls_(calls) {}

  void begin(const batch::Batch& batch, const GroupView& groups) override {
    calls_.push_back(fmt::format("begin {} rows {} keys", batch.size(), groups.keys));
  }
  void accumulate(RowRange rows, const Horizon& horizon) override {
    counted_ += rows.end - rows.begin;
    calls_.push_back(horizon.single_pane
                         ? fmt::format("accumulate {}-{} pane {}", rows.begin, rows.end, horizon.single_pane_start)
                         : fmt::format("accumulate {}-{} closed {} late {}", rows.begin, rows.end,
                                       instant(horizon.closed_end), instant(horizon.late_before)));
  }
  void close(std::int64_t end_ns, std::int64_t keep_from) override {
    calls_.push_back(fmt::format("close {} keep {}", end_ns, keep_from));
    answer(false, {0});
  }
  void take_stragglers(std::vector<Straggler>& out) override {
    out.insert(out.end(), stragglers.begin(), stragglers.end());
    stragglers.clear();
  }
  void revise(std::int64_t end_ns, std::span<const std::uint32_t> groups) override {
    calls_.push_back(fmt::format("revise {} groups {}", end_ns, fmt::join(groups, " ")));
    answer(true, {groups.begin(), groups.end()});
  }
  void finish(StepCounts& counts, std::vector<std::uint32_t>& late_rows, std::size_t late_rows_limit) override {
    counts.counted += std::exchange(counted_, 0) - lost;
    for (std::size_t i = 0; i < late_rows_limit; ++i) {
      late_rows.push_back(static_cast<std::uint32_t>(i));
    }
    calls_.push_back("finish");
  }
  [[nodiscard]] bool occupied(std::int64_t& first_start, std::int64_t& last_end) const override {
    calls_.push_back("occupied");
    first_start = first;
    last_end = last;
    return first < last;
  }
  void save(state::SectionWriter& out) const override { out.out().u8(42); }
  void load(state::Reader& in, PaneNumbers /*numbers*/, std::int64_t closed_end, std::uint32_t groups) override {
    calls_.push_back(fmt::format("load {} closed {} groups {}", in.u8(), instant(closed_end), groups));
  }
  [[nodiscard]] std::uint64_t bytes() const override { return 7; }

  std::vector<Straggler> stragglers;
  std::int64_t first = 0, last = 0;
  bool silent = false;
  std::uint64_t lost = 0;

 private:
  void answer(bool revision, std::vector<std::uint32_t> groups) {
    if (silent) return;
    WindowTotals totals;
    totals.revision = revision;
    totals.counts.assign(groups.size(), 1);
    totals.groups = std::move(groups);
    consumer_.window(totals);
  }

  WindowConsumer& consumer_;
  std::vector<std::string>& calls_;
  std::uint64_t counted_ = 0;
};

class RecordingBackend final : public Backend {
 public:
  [[nodiscard]] std::string name() const override { return "recording"; }
  [[nodiscard]] std::string description() const override { return "writes down every call"; }
  batch::ColumnMemory& column_memory() override { return batch::host_column_memory(); }
  [[nodiscard]] MemoryNeed worst_case(const plan::QueryPlan& /*query*/, const Extent& /*extent*/) const override {
    return {};
  }
  std::unique_ptr<QueryPanes> make_panes(const plan::QueryPlan& /*query*/, WindowConsumer& consumer,
                                         const Extent& /*extent*/) override {
    auto made = std::make_unique<RecordingPanes>(consumer, calls);
    panes = made.get();
    return made;
  }

  std::vector<std::string> calls;
  RecordingPanes* panes = nullptr;
};

class Runner : public ::testing::Test {
 protected:
  Runner() : keys(1, 100) { intern(keys, {"a"}); }

  void start(plan::QueryPlan plan_of_query, std::int64_t out_of_order = 0) {
    query = std::move(plan_of_query);
    plan.streams.resize(1);
    select(query, {plan::AggregateKind::count, -1, -1, 0.0}, batch::ValueType::count);
    tracker = std::make_unique<WatermarkTracker>(1, out_of_order);
    runner = std::make_unique<QueryRunner>(plan, query, backend, keys);
    table = std::make_unique<batch::ResultTable>(query.shape);
  }

  std::vector<std::string> run(const std::vector<std::int64_t>& times, std::vector<batch::Tick> ticks = {},
                               std::vector<batch::IntervalEnd> interval_ends = {}, bool end_of_input = false) {
    batch::Batch batch(0, 100);
    std::copy(times.begin(), times.end(), batch.times());
    batch.set_size(static_cast<std::uint32_t>(times.size()));
    batch.runs = {{0, 0}};
    batch.ticks = std::move(ticks);
    batch.interval_ends = std::move(interval_ends);
    batch.end_of_input = end_of_input;
    batch.key_count = keys.size();
    tracker->advance(batch, trace);
    backend.calls.clear();
    late_rows.clear();
    runner->run(batch, trace, *table, windows_closed, late_rows);
    return backend.calls;
  }

  plan::Plan plan;
  plan::QueryPlan query;
  batch::KeyDictionary keys;
  RecordingBackend backend;
  std::unique_ptr<WatermarkTracker> tracker;
  std::unique_ptr<QueryRunner> runner;
  std::unique_ptr<batch::ResultTable> table;
  WatermarkTrace trace;
  std::uint64_t windows_closed = 0;
  std::vector<std::uint32_t> late_rows;
};

TEST_F(Runner, Batch_IsCutAtTheRowThatLiftsTheWatermarkOverAWindowsEnd) {
  start(grouped_query({}, 10, 10));
  EXPECT_THAT(run({3, 5, 12, 11, 20, 29}),
              ElementsAre("begin 6 rows 1 keys", "accumulate 0-2 closed 0 late 0", "close 10 keep 10",
                          "accumulate 2-4 closed 10 late 10", "close 20 keep 20", "accumulate 4-6 closed 20 late 20",
                          "finish"));
  EXPECT_EQ(windows_closed, 2U);
  EXPECT_THAT(run({30}),
              ElementsAre("begin 1 rows 1 keys", "close 30 keep 30", "accumulate 0-1 closed 30 late 30", "finish"));
  EXPECT_EQ(runner->late_before(), 30);
}

TEST_F(Runner, SlidingWindow_KeepsThePanesOfTheNextOne) {
  start(grouped_query({}, 30, 10));
  EXPECT_THAT(run({3, 10}), ElementsAre("begin 2 rows 1 keys", "accumulate 0-1 closed 0 late -20", "close 10 keep -10",
                                        "accumulate 1-2 closed 10 late -10", "finish"));
}

TEST_F(Runner, SlideBeyondWindow_LateReadingsBeginAfterTheGap) {
  start(grouped_query({}, 10, 30));
  EXPECT_THAT(run({25, 30}), ElementsAre("begin 2 rows 1 keys", "accumulate 0-1 closed 0 late 20", "close 30 keep 50",
                                         "accumulate 1-2 closed 30 late 50", "finish"));
}

TEST_F(Runner, AllowedLateness_CutsAlsoWhereWindowsExpireAndKeepsTheirPanes) {
  plan::QueryPlan lenient = grouped_query({}, 10, 10);
  lenient.allowed_lateness_ns = 5;
  start(std::move(lenient));
  EXPECT_THAT(run({3, 12, 15, 20}),
              ElementsAre("begin 4 rows 1 keys", "accumulate 0-1 closed 0 late -10", "close 10 keep 0",
                          "accumulate 1-2 closed 10 late 0", "accumulate 2-3 closed 10 late 10", "close 20 keep 10",
                          "accumulate 3-4 closed 20 late 10", "finish"));
}

TEST_F(Runner, Stragglers_AreRevisedRightBeforeTheNextClose) {
  plan::QueryPlan lenient = grouped_query({}, 10, 10);
  lenient.allowed_lateness_ns = 50;
  start(std::move(lenient));
  run({3, 12});
  backend.panes->stragglers = {{0, 0}, {0, 0}};
  EXPECT_THAT(run({4}), ElementsAre("begin 1 rows 1 keys", "accumulate 0-1 closed 10 late -40", "finish"));
  EXPECT_THAT(run({20}), ElementsAre("begin 1 rows 1 keys", "revise 10 groups 0", "close 20 keep -30",
                                     "accumulate 0-1 closed 20 late -30", "finish"));
}

TEST_F(Runner, Jump_ClosesTheWindowsThatHoldReadingsAndTheLastOne) {
  start(grouped_query({}, 20, 10));
  run({3});
  EXPECT_THAT(run({1'000'005}),
              ElementsAre("begin 1 rows 1 keys", "close 10 keep 0", "close 20 keep 10", "close 1000000 keep 999990",
                          "accumulate 0-1 closed 1000000 late 999990", "finish"));
  EXPECT_EQ(windows_closed, 100'000U);
}

TEST_F(Runner, LongJumpAmongReadings_LooksAtWhatThePanesHold) {
  start(grouped_query({}, 10, 10), 100'000);
  backend.panes->first = 50'000;
  backend.panes->last = 50'010;
  run({100'000});
  const std::vector<std::string> calls = run({250'000});
  ASSERT_THAT(calls, SizeIs(1 + 65 + 3 + 2 + 2));
  EXPECT_EQ(calls[65], "close 650 keep 650");
  EXPECT_EQ(calls[66], "finish");
  EXPECT_EQ(calls[67], "occupied");
  EXPECT_EQ(calls[69], "close 50010 keep 50010");
  EXPECT_EQ(calls[70], "close 150000 keep 150000");
}

TEST_F(Runner, PerBatch_NumbersTheIntervalsThatHaveRows) {
  plan::QueryPlan per_batch = grouped_query({}, 10, 10);
  per_batch.per_batch = true;
  start(std::move(per_batch));
  EXPECT_THAT(run({900, 3}, {}, {{1, 1000}, {1, 1010}, {2, 1020}}),
              ElementsAre("begin 2 rows 1 keys", "accumulate 0-1 pane 0", "close 10 keep 10", "accumulate 1-2 pane 10",
                          "close 20 keep 20", "finish"));
  EXPECT_EQ(windows_closed, 3U);
  ASSERT_EQ(table->size(), 2U);
  EXPECT_EQ(table->row(0).window_start_ns, 990);
  EXPECT_EQ(table->row(1).window_end_ns, 1020);
}

TEST_F(Runner, Spill_TakesRowsWhileABatchRuns) {
  plan::QueryPlan with_empty = grouped_query({}, 10, 10);
  with_empty.spec.emit_empty = true;
  start(std::move(with_empty));
  std::vector<std::int64_t> ends;
  std::size_t most = 0;
  runner->set_spill(16, [&](batch::ResultTable& full) {
    most = std::max(most, full.size());
    for (std::size_t i = 0; i < full.size(); ++i) {
      ends.push_back(full.row(i).window_end_ns);
    }
    full.clear();
  });
  run({3, 10'005});
  EXPECT_EQ(most, 16U);
  ASSERT_EQ(ends.size() + table->size(), 1000U);
  EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end()));
  EXPECT_EQ(runner->ledger().rows, 1000U);
}

TEST_F(Runner, LateRows_AreAsManyAsTheDeadLettersTake) {
  start(grouped_query({}));
  run({3});
  EXPECT_THAT(late_rows, IsEmpty()) << "without dead letters nobody asks for them";
  plan.spec.dead_letter = "dead.jsonl";
  plan.spec.dead_letter_limit = 3;
  runner = std::make_unique<QueryRunner>(plan, query, backend, keys);
  run({4});
  EXPECT_THAT(late_rows, ElementsAre(0U, 1U, 2U));
}

TEST_F(Runner, BackendThatDoesNotAnswer_IsAnError) {
  start(grouped_query({}));
  backend.panes->silent = true;
  EXPECT_THROW(run({3, 12}), Error);
}

TEST_F(Runner, LedgerThatDoesNotBalance_IsAnError) {
  start(grouped_query({}));
  backend.panes->lost = 1;
  EXPECT_THROW(run({3, 4}), Error);
}

TEST_F(Runner, Checkpoint_GoesOnWhereItWas) {
  start(grouped_query({0}));
  run({3, 12});
  state::SectionWriter out;
  runner->save(out);
  const std::uint64_t counted = runner->ledger().counted;
  runner = std::make_unique<QueryRunner>(plan, query, backend, keys);
  state::Reader in(out.bytes());
  backend.calls.clear();
  runner->load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_THAT(backend.calls, ElementsAre("load 42 closed 10 groups 1"));
  EXPECT_EQ(runner->ledger().counted, counted);
  EXPECT_THAT(run({15}), ElementsAre("begin 1 rows 1 keys", "accumulate 0-1 closed 10 late 10", "finish"));
}

TEST_F(Runner, CheckpointOfMoreGroupsThanTheDictionaryHas_IsAnError) {
  start(grouped_query({0}));
  run({3});
  state::SectionWriter out;
  runner->save(out);
  batch::KeyDictionary empty(1, 100);
  QueryRunner other(plan, query, backend, empty);
  state::Reader in(out.bytes());
  EXPECT_THROW(other.load(in), Error);
}

TEST_F(Runner, CheckpointOfANewerVersion_IsAnErrorThatSaysSo) {
  start(grouped_query({0}));
  run({3});
  state::SectionWriter out;
  runner->save(out);
  std::string bytes(out.bytes());
  for (const char format : {'\0', '\4', '\xff'}) {
    bytes[0] = format;
    QueryRunner other(plan, query, backend, keys);
    state::Reader in(bytes);
    try {
      other.load(in);
      ADD_FAILURE() << "format " << static_cast<int>(format) << " was read";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("written by a newer version of Weir"));
    }
  }
}

}  // namespace
}  // namespace weir::execute
