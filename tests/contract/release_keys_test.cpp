// Keys are released between any two batches, as many as there can be: no row changes, on no backend.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/events.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "support/section_memory.hpp"

namespace weir::contract {
namespace {

class ReleaseKeys : public BackendTest {
 protected:
  static std::vector<oracle::Event> stream(std::uint64_t seed) {
    StreamShape shape;
    shape.seed = seed;
    shape.readings = 900;
    shape.sources = 1 + seed % 2;
    shape.disorder = kSecond;
    shape.straggler_share = 0.1;
    shape.jump_share = 0.003;
    shape.new_plug_every = 20;
    std::vector<oracle::Event> events;
    for (oracle::Event& event : random_stream(shape)) {
      events.push_back(std::move(event));
      if (events.size() % 40 == 0) events.push_back(interval_end(static_cast<std::int64_t>(events.size()) * kSecond));
    }
    return events;
  }

  std::uint64_t released_ = 0;

  void expect_same(const QueryCase& query, std::uint64_t seed) {
    SCOPED_TRACE(fmt::format("query {} window {} slide {} allowed {} seed {}", query.name, query.expected.window,
                             query.expected.slide, query.expected.allowed_lateness, seed));
    const std::vector<oracle::Event> events = stream(seed);
    const std::size_t sources = 1 + seed % 2;
    const oracle::Answer answer = oracle::run(query.expected, sources, kSecond, events, true);
    const plan::Plan plan = plan_of(plugs_stream(sources, kSecond), query.spec);
    EngineUnderTest engine(plan, backend());
    test::SectionMemory memory;
    const std::span<const oracle::Event> all(events);
    std::size_t from = 0;
    for (const std::size_t size : random_split(events.size(), seed)) {
      engine.feed(all.subspan(from, size));
      ASSERT_EQ(memory.save([&](state::SectionWriter& section) { engine.save(section); }), engine.save());
      released_ += engine.release_keys();
      // A checkpoint that holds chunks of before takes nothing from them that means something else now.
      ASSERT_EQ(memory.save([&](state::SectionWriter& section) { engine.save(section); }), engine.save());
      from += size;
    }
    engine.feed({}, true);
    ASSERT_EQ(engine.differences(answer), "");
    ASSERT_FALSE(answer.rows.empty());
  }
};

TEST_P(ReleaseKeys, NoRowChanges) {
  std::uint64_t seed = 500;
  for (const QueryCase& query : all_queries()) {
    expect_same(query.with(6 * kSecond, 4 * kSecond), ++seed);
    expect_same(query.with(6 * kSecond, 2 * kSecond, 9 * kSecond), ++seed);
    expect_same(query.with(2 * kSecond, 5 * kSecond), ++seed);
  }
  EXPECT_GT(released_, 300U) << "the test exercises releases";
}

WEIR_CONTRACT_SUITE(ReleaseKeys);

}  // namespace
}  // namespace weir::contract
