#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "execute/backend.hpp"
#include "execute/queries.hpp"

namespace weir::execute {
namespace {

class NoConsumer final : public WindowConsumer {
 public:
  void window(const WindowTotals& totals) override { entries += totals.groups.size(); }
  std::size_t entries = 0;
};

TEST(Backends, Cpu_IsAlwaysThere) {
  const std::vector<BackendChoice> choices = list_backends();
  ASSERT_FALSE(choices.empty());
  const auto cpu =
      std::find_if(choices.begin(), choices.end(), [](const auto& choice) { return choice.name == "cpu"; });
  ASSERT_NE(cpu, choices.end());
  EXPECT_TRUE(cpu->available);
  EXPECT_NE(cpu->detail.find("thread"), std::string::npos);
}

TEST(Backends, UnavailableOnes_SayWhy) {
  for (const BackendChoice& choice : list_backends()) {
    if (choice.available) continue;
    EXPECT_FALSE(choice.detail.empty()) << choice.name;
    std::string why;
    EXPECT_THROW(make_backend(choice.name, 1, why), ConfigError) << choice.name;
  }
}

TEST(Backends, UnknownDevice_IsAConfigurationError) {
  std::string why;
  EXPECT_THROW(make_backend("gpu", 1, why), ConfigError);
  EXPECT_THROW(make_backend("", 1, why), ConfigError);
}

TEST(Backends, Cpu_HasAsManyThreadsAsItIsTold) {
  std::string why = "x";
  EXPECT_NE(make_backend("cpu", 3, why)->description().find("3 threads"), std::string::npos);
  EXPECT_TRUE(why.empty());
  EXPECT_EQ(make_backend("cpu", 1, why)->name(), "cpu");
}

TEST(Backends, Pieces_AreEachDoneOnce) {
  for (const unsigned threads : {1U, 2U, 4U}) {
    const auto backend = make_cpu_backend(threads);
    for (const std::size_t pieces : {0U, 1U, 2U, 3U, 33U}) {
      std::vector<int> done(pieces, 0);
      backend->run_pieces(pieces, [&](std::size_t i) { ++done[i]; });
      EXPECT_EQ(std::count(done.begin(), done.end(), 1), static_cast<std::ptrdiff_t>(pieces));
    }
  }
}

/// A window of `panes` panes over all groups in each: what is held is within the estimate, and not far below it.
void check_estimate(unsigned threads, std::uint32_t groups, std::int64_t panes_per_window) {
  constexpr std::int64_t kPane = 1'000;
  plan::QueryPlan query = grouped_query({0}, panes_per_window * kPane, kPane);
  query.max_groups = groups;
  plan::Argument argument;
  argument.field = 0;
  argument.nullable = false;
  argument.parts = plan::kPartCount | plan::kPartSum | plan::kPartMinMax;
  query.arguments = {argument};
  const auto backend = make_cpu_backend(threads);
  NoConsumer consumer;
  const auto panes = backend->make_panes(query, consumer, {});
  std::vector<std::uint32_t> group_of(groups);
  for (std::uint32_t g = 0; g < groups; ++g) group_of[g] = g;
  GroupView view;
  view.group_of = group_of.data();
  view.keys = view.groups = groups;
  std::uint64_t peak = 0;
  std::int64_t closed = kNothingClosed;
  for (std::int64_t pane = 0; pane < 3 * panes_per_window; ++pane) {
    batch::Batch batch(1, 2 * groups);
    for (std::uint32_t row = 0; row < 2 * groups; ++row) {
      batch.times()[row] = pane * kPane + row % kPane;
      batch.keys()[row] = row % groups;
      batch.field(0)[row] = row;
    }
    batch.set_size(2 * groups);
    panes->begin(batch, view);
    const Horizon horizon{closed, closed == kNothingClosed ? closed : closed + kPane - query.window_ns, false, 0};
    panes->accumulate({0, 2 * groups}, horizon);
    peak = std::max(peak, panes->bytes());
    closed = (pane + 1) * kPane;
    panes->close(closed, closed + kPane - query.window_ns);
    StepCounts counts;
    std::vector<std::uint32_t> late;
    panes->finish(counts, late, 0);
    peak = std::max(peak, panes->bytes());
  }
  EXPECT_GT(consumer.entries, 0U);
  const std::uint64_t planned = backend->worst_case(query, {.panes = panes_per_window}).host_bytes;
  EXPECT_GE(planned, peak) << threads << " threads, " << groups << " groups";
  EXPECT_LE(static_cast<double>(planned), 1.3 * static_cast<double>(peak))
      << threads << " threads, " << groups << " groups";
}

TEST(CpuBackend, WorstCase_CoversThePeakAndIsNotFarAboveIt) {
  for (const unsigned threads : {1U, 2U}) {
    check_estimate(threads, 100, 6);
    check_estimate(threads, 10'000, 6);
    check_estimate(threads, 40'000, 6);
    check_estimate(threads, 100, 600);
  }
}

}  // namespace
}  // namespace weir::execute
