// Stop and start: the output is the same as without the stop (semantics §7).
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "core/error.hpp"
#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

struct Case {
  const Scratch scratch;
  std::string toml;
};

std::string input(std::uint64_t seed, int readings) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int i = 0; i < readings; ++i) {
    if (random() % 200 == 0) {
      text += "not a reading\n";
    }
    text += std::to_string(1000 + i / 20 - static_cast<int>(random() % 8)) + ",k" +
            std::to_string(random() % (10 + static_cast<unsigned>(i) / 500)) + "," + std::to_string(random() % 100000) +
            "\n";
  }
  return text;
}

std::string configuration(const Scratch& scratch, int files, const std::string& out) {
  std::string sources;
  for (int i = 0; i < files; ++i) {
    sources += R"~({ type = "file", path = ")~" + scratch.path(std::to_string(i) + ".csv") +
               R"~(", format = "csv", columns = ["t", "k", "v"] },)~";
  }
  return R"~(
[pipeline]
batch_interval = "5s"
batch_rows = 257
checkpoint_interval = "1ms"
[streams.s]
sources = [)~" +
         sources + R"~(]
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 1 }
out_of_order = "3s"
dedupe = true
max_keys = 60
[[query]]
name = "sliding"
from = "s"
select = ["count()", "avg(v)", "stddev(v)", "min(v)", "max(v)", "first(v)", "last(v)", "quantile(v, 0.5)"]
group_by = ["k"]
window = "60s"
slide = "7s"
allowed_lateness = "5s"
sinks = ["rows"]
[[query]]
name = "batches"
from = "s"
select = ["count()", "sum(v)", "distinct(k)"]
sinks = ["rows"]
[[query]]
name = "readings"
from = "s"
select = ["v", "v * 2 as twice"]
where = "v > 5000"
sinks = ["rows"]
[[sink]]
name = "rows"
type = "file"
path = ")~" +
         out + R"~("
)~";
}

runtime::Options replay_options() {
  runtime::Options options;
  options.replay = true;
  return options;
}

// Replays with stops at random moments until the input is used up; every start has to read the checkpoint of the stop.
int replay_with_stops(const std::string& toml, const std::string& state_dir, std::uint64_t seed,
                      runtime::Report& report) {
  std::mt19937_64 random(seed);
  int starts = 0;
  while (true) {
    plan::Plan plan = plan_of(toml);
    plan.spec.state_dir = state_dir;
    runtime::Options options = replay_options();
    runtime::Pipeline pipeline(std::move(plan), options);
    pipeline.start();
    ++starts;
    const std::uint64_t goal = pipeline.report().batches + 1 + random() % 6;
    while (!pipeline.wait_for(std::chrono::nanoseconds(1)) && pipeline.report().batches < goal) {
    }
    const bool over = pipeline.wait_for(std::chrono::nanoseconds(0));
    pipeline.request_stop();
    pipeline.wait();
    report = pipeline.report();
    if (over || starts > 200) {
      return starts;
    }
  }
}

TEST(Restart, AReplayThatIsStoppedAndStartedGivesTheSameFile) {
  for (const int files : {1, 3}) {
    const Scratch scratch;
    for (int i = 0; i < files; ++i) {
      write_file(scratch.path(std::to_string(i) + ".csv"),
                 input(static_cast<std::uint64_t>(files * 10 + i), files == 1 ? 60000 : 4000));
    }
    runtime::Report undisturbed;
    {
      runtime::Pipeline pipeline(plan_of(configuration(scratch, files, scratch.path("whole-{query}.jsonl"))),
                                 replay_options());
      pipeline.start();
      pipeline.wait();
      undisturbed = pipeline.report();
    }
    EXPECT_TRUE(undisturbed.balances());
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const std::string name = std::to_string(seed);
      runtime::Report report;
      const int starts = replay_with_stops(configuration(scratch, files, scratch.path(name + "-{query}.jsonl")),
                                           scratch.path("state" + name), seed, report);
      EXPECT_GT(starts, 1) << "the test exercises restarts";
      EXPECT_TRUE(report.balances());
      EXPECT_EQ(report.streams[0].ledger.received, undisturbed.streams[0].ledger.received);
      EXPECT_EQ(report.streams[0].ledger.malformed_total(), undisturbed.streams[0].ledger.malformed_total());
      EXPECT_EQ(report.streams[0].ledger.duplicate, undisturbed.streams[0].ledger.duplicate);
      for (const char* const query : {"sliding", "batches", "readings"}) {
        const std::string whole = read_file(scratch.path(std::string("whole-") + query + ".jsonl"));
        EXPECT_GT(whole.size(), 1000U);
        EXPECT_EQ(whole, read_file(scratch.path(name + "-" + query + ".jsonl"))) << query << ", seed " << seed;
      }
    }
  }
}

TEST(Restart, AChangedQueryIsRefusedByName) {
  const Scratch scratch;
  write_file(scratch.path("0.csv"), input(1, 500));
  const std::string toml = configuration(scratch, 1, scratch.path("{query}.jsonl"));
  const auto run = [&](const std::string& text, const std::vector<std::string>& discard) {
    plan::Plan plan = plan_of(text);
    plan.spec.state_dir = scratch.path("state");
    runtime::Options options = replay_options();
    options.discard_state = discard;
    runtime::Pipeline pipeline(std::move(plan), options);
    pipeline.start();
    pipeline.wait();
  };
  run(toml, {});
  std::string changed = toml;
  changed.replace(changed.find("window = \"60s\""), 14, "window = \"70s\"");
  try {
    run(changed, {});
    FAIL() << "the old state does not fit";
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'sliding'"), std::string::npos) << text;
    EXPECT_NE(text.find("--discard-state sliding"), std::string::npos) << text;
    EXPECT_EQ(text.find("'batches'"), std::string::npos) << "what did not change is kept: " << text;
  }
  EXPECT_NO_THROW(run(changed, {"sliding"}));
}

TEST(Restart, AChangedSchemaIsRefused) {
  const Scratch scratch;
  write_file(scratch.path("0.csv"), input(1, 500));
  const std::string toml = configuration(scratch, 1, scratch.path("{query}.jsonl"));
  for (const bool second : {false, true}) {
    std::string text = toml;
    if (second) {
      text.replace(text.find("v = 1"), 5, "v = 2");
    }
    plan::Plan plan = plan_of(text);
    plan.spec.state_dir = scratch.path("state");
    runtime::Pipeline pipeline(std::move(plan), replay_options());
    if (second) {
      EXPECT_THROW(pipeline.start(), ConfigError);
    } else {
      pipeline.start();
      pipeline.wait();
    }
  }
}

TEST(Restart, TwoPipelinesCannotShareAStateDirectory) {
  const Scratch scratch;
  write_file(scratch.path("0.csv"), input(1, 500));
  plan::Plan plan = plan_of(configuration(scratch, 1, scratch.path("{query}.jsonl")));
  plan.spec.state_dir = scratch.path("state");
  const runtime::Pipeline first(plan, replay_options());
  EXPECT_THROW(runtime::Pipeline(plan, replay_options()), Error);
}

}  // namespace
}  // namespace weir::test
