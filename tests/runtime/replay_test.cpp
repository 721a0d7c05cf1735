#include <gtest/gtest.h>

#include <random>

#include "core/error.hpp"
#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

std::string configuration(const std::string& sources, const std::string& query, const std::string& stream_extra = "") {
  return R"~(
[pipeline]
batch_interval = "10s"
[streams.s]
sources = [)~" +
         sources + R"~(]
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 2 }
)~" + stream_extra +
         R"~(
[[query]]
name = "q"
from = "s"
)~" + query;
}

std::string file_source(const std::string& path) {
  return R"~({ type = "file", path = ")~" + path + R"~(", format = "csv", columns = ["t", "k", "v"] })~";
}

TEST(Replay, WindowsOfAFileAreExact) {
  const Scratch scratch;
  write_file(scratch.path("in.csv"), "0,a,1.10\n5,a,2.20\n9,b,0.01\n10,a,3\n");
  const std::string rows = replay_rows(configuration(file_source(scratch.path("in.csv")),
                                                     R"~(select = ["count()", "sum(v)", "avg(v)"]
group_by = ["k"]
window = "10s")~"));
  EXPECT_EQ(
      rows,
      R"~({"query":"q","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:10Z","k":"a","count()":2,"sum(v)":3.3,"avg(v)":1.65})~"
      "\n"
      R"~({"query":"q","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:10Z","k":"b","count()":1,"sum(v)":0.01,"avg(v)":0.01})~"
      "\n"
      R"~({"query":"q","window_start":"1970-01-01T00:00:10Z","window_end":"1970-01-01T00:00:20Z","k":"a","count()":1,"sum(v)":3,"avg(v)":3})~"
      "\n");
}

TEST(Replay, AQueryWithoutWindowIsEvaluatedPerBatchInterval) {
  const Scratch scratch;
  write_file(scratch.path("in.csv"), "3,a,1\n12,a,2\n11,a,4\n55,a,8\n");
  const std::string rows = replay_rows(configuration(file_source(scratch.path("in.csv")),
                                                     R"~(select = ["count()", "sum(v)"])~", "out_of_order = \"60s\""));
  // 11 came after 12: it is in the batch in which it came.
  EXPECT_EQ(
      rows,
      R"~({"query":"q","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:10Z","count()":1,"sum(v)":1})~"
      "\n"
      R"~({"query":"q","window_start":"1970-01-01T00:00:10Z","window_end":"1970-01-01T00:00:20Z","count()":2,"sum(v)":6})~"
      "\n"
      R"~({"query":"q","window_start":"1970-01-01T00:00:50Z","window_end":"1970-01-01T00:01:00Z","count()":1,"sum(v)":8})~"
      "\n");
}

TEST(Replay, SeveralFilesGiveTheRowsOfTheFileThatMergesThem) {
  const Scratch scratch;
  std::mt19937_64 random(7);
  std::string parts[3];
  std::string merged;
  std::int64_t time = 1000;
  for (int i = 0; i < 3000; ++i) {
    time += static_cast<std::int64_t>(random() % 3);
    const std::string line =
        std::to_string(time) + ",k" + std::to_string(random() % 5) + "," + std::to_string(random() % 1000) + "\n";
    merged += line;
    parts[random() % 3] += line;
  }
  write_file(scratch.path("all.csv"), merged);
  std::string sources;
  for (int i = 0; i < 3; ++i) {
    write_file(scratch.path(std::to_string(i) + ".csv"), parts[i]);
    sources += file_source(scratch.path(std::to_string(i) + ".csv")) + ",";
  }
  const std::string query = R"~(select = ["count()", "sum(v)", "min(v)", "max(v)"]
group_by = ["k"]
window = "60s"
slide = "7s")~";
  runtime::Report report;
  const std::string together = replay_rows(configuration(sources, query), &report);
  EXPECT_TRUE(report.balances());
  EXPECT_EQ(report.streams[0].ledger.delivered, 3000U);
  EXPECT_EQ(report.queries[0].ledger.late, 0U) << "read in the order of event time nothing is late";
  EXPECT_EQ(together, replay_rows(configuration(file_source(scratch.path("all.csv")), query)));
}

