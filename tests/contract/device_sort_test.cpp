// What the CUDA backend sorts to close windows with sketches: counted, not timed.
#include <gtest/gtest.h>

#include "contract/engine_under_test.hpp"
#include "contract/host_cuda.hpp"
#include "contract/naive_backend.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"

namespace weir::contract {
namespace {

/// quantile() of two arguments, distinct() of two keys.
constexpr std::uint64_t kSketches = 4;
constexpr std::size_t kStep = 50;

/// Feeds the stream, and a save() now and then. The readings' own codes are all that is sorted, each once: at every
/// close those since the one before.
void expect_sorted_once(const QueryCase& query, double straggler_share) {
  StreamShape shape;
  shape.seed = 500;
  shape.readings = 3000;
  shape.disorder = kSecond;
  shape.straggler_share = straggler_share;
  const std::vector<oracle::Event> events = random_stream(shape);
  const std::span<const oracle::Event> all(events);
  const plan::Plan plan = plan_of(plugs_stream(1, kSecond), query.spec);
  const auto naive = make_naive_backend();
  EngineUnderTest whole(plan, *naive);
  whole.feed(all, true);

  execute::cuda::Tuning tuning;
  tuning.accumulation = execute::cuda::Accumulation::global;  // which sorts nothing itself
  const HostCuda cuda({}, tuning);
  const kernels::host::HostDevice& device = *cuda.device;
  EngineUnderTest engine(plan, *cuda.backend);
  std::uint64_t unsorted = 0;
  for (std::size_t from = 0; from < all.size(); from += kStep) {
    const std::uint64_t before = device.sorted();
    const std::uint64_t closed = engine.windows_closed();
    const std::span<const oracle::Event> next = all.subspan(from, std::min(kStep, all.size() - from));
    engine.feed(next, from + kStep >= all.size());
    unsorted += next.size() * kSketches;
    if (from % (7 * kStep) == 0) static_cast<void>(engine.save());
    const std::uint64_t sorted = device.sorted() - before;
    ASSERT_LE(sorted, unsorted) << "at reading " << from << ", " << engine.windows_closed() - closed << " windows";
    unsorted -= sorted;
  }
  EXPECT_GT(engine.windows_closed(), 100U);
  EXPECT_EQ(unsorted, 0U);
  EXPECT_EQ(engine.texts(), whole.texts());
}

TEST(DeviceSort, AClose_SortsWhatIsNewAndNotTheWindow) {
  expect_sorted_once(every_aggregate().with(60 * kSecond, kSecond), 0.0);
  expect_sorted_once(every_aggregate().with(2 * kSecond, 2 * kSecond), 0.0);
}

TEST(DeviceSort, ARevision_SortsNothingAgain) {
  expect_sorted_once(every_aggregate().with(20 * kSecond, kSecond, 30 * kSecond), 0.1);
}

}  // namespace
}  // namespace weir::contract
