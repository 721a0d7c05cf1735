#include "ops/quantile_bins.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "core/int128.hpp"

namespace weir::ops {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::int64_t any_value(std::mt19937_64& random) {
  const auto value = static_cast<std::int64_t>(random()) >> (random() % 64);
  return value == std::numeric_limits<std::int64_t>::min() ? -kMost : value;
}

TEST(QuantileBin, SmallValues_AreExact) {
  for (std::int64_t value = -127; value <= 127; ++value) {
    EXPECT_EQ(quantile_bin_value(quantile_bin(value)), value);
  }
}

TEST(QuantileBin, Representative_IsOffByLessThanOnePercentAtEveryMagnitude) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t value = any_value(random);
    const std::int64_t standing = quantile_bin_value(quantile_bin(value));
    const Int128 error = static_cast<Int128>(standing) - value;
    ASSERT_TRUE((error < 0 ? -error : error) * 128 <= (value < 0 ? -static_cast<Int128>(value) : value)) << value;
  }
}

TEST(QuantileBin, Bins_AscendWithValuesAndHaveNoGaps) {
  std::int32_t last = quantile_bin(0);
  for (std::int64_t value = 1; value < 70'000; ++value) {
    const std::int32_t bin = quantile_bin(value);
    ASSERT_TRUE(bin == last || bin == last + 1) << value;
    ASSERT_EQ(quantile_bin(-value), -bin);
    last = bin;
  }
  for (int octave = 7; octave < 63; ++octave) {
    const std::int64_t edge = std::int64_t{1} << octave;
    EXPECT_EQ(quantile_bin(edge), quantile_bin(edge - 1) + 1) << octave;
  }
  EXPECT_EQ(quantile_bin(kMost), kQuantileLastBin);
  EXPECT_EQ(quantile_bin(-kMost), -kQuantileLastBin);
}

TEST(QuantileBin, Representative_LiesInItsOwnBin) {
  for (std::int32_t bin = -kQuantileLastBin; bin <= kQuantileLastBin; ++bin) {
    ASSERT_EQ(quantile_bin(quantile_bin_value(bin)), bin);
  }
}

TEST(QuantileRank, NearestRank_IsAtLeastOneAndAtMostTheCount) {
  EXPECT_EQ(quantile_rank(0.0, 10), 1U);
  EXPECT_EQ(quantile_rank(0.05, 10), 1U);
  EXPECT_EQ(quantile_rank(0.5, 10), 5U);
  EXPECT_EQ(quantile_rank(0.5, 11), 6U);
  EXPECT_EQ(quantile_rank(0.99, 100), 99U);
  EXPECT_EQ(quantile_rank(1.0, 10), 10U);
  EXPECT_EQ(quantile_rank(1.0, 1), 1U);
}

TEST(QuantileValue, Value_IsWithinOnePercentOfTheExactOne) {
  std::mt19937_64 random(13);
  for (const std::size_t size : {1U, 2U, 31U, 32U, 33U, 5'000U}) {
    std::vector<std::int64_t> values(size);
    for (std::int64_t& value : values) value = any_value(random) >> 8;
    std::map<std::int32_t, std::uint64_t> counts;
    for (const std::int64_t value : values) ++counts[quantile_bin(value)];
    const std::vector<std::pair<std::int32_t, std::uint64_t>> bins(counts.begin(), counts.end());
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(size))));
      const std::int64_t exact = values[rank - 1];
      const std::int64_t value = quantile_value(bins, size, q, values.front(), values.back());
      ASSERT_LE(std::fabs(static_cast<double>(value) - static_cast<double>(exact)),
                std::fabs(static_cast<double>(exact)) * kQuantileError)
          << "size " << size << ", q " << q;
      ASSERT_GE(value, values.front());
      ASSERT_LE(value, values.back());
    }
  }
}

}  // namespace
}  // namespace weir::ops
