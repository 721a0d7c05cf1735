// Queries that read the rows of other queries (semantics §11): seconds to minutes to the hour, and windows over
// readings that were filtered. Expected rows are computed here from the readings, with nothing of the product.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

struct Reading {
  std::int64_t at;
  std::string line, machine;
  std::int64_t v;  ///< of a decimal with one place
};

constexpr std::int64_t kOutOfOrder = 4;

/// 3 hours; some readings are later than out_of_order allows, and for half an hour there are none.
std::vector<Reading> readings(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Reading> all;
  for (std::int64_t second = 0; second < 10'800; ++second) {
    if (second > 4'000 && second < 5'800) continue;
    for (int i = static_cast<int>(random() % 3); i > 0; --i) {
      const std::int64_t back = random() % 40 == 0 ? 30 : static_cast<std::int64_t>(random() % 4);
      all.push_back({1'700'000'000 + second - back, random() % 3 == 0 ? "b" : "a", "m" + std::to_string(random() % 4),
                     static_cast<std::int64_t>(random() % 2'000) - 500});
    }
  }
  return all;
}

std::string csv(const std::vector<Reading>& all) {
  // A checkpoint lies between two blocks of the file, of which there are to be many.
  const std::string note(300, 'x');
  std::string text;
  for (const Reading& one : all) {
    const std::int64_t size = std::abs(one.v);
    text += std::to_string(one.at) + "," + one.line + "," + one.machine + "," + (one.v < 0 ? "-" : "") +
            std::to_string(size / 10) + "." + std::to_string(size % 10) + "," + note + "\n";
  }
  return text;
}

std::string decimal(std::int64_t tenths) {
  const std::int64_t size = std::abs(tenths);
  return (tenths < 0 ? "-" : "") + std::to_string(size / 10) + (size % 10 == 0 ? "" : "." + std::to_string(size % 10));
}

std::string instant(std::int64_t seconds) {
  std::tm parts{};
  const std::time_t time = seconds;
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string head(const std::string& query, std::int64_t end, std::int64_t window) {
  return R"({"query":")" + query + R"(","window_start":")" + instant(end - window) + R"(","window_end":")" +
         instant(end) + "\"";
}

struct Sums {
  std::int64_t rows = 0, n = 0, total = 0, top = -1'000'000;
  void add(std::int64_t count, std::int64_t sum, std::int64_t largest) {
    ++rows;
    n += count;
    total += sum;
    top = std::max(top, largest);
  }
};
using Windows = std::map<std::tuple<std::int64_t, std::string, std::string>, Sums>;  // by end, line, machine

/// The rows of all queries, each of which has its own lines in its order.
std::map<std::string, std::string> expected(const std::vector<Reading>& all) {
  Windows seconds, hot;
  std::int64_t newest = -1'000'000'000;
  for (const Reading& one : all) {
    const std::int64_t watermark = newest - kOutOfOrder;
    const std::int64_t end = one.at / 10 * 10 + 10;
    if (end > watermark) seconds[{end, one.line, one.machine}].add(1, one.v, one.v);
    if (one.v > 900) {
      for (std::int64_t each = end; each <= one.at / 10 * 10 + 30; each += 10) {
        if (each > watermark) hot[{each, one.line, ""}].add(1, one.v, one.v);
      }
    }
    newest = std::max(newest, one.at);
  }
  std::map<std::string, std::string> rows;
  Windows minutes, hours;
  for (const auto& [window, sums] : seconds) {
    const auto& [end, line, machine] = window;
    rows["seconds"] += head("seconds", end, 10) + R"(,"line":")" + line + R"(","machine":")" + machine + R"(","n":)" +
                       std::to_string(sums.n) + R"(,"total":)" + decimal(sums.total) + R"(,"top":)" +
                       decimal(sums.top) + "}\n";
    minutes[{(end - 1) / 60 * 60 + 60, line, ""}].add(sums.n, sums.total, sums.top);
  }
  for (const auto& [window, sums] : minutes) {
    const auto& [end, line, none] = window;
    rows["minutes"] += head("minutes", end, 60) + R"(,"line":")" + line + R"(","rows":)" + std::to_string(sums.rows) +
                       R"(,"n":)" + std::to_string(sums.n) + R"(,"total":)" + decimal(sums.total) + R"(,"top":)" +
                       decimal(sums.top) + "}\n";
    if (sums.n > 60) {
      rows["busy"] +=
          head("busy", end, 60) + R"(,"line":")" + line + R"(","double_n":)" + std::to_string(2 * sums.n) + "}\n";
    }
    hours[{(end - 1) / 3600 * 3600 + 3600, "", ""}].add(sums.n, sums.total, sums.top);
  }
  for (const auto& [window, sums] : hours) {
    rows["hours"] += head("hours", std::get<0>(window), 3600) + R"(,"rows":)" + std::to_string(sums.rows) + R"(,"n":)" +
                     std::to_string(sums.n) + R"(,"total":)" + decimal(sums.total) + "}\n";
  }
  for (const auto& [window, sums] : hot) {
    rows["hot_windows"] += head("hot_windows", std::get<0>(window), 30) + R"(,"line":")" + std::get<1>(window) +
                           R"(","n":)" + std::to_string(sums.n) + R"(,"total":)" + decimal(sums.total) + "}\n";
  }
  return rows;
}

