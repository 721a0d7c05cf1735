#include "core/instant.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Instant, FloorMultiple_GoesTowardThePast) {
  EXPECT_EQ(floor_multiple(0, 10), 0);
  EXPECT_EQ(floor_multiple(9, 10), 0);
  EXPECT_EQ(floor_multiple(10, 10), 10);
  EXPECT_EQ(floor_multiple(-1, 10), -10);
  EXPECT_EQ(floor_multiple(-10, 10), -10);
  EXPECT_EQ(floor_multiple(-11, 10), -20);
}

TEST(Instant, FloorMultiple_AtTheLimitsIsRepresentable) {
  EXPECT_EQ(floor_multiple(kLatest, 10) % 10, 0);
  EXPECT_EQ(floor_multiple(kEarliest, 10), kEarliest + 8);
  EXPECT_EQ(floor_multiple(kEarliest, 8), kEarliest);
}

TEST(Instant, FloorMod_IsNeverNegative) {
  EXPECT_EQ(floor_mod(-1, 10), 9);
  EXPECT_EQ(floor_mod(-10, 10), 0);
  EXPECT_EQ(floor_mod(23, 10), 3);
}

TEST(Instant, Sums_AreHeldAtTheLimits) {
  EXPECT_EQ(saturating_add(kLatest, 1), kLatest);
  EXPECT_EQ(saturating_add(kEarliest, -1), kEarliest);
  EXPECT_EQ(saturating_subtract(kEarliest, 1), kEarliest);
  EXPECT_EQ(saturating_subtract(kLatest, -1), kLatest);
  EXPECT_EQ(saturating_subtract(5, 7), -2);
}

}  // namespace
}  // namespace weir
