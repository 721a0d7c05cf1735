// What the CUDA backend allocates: what was planned, when the panes are made, and nothing after that; what it does
// where the device has no room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "contract/engine_under_test.hpp"
#include "contract/events.hpp"
#include "contract/host_cuda.hpp"
#include "contract/naive_backend.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "core/error.hpp"
#include "execute/cuda/memory_plan.hpp"
#include "runtime/memory_estimate.hpp"
#include "support/kept_log.hpp"

namespace weir::contract {
namespace {

using execute::cuda::Accumulation;
using ::testing::HasSubstr;

std::vector<oracle::Event> stream(std::size_t sources = 1, bool per_batch = false) {
  StreamShape shape;
  shape.seed = 600;
  shape.sources = sources;
  shape.readings = 3000;
  shape.disorder = kSecond;
  shape.straggler_share = 0.05;
  std::vector<oracle::Event> events;
  for (oracle::Event& event : random_stream(shape)) {
    events.push_back(std::move(event));
    if (per_batch && events.size() % 50 == 0) {
      events.push_back(interval_end(static_cast<std::int64_t>(events.size()) * kSecond));
    }
  }
  return events;
}

/// Feeds batches of 100 events, with a checkpoint after each tenth.
void feed(EngineUnderTest& engine, std::span<const oracle::Event> events) {
  for (std::size_t from = 0; from < events.size(); from += 100) {
    engine.feed(events.subspan(from, std::min<std::size_t>(100, events.size() - from)), from + 100 >= events.size());
    if (from % 1000 == 0) static_cast<void>(engine.save());
  }
}

std::vector<std::string> rows_of(const plan::Plan& plan, std::span<const oracle::Event> events) {
  const auto naive = make_naive_backend();
  EngineUnderTest engine(plan, *naive);
  feed(engine, events);
  return engine.texts();
}

void expect_planned(const QueryCase& query, std::size_t sources, Accumulation accumulation) {
  SCOPED_TRACE(query.name + " window " + std::to_string(query.spec.window.count()) + " slide " +
               std::to_string(query.spec.slide.count()) + " way " + std::to_string(static_cast<int>(accumulation)));
  const plan::Plan plan = plan_of(plugs_stream(sources, kSecond), query.spec);
  const plan::QueryPlan& compiled = plan.queries[0];
  const std::vector<oracle::Event> events = stream(sources, compiled.per_batch);
  execute::cuda::Tuning tuning;
  tuning.accumulation = accumulation;
  tuning.chunk_rows = 70;
  const HostCuda cuda({}, tuning);
  const execute::cuda::MemoryPlan memory(compiled, execute::extent_of(plan, compiled), tuning);
  const std::uint64_t planned = memory.device_bytes(compiled, *cuda.device);
  const std::uint64_t pinned = memory.pinned_bytes(compiled);
  EXPECT_EQ(cuda.backend->worst_case(compiled, execute::extent_of(plan, compiled)).device_bytes, planned);
  {
    EngineUnderTest engine(plan, *cuda.backend);
    ASSERT_EQ(cuda.device->allocated(), planned);
    ASSERT_EQ(cuda.device->pinned(), pinned);
    const std::uint64_t made = cuda.device->allocations();
    feed(engine, events);
    EXPECT_EQ(cuda.device->allocations(), made) << "something is allocated after the start";

    EngineUnderTest again(plan, *cuda.backend);
    const std::uint64_t both = cuda.device->allocations();
    again.load(engine.save(), engine);
    again.feed({}, true);
    EXPECT_EQ(cuda.device->allocations(), both) << "a checkpoint is loaded into what there is";
    EXPECT_EQ(cuda.device->allocated(), 2 * planned);
    EXPECT_EQ(cuda.device->pinned(), 2 * pinned);
  }
  EXPECT_EQ(cuda.device->allocated(), 0U);
  EXPECT_EQ(cuda.device->pinned(), 0U);
}

TEST(DeviceMemory, Panes_AllocateWhatWasPlannedAndNothingMore) {
  for (const QueryCase& query : all_queries()) {
    expect_planned(query.with(6 * kSecond, 2 * kSecond), 1, Accumulation::automatic);
    expect_planned(query.with(4 * kSecond, 4 * kSecond, 6 * kSecond), 1, Accumulation::automatic);
    expect_planned(query.with(3 * kSecond, 2 * kSecond, 4 * kSecond), 1, Accumulation::global);
    expect_planned(query.with(2 * kSecond, 5 * kSecond), 2, Accumulation::sorted);
    expect_planned(query, 1, Accumulation::shared);
  }
}

QueryCase sketches() {
  QueryCase query = every_aggregate();
  query.spec.select = {"count()", "quantile(load, 0.5)", "quantile(temp, 0.9)", "distinct(household)"};
  return query.with(6 * kSecond, 2 * kSecond, 3 * kSecond);
}

execute::cuda::Tuning few_codes() {
  execute::cuda::Tuning tuning;
  tuning.assumed_bins = 1;
  tuning.assumed_keys = 1;
  return tuning;
}

TEST(DeviceMemory, Sketches_GrowBeyondWhatWasAssumed) {
  const plan::Plan plan = [] {
    QueryCase query = sketches();
    query.spec.max_groups = 4;
    return plan_of(plugs_stream(1, kSecond), query.spec);
  }();
  const std::vector<oracle::Event> events = stream();
  const HostCuda cuda({}, few_codes());
  EngineUnderTest engine(plan, *cuda.backend);
  const std::uint64_t planned = cuda.device->allocated();
  feed(engine, events);
  EXPECT_GT(cuda.device->allocated(), planned);
  EXPECT_EQ(engine.texts(), rows_of(plan, events));
}

TEST(DeviceMemory, Sketches_GoOnOnTheCpuWhereTheDeviceHasNoRoomForMore) {
  const plan::Plan plan = [] {
    QueryCase query = sketches();
    query.spec.max_groups = 4;
    return plan_of(plugs_stream(1, kSecond), query.spec);
  }();
  const std::vector<oracle::Event> events = stream();
  const std::vector<std::string> rows = rows_of(plan, events);
  std::uint64_t planned = 0;
  std::uint64_t needed = 0;
  std::string state;
  {
    const HostCuda roomy({}, few_codes());
    EngineUnderTest engine(plan, *roomy.backend);
    planned = roomy.device->allocated();
    feed(engine, events);
    needed = roomy.device->allocated();
  }
  ASSERT_GT(needed, planned);
  for (const std::uint64_t memory : {planned, planned + (needed - planned) / 4, needed - 1}) {
    kernels::host::HostDeviceOptions options;
    options.memory = memory;
    const HostCuda cuda(options, few_codes());
    const test::KeptLog log;
    EngineUnderTest engine(plan, *cuda.backend);
    feed(engine, events);
    EXPECT_EQ(engine.texts(), rows);
    EXPECT_EQ(log.times("\n"), 1) << log.text();
    EXPECT_THAT(log.text(), ::testing::AllOf(HasSubstr("no room for"), HasSubstr("move to the CPU")));
    EXPECT_EQ(cuda.device->allocated(), 0U) << "the device is not given back";
  }
}

TEST(DeviceMemory, ACheckpoint_ThatTheDeviceHasNoRoomForIsReadByTheCpu) {
  const plan::Plan plan = [] {
    QueryCase query = sketches();
    query.spec.max_groups = 4;
    return plan_of(plugs_stream(1, kSecond), query.spec);
  }();
  const std::vector<oracle::Event> events = stream();
  const std::span<const oracle::Event> all(events);
  const auto naive = make_naive_backend();
  EngineUnderTest first(plan, *naive);
  first.feed(all.first(1000));

  kernels::host::HostDeviceOptions options;
  {
    const HostCuda roomy({}, few_codes());
    const EngineUnderTest engine(plan, *roomy.backend);
    options.memory = roomy.device->allocated();
  }
  const HostCuda cuda(options, few_codes());
  const test::KeptLog log;
  EngineUnderTest second(plan, *cuda.backend);
  second.load(first.save(), first);
  EXPECT_EQ(log.times("\n"), 1) << log.text();
  second.feed(all.subspan(1000), true);
  first.feed(all.subspan(1000), true);
  const std::vector<std::string> rows = first.texts();
  const std::vector<std::string> rest = second.texts();
  ASSERT_LT(rest.size(), rows.size());
  EXPECT_TRUE(std::equal(rest.rbegin(), rest.rend(), rows.rbegin()));
}

TEST(DeviceMemory, APlanThatDoesNotFitIsRefusedBeforeTheStart) {
  const plan::Plan plan = plan_of(plugs_stream(1, kSecond), sketches().spec);
  const HostCuda roomy;
  const std::uint64_t planned = runtime::estimate_memory(plan, *roomy.backend, runtime::RunMode::run).device_bytes;
  kernels::host::HostDeviceOptions options;
  options.memory = planned;
  const HostCuda exact(options);
  EXPECT_NO_THROW(runtime::require_memory(plan, runtime::estimate_memory(plan, *exact.backend, runtime::RunMode::run)));
  EXPECT_NO_THROW(EngineUnderTest(plan, *exact.backend)) << "what is planned does not suffice";

  options.memory = planned - 1;
  const HostCuda tight(options);
  try {
    runtime::require_memory(plan, runtime::estimate_memory(plan, *tight.backend, runtime::RunMode::run));
    ADD_FAILURE() << "not refused";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("on the device"), HasSubstr("every_aggregate")));
  }
  EXPECT_EQ(tight.device->allocated(), 0U);
  // Somebody else holds a part of the device.
  try {
    const EngineUnderTest engine(plan, *tight.backend);
    ADD_FAILURE() << "made without room";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr(std::to_string(planned)), HasSubstr("no room for")));
  }
  EXPECT_EQ(tight.device->allocated(), 0U);
}

