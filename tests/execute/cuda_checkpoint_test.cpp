// Checkpoints of panes on a device: the engine goes on while they are copied and encoded, and they hold what was there
// when it saved. Over the device on the host, which copies nothing before somebody waits for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <thread>

#include "contract/engine_under_test.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "execute/checkpoint_streams.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "kernels/host_device.hpp"
#include "state/checkpoint_store.hpp"
#include "support/temporary_directory.hpp"

namespace weir::contract {
namespace {

using kernels::host::HostDevice;
using kernels::host::HostDeviceOptions;

struct HostCuda {
  explicit HostCuda(const HostDeviceOptions& options = {}) {
    auto made = kernels::host::make_host_device(options);
    device = made.get();
    execute::cuda::Tuning tuning;
    // Kernels with barriers run as fibres, of which ThreadSanitizer knows nothing.
    tuning.accumulation = execute::cuda::Accumulation::global;
    backend = std::make_unique<execute::cuda::CudaBackend>(std::move(made), 1, tuning);
  }
  HostDevice* device;
  std::unique_ptr<execute::cuda::CudaBackend> backend;
};

bool has_sketches(const plan::Plan& plan) {
  const auto& aggregates = plan.queries[0].aggregates;
  return std::any_of(aggregates.begin(), aggregates.end(), [](const plan::Aggregate& aggregate) {
    return aggregate.kind == plan::AggregateKind::quantile || aggregate.kind == plan::AggregateKind::distinct;
  });
}

TEST(CudaCheckpoint, Save_WaitsForNothingAndHoldsWhatWasThere) {
  std::uint64_t seed = 700;
  for (const plan::Plan& plan : plans()) {
    SCOPED_TRACE(plan.queries[0].spec.name);
    const std::vector<oracle::Event> events = stream(++seed);
    HostCuda cuda;
    EngineUnderTest engine(plan, *cuda.backend);
    const auto cpu = execute::make_cpu_backend(2);
    EngineUnderTest expected(plan, *cpu);
    for (std::size_t at = 0; at < events.size(); at += kStep) {
      engine.feed(step(events, at));
      expected.feed(step(events, at));
      state::SectionWriter section;
      const std::uint64_t waited = cuda.device->synchronizations();
      engine.save(section);
      if (!has_sketches(plan)) {
        ASSERT_EQ(cuda.device->synchronizations(), waited) << "save() waited for the device";
      }
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
    EXPECT_EQ(engine.texts(), expected.texts());
  }
}

/// What the store's thread writes while the engine goes on.
TEST(CudaCheckpoint, Checkpoints_AreWrittenWhileTheEngineGoesOn) {
  std::uint64_t seed = 720;
  for (const plan::Plan& plan : plans()) {
    SCOPED_TRACE(plan.queries[0].spec.name);
    const std::vector<oracle::Event> events = stream(++seed);
    const test::TemporaryDirectory directory(test::TemporaryDirectory::in_memory());
    HostCuda cuda;
    state::CheckpointStore store(directory.path());
    EngineUnderTest engine(plan, *cuda.backend);
    const auto cpu = execute::make_cpu_backend(1);
    EngineUnderTest expected(plan, *cpu);
    std::string saved;
    std::uint64_t referenced = 0;
    for (std::size_t at = 0; at < events.size(); at += kStep) {
      engine.feed(step(events, at));
      expected.feed(step(events, at));
      if (at / kStep % 4 != 1) continue;
      state::CheckpointDraft draft = store.draft();
      if (const auto result = store.poll()) referenced += result->referenced_bytes;
      engine.save(draft.section("query/x"));
      saved = expected.save();
      store.start_write(std::move(draft));
    }
    store.wait();
    const auto result = store.poll();
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->error, "");
    // Of a short window every pane has changed or gone since the checkpoint before.
    if (plan.queries[0].window_ns > 20 * kSecond) {
      EXPECT_GT(referenced + result->referenced_bytes, 0U) << "panes that did not change were written again";
    }
    std::vector<std::string> warnings;
    const auto checkpoint = store.load(warnings);
    ASSERT_TRUE(checkpoint.has_value());
    EXPECT_EQ(*checkpoint->find("query/x"), saved);
    EXPECT_EQ(engine.texts(), expected.texts());
  }
}

/// The engine is gone before its last checkpoint is written.
TEST(CudaCheckpoint, Panes_ThatAreGoneWereCopiedBefore) {
  const plan::Plan plan = plan_of(plugs_stream(1, kSecond), count_by_sensor().with(6 * kSecond, 2 * kSecond).spec);
  const std::vector<oracle::Event> events = stream(740);
  const auto cpu = execute::make_cpu_backend(1);
  EngineUnderTest expected(plan, *cpu);
  expected.feed(events);
  state::SectionWriter section;
  {
    HostCuda cuda;
    EngineUnderTest engine(plan, *cuda.backend);
    engine.feed(events);
    engine.save(section);
  }
  section.resolve();
  EXPECT_EQ(section.gather(), expected.save());
}

struct Loss {
  const char* name;
  std::uint64_t bad_calls;
};

class CudaCheckpointLoss : public ::testing::TestWithParam<Loss> {};

// The device fails on the store's thread: that checkpoint is not written, the one before stands, no row is lost.
TEST_P(CudaCheckpointLoss, Device_LeavesTheCheckpointBeforeAndTheRows) {
  for (const QueryCase& query : {count_by_sensor().with(6 * kSecond, 2 * kSecond),
                                 count_by_sensor().with(6 * kSecond, 4 * kSecond, 20 * kSecond),
                                 every_aggregate().with(6 * kSecond, 2 * kSecond)}) {
    SCOPED_TRACE(query.name);
    const plan::Plan plan = plan_of(plugs_stream(1, kSecond), query.spec);
    const std::vector<oracle::Event> events = stream(760);
    const std::size_t first = 6 * kStep;
    const std::size_t second = 9 * kStep;
    const test::TemporaryDirectory directory(test::TemporaryDirectory::in_memory());
    std::uint64_t calls = 0;
    for (const bool fails : {false, true}) {
      HostDeviceOptions options;
      if (fails) {
        options.good_calls = calls;
        options.bad_calls = GetParam().bad_calls;
      }
      HostCuda cuda(options);
      EngineUnderTest engine(plan, *cuda.backend);
      const auto cpu = execute::make_cpu_backend(1);
      EngineUnderTest expected(plan, *cpu);
      state::CheckpointStore store(directory.path());
      std::string before;
      for (std::size_t at = 0; at < events.size(); at += kStep) {
        engine.feed(step(events, at));
        expected.feed(step(events, at));
        if (fails && at > second) {
          ASSERT_EQ(cuda.device->allocated(), 0U) << "the panes stayed on a device that had failed";
        }
        const bool last = at + kStep >= events.size();
        if (at != first && at != second && !last) continue;
        state::CheckpointDraft draft = store.draft();
        engine.save(draft.section("query/x"));
        if (!fails && at == second) calls = cuda.device->calls();
        store.start_write(std::move(draft));
        store.wait();
        const auto result = store.poll();
        ASSERT_TRUE(result.has_value());
        std::vector<std::string> warnings;
        if (fails && at == second) {
          EXPECT_EQ(result->number, 0U);
          EXPECT_NE(result->error, "");
        } else {
          EXPECT_EQ(result->error, "");
          before = expected.save();
        }
        EXPECT_EQ(*store.load(warnings)->find("query/x"), before);
      }
      engine.feed({}, true);
      expected.feed({}, true);
      EXPECT_EQ(engine.texts(), expected.texts());
      EXPECT_EQ(engine.ledger().counted, expected.ledger().counted);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, CudaCheckpointLoss,
                         ::testing::Values(Loss{"all_that_follow", std::numeric_limits<std::uint64_t>::max()},
                                           Loss{"the_one", 1}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace weir::contract