// Declared in another order than they are computed in.
constexpr const char* kQueries = R"~(
[[query]]
name = "hours"
from = "minutes"
select = ["count() as rows", "sum(n) as n", "sum(total) as total"]
window = "1h"
sinks = ["rows"]
[[query]]
name = "busy"
from = "minutes"
where = "n > 60"
select = ["n * 2 as double_n"]
sinks = ["rows"]
[[query]]
name = "minutes"
from = "seconds"
group_by = ["line"]
select = ["count() as rows", "sum(n) as n", "sum(total) as total", "max(top) as top"]
window = "1m"
sinks = ["rows"]
[[query]]
name = "hot_windows"
from = "hot"
group_by = ["line"]
select = ["count() as n", "sum(v) as total"]
window = "30s"
slide = "10s"
sinks = ["rows"]
[[query]]
name = "seconds"
from = "s"
group_by = ["line", "machine"]
select = ["count() as n", "sum(v) as total", "max(v) as top"]
window = "10s"
sinks = ["rows"]
[[query]]
name = "hot"
from = "s"
where = "v > 90"
select = ["v"]
)~";

class Chain : public ::testing::Test {
 protected:
  plan::Plan plan(int batch_rows, const std::string& out, const std::string& more = {}) {
    return plan_of("[pipeline]\nbatch_interval = \"5s\"\ncheckpoint_interval = \"1ms\"\nbatch_rows = " +
                   std::to_string(batch_rows) + "\n" + more + "\n[streams.s]\nsource = { type = \"file\", path = \"" +
                   scratch_.path("in.csv") +
                   "\", format = \"csv\", columns = [\"t\", \"line\", \"machine\", \"v\", \"note\"] }\n" +
                   "time = { field = \"t\", unit = \"s\" }\nkeys = [\"line\", \"machine\"]\nfields = { v = 1 }\n" +
                   "out_of_order = \"4s\"\n" + kQueries + "[[sink]]\nname = \"rows\"\ntype = \"file\"\npath = \"" +
                   out + "\"\n");
  }

