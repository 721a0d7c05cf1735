// The closing lines, as a user reads them.
#include "runtime/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string configuration(const std::string& path, const std::string& time) {
  return R"~([streams.s]
source = { type = "file", path = ")~" +
         path + R"~(", format = "csv", columns = ["t", "k", "v"] }
time = )~" +
         time + R"~(
keys = ["k"]
fields = { v = { places = 0, required = true } }
[[query]]
name = "q"
from = "s"
select = ["count()"]
window = "10s"
)~";
}

std::string closing_lines(const std::string& input, const std::string& time = R"({ field = "t", unit = "s" })",
                          const std::function<void(runtime::ReplayOptions&)>& change = {}) {
  const Scratch scratch;
  write_file(scratch.path("in.csv"), input);
  runtime::Options options;
  options.replay = true;
  if (change) change(options.replay_options);
  plan::Plan plan = plan_of(configuration(scratch.path("in.csv"), time));
  plan.spec.sinks.at(0).kind = spec::SinkKind::callback;
  plan.spec.sinks.at(0).callback = [](const batch::ResultTable&) {};
  runtime::Pipeline pipeline(std::move(plan), std::move(options));
  pipeline.start();
  pipeline.wait();
  return runtime::summary(pipeline.report(), 0.0);
}

TEST(Summary, ShowsTheRangeOfEventTimes) {
  EXPECT_THAT(closing_lines("1377986401,a,1\n1377986400,a,1\n1377986402.5,b,1\n"),
              HasSubstr("; 2 keys\nstream s: event times 2013-08-31T22:00:00Z .. 2013-08-31T22:00:02.5Z\nquery q: "));
}

TEST(Summary, TheRangeHoldsWhatWasRefusedAfterItsTimeWasRead) {
  // No value, no key, a number that is none; a time that cannot be read is in no range.
  EXPECT_THAT(closing_lines("10,a,\n20,,1\n30,a,x\nlater,a,1\n"),
              HasSubstr("4 malformed + 0 shed (bad_time 1, missing_key 1, missing_field 1, not_a_number 1); 0 keys\n"
                        "stream s: event times 1970-01-01T00:00:10Z .. 1970-01-01T00:00:30Z\n"));
}

TEST(Summary, TheRangeHoldsWhatAReplayLeavesOut) {
  EXPECT_THAT(closing_lines("10,a,1\n20,a,1\n", R"({ field = "t", unit = "s" })",
                            [](runtime::ReplayOptions& options) { options.from_ns = 1'000'000'000'000'000'000; }),
              HasSubstr("stream s: 0 received = 0 delivered + 0 duplicate + 0 malformed + 0 shed; 0 keys\n"
                        "stream s: event times 1970-01-01T00:00:10Z .. 1970-01-01T00:00:20Z\n"));
}

TEST(Summary, SaysWhenNoTimeWasRead) {
  EXPECT_THAT(closing_lines(",a,1\n"), HasSubstr("stream s: no event time was read\n"));
  EXPECT_THAT(closing_lines(""), Not(HasSubstr("event time")));
}

TEST(Summary, ArrivalIsNoEventTime) {
  EXPECT_THAT(closing_lines("10,a,1\n", R"("arrival")"), Not(HasSubstr("event time")));
}

TEST(Summary, SaysHowManyRowsAConsoleDidNotShow) {
  runtime::Report report;
  report.sinks.emplace_back().name = "console";
  EXPECT_THAT(runtime::summary(report, 0.0), Not(HasSubstr("console")));
  report.sinks.front().not_shown = 250;
  EXPECT_THAT(runtime::summary(report, 0.0),
              HasSubstr("sink console: 250 more rows are not shown: rows = 0 shows all, and so does --rows 0 of a "
                        "replay\n"));
}

}  // namespace
}  // namespace weir::test
