// Queries without a window: one row an interval of arrival time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/events.hpp"
#include "contract/random_streams.hpp"

namespace weir::contract {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t s = kSecond;

QueryCase per_batch(QueryCase query, std::int64_t batch_interval) {
  query.expected.per_batch = true;
  query.expected.window = query.expected.slide = batch_interval;
  return query;
}

class PerBatch : public BackendTest {
 protected:
  std::vector<std::string> rows(const QueryCase& query, const std::vector<oracle::Event>& events,
                                const std::vector<std::size_t>& split) {
    const plan::Plan plan = plan_of(plugs_stream(1, 0), query.spec);
    const oracle::Answer answer = oracle::run(query.expected, 1, 0, events, false);
    EngineUnderTest engine(plan, backend());
    std::size_t from = 0;
    for (const std::size_t size : split) {
      engine.feed(std::span(events).subspan(from, size));
      from += size;
    }
    EXPECT_EQ(engine.differences(answer), "");
    return engine.texts();
  }
};

TEST_P(PerBatch, Row_HoldsWhatArrivedInTheIntervalWhateverItsEventTime) {
  const QueryCase query = per_batch(count_and_sum(false), s);
  const std::vector<oracle::Event> events{reading_at(500 * s, 1), reading_at(3 * s, 2), interval_end(11 * s),
                                          reading_at(-4 * s, 4), interval_end(12 * s)};
  for (const auto& split : {std::vector<std::size_t>{5}, {1, 1, 1, 1, 1}, {2, 3}, {3, 2}, {4, 1}}) {
    EXPECT_THAT(rows(query, events, split), ElementsAre("[10000000000 11000000000) r0 () count()=2 s=3",
                                                        "[11000000000 12000000000) r0 () count()=1 s=4"));
  }
}

TEST_P(PerBatch, EmptyInterval_HasARowOnlyIfAskedFor) {
  QueryCase query = per_batch(count_and_sum(false), s);
  const std::vector<oracle::Event> events{reading_at(0, 1),     interval_end(11 * s), interval_end(12 * s),
                                          interval_end(15 * s), reading_at(0, 2),     interval_end(16 * s)};
  EXPECT_THAT(rows(query, events, {6}), ElementsAre("[10000000000 11000000000) r0 () count()=1 s=1",
                                                    "[15000000000 16000000000) r0 () count()=1 s=2"));
  query.spec.emit_empty = query.expected.emit_empty = true;
  EXPECT_THAT(
      rows(query, events, {2, 1, 3}),
      ElementsAre("[10000000000 11000000000) r0 () count()=1 s=1", "[11000000000 12000000000) r0 () count()=0 s=null",
                  "[12000000000 13000000000) r0 () count()=0 s=null",
                  "[13000000000 14000000000) r0 () count()=0 s=null",
                  "[14000000000 15000000000) r0 () count()=0 s=null", "[15000000000 16000000000) r0 () count()=1 s=2"));
}

TEST_P(PerBatch, EndOfInput_EndsTheOpenInterval) {
  const plan::Plan plan = plan_of(plugs_stream(1, 0), count_and_sum(false).spec);
  EngineUnderTest engine(plan, backend());
  const std::vector<oracle::Event> events{interval_end(11 * s), reading_at(11 * s, 1)};
  engine.feed(events, true);
  EXPECT_THAT(engine.texts(), ElementsAre("[11000000000 12000000000) r0 () count()=1 s=1"));
}

TEST_P(PerBatch, Rows_AreTheOraclesForRandomStreamsAndSplits) {
  std::uint64_t seed = 100;
  for (const QueryCase& plain : all_queries()) {
    const QueryCase query = per_batch(plain, s);
    StreamShape shape;
    shape.seed = ++seed;
    shape.readings = 1500;
    shape.disorder = 5 * s;
    std::vector<oracle::Event> events;
    std::int64_t end = 100 * s;
    for (oracle::Event& event : random_stream(shape)) {
      events.push_back(std::move(event));
      if (events.size() % 37 == 0 || events.size() % 101 == 0) events.push_back(interval_end(end += s));
    }
    events.push_back(interval_end(end + s));
    SCOPED_TRACE(query.name);
    EXPECT_FALSE(rows(query, events, random_split(events.size(), seed)).empty());
  }
}

WEIR_CONTRACT_SUITE(PerBatch);

}  // namespace
}  // namespace weir::contract