  /// @param stop_after batches, then the run is stopped and started again; 0: never
  std::map<std::string, std::string> run(int batch_rows, unsigned threads, std::uint64_t stop_after = 0) {
    const std::string name = "out" + std::to_string(++runs_);
    report_ = replay_in_parts(
        [&] {
          plan::Plan plan = this->plan(batch_rows, scratch_.path(name + "-{query}.jsonl"));
          plan.spec.threads = threads;
          if (stop_after > 0) plan.spec.state_dir = scratch_.path("state" + std::to_string(runs_));
          return plan;
        },
        stop_after, restarts_);
    EXPECT_TRUE(report_.balances());
    std::map<std::string, std::string> rows;
    for (const char* const query : {"seconds", "minutes", "hours", "busy", "hot_windows"}) {
      rows[query] = read_file(scratch_.path(name + "-" + query + ".jsonl"));
    }
    return rows;
  }

  [[nodiscard]] const state::QueryLedger& ledger(const std::string& name) const {
    return std::find_if(report_.queries.begin(), report_.queries.end(),
                        [&](const runtime::Report::Query& query) { return query.name == name; })
        ->ledger;
  }

  const Scratch scratch_;
  runtime::Report report_;
  int runs_ = 0;
  int restarts_ = 0;
};

TEST_F(Chain, RowsAreTheOnesComputedByHandForEverySplitAndNumberOfThreads) {
  const std::vector<Reading> all = readings(1);
  write_file(scratch_.path("in.csv"), csv(all));
  const std::map<std::string, std::string> wanted = expected(all);
  for (const auto& [batch_rows, threads] : {std::pair(100'000, 1U), std::pair(257, 2U), std::pair(16, 4U)}) {
    const std::map<std::string, std::string> rows = run(batch_rows, threads);
    for (const auto& [query, text] : wanted) EXPECT_TRUE(rows.at(query) == text) << query << ", " << batch_rows;
    EXPECT_GT(ledger("seconds").late, 50U);
    EXPECT_EQ(ledger("minutes").delivered, ledger("seconds").rows);
    EXPECT_EQ(ledger("hours").delivered, ledger("minutes").rows);
    EXPECT_EQ(ledger("busy").delivered, ledger("minutes").rows);
    EXPECT_EQ(ledger("hot_windows").delivered, ledger("hot").rows);
    EXPECT_EQ(ledger("minutes").late, 0U);
    EXPECT_GT(ledger("hot_windows").late, 0U) << "a reading that passes is as late as it was";
    EXPECT_EQ(ledger("minutes").windows, 181U) << "also those of the half hour without readings";
  }
}

TEST_F(Chain, RowsAreTheSameAfterRestarts) {
  const std::vector<Reading> all = readings(2);
  write_file(scratch_.path("in.csv"), csv(all));
  const std::map<std::string, std::string> wanted = expected(all);
  for (const std::uint64_t stop_after : {5U, 11U}) {
    const std::map<std::string, std::string> rows = run(16, 1, stop_after);
    for (const auto& [query, text] : wanted) EXPECT_TRUE(rows.at(query) == text) << query << ", " << stop_after;
    EXPECT_EQ(ledger("hours").delivered, ledger("minutes").rows);
  }
  EXPECT_GT(restarts_, 8);
}

TEST_F(Chain, AChangedParentChangesWhatItsRowsMean) {
  write_file(scratch_.path("in.csv"), csv(readings(3)));
  plan::Plan first = plan(257, scratch_.path("rows-{query}.jsonl"));
  plan::Plan second = first;
  for (spec::Query& query : second.spec.queries) {
    if (query.name == "seconds") query.where = "v > 0";
  }
  second = plan::compile(second.spec);
  const auto fingerprint = [](const plan::Plan& plan, const std::string& name) {
    return std::find_if(plan.queries.begin(), plan.queries.end(),
                        [&](const plan::QueryPlan& query) { return query.spec.name == name; })
        ->fingerprint();
  };
  for (const char* const name : {"seconds", "minutes", "hours", "busy"}) {
    EXPECT_NE(fingerprint(first, name), fingerprint(second, name)) << name;
  }
  EXPECT_EQ(fingerprint(first, "hot_windows"), fingerprint(second, "hot_windows"));
}

}  // namespace
}  // namespace weir::test
