// Random streams through every backend, in random batches, against the oracle.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "support/sanitized.hpp"

namespace weir::contract {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

class RandomStreams : public BackendTest {
 protected:
  using Split = std::vector<std::size_t> (*)(std::size_t total, std::uint64_t seed);

  void expect_same(const QueryCase& query, const StreamShape& shape, std::int64_t out_of_order, std::uint64_t split,
                   Split split_into = random_split) {
    SCOPED_TRACE(fmt::format("query {} window {} slide {} allowed {} seed {} sources {} split {}", query.name,
                             query.expected.window, query.expected.slide, query.expected.allowed_lateness, shape.seed,
                             shape.sources, split));
    const std::vector<oracle::Event> events = random_stream(shape);
    const oracle::Answer answer = oracle::run(query.expected, shape.sources, out_of_order, events, true);
    spec::Stream stream = plugs_stream(shape.sources, out_of_order);
    const std::size_t keys = std::min(shape.readings, shape.houses * shape.households * shape.plugs);
    stream.max_keys = std::max(stream.max_keys, static_cast<std::uint32_t>(keys));
    const plan::Plan plan = plan_of(std::move(stream), query.spec);
    EngineUnderTest engine(plan, backend());
    const std::span<const oracle::Event> all(events);
    std::size_t from = 0;
    for (const std::size_t size : split_into(events.size(), split)) {
      engine.feed(all.subspan(from, size));
      from += size;
    }
    engine.feed({}, true);
    ASSERT_EQ(engine.differences(answer), "");
    ASSERT_FALSE(answer.rows.empty());
  }
};

TEST_P(RandomStreams, Rows_AreTheOraclesForEveryQueryAndWindow) {
  constexpr std::pair<std::int64_t, std::int64_t> kWindows[] = {{10, 10}, {60, 10}, {3, 2},  {2, 5},
                                                                {7, 3},   {1, 4},   {300, 1}};
  std::uint64_t seed = 1;
  for (const auto& [window, slide] : kWindows) {
    for (const QueryCase& query : all_queries()) {
      StreamShape shape;
      shape.seed = ++seed;
      shape.readings = test::kSanitized ? 300 : 700;
      shape.disorder = 2 * kSecond;
      shape.straggler_share = 0.05;
      expect_same(query.with(window * kSecond, slide * kSecond), shape, shape.disorder, seed);
    }
  }
}

TEST_P(RandomStreams, Rows_AreTheOraclesWithSeveralSources) {
  for (std::uint64_t seed = 20; seed < 32; ++seed) {
    StreamShape shape;
    shape.seed = seed;
    shape.readings = 900;
    shape.sources = 2 + seed % 3;
    shape.disorder = 500 * kMillisecond;
    shape.straggler_share = 0.03;
    shape.idle_share = seed % 2 == 0 ? 0.0 : seed % 3 == 0 ? 0.4 : 0.02;
    shape.tick_share = seed % 4 < 2 ? 0.0 : 0.02;
    const QueryCase query = seed % 3 == 0 ? total() : filtered_and_derived();
    expect_same(query.with(6 * kSecond, 4 * kSecond), shape, shape.disorder, seed);
  }
}

TEST_P(RandomStreams, Revisions_AreTheOracles) {
  constexpr std::int64_t kAllowed[] = {1'500 * kMillisecond, 5 * kSecond, 40 * kSecond};
  std::uint64_t seed = 40;
  for (const std::int64_t allowed : kAllowed) {
    for (const auto& [window, slide] : {std::pair{10, 10}, std::pair{12, 4}, std::pair{3, 2}, std::pair{2, 5}}) {
      StreamShape shape;
      shape.seed = ++seed;
      shape.readings = 800;
      shape.sources = 1 + seed % 2;
      shape.disorder = kSecond;
      shape.straggler_share = 0.1;
      shape.jump_share = 0.002;
      const QueryCase query = seed % 3 == 0 ? total() : seed % 3 == 1 ? key_tests() : every_aggregate();
      expect_same(query.with(window * kSecond, slide * kSecond, allowed), shape, 500 * kMillisecond, seed);
    }
  }
}

TEST_P(RandomStreams, Rows_AreTheOraclesBeforeTheEpochAndOverIt) {
  for (std::uint64_t seed = 60; seed < 64; ++seed) {
    StreamShape shape;
    shape.seed = seed;
    shape.readings = 600;
    shape.start = seed % 2 == 0 ? -30 * kSecond : -2'000'000 * kSecond - 17;
    shape.disorder = 3 * kSecond;
    shape.straggler_share = 0.05;
    expect_same(total().with(7 * kSecond, 3 * kSecond), shape, kSecond, seed);
    expect_same(count_by_sensor().with(2 * kSecond, 5 * kSecond), shape, kSecond, seed);
  }
}

TEST_P(RandomStreams, Rows_AreTheOraclesWithManyPanesAWindow) {
  StreamShape shape;
  shape.seed = 70;
  shape.readings = 250;
  shape.mean_step = 5 * kSecond;
  shape.plugs = 2;
  expect_same(total().with(3600 * kSecond, kSecond), shape, 0, 3);
  shape.jump_share = 0.01;
  expect_same(every_aggregate().with(600 * kSecond, kSecond), shape, 0, 4);
}

TEST_P(RandomStreams, Rows_AreTheOraclesWhileSensorsComeAndGo) {
  for (std::uint64_t seed = 75; seed < 79; ++seed) {
    StreamShape shape;
    shape.seed = seed;
    shape.readings = 1200;
    shape.new_plug_every = 20;
    shape.disorder = 2 * kSecond;
    shape.straggler_share = 0.05;
    shape.jump_share = 0.003;
    expect_same(every_aggregate().with(9 * kSecond, 3 * kSecond), shape, shape.disorder, seed);
    expect_same(count_by_sensor().with(4 * kSecond, 4 * kSecond, 6 * kSecond), shape, shape.disorder, seed);
  }
}

TEST_P(RandomStreams, Rows_AreTheOraclesWithManyGroups) {
  StreamShape shape;
  shape.seed = 80;
  shape.readings = test::kSanitized ? 10'000 : 30'000;
  shape.mean_step = 2 * kMillisecond;
  shape.houses = 30;
  shape.households = 20;
  shape.plugs = 15;
  shape.disorder = 100 * kMillisecond;
  expect_same(count_by_sensor().with(30 * kSecond, 15 * kSecond), shape, shape.disorder, 5);
  shape.houses = 1;
  shape.plugs = 9000;
  expect_same(every_aggregate().with(40 * kSecond, 20 * kSecond), shape, shape.disorder, 6);
}

TEST_P(RandomStreams, Rows_AreTheOraclesInBatchesForSeveralThreads) {
  std::uint64_t seed = 90;
  for (const QueryCase& query :
       {every_aggregate().with(40 * kSecond, 10 * kSecond), filtered_and_derived().with(60 * kSecond, 60 * kSecond),
        count_by_sensor().with(30 * kSecond, 10 * kSecond, 25 * kSecond),
        count_by_sensor().with(12 * kSecond, 20 * kSecond), count_by_sensor().with(40 * kSecond, 2 * kSecond)}) {
    StreamShape shape;
    shape.seed = ++seed;
    shape.readings = test::kSanitized ? 12'000 : 50'000;
    shape.mean_step = 2 * kMillisecond;
    // Readings of one batch fall into more panes than a thread may keep for itself.
    shape.disorder = 24 * kSecond;
    shape.straggler_share = 0.001;
    expect_same(query, shape, 22 * kSecond, seed, coarse_split);
  }
}

WEIR_CONTRACT_SUITE(RandomStreams);

}  // namespace
}  // namespace weir::contract
