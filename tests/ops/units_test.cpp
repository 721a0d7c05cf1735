#include "ops/units.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "core/decimal.hpp"

namespace weir::ops {
namespace {

double any_double(std::mt19937_64& random) {
  return std::bit_cast<double>(random());
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

TEST(Units, RoundHalfEven_IsNearbyintOfEveryDouble) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double wild = any_double(random);
    ASSERT_TRUE(same(round_half_even(wild), std::nearbyint(wild))) << wild;
    const double near = static_cast<double>(static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000) / 4.0;
    ASSERT_TRUE(same(round_half_even(near), std::nearbyint(near))) << near;
  }
  for (const double edge : {0.0, -0.0, 0.5, -0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370495.5, 4503599627370496.0,
                            9007199254740993.0, HUGE_VAL, -HUGE_VAL}) {
    EXPECT_TRUE(same(round_half_even(edge), std::nearbyint(edge))) << edge;
  }
  EXPECT_TRUE(std::isnan(round_half_even(kNullValue)));
}

TEST(Units, UnitsToDouble_IsWhatTheCoreSays) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto units = static_cast<std::int64_t>(random() >> (random() % 64));
    const auto places = static_cast<int>(random() % 19);
    if (units == kNullUnits) continue;
    ASSERT_TRUE(same(units_to_double(units, static_cast<double>(pow10(places))), decimal_to_double(units, places)));
  }
  EXPECT_TRUE(is_null(units_to_double(kNullUnits, 1.0)));
  EXPECT_EQ(kAbsent, kNullUnits);
}

TEST(Units, DoubleToUnits_IsWhatTheCoreSays) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const double value =
        i % 2 == 0 ? any_double(random) : static_cast<double>(static_cast<std::int64_t>(random())) / 1e9;
    const auto places = static_cast<int>(random() % 19);
    ASSERT_EQ(double_to_units(value, static_cast<double>(pow10(places))), weir::double_to_units(value, places))
        << value << " with " << places << " places";
  }
}

TEST(Units, DoubleToUnits_IsNullBeyondTheRange) {
  EXPECT_EQ(ops::double_to_units(9223372036854774784.0, 1.0), 9223372036854774784);
  EXPECT_EQ(ops::double_to_units(9223372036854775808.0, 1.0), kAbsent);
  EXPECT_EQ(ops::double_to_units(-9223372036854775808.0, 1.0), kAbsent);
  EXPECT_EQ(ops::double_to_units(HUGE_VAL, 1.0), kAbsent);
  EXPECT_EQ(ops::double_to_units(kNullValue, 1.0), kAbsent);
  EXPECT_EQ(ops::double_to_units(1e300, 1e18), kAbsent);
}

TEST(Units, DoubleToUnits_RoundsHalfToEven) {
  EXPECT_EQ(ops::double_to_units(0.5, 1.0), 0);
  EXPECT_EQ(ops::double_to_units(1.5, 1.0), 2);
  EXPECT_EQ(ops::double_to_units(-2.5, 1.0), -2);
}

}  // namespace
}  // namespace weir::ops