TEST(Replay, BatchSizeAndThreadsDoNotShow) {
  const Scratch scratch;
  std::mt19937_64 random(11);
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    text += std::to_string(5000 + i / 10 - static_cast<int>(random() % 30)) + ",k" + std::to_string(random() % 40) +
            "," + std::to_string(static_cast<std::int64_t>(random() % 100000) - 50000) + "." +
            std::to_string(random() % 100) + "\n";
  }
  write_file(scratch.path("in.csv"), text);
  const std::string toml = configuration(
      file_source(scratch.path("in.csv")),
      R"~(select = ["count()", "sum(v)", "avg(v)", "stddev(v)", "min(v)", "max(v)", "first(v)", "last(v)", "quantile(v, 0.9)", "distinct(k)"]
where = "v > -40000"
group_by = ["k"]
window = "100s"
slide = "15s"
allowed_lateness = "20s")~",
      "out_of_order = \"10s\"\nmax_keys = 40");
  runtime::Report report;
  const std::string reference = replay_rows(toml, &report);
  EXPECT_TRUE(report.balances());
  EXPECT_GT(report.queries[0].ledger.late + report.queries[0].ledger.revisions, 0U) << "the test exercises lateness";
  for (const std::uint32_t rows : {1U, 31U, 1024U, 4099U}) {
    for (const unsigned threads : {1U, 2U, 3U}) {
      EXPECT_EQ(reference, replay_rows(toml, nullptr,
                                       [&](spec::Pipeline& pipeline) {
                                         pipeline.batch_rows = rows;
                                         pipeline.threads = threads;
                                       }))
          << rows << " rows, " << threads << " threads";
    }
  }
}

TEST(Replay, MalformedReadingsAreCountedByReason) {
  const Scratch scratch;
  write_file(scratch.path("in.csv"), "1,a,1\nx,a,1\n2,a,nan\n3,a,1e99\n4\n5,a,2\n");
  runtime::Report report;
  replay_rows(configuration(file_source(scratch.path("in.csv")), R"~(select = ["count()"]
window = "10s")~"),
              &report);
  const state::StreamLedger& ledger = report.streams[0].ledger;
  EXPECT_EQ(ledger.received, 6U);
  EXPECT_EQ(ledger.delivered, 2U);
  const auto malformed = [&](batch::Malformed reason) { return ledger.malformed[static_cast<std::size_t>(reason)]; };
  EXPECT_EQ(malformed(batch::Malformed::bad_time), 1U);
  EXPECT_EQ(malformed(batch::Malformed::not_a_number), 1U);
  EXPECT_EQ(malformed(batch::Malformed::out_of_range), 1U);
  EXPECT_EQ(malformed(batch::Malformed::wrong_columns), 1U);
  EXPECT_TRUE(report.balances());
}

TEST(Replay, EventTimesAtTheEndsOfTheirRangeAreBadTimeForEveryQuery) {
  const Scratch scratch;
  const std::string in = scratch.path("in.csv");
  for (const std::string time : {"-9223372036854775808", "-9223372036854775807", "9223372036854775807",
                                 "9223372036000000000", "9223372035000000001"}) {
    write_file(in, time + ",a,1\n");
    for (const std::string query : {"", "window = \"1h\"", "window = \"1w\"", "window = \"1s\"\nslide = \"7s\""}) {
      std::string toml = configuration(file_source(in), "select = [\"count()\"]\n" + query);
      toml.replace(toml.find("unit = \"s\""), 10, "unit = \"ns\"");
      runtime::Report report;
      EXPECT_EQ(replay_rows(toml, &report), "") << time << query;
      EXPECT_EQ(report.streams[0].ledger.malformed[static_cast<std::size_t>(batch::Malformed::bad_time)], 1U);
    }
  }
  // The last that leaves room: a window, its slide and a batch interval.
  write_file(in, "9223370036854775807,a,1\n-9223370036854775000,a,1\n");
  for (const std::string query : {"", "window = \"10m\""}) {
    std::string toml = configuration(file_source(in), "select = [\"count()\"]\n" + query);
    toml.replace(toml.find("unit = \"s\""), 10, "unit = \"ns\"");
    runtime::Report report;
    replay_rows(toml, &report);
    EXPECT_EQ(report.queries[0].ledger.delivered, 2U);
    EXPECT_GE(report.queries[0].ledger.rows, 1U);
  }
}

TEST(Replay, DedupeCountsAReadingOnce) {
  const Scratch scratch;
  write_file(scratch.path("in.csv"), "1,a,1\n1,a,1\n2,a,1\n1,b,1\n2,a,1\n");
  runtime::Report report;
  replay_rows(configuration(file_source(scratch.path("in.csv")), R"~(select = ["count()"]
window = "10s")~",
                            "dedupe = true"),
              &report);
  EXPECT_EQ(report.streams[0].ledger.duplicate, 2U);
  EXPECT_EQ(report.queries[0].ledger.counted, 3U);
  EXPECT_TRUE(report.balances());
}

TEST(Replay, AFileThatCannotBeReadIsOneLine) {
  const Scratch scratch;
  try {
    replay_rows(configuration(file_source(scratch.path("absent.csv")), R"~(select = ["count()"])~"));
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("absent.csv"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(Replay, AConfigurationThatDoesNotFitIsRefusedWithTheNumbers) {
  const Scratch scratch;
  write_file(scratch.path("in.csv"), "1,a,1\n");
  try {
    replay_rows(configuration(file_source(scratch.path("in.csv")), R"~(select = ["avg(v)"]
group_by = ["k"]
window = "10000s"
slide = "1s")~",
                              "max_keys = 100000000"));
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("GiB"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace weir::test
