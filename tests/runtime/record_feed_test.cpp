// Time in a live stream, decided by the records of its journal: the arrival clock, who is heard, readings ahead.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.hpp"
#include "plan/configuration.hpp"
#include "runtime/engine.hpp"
#include "runtime/pipeline_support.hpp"
#include "runtime/record_feed.hpp"
#include "sink/row_format.hpp"

namespace weir::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kYear = 365 * 24 * kHour;
/// 2026-01-01T00:00:00Z
constexpr std::int64_t kBegin = 1'767'225'600 * kSecond;

struct Input {
  journal::Record::Kind kind = journal::Record::Kind::message;
  std::int64_t at = 0;  ///< after kBegin
  std::string payload;
  std::uint32_t source = 0;
};
Input started(std::int64_t at) {
  return {journal::Record::Kind::started, at, {}};
}
Input tick(std::int64_t at) {
  return {journal::Record::Kind::tick, at, {}};
}
Input sent(std::int64_t at, std::string payload, std::uint32_t source = 0) {
  return {journal::Record::Kind::message, at, std::move(payload), source};
}
std::string reading(std::int64_t time, const std::string& sensor = "a") {
  return R"({"t":)" + std::to_string((kBegin + time) / kMs) + R"(,"k":")" + sensor + R"(","v":1})";
}

std::string configuration(const std::string& stream, const std::string& query, unsigned rows = 4096) {
  return "[pipeline]\nbatch_interval = \"100ms\"\nbatch_rows = " + std::to_string(rows) + R"(
[streams.s]
sources = [ { type = "file", path = "a" }, { type = "file", path = "b" } ]
keys = ["k"]
fields = { v = 0 }
)" + stream +
         R"(
[[query]]
name = "q"
from = "s"
select = ["count() as n"]
sinks = ["collect"]
)" + query;
}
constexpr const char* kEventTime = "time = { field = \"t\", unit = \"ms\" }\n";

struct Outcome {
  std::string rows;
  runtime::Report report;
  [[nodiscard]] const state::QueryLedger& query() const { return report.queries[0].ledger; }
  [[nodiscard]] std::uint64_t windows() const {
    return static_cast<std::uint64_t>(std::count(rows.begin(), rows.end(), '\n'));
  }
};

Outcome outcome_of(const std::string& toml, const std::vector<Input>& inputs, std::size_t sources = 1) {
  spec::Pipeline pipeline = plan::parse_configuration(toml, "test.toml");
  pipeline.streams[0].sources.resize(sources);
  Outcome outcome;
  spec::Sink sink;
  sink.name = "collect";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [&outcome](const batch::ResultTable& table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      sink::append_json_row(outcome.rows, table, i);
      if (outcome.rows.back() != '\n') {
        outcome.rows += '\n';
      }
    }
  };
  pipeline.sinks = {sink};
  const plan::Plan plan = plan::compile(std::move(pipeline));
  const auto backend = execute::make_cpu_backend(1);
  runtime::Engine engine(plan, *backend, nullptr);
  engine.prepare_sinks(nullptr);
  engine.open_sinks();
  // A batch for each of its readings, and one between two records, at most.
  runtime::BatchPool pool(4 * inputs.size() + 4, 1, plan.spec.batch_rows, batch::host_column_memory());
  runtime::BatchQueue queue;
  runtime::RecordFeed feed({0, &plan, &engine.keys(0), &pool, &queue, nullptr}, {});
  std::uint64_t number = 0;
  for (const Input& input : inputs) {
    journal::Record record;
    record.kind = input.kind;
    record.number = number++;
    record.message.arrival_ns = kBegin + input.at;
    record.message.source = input.source;
    record.message.payload = input.payload;
    feed.take(record);
  }
  feed.finish(false);
  queue.close();
  runtime::SealedBatch sealed;
  while (queue.pop(sealed)) {
    engine.process(0, *sealed.batch);
  }
  outcome.report = engine.report();
  EXPECT_TRUE(outcome.report.balances());
  return outcome;
}

/// Sensor "a" sends each 100 ms, 5 ms on the way.
std::vector<Input> steady(std::int64_t from, std::int64_t to, std::uint32_t source = 0) {
  std::vector<Input> inputs;
  for (std::int64_t at = from; at < to; at += 100 * kMs) {
    inputs.push_back(sent(at + 45 * kMs, reading(at + 40 * kMs), source));
  }
  return inputs;
}

void insert(std::vector<Input>& inputs, const Input& input) {
  inputs.insert(std::find_if(inputs.begin(), inputs.end(), [&](const Input& each) { return each.at > input.at; }),
                input);
}

