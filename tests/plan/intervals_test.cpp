// The rules of the three intervals, and what is said where one is violated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

spec::Pipeline with(Duration window, Duration slide, bool arrival = false) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].window = window;
  pipeline.queries[0].slide = slide;
  pipeline.streams[0].time.arrival = arrival;
  return pipeline;
}

plan::QueryPlan plan_of(const spec::Pipeline& pipeline) {
  return plan::compile(pipeline).queries.at(0);
}

TEST(Intervals, PanesAreTheGreatestCommonDivisor) {
  const plan::QueryPlan query = plan_of(with(3s, 2s));
  EXPECT_EQ(query.window_ns, 3'000'000'000);
  EXPECT_EQ(query.slide_ns, 2'000'000'000);
  EXPECT_EQ(query.pane_ns, 1'000'000'000);
  EXPECT_EQ(query.panes_per_window(), 3);
  EXPECT_FALSE(query.per_batch);
}

TEST(Intervals, AWindowAloneIsTumbling) {
  const plan::QueryPlan query = plan_of(with(10s, 0s));
  EXPECT_EQ(query.slide_ns, query.window_ns);
  EXPECT_EQ(query.panes_per_window(), 1);
}

TEST(Intervals, GapsAreAllowedInEventTime) {
  EXPECT_EQ(plan_of(with(10s, 15s)).pane_ns, 5'000'000'000);
  EXPECT_EQ(plan_of(with(1ns, 7s)).pane_ns, 1);
}

TEST(Intervals, NoWindowIsTheBatchInterval) {
  spec::Pipeline pipeline = with(0s, 0s);
  pipeline.batch_interval = 250ms;
  const plan::QueryPlan query = plan_of(pipeline);
  EXPECT_TRUE(query.per_batch);
  EXPECT_EQ(query.window_ns, 250'000'000);
  EXPECT_EQ(query.slide_ns, 250'000'000);
  EXPECT_EQ(query.pane_ns, 250'000'000);
}

TEST(Intervals, SlideWithoutWindowIsAMistake) {
  EXPECT_THAT(
      mistakes_of(with(0s, 5s)),
      ElementsAre("query 'q': 'slide' = 5s without 'window' (add window, or leave out slide to evaluate the query "
                  "per batch interval)"));
}

TEST(Intervals, ArrivalTimeFollowsTheBatchInterval) {
  EXPECT_EQ(plan_of(with(10s, 5s, true)).pane_ns, 5'000'000'000);
  EXPECT_THAT(mistakes_of(with(2500ms, 0s, true)),
              ElementsAre("query 'q': window 2.5s is no multiple of the batch interval 1s, as it must be where time is "
                          "arrival (the nearest valid windows: 2s or 3s)"));
  EXPECT_THAT(mistakes_of(with(10s, 300ms, true)),
              ElementsAre("query 'q': slide 300ms is no multiple of the batch interval 1s, as it must be where time is "
                          "arrival (the nearest valid slides: 1s)"));
  EXPECT_EQ(mistakes_of(with(2500ms, 300ms, true)).size(), 2U);
  EXPECT_TRUE(mistakes_of(with(2500ms, 300ms)).empty()) << "event time takes any";
}

TEST(Intervals, MistakesNameTheirLines) {
  EXPECT_THAT(
      mistakes_in("[streams.s]\nsource = { type = 'stdin' }\ntime = 'arrival'\n[[query]]\nname = 'q'\nfrom = 's'\n"
                  "select = 'count()'\nslide = '1500ms'\nwindow = '3s'\n"),
      ElementsAre("c.toml:8: query 'q': slide 1.5s is no multiple of the batch interval 1s, as it must be where "
                  "time is arrival (the nearest valid slides: 1s or 2s)"));
}

TEST(Intervals, TooManyPanesNameTheNearestSlide) {
  EXPECT_EQ(plan_of(with(100'000s, 1s)).panes_per_window(), 100'000);
  EXPECT_THAT(
      mistakes_of(with(100'001s, 1s)),
      ElementsAre("query 'q': window 1d3h46m41s with slide 1s makes 100001 panes a window, more than 100000 (the "
                  "nearest valid slide: 1.00001s)"));
  EXPECT_THAT(
      mistakes_of(with(24h, 1ms)),
      ElementsAre("query 'q': window 1d with slide 1ms makes 86400000 panes a window, more than 100000 (the nearest "
                  "valid slide: 864ms)"));
}

TEST(Intervals, TheNearestSlideIsValidAndNoneIsNearer) {
  const std::int64_t limit = 100'000;
  for (const auto& [window, slide] : {std::pair<std::int64_t, std::int64_t>{1'000'003, 7},
                                      {720'720'000, 1'009},
                                      {3'000'001, 1'500'000},
                                      {999'999, 2}}) {
    const std::vector<std::string> mistakes = mistakes_of(with(Duration(window), Duration(slide)));
    ASSERT_EQ(mistakes.size(), 1U) << window << ' ' << slide;
    const std::string word = "valid slide: ";
    const std::size_t at = mistakes[0].find(word) + word.size();
    const std::int64_t proposed = parse_duration(mistakes[0].substr(at, mistakes[0].size() - 1 - at)).value().count();
    EXPECT_LE(window / std::gcd(window, proposed), limit);
    const std::int64_t distance = std::abs(proposed - slide);
    for (std::int64_t other = slide - distance + 1; other < slide + distance; ++other) {
      if (other > 0) {
        ASSERT_GT(window / std::gcd(window, other), limit) << window << ' ' << slide << ": " << other << " is nearer";
      }
    }
  }
}

TEST(Intervals, NegativeAndHugeOnesAreRefused) {
  EXPECT_EQ(mistakes_of(with(-1s, 0s)).size(), 1U);
  EXPECT_EQ(mistakes_of(with(Duration(std::numeric_limits<std::int64_t>::max()), 1s)).size(), 1U);
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].allowed_lateness = -1s;
  EXPECT_EQ(mistakes_of(pipeline).size(), 1U);
}

}  // namespace
}  // namespace weir::plan_test
