// `having` on every backend: the same rows are kept wherever it is evaluated, to the last bit of what it reads, and of
// what a device computed only the kept rows travel.
#include <gtest/gtest.h>

#include <algorithm>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/events.hpp"
#include "contract/naive_backend.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "kernels/host_device.hpp"

namespace weir::contract {
namespace {

std::vector<oracle::Event> stream(std::uint64_t seed) {
  StreamShape shape;
  shape.seed = seed;
  shape.readings = 900;
  shape.disorder = kSecond;
  shape.straggler_share = 0.1;
  shape.jump_share = 0.01;
  shape.new_plug_every = 60;
  std::vector<oracle::Event> events;
  for (oracle::Event& event : random_stream(shape)) {
    events.push_back(std::move(event));
    if (events.size() % 50 == 0) events.push_back(interval_end(static_cast<std::int64_t>(events.size()) * kSecond));
  }
  return events;
}

class Having : public BackendTest {
 protected:
  /// @returns how many rows there are
  std::size_t expect_same(const QueryCase& query, const std::string& having, std::uint64_t seed) {
    SCOPED_TRACE(query.name + ": " + having);
    spec::Query spec = query.spec;
    spec.having = having;
    const plan::Plan plan = plan_of(plugs_stream(1, kSecond / 2), spec);
    const auto naive = make_naive_backend();
    const std::vector<oracle::Event> events = stream(seed);
    const std::span<const oracle::Event> all(events);
    EngineUnderTest expected(plan, *naive);
    EngineUnderTest engine(plan, backend());
    for (EngineUnderTest* each : {&expected, &engine}) {
      for (std::size_t from = 0; from < all.size(); from += 200) {
        each->feed(all.subspan(from, std::min<std::size_t>(200, all.size() - from)));
      }
      each->feed({}, true);
    }
    EXPECT_EQ(engine.texts(), expected.texts());
    EXPECT_EQ(engine.ledger().rows, expected.ledger().rows);
    EXPECT_EQ(engine.ledger().revisions, expected.ledger().revisions);
    EXPECT_EQ(engine.ledger().windows, expected.ledger().windows);
    return expected.rows().size();
  }
};

TEST_P(Having, Values_AreTheSameToTheLastBitWhereTheyAreCompared) {
  std::uint64_t seed = 600;
  for (const char* value :
       {"count()",        "count(temp)",          "sum(load)",      "sum(temp)",           "avg(load)",
        "avg(temp)",      "avg(load * temp / 7)", "min(load)",      "max(load)",           "range(load)",
        "first(load)",    "last(load)",           "first(temp)",    "stddev(load)",        "stddev_pop(temp)",
        "variance(load)", "variance_pop(load)",   "variance(temp)", "quantile(load, 0.9)", "distinct(household)"}) {
    const QueryCase query = every_aggregate().with(6 * kSecond, 2 * kSecond);
    // The remainder is exact, and of such a divisor it has nothing in common between neighbouring doubles.
    const std::string rest = std::string(value) + " % 0.0000000000003";
    ++seed;
    const std::size_t kept = expect_same(query, rest + " < 0.00000000000015", seed);
    const std::size_t refused = expect_same(query, "not (" + rest + " < 0.00000000000015)", seed);
    const std::size_t null = expect_same(query, "is_null(" + std::string(value) + ")", seed);
    const std::size_t all = expect_same(query, "count() > 0", seed);
    EXPECT_GT(kept, 0U) << value;
    EXPECT_GT(refused, 0U) << value;
    EXPECT_EQ(kept + refused + null, all) << value;
  }
}

TEST_P(Having, Keys_AreTestedAlsoOfGroupsThatComeLater) {
  const std::size_t some =
      expect_same(key_tests().with(6 * kSecond, 2 * kSecond), "house <= 'h1' or plug > 'p12'", 650);
  const std::size_t all = expect_same(key_tests().with(6 * kSecond, 2 * kSecond), "count() > 0", 650);
  EXPECT_GT(some, 0U);
  EXPECT_LT(some, all);
}

// A window whose only row is refused is not an empty window, whose row might be kept.
TEST_P(Having, Window_WhoseRowIsRefusedIsNotEmpty) {
  EXPECT_GT(expect_same(total().with(6 * kSecond, 2 * kSecond), "count() % 2 == 0", 660), 0U);
  EXPECT_EQ(expect_same(total().with(6 * kSecond, 2 * kSecond), "count() < 0", 660), 0U);
  // emit_empty begins with the first window that has readings, also when its row is refused.
  EXPECT_GT(expect_same(total().with(2 * kSecond, 2 * kSecond), "count() == 0", 661), 0U);
}

TEST_P(Having, Revisions_AreNumberedAlsoWhenTheirRowIsRefused) {
  for (std::uint64_t seed = 670; seed < 674; ++seed) {
    EXPECT_GT(expect_same(count_by_sensor().with(12 * kSecond, 4 * kSecond, 20 * kSecond), "count() % 2 == 0", seed),
              0U);
    EXPECT_GT(expect_same(total().with(6 * kSecond, 4 * kSecond, 20 * kSecond), "count() % 3 != 0", seed), 0U);
  }
}

TEST_P(Having, Rows_OfAQueryWithoutAWindowAreKeptOrRefused) {
  EXPECT_GT(expect_same(filtered_and_derived(), "avg(temp) > 30", 680), 0U);
  EXPECT_GT(expect_same(every_aggregate(), "quantile(load, 0.5) > 100 and count() > 3", 681), 0U);
}

WEIR_CONTRACT_SUITE(Having);

struct Copied {
  std::size_t rows = 0;
  std::uint64_t bytes = 0;
};

/// What comes back from the device while a query runs.
Copied copied(const std::string& having) {
  spec::Query spec = count_by_sensor().with(6 * kSecond, 2 * kSecond).spec;
  spec.select.emplace_back("max(load)");
  spec.having = having;
  const plan::Plan plan = plan_of(plugs_stream(1, kSecond), spec);
  auto made = kernels::host::make_host_device();
  const kernels::host::HostDevice& device = *made;
  execute::cuda::CudaBackend backend(std::move(made), 1);
  EngineUnderTest engine(plan, backend);
  const std::vector<oracle::Event> events = stream(690);
  engine.feed(events);
  engine.feed({}, true);
  return {engine.rows().size(), device.copied_to_host()};
}

TEST(HavingOnDevice, OnlyRowsThatAreKeptTravel) {
  // A group id; readings, a sum of two words, and both extremes.
  constexpr std::uint64_t kEntry = sizeof(std::uint32_t) + 5 * sizeof(kernels::Word);
  const Copied none = copied("max(load) > 1e300");
  const Copied some = copied("max(load) > 1000");
  const Copied all = copied("max(load) > -1e300");
  ASSERT_EQ(none.rows, 0U);
  ASSERT_GT(some.rows, 0U);
  ASSERT_GT(all.rows, some.rows);
  EXPECT_EQ(some.bytes - none.bytes, some.rows * kEntry);
  EXPECT_EQ(all.bytes - none.bytes, all.rows * kEntry);
}

}  // namespace
}  // namespace weir::contract
