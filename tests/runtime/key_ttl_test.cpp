// Keys that are long silent give their places to new ones (semantics §1): no result changes but that fewer readings are
// too many, and which ones depends on nothing but the readings.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

/// 4,000 s in which some 10 of 60 sensors at a time report; `strangers` of 1,000 readings come under a key of their
/// own.
std::string input(std::uint64_t seed, unsigned strangers) {
  std::mt19937_64 random(seed);
  // A checkpoint lies between two blocks of the file, of which there are to be many.
  const std::string note = "," + std::string(300, 'x') + "\n";
  std::string text;
  for (int i = 0; i < 12'000; ++i) {
    const int time = i / 3;
    std::string key = "k" + std::to_string(time / 80 + static_cast<int>(random() % 10));
    if (random() % 1000 < strangers) key = "stranger" + std::to_string(i);
    const int at = 100'000 + time - static_cast<int>(random() % 6);
    const std::string site = "site" + std::to_string(random() % 2 == 0 ? 0 : time / 700);
    text += std::to_string(at) + "," + site + "," + key + "," + std::to_string(random() % 1000) + note;
    if (random() % 50 == 0) text += std::to_string(at) + "," + site + "," + key + ",1" + note;  // a repeat
  }
  return text;
}

std::string configuration(const Scratch& scratch, int batch_rows, const std::string& keys, const std::string& out) {
  return R"~(
[pipeline]
batch_interval = "5s"
checkpoint_interval = "1ms"
batch_rows = )~" +
         std::to_string(batch_rows) + R"~(
[streams.s]
source = { type = "file", path = ")~" +
         scratch.path("in.csv") + R"~(", format = "csv", columns = ["t", "site", "k", "v", "note"] }
time = { field = "t", unit = "s" }
keys = ["site", "k"]
fields = { v = 1 }
out_of_order = "4s"
dedupe = true
)~" + keys +
         R"~(
[[query]]
name = "sliding"
from = "s"
select = ["count()", "avg(v)", "min(v)", "max(v)", "first(v)", "last(v)", "quantile(v, 0.5)"]
group_by = ["k", "site"]
window = "60s"
slide = "7s"
allowed_lateness = "9s"
sinks = ["rows"]
[[query]]
name = "sites"
from = "s"
select = ["count()", "distinct(k)"]
where = "k != 'k7'"
having = "site != 'site3'"
group_by = ["site"]
window = "20s"
sinks = ["rows"]
[[query]]
name = "parts"
from = "s"
select = ["count() as n", "max(v) as top"]
group_by = ["k", "site"]
window = "20s"
[[query]]
name = "minutes"
from = "parts"
select = ["count()", "sum(n)", "max(top)", "distinct(site)"]
group_by = ["k"]
window = "60s"
sinks = ["rows"]
[[query]]
name = "batches"
from = "s"
select = ["count()", "sum(v)"]
group_by = ["k"]
sinks = ["rows"]
[[query]]
name = "readings"
from = "s"
select = ["v"]
where = "k == 'k30'"
sinks = ["rows"]
[[sink]]
name = "rows"
type = "file"
path = ")~" +
         out + R"~("
)~";
}

struct Outcome {
  std::string rows;
  runtime::Report report;
  [[nodiscard]] std::uint64_t refused() const {
    return report.streams[0].ledger.malformed[static_cast<std::size_t>(batch::Malformed::too_many_keys)];
  }
};

class KeyTtl : public ::testing::Test {
 protected:
  /// @param stop_after batches, then the run is stopped and started again; 0: never
  Outcome run(int batch_rows, const std::string& keys, std::uint64_t stop_after = 0) {
    const std::string name = "out" + std::to_string(++runs_);
    Outcome outcome;
    outcome.report = replay_in_parts(
        [&] {
          plan::Plan plan = plan_of(configuration(scratch_, batch_rows, keys, scratch_.path(name + "-{query}.jsonl")));
          if (stop_after > 0) plan.spec.state_dir = scratch_.path("state" + std::to_string(runs_));
          return plan;
        },
        stop_after, restarts_);
    for (const char* const query : {"sliding", "sites", "minutes", "batches", "readings"}) {
      const std::string rows = read_file(scratch_.path(name + "-" + query + ".jsonl"));
      EXPECT_GT(rows.size(), 100U) << query;
      outcome.rows += rows;
    }
    EXPECT_TRUE(outcome.report.balances());
    return outcome;
  }

  const Scratch scratch_;
  int runs_ = 0;
  int restarts_ = 0;
};

constexpr const char* kEnough = "max_keys = 10000";
constexpr const char* kReleased = "max_keys = 80\nkey_ttl = \"100s\"";

TEST_F(KeyTtl, PlacesOfSilentKeysAreGivenToNewOnesAndNoResultChanges) {
  write_file(scratch_.path("in.csv"), input(1, 0));
  const Outcome whole = run(1024, kEnough);
  EXPECT_EQ(whole.refused(), 0U);
  EXPECT_GT(whole.report.streams[0].ledger.duplicate, 0U);
  EXPECT_GT(run(1024, "max_keys = 80").refused(), 1000U) << "there are places enough without a release";
  for (const int batch_rows : {16, 257, 1024, 100'000}) {
    const Outcome outcome = run(batch_rows, kReleased);
    EXPECT_EQ(outcome.refused(), 0U) << batch_rows;
    EXPECT_TRUE(outcome.rows == whole.rows) << batch_rows;
    EXPECT_EQ(outcome.report.streams[0].ledger.duplicate, whole.report.streams[0].ledger.duplicate);
    EXPECT_LE(outcome.report.streams[0].keys, 80U);
  }
}

TEST_F(KeyTtl, WhatIsStillTooManyDependsOnTheReadingsAlone) {
  write_file(scratch_.path("in.csv"), input(2, 400));
  const Outcome whole = run(1024, kReleased);
  EXPECT_GT(whole.refused(), 1000U);
  for (const int batch_rows : {16, 257, 100'000}) {
    const Outcome outcome = run(batch_rows, kReleased);
    EXPECT_EQ(outcome.refused(), whole.refused()) << batch_rows;
    EXPECT_TRUE(outcome.rows == whole.rows) << batch_rows;
  }
  for (const std::uint64_t stop_after : {5U, 11U}) {
    const Outcome outcome = run(16, kReleased, stop_after);
    EXPECT_EQ(outcome.refused(), whole.refused()) << "stopped after " << stop_after;
    EXPECT_TRUE(outcome.rows == whole.rows) << "stopped after " << stop_after;
  }
  EXPECT_GT(restarts_, 8);
}

}  // namespace
}  // namespace weir::test