TEST(DeviceMemory, AutoTakesTheCpuWhereThePlanDoesNotFit) {
  plan::Plan plan = plan_of(plugs_stream(1, kSecond), sketches().spec);
  const HostCuda roomy;
  const std::uint64_t planned = runtime::estimate_memory(plan, *roomy.backend, runtime::RunMode::run).device_bytes;
  kernels::host::HostDeviceOptions options;
  const auto make = [&](const std::string& device, unsigned threads, std::string& why) {
    std::unique_ptr<execute::Backend> backend = std::move(HostCuda(options).backend);
    return device == "cpu" ? execute::make_backend(device, threads, why) : std::move(backend);
  };
  const auto chosen = [&](const char* device, std::uint64_t memory, std::string& why) {
    plan.spec.device = device;
    options.memory = memory;
    return runtime::choose_backend(plan, runtime::RunMode::run, why, make)->name();
  };
  std::string why;
  EXPECT_NE(chosen("auto", planned, why), "cpu");
  EXPECT_EQ(why, "");
  EXPECT_NE(chosen("cuda", planned - 1, why), "cpu") << "the plan insists: it is refused with the numbers";
  EXPECT_EQ(why, "");
  EXPECT_EQ(chosen("auto", planned - 1, why), "cpu");
  EXPECT_THAT(why, HasSubstr("computing on the CPU: the configuration can need"));
  plan.spec.memory_limit = 1;
  EXPECT_EQ(chosen("auto", planned, why), "cpu");
  EXPECT_THAT(why, HasSubstr("the limit is 1"));
}

}  // namespace
}  // namespace weir::contract