/// What the log says while it lives.
class Log {
 public:
  Log() {
    log::set_writer([this](log::Level, std::string_view line) { lines_.emplace_back(line); }, log::Level::info);
  }
  ~Log() { log::set_writer({}, log::Level::critical); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// @brief How many lines have it.
  [[nodiscard]] std::ptrdiff_t lines(const std::string& part) const {
    return std::count_if(lines_.begin(), lines_.end(),
                         [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

 private:
  std::vector<std::string> lines_;
};

TEST(RecordFeed, OneFastClock_MakesNobodyElseLate) {
  std::vector<Input> inputs = steady(0, 20 * kSecond);
  for (std::int64_t at = kSecond; at < 20 * kSecond; at += kSecond) {
    insert(inputs, sent(at + 10 * kMs, reading(at + 50 * 60 * kSecond, "fast")));
  }
  inputs.insert(inputs.begin(), started(0));
  const Outcome outcome = outcome_of(configuration(kEventTime, "window = \"1s\""), inputs);
  EXPECT_EQ(outcome.query().late, 0U);
  EXPECT_EQ(outcome.query().counted, inputs.size() - 1);
  EXPECT_EQ(outcome.windows(), 19U) << outcome.rows;
  const Outcome undisturbed = outcome_of(configuration(kEventTime, "window = \"1s\""), steady(0, 20 * kSecond));
  EXPECT_EQ(outcome.rows, undisturbed.rows);
}

TEST(RecordFeed, SensorThatIsAhead_IsNamedOnce) {
  const Log log;
  std::vector<Input> inputs{started(0)};
  for (std::int64_t at = 0; at < 20 * kSecond; at += kSecond) {
    inputs.push_back(sent(at, reading(at + 10 * kSecond, "fast")));
    inputs.push_back(sent(at, reading(at + 2900 * kMs, "a little")));
  }
  outcome_of(configuration(std::string(kEventTime) + "out_of_order = \"2s\"", "window = \"1s\""), inputs);
  EXPECT_EQ(log.lines("ahead of its arrival"), 1);
}

TEST(RecordFeed, SilentSourceThatHoldsTheWindows_IsNamedUntilTheWatermarkMoves) {
  const Log log;
  std::vector<Input> inputs = steady(0, 200 * kSecond);
  insert(inputs, sent(10 * kMs, reading(0, "b"), 1));
  insert(inputs, sent(120 * kSecond + 10 * kMs, reading(120 * kSecond, "b"), 1));
  inputs.insert(inputs.begin(), started(0));
  outcome_of(configuration(kEventTime, "window = \"1s\""), inputs, 2);
  EXPECT_EQ(log.lines("because source 2 of 2 has sent no reading for 1m"), 2);
  EXPECT_EQ(log.lines("stands at 2026-01-01T00:00:00Z"), 1);
  EXPECT_EQ(log.lines("stands at 2026-01-01T00:02:00Z"), 1);
}

TEST(RecordFeed, ReadingAhead_ClosesWindowsAsTheClockPassesThem) {
  std::vector<Input> inputs{started(0), sent(10 * kMs, reading(0)), sent(20 * kMs, reading(60 * kSecond))};
  for (std::int64_t at = kSecond; at <= 30 * kSecond; at += kSecond) {
    inputs.push_back(tick(at));
  }
  const std::string toml = configuration(kEventTime, "window = \"1s\"\nemit_empty = true");
  EXPECT_EQ(outcome_of(toml, inputs).windows(), 30U);
  for (std::int64_t at = 31 * kSecond; at <= 90 * kSecond; at += kSecond) {
    inputs.push_back(tick(at));
  }
  EXPECT_EQ(outcome_of(toml, inputs).windows(), 60U) << "no further than the reading itself";
}

TEST(RecordFeed, SourceThatSendsNoReadings_IsIdle) {
  const std::string toml = configuration(std::string(kEventTime) + "idle_timeout = \"1s\"", "window = \"1s\"");
  const std::vector<std::string> no_readings{
      R"({"alive":true})", "[]", "nonsense", "", R"({"t":"soon","k":"b","v":1})", reading(5 * kHour, "b")};
  for (const std::string& payload : no_readings) {
    std::vector<Input> inputs = steady(0, 10 * kSecond);
    for (std::int64_t at = 300 * kMs; at < 10 * kSecond; at += 200 * kMs) {
      insert(inputs, sent(at, payload, 1));
    }
    insert(inputs, sent(10 * kMs, reading(0, "b"), 1));
    inputs.insert(inputs.begin(), started(0));
    EXPECT_EQ(outcome_of(toml, inputs, 2).windows(), 9U) << payload;
  }
}

TEST(RecordFeed, DuplicateIsAReadingThatWasHeard) {
  const std::string toml =
      configuration(std::string(kEventTime) + "idle_timeout = \"1s\"\ndedupe = true", "window = \"10s\"");
  std::vector<Input> inputs = steady(0, 20 * kSecond);
  insert(inputs, sent(10 * kMs, reading(9 * kSecond, "b"), 1));
  const std::uint64_t without = outcome_of(toml, inputs, 2).windows();
  EXPECT_EQ(without, 1U) << "source 1 is idle";
  for (std::int64_t at = 3 * kSecond; at < 20 * kSecond; at += 500 * kMs) {
    insert(inputs, sent(at, reading(9 * kSecond, "b"), 1));
  }
  EXPECT_EQ(outcome_of(toml, inputs, 2).windows(), 0U) << "it was idle, and holds the windows again";
}

TEST(RecordFeed, WallClockAheadByYears_RecoversWithTheNextStart) {
  const std::string toml = configuration(std::string(kEventTime) + "idle_timeout = \"500ms\"", "window = \"1s\"");
  std::vector<Input> inputs{started(0)};
  for (const Input& input : steady(0, 3 * kSecond)) {
    inputs.push_back(input);
  }
  for (std::int64_t at = 0; at <= 2 * kSecond; at += 100 * kMs) {
    inputs.push_back(tick(10 * kYear + at));
  }
  inputs.push_back(started(20 * kSecond));
  for (const Input& input : steady(20 * kSecond, 25 * kSecond)) {
    inputs.push_back(input);
  }
  const Outcome outcome = outcome_of(toml, inputs);
  EXPECT_EQ(outcome.query().late, 0U);
  EXPECT_EQ(outcome.windows(), 3U + 4U) << outcome.rows;
  EXPECT_NE(outcome.rows.find("2026-01-01T00:00:24Z"), std::string::npos) << outcome.rows;
}

TEST(RecordFeed, WallClockAheadByHours_ArrivalWindowsAreRightAfterTheNextStart) {
  for (const char* const query : {"window = \"1s\"", ""}) {
    std::vector<Input> inputs{started(8 * kHour)};
    for (std::int64_t at = 0; at < 3 * kSecond; at += 100 * kMs) {
      inputs.push_back(sent(8 * kHour + at, R"({"k":"a","v":1})"));
    }
    inputs.push_back(started(10 * kSecond));
    for (std::int64_t at = 10 * kSecond; at < 13 * kSecond; at += 100 * kMs) {
      inputs.push_back(sent(at, R"({"k":"a","v":1})"));
    }
    inputs.push_back(tick(13 * kSecond));
    const Outcome outcome = outcome_of(configuration("time = \"arrival\"\n", query), inputs);
    EXPECT_EQ(outcome.query().late, 0U);
    EXPECT_EQ(outcome.query().counted, 60U);
    EXPECT_NE(outcome.rows.find(R"("window_end":"2026-01-01T00:00:13Z")"), std::string::npos) << outcome.rows;
    EXPECT_NE(outcome.rows.find(R"("window_end":"2026-01-01T08:00:03Z")"), std::string::npos)
        << "what was open is emitted: " << outcome.rows;
  }
}

TEST(RecordFeed, ClockThatIsALittleBehindAtAStart_GoesOnFromTheLastArrival) {
  const std::vector<Input> inputs{started(0), sent(5 * kSecond, R"({"k":"a","v":1})"), started(0),
                                  sent(kSecond, R"({"k":"a","v":1})"), tick(6 * kSecond)};
  const Outcome outcome = outcome_of(configuration("time = \"arrival\"\n", "window = \"1s\""), inputs);
  EXPECT_EQ(outcome.windows(), 1U) << outcome.rows;
  EXPECT_NE(outcome.rows.find(R"("n":2)"), std::string::npos) << outcome.rows;
}

TEST(RecordFeed, RowsDoNotDependOnHowReadingsAreCutIntoBatches) {
  std::vector<Input> inputs{started(0)};
  for (std::int64_t i = 0; i < 400; ++i) {
    const std::int64_t at = i * 37 * kMs;
    const std::int64_t ahead = i % 7 == 0 ? (i % 5) * 1300 * kMs : -(i % 11) * 40 * kMs;
    const std::string payload = "[" + reading(at + ahead) + "," + reading(at + ahead / 2, "b") + "]";
    inputs.push_back(sent(at, payload, i % 3 == 0 ? 1 : 0));
    if (i % 50 == 49) {
      inputs.push_back(tick(at + 20 * kMs));
    }
  }
  const std::string stream = std::string(kEventTime) + "out_of_order = \"200ms\"\ndedupe = true\nidle_timeout = \"1s\"";
  const std::string query = "window = \"300ms\"\nslide = \"200ms\"\nemit_empty = true\nallowed_lateness = \"500ms\"";
  const Outcome whole = outcome_of(configuration(stream, query), inputs, 2);
  EXPECT_GT(whole.windows(), 40U);
  EXPECT_GT(whole.query().counted, 500U);
  for (const unsigned rows : {1U, 2U, 3U, 33U}) {
    const Outcome cut = outcome_of(configuration(stream, query, rows), inputs, 2);
    EXPECT_EQ(cut.rows, whole.rows) << rows;
    EXPECT_EQ(cut.query().late, whole.query().late) << rows;
  }
}

}  // namespace
}  // namespace weir::test
