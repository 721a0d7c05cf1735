// The arithmetic of cells against 128-bit integers and plain arrays.
#include "kernels/cell.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace weir::kernels {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

Int128 sum_of(const Word* words) {
  return static_cast<Int128>((static_cast<UInt128>(words[1]) << 64U) | words[0]);
}

std::vector<std::int64_t> values(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> values{0, 1, -1, kLargest, -kLargest, kLargest, kLargest, -kLargest};
  for (int i = 0; i < 1000; ++i) {
    values.push_back(static_cast<std::int64_t>(random() >> (1 + random() % 63)) * (random() % 2 == 0 ? 1 : -1));
  }
  return values;
}

template <class Words>
class Cell : public ::testing::Test {};
using Ways = ::testing::Types<Shared, InBlock, Own>;
TYPED_TEST_SUITE(Cell, Ways);

TYPED_TEST(Cell, Sum_IsThe128BitSumInAnyOrder) {
  Word forward[2] = {0, 0};
  Word backward[2] = {0, 0};
  Int128 expected = 0;
  const std::vector<std::int64_t> all = values(1);
  for (const std::int64_t value : all) {
    add_value<TypeParam>(forward, PartKind::sum, value, 0);
    expected += value;
    ASSERT_EQ(sum_of(forward), expected);
  }
  for (auto value = all.rbegin(); value != all.rend(); ++value)
    add_value<TypeParam>(backward, PartKind::sum, *value, 0);
  EXPECT_EQ(sum_of(backward), expected);
}

TYPED_TEST(Cell, Sum_OfTwoSumsIsTheirSum) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 1000; ++i) {
    Word a[2] = {random(), random()};
    const Word b[2] = {i % 3 == 0 ? ~Word{0} : random(), i % 5 == 0 ? ~Word{0} : random()};
    const UInt128 expected = static_cast<UInt128>(sum_of(a)) + static_cast<UInt128>(sum_of(b));
    merge_part<TypeParam>(a, b, PartKind::sum);
    ASSERT_EQ(static_cast<UInt128>(sum_of(a)), expected);
  }
}

TYPED_TEST(Cell, Squares_CarryThroughAllLimbs) {
  // (2^64 - 1, 2^64 - 1, 0) + 1 must reach the third limb; squares themselves have two.
  Word words[3] = {~Word{0}, ~Word{0}, 0};
  add_value<TypeParam>(words, PartKind::squares, -1, 0);
  EXPECT_EQ(words[0], 0U);
  EXPECT_EQ(words[1], 0U);
  EXPECT_EQ(words[2], 1U);
  // All ones in every place where a carry could be lost.
  Word limbs[3] = {~Word{0}, ~Word{0}, 5};
  add_limbs<TypeParam>(limbs, ~Word{0}, ~Word{0}, 7);
  EXPECT_EQ(limbs[0], ~Word{0} - 1);
  EXPECT_EQ(limbs[1], ~Word{0});
  EXPECT_EQ(limbs[2], 13U);
  Word total[3] = {0, 0, 0};
  UInt128 expected = 0;
  for (int i = 0; i < 3; ++i) {
    add_value<TypeParam>(total, PartKind::squares, -kLargest, 0);
    expected += static_cast<UInt128>(kLargest) * kLargest;
  }
  EXPECT_EQ((static_cast<UInt128>(total[1]) << 64U) | total[0], expected);
  EXPECT_EQ(total[2], 0U);
}

TYPED_TEST(Cell, Subtraction_TakesBackWhatEntered) {
  std::mt19937_64 random(3);
  for (const PartKind kind : {PartKind::rows, PartKind::count, PartKind::sum, PartKind::squares}) {
    for (int i = 0; i < 200; ++i) {
      Word total[3] = {random(), random(), random()};
      const Word before[3] = {total[0], total[1], total[2]};
      const Word part[3] = {i % 2 == 0 ? ~Word{0} : random(), i % 3 == 0 ? ~Word{0} : random(), random()};
      merge_part<TypeParam>(total, part, kind);
      subtract_own(total, part, kind);
      for (std::uint32_t w = 0; w < words_of(kind); ++w) ASSERT_EQ(total[w], before[w]);
    }
  }
}

TYPED_TEST(Cell, Extremes_AreTheSmallestAndTheLargest) {
  PartValue low = empty_part(PartKind::min);
  PartValue high = empty_part(PartKind::max);
  for (const std::int64_t value : {7, -3, 12, 0}) {
    add_value<TypeParam>(low.words, PartKind::min, value, 0);
    add_value<TypeParam>(high.words, PartKind::max, value, 0);
  }
  EXPECT_EQ(as_signed(low.words[0]), -3);
  EXPECT_EQ(as_signed(high.words[0]), 12);
}

TEST(Pairs, Merge_GoesByTimeThenByValue) {
  const auto merged = [](PartKind kind, std::pair<std::int64_t, std::int64_t> a,
                         std::pair<std::int64_t, std::int64_t> b) {
    Word into[3] = {as_word(a.first), as_word(a.second), as_word(a.first)};
    const Word from[3] = {as_word(b.first), as_word(b.second), as_word(b.first)};
    merge_pair(into, from, kind);
    return std::pair(as_signed(into[0]), as_signed(into[1]));
  };
  EXPECT_EQ(merged(PartKind::first, {5, 1}, {4, 9}), std::pair(std::int64_t{4}, std::int64_t{9}));
  EXPECT_EQ(merged(PartKind::first, {5, 1}, {5, -1}), std::pair(std::int64_t{5}, std::int64_t{-1}));
  EXPECT_EQ(merged(PartKind::last, {5, 1}, {4, 9}), std::pair(std::int64_t{5}, std::int64_t{1}));
  EXPECT_EQ(merged(PartKind::last, {5, 1}, {5, 2}), std::pair(std::int64_t{5}, std::int64_t{2}));
}

}  // namespace
}  // namespace weir::kernels
