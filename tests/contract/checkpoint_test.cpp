// State saved in the middle of a stream, by any backend, and taken up by any other.
#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/events.hpp"
#include "contract/naive_backend.hpp"
#include "contract/random_streams.hpp"
#include "core/error.hpp"
#include "support/section_memory.hpp"

namespace weir::contract {
namespace {

class Checkpoint : public BackendTest {
 protected:
  Checkpoint() : naive_(make_naive_backend()) {}

  static std::vector<oracle::Event> stream(std::uint64_t seed) {
    StreamShape shape;
    shape.seed = seed;
    shape.readings = 600;
    shape.sources = 2;
    shape.disorder = kSecond;
    shape.straggler_share = 0.1;
    std::vector<oracle::Event> events;
    for (oracle::Event& event : random_stream(shape)) {
      events.push_back(std::move(event));
      if (events.size() % 50 == 0) events.push_back(interval_end(static_cast<std::int64_t>(events.size()) * kSecond));
    }
    return events;
  }

  static std::vector<plan::Plan> plans() {
    std::vector<plan::Plan> plans;
    for (const QueryCase& query : all_queries()) {
      plans.push_back(plan_of(plugs_stream(2, kSecond), query.with(6 * kSecond, 4 * kSecond).spec));
      plans.push_back(plan_of(plugs_stream(2, kSecond), query.with(6 * kSecond, 2 * kSecond, 9 * kSecond).spec));
      plans.push_back(plan_of(plugs_stream(2, kSecond), query.spec));
    }
    return plans;
  }

  std::unique_ptr<execute::Backend> naive_;
};

TEST_P(Checkpoint, Rows_GoOnAsIfNothingHadHappenedOnAnyBackend) {
  std::uint64_t seed = 200;
  for (const plan::Plan& plan : plans()) {
    const std::vector<oracle::Event> events = stream(++seed);
    const std::span<const oracle::Event> all(events);
    EngineUnderTest whole(plan, *naive_);
    whole.feed(all, true);
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{333}, events.size()}) {
      SCOPED_TRACE(plan.queries[0].spec.name + " cut " + std::to_string(cut));
      EngineUnderTest first(plan, backend());
      first.feed(all.first(cut));
      EngineUnderTest first_naive(plan, *naive_);
      first_naive.feed(all.first(cut));
      const std::string state = first.save();
      EXPECT_EQ(state, first_naive.save()) << "equal state is not equal bytes";

      EngineUnderTest here(plan, backend());
      here.load(state, first);
      EXPECT_EQ(here.save(), state);
      EngineUnderTest there(plan, *naive_);
      there.load(state, first);
      for (EngineUnderTest* second : {&here, &there}) {
        second->feed(all.subspan(cut), true);
        std::vector<std::string> texts = first.texts();
        const std::vector<std::string> rest = second->texts();
        texts.insert(texts.end(), rest.begin(), rest.end());
        ASSERT_EQ(texts, whole.texts());
        EXPECT_EQ(second->ledger().counted, whole.ledger().counted);
        EXPECT_EQ(second->ledger().late, whole.ledger().late);
        EXPECT_EQ(second->ledger().rows, whole.ledger().rows);
        EXPECT_EQ(second->ledger().windows, whole.ledger().windows);
      }
    }
  }
}

TEST_P(Checkpoint, WhatChanged_IsAllThatASecondSaveNeeds) {
  std::uint64_t seed = 400;
  for (const plan::Plan& plan : plans()) {
    SCOPED_TRACE(plan.queries[0].spec.name);
    const std::vector<oracle::Event> events = stream(++seed);
    EngineUnderTest engine(plan, backend());
    test::SectionMemory memory;
    // Of the panes, without what stands before them and is written every time.
    const std::size_t head = engine.save().size();
    std::size_t whole_bytes = 0;
    std::size_t written_bytes = 0;
    constexpr std::size_t kStep = 7;
    for (std::size_t at = 0; at < events.size(); at += kStep) {
      engine.feed(std::span(events).subspan(at, std::min(kStep, events.size() - at)), at + kStep >= events.size());
      const std::string whole = engine.save();
      ASSERT_EQ(memory.save([&](state::SectionWriter& section) { engine.save(section); }), whole) << "event " << at;
      whole_bytes += whole.size() - head;
      written_bytes += memory.written_bytes - head;
      const std::size_t all = memory.written_bytes;
      ASSERT_EQ(memory.save([&](state::SectionWriter& section) { engine.save(section); }), whole);
      ASSERT_LE(memory.written_bytes, all);
    }
    // Of a per-batch query only one pane is ever open, and it changes all the time.
    if (!plan.queries[0].per_batch) {
      EXPECT_LT(written_bytes, whole_bytes * 3 / 4);
    }
  }
}

TEST_P(Checkpoint, Damage_IsAnErrorAndNothingElse) {
  const plan::Plan plan =
      plan_of(plugs_stream(2, kSecond), every_aggregate().with(6 * kSecond, 2 * kSecond, 9 * kSecond).spec);
  const std::vector<oracle::Event> events = stream(300);
  EngineUnderTest saved(plan, backend());
  saved.feed(events);
  const std::string state = saved.save();
  for (std::size_t length = 0; length < state.size(); length += 1 + length / 16) {
    EngineUnderTest engine(plan, backend());
    EXPECT_THROW(engine.load(state.substr(0, length), saved), std::runtime_error) << "cut at " << length;
  }
}

WEIR_CONTRACT_SUITE(Checkpoint);

}  // namespace
}  // namespace weir::contract
