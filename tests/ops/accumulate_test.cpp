#include "ops/accumulate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace weir::ops {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::int64_t any_value(std::mt19937_64& random) {
  const auto value = static_cast<std::int64_t>(random()) >> (random() % 64);
  return value == std::numeric_limits<std::int64_t>::min() ? -kMost : value;
}

TEST(Sum96, Values_AddUpToThe128BitSum) {
  std::mt19937_64 random(7);
  std::int64_t low = 0;
  std::int32_t wraps = 0;
  Int128 expected = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t value = any_value(random);
    add_value(low, wraps, value);
    expected += value;
    ASSERT_TRUE(to_int128(low, wraps) == expected);
  }
}

TEST(Sum96, LargestAndSmallestValues_DoNotOverflow) {
  for (const std::int64_t value : {kMost, -kMost}) {
    std::int64_t low = 0;
    std::int32_t wraps = 0;
    for (int i = 0; i < 1'000'000; ++i) add_value(low, wraps, value);
    EXPECT_TRUE(to_int128(low, wraps) == static_cast<Int128>(value) * 1'000'000);
  }
}

TEST(Sum96, MostReadingsOfTheLargestValue_Fit) {
  for (const std::int64_t value : {kMost, -kMost}) {
    const Int128 sum = static_cast<Int128>(value) * 0xFFFF'FFFF;
    std::int64_t low = 0;
    std::int32_t wraps = 0;
    from_int128(sum, low, wraps);
    EXPECT_TRUE(to_int128(low, wraps) == sum);
  }
}

TEST(Sum96, Sums_Merge) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 10'000; ++i) {
    const Int128 a = static_cast<Int128>(any_value(random)) * 1'000'003;
    const Int128 b = static_cast<Int128>(any_value(random)) * 999'983;
    std::int64_t low = 0;
    std::int64_t other_low = 0;
    std::int32_t wraps = 0;
    std::int32_t other_wraps = 0;
    from_int128(a, low, wraps);
    from_int128(b, other_low, other_wraps);
    add_sum(low, wraps, other_low, other_wraps);
    ASSERT_TRUE(to_int128(low, wraps) == a + b);
  }
}

/// Squares added digit by digit in base 2^16, which shares nothing with the limbs.
class SlowSquares {
 public:
  void add(std::int64_t value) {
    const auto magnitude = value < 0 ? 0U - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        digits_[i + j] += ((magnitude >> (16 * i)) & 0xFFFF) * ((magnitude >> (16 * j)) & 0xFFFF);
        carry();
      }
    }
  }
  [[nodiscard]] UInt192 value() const {
    UInt192 value;
    for (std::size_t i = 0; i < digits_.size(); ++i) value.limb[i / 4] |= digits_[i] << (16 * (i % 4));
    return value;
  }

 private:
  void carry() {
    for (std::size_t i = 0; i + 1 < digits_.size(); ++i) {
      digits_[i + 1] += digits_[i] >> 16;
      digits_[i] &= 0xFFFF;
    }
  }
  std::array<std::uint64_t, 12> digits_{};
};

TEST(Squares, Values_AddUp) {
  std::mt19937_64 random(9);
  UInt192 total;
  SlowSquares expected;
  for (int i = 0; i < 5'000; ++i) {
    const std::int64_t value = i < 20 ? (i % 2 == 0 ? kMost : -kMost) : any_value(random);
    add_square(total, value);
    expected.add(value);
    ASSERT_TRUE(total == expected.value()) << i;
  }
}

TEST(Squares, WhatEntered_LeavesExactly) {
  std::mt19937_64 random(10);
  for (int i = 0; i < 2'000; ++i) {
    UInt192 before;
    UInt192 part;
    for (int j = 0; j < 20; ++j) {
      add_square(before, any_value(random));
      add_square(part, i % 2 == 0 ? kMost : any_value(random));
    }
    UInt192 total = before;
    add_squares(total, part);
    subtract_squares(total, part);
    ASSERT_TRUE(total == before);
  }
  const UInt192 carries{{~std::uint64_t{0}, ~std::uint64_t{0}, 1}};
  UInt192 total{{1, 0, 0}};
  add_squares(total, carries);
  EXPECT_TRUE((total == UInt192{{0, 0, 2}}));
  subtract_squares(total, carries);
  EXPECT_TRUE((total == UInt192{{1, 0, 0}}));
}

TEST(Extremes, NoValue_LosesToAny) {
  for (const std::int64_t value : {kMost, std::int64_t{0}, -kMost}) {
    Extremes extremes;
    merge(extremes, extremes_of(value));
    EXPECT_EQ(extremes.min, value);
    EXPECT_EQ(extremes.max(), value);
  }
}

TEST(Extremes, AnyOrder_GivesSmallestAndLargest) {
  std::mt19937_64 random(11);
  std::vector<std::int64_t> values(33);
  for (std::int64_t& value : values) value = any_value(random);
  Extremes extremes;
  for (const std::int64_t value : values) merge(extremes, extremes_of(value));
  EXPECT_EQ(extremes.min, *std::min_element(values.begin(), values.end()));
  EXPECT_EQ(extremes.max(), *std::max_element(values.begin(), values.end()));
}

TEST(FirstAndLast, EqualTimes_AreSettledByTheValue) {
  FirstValue first;
  LastValue last;
  for (const std::int64_t value : {3, 1, 2}) {
    merge(first, {10, value});
    merge(last, {10, value});
  }
  merge(first, {11, 0});
  merge(last, {9, 99});
  EXPECT_EQ(first.time, 10);
  EXPECT_EQ(first.value, 1);
  EXPECT_EQ(last.time, 10);
  EXPECT_EQ(last.value, 3);
}

}  // namespace
}  // namespace weir::ops
