#include "ops/hyperloglog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace weir::ops {
namespace {

/// Registers filled from hashes, one by one.
struct Registers {
  void add(std::uint64_t hash) {
    const HllUpdate update = hll_update(hash);
    ranks[update.index] = std::max(ranks[update.index], update.rank);
  }
  [[nodiscard]] std::uint64_t estimate() const {
    HllRanks counts;
    for (const std::uint32_t rank : ranks) ++counts.registers[rank];
    return hll_estimate(counts);
  }
  std::vector<std::uint32_t> ranks = std::vector<std::uint32_t>(kHllRegisters);
};

TEST(HyperLogLog, Update_CountsZerosBehindTheIndex) {
  EXPECT_EQ(hll_update(0).index, 0U);
  EXPECT_EQ(hll_update(0).rank, kHllMaxRank);
  EXPECT_EQ(hll_update(1).rank, kHllMaxRank - 1);
  EXPECT_EQ(hll_update(~std::uint64_t{0}).index, kHllRegisters - 1);
  EXPECT_EQ(hll_update(~std::uint64_t{0}).rank, 1U);
  EXPECT_EQ(hll_update(std::uint64_t{1} << 52).index, 1U);
}

TEST(HyperLogLog, NoHash_IsEstimatedAsZero) {
  EXPECT_EQ(Registers{}.estimate(), 0U);
}

TEST(HyperLogLog, FewHashes_AreCountedExactly) {
  std::mt19937_64 random(14);
  Registers registers;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const std::uint64_t hash = random();
    registers.add(hash);
    registers.add(hash);
    EXPECT_EQ(registers.estimate(), n);
  }
}

TEST(HyperLogLog, Error_StaysWithinTheStatedStandardError) {
  const double standard_error = 1.04 / std::sqrt(static_cast<double>(kHllRegisters));
  for (const std::uint64_t n : {100U, 1'000U, 4'096U, 10'000U, 20'000U, 100'000U, 400'000U}) {
    double squares = 0.0;
    constexpr int kRuns = 12;
    for (int run = 0; run < kRuns; ++run) {
      std::mt19937_64 random(100 * n + static_cast<unsigned>(run));
      Registers registers;
      for (std::uint64_t i = 0; i < n; ++i) registers.add(random());
      const double error = static_cast<double>(registers.estimate()) / static_cast<double>(n) - 1.0;
      squares += error * error;
    }
    // The mean of 12 squared errors exceeds twice their expectation once in about a hundred; the seeds are fixed.
    EXPECT_LT(std::sqrt(squares / kRuns), 1.5 * standard_error) << n;
  }
}

TEST(HyperLogLog, SaturatedRegisters_GiveTheLargestNumber) {
  HllRanks ranks;
  ranks.registers[kHllMaxRank] = kHllRegisters;
  EXPECT_EQ(hll_estimate(ranks), std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace weir::ops
