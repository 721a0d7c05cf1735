// Checkpoints of panes that are encoded later, from cells that are lent or copied: the engine goes on meanwhile, and
// they hold what was there when it saved.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contract/engine_under_test.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "execute/checkpoint_streams.hpp"
#include "execute/cpu/cpu_backend.hpp"
#include "state/checkpoint_store.hpp"
#include "support/temporary_directory.hpp"

namespace weir::contract {
namespace {

/// Two engines over one stream: one leaves every pane to be encoded later, the other encodes every pane at once.
class CpuCheckpoint : public ::testing::TestWithParam<unsigned> {
 protected:
  CpuCheckpoint() : deferring_(GetParam(), tuning(0)), encoding_(1, tuning(static_cast<std::size_t>(-1))) {}

  static execute::cpu::Tuning tuning(std::size_t deferred_pane) {
    execute::cpu::Tuning tuning;
    tuning.rows_per_worker = 8;
    tuning.deferred_pane = deferred_pane;
    return tuning;
  }

  execute::cpu::CpuBackend deferring_;
  execute::cpu::CpuBackend encoding_;
};

TEST_P(CpuCheckpoint, Save_HoldsWhatWasThere) {
  std::uint64_t seed = 800;
  for (const plan::Plan& plan : plans()) {
    SCOPED_TRACE(plan.queries[0].spec.name);
    const std::vector<oracle::Event> events = stream(++seed);
    EngineUnderTest engine(plan, deferring_);
    EngineUnderTest expected(plan, encoding_);
    std::size_t deferred = 0;
    for (std::size_t at = 0; at < events.size(); at += kStep) {
      engine.feed(step(events, at));
      expected.feed(step(events, at));
      state::SectionWriter section;
      engine.save(section);
      for (const auto& chunk : section.chunks()) deferred += chunk.later != nullptr ? 1U : 0U;
      const std::string saved = expected.save();
      // The panes change, close and come back into use before anybody asks for the bytes.
      for (int i = 0; i < 3 && at + kStep < events.size(); ++i) {
        at += kStep;
        engine.feed(step(events, at));
        expected.feed(step(events, at));
      }
      section.resolve();
      ASSERT_EQ(section.gather(), saved) << "event " << at;
    }
    EXPECT_GT(deferred, 0U);
    EXPECT_EQ(engine.texts(), expected.texts());
  }
}

TEST_P(CpuCheckpoint, Checkpoints_AreWrittenWhileTheEngineGoesOnAndLoad) {
  std::uint64_t seed = 820;
  for (const plan::Plan& plan : plans()) {
    SCOPED_TRACE(plan.queries[0].spec.name);
    const std::vector<oracle::Event> events = stream(++seed);
    const test::TemporaryDirectory directory(test::TemporaryDirectory::in_memory());
    EngineUnderTest engine(plan, deferring_);
    EngineUnderTest expected(plan, encoding_);
    std::string saved;
    {
      state::CheckpointStore store(directory.path());
      for (std::size_t at = 0; at < events.size(); at += kStep) {
        state::CheckpointDraft draft = store.draft();
        engine.save(draft.section("query"));
        saved = expected.save();
        store.start_write(std::move(draft));
        engine.feed(step(events, at));
        expected.feed(step(events, at));
      }
    }
    state::CheckpointStore store(directory.path());
    std::vector<std::string> warnings;
    const auto checkpoint = store.load(warnings);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(*checkpoint->find("query"), saved);
    EXPECT_TRUE(warnings.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, CpuCheckpoint, ::testing::Values(1U, 3U));

}  // namespace
}  // namespace weir::contract
