#include "core/exact.hpp"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace weir {
namespace {

using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

constexpr Int128 kLargestSum = static_cast<Int128>(~UInt128{0} >> 1U);
constexpr std::uint64_t kLargest64 = std::numeric_limits<std::uint64_t>::max();

cpp_int big(UInt128 value) {
  return (cpp_int(static_cast<std::uint64_t>(value >> 64U)) << 64U) + static_cast<std::uint64_t>(value);
}
cpp_int big(Int128 value) {
  return value < 0 ? cpp_int(-big(UInt128{0} - static_cast<UInt128>(value))) : big(static_cast<UInt128>(value));
}
cpp_int big(const UInt192& value) {
  return (cpp_int(value.limb[2]) << 128U) + (cpp_int(value.limb[1]) << 64U) + value.limb[0];
}
UInt192 squares_of(const cpp_int& value) {
  UInt192 out;
  for (unsigned i = 0; i < 3; ++i) {
    out.limb[i] = static_cast<std::uint64_t>((value >> (64 * i)) & kLargest64);
  }
  return out;
}

/// A double is a fraction; this one is without rounding.
cpp_rational rational(double value) {
  int exponent = 0;
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent -= 53;
  const cpp_int power = cpp_int(1) << static_cast<unsigned>(std::abs(exponent));
  return exponent >= 0 ? cpp_rational(cpp_int(mantissa) * power) : cpp_rational(cpp_int(mantissa), power);
}
bool is_even(double value) {
  int exponent = 0;
  return static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), 53)) % 2 == 0;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The definition: no double is nearer to `exact`, and a tie went to the even one.
bool is_nearest(double value, const cpp_rational& exact) {
  if (exact == 0 || value == 0) {
    return exact == 0 && value == 0;
  }
  const cpp_rational low = (rational(value) + rational(std::nextafter(value, -kInfinity))) / 2;
  const cpp_rational high = (rational(value) + rational(std::nextafter(value, kInfinity))) / 2;
  return is_even(value) ? low <= exact && exact <= high : low < exact && exact < high;
}

/// The same for a square root, by squaring the limits.
bool is_nearest_sqrt(double value, const cpp_rational& squared) {
  if (squared == 0 || value <= 0) {
    return squared == 0 && value == 0;
  }
  const cpp_rational low = (rational(value) + rational(std::nextafter(value, -kInfinity))) / 2;
  const cpp_rational high = (rational(value) + rational(std::nextafter(value, kInfinity))) / 2;
  return is_even(value) ? low * low <= squared && squared <= high * high : low * low < squared && squared < high * high;
}

cpp_int power_of_10(int places) {
  return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(places));
}

cpp_rational mean_of(Int128 sum, std::uint64_t count, int places) {
  return cpp_rational(big(sum), cpp_int(count) * power_of_10(places));
}
cpp_rational variance_of(Int128 sum, const UInt192& squares, std::uint64_t count, std::uint64_t divisor, int places) {
  return cpp_rational(count * big(squares) - big(sum) * big(sum), cpp_int(count) * divisor * power_of_10(2 * places));
}

TEST(Mean, SmallSums_AreOneDivision) {
  EXPECT_EQ(exact_mean(12'250, 1, 3), 12.25);
  EXPECT_EQ(exact_mean(1, 3, 0), 1.0 / 3.0);
  EXPECT_EQ(exact_mean(-1, 3, 0), -1.0 / 3.0);
  EXPECT_EQ(exact_mean(0, 5, 18), 0.0);
  EXPECT_FALSE(std::signbit(exact_mean(0, 5, 18)));
}

TEST(Mean, LargeSums_AreNotRoundedTwice) {
  // 2^53 + 1 is a tie and goes to the even neighbour; any excess, however far down, breaks it.
  const Int128 tie = (Int128{1} << 53) + 1;
  EXPECT_EQ(exact_mean(tie, 1, 0), 0x1p53);
  EXPECT_EQ(exact_mean(tie * 1'000'000'000'000'000'000 + 1, 1, 18), 0x1p53 + 2);
  EXPECT_EQ(exact_mean(-(tie * 1'000'000'000'000'000'000 + 1), 1, 18), -(0x1p53 + 2));
  EXPECT_EQ(exact_mean(tie * 1'000'000'000'000'000'000 - 1, 1, 18), 0x1p53);
}

TEST(Mean, Extremes_AreNearest) {
  for (const Int128 sum : {kLargestSum, -kLargestSum - 1, Int128{1}, Int128{-1}}) {
    for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{3}, kLargest64}) {
      for (const int places : {0, 1, 18}) {
        EXPECT_TRUE(is_nearest(exact_mean(sum, count, places), mean_of(sum, count, places)));
      }
    }
  }
}

TEST(Mean, RandomSumsOfEveryWidth_AreNearest) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    const UInt128 bits = UInt128{random()} << 64U | random();
    const Int128 sum = static_cast<Int128>(bits) >> (random() % 127);
    const std::uint64_t count = (random() >> (random() % 64)) | 1U;
    const auto places = static_cast<int>(random() % 19);
    ASSERT_TRUE(is_nearest(exact_mean(sum, count, places), mean_of(sum, count, places)))
        << big(sum) << " / " << count << " places " << places;
  }
}

TEST(Mean, SumsNextToATie_AreNearest) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 10'000; ++i) {
    // 54 bits ending in 1 are a tie; times the denominator it is one for the quotient too.
    const UInt128 tie = (random() >> 10U) | 1U | (std::uint64_t{1} << 53U);
    const std::uint64_t count = (random() >> (40 + random() % 24)) + 1;
    const auto places = static_cast<int>(random() % 13);
    const Int128 sum = static_cast<Int128>(tie * count) * static_cast<Int128>(power_of_10(places)) +
                       static_cast<Int128>(random() % 3) - 1;
    ASSERT_TRUE(is_nearest(exact_mean(sum, count, places), mean_of(sum, count, places)))
        << big(sum) << " / " << count << " places " << places;
  }
}

TEST(DecimalToDouble, Wide_IsNearest) {
  EXPECT_EQ(exact_decimal_to_double(21'370, 3), 21.37);
  EXPECT_TRUE(is_nearest(exact_decimal_to_double(kLargestSum, 18), mean_of(kLargestSum, 1, 18)));
}

struct Moments {
  Int128 sum = 0;
  cpp_int squares = 0;
  std::uint64_t count = 0;
};
Moments moments(const std::vector<std::int64_t>& values) {
  Moments out;
  for (const std::int64_t value : values) {
    out.sum += value;
    out.squares += cpp_int(value) * value;
    ++out.count;
  }
  return out;
}

TEST(Variance, KnownValues) {
  const Moments m = moments({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(exact_variance(m.sum, squares_of(m.squares), m.count, m.count, 0), 4.0);
  EXPECT_EQ(exact_stddev(m.sum, squares_of(m.squares), m.count, m.count, 0), 2.0);
  EXPECT_EQ(exact_variance(m.sum, squares_of(m.squares), m.count, m.count - 1, 0), 32.0 / 7.0);
  EXPECT_EQ(exact_stddev(m.sum, squares_of(m.squares), m.count, m.count, 1), 0.2);
}

TEST(Variance, EqualValues_AreZero) {
  const Moments m = moments({5'000'000'001, 5'000'000'001, 5'000'000'001});
  EXPECT_EQ(exact_variance(m.sum, squares_of(m.squares), 3, 2, 6), 0.0);
  EXPECT_EQ(exact_stddev(m.sum, squares_of(m.squares), 3, 2, 6), 0.0);
}

TEST(Variance, OneUnitOnALargeOffset_IsNotCancelled) {
  const std::int64_t offset = 9'000'000'000'000'000'000;
  const Moments m = moments({offset, offset + 1});
  EXPECT_EQ(exact_variance(m.sum, squares_of(m.squares), 2, 1, 0), 0.5);
  EXPECT_EQ(exact_variance(m.sum, squares_of(m.squares), 2, 2, 0), 0.25);
  EXPECT_EQ(exact_stddev(m.sum, squares_of(m.squares), 2, 2, 0), 0.5);
}

TEST(Variance, TheWidestMoments_AreNearest) {
  // 2^64 - 2 values, half of them the largest and half the smallest that a field can hold.
  const std::uint64_t count = kLargest64 - 1;
  const cpp_int squares =
      cpp_int(std::numeric_limits<std::int64_t>::max()) * std::numeric_limits<std::int64_t>::max() * count;
  const UInt192 limbs = squares_of(squares);
  ASSERT_EQ(big(limbs), squares);
  for (const int places : {0, 18}) {
    const cpp_rational exact = variance_of(0, limbs, count, count - 1, places);
    EXPECT_TRUE(is_nearest(exact_variance(0, limbs, count, count - 1, places), exact));
    EXPECT_TRUE(is_nearest_sqrt(exact_stddev(0, limbs, count, count - 1, places), exact));
  }
}

TEST(Variance, TheSmallestQuotient_IsNearest) {
  // One value of one unit among 2^63 zeros.
  const UInt192 one{{1, 0, 0}};
  const std::uint64_t count = std::uint64_t{1} << 63U;
  const cpp_rational exact = variance_of(1, one, count, count, 18);
  EXPECT_TRUE(is_nearest(exact_variance(1, one, count, count, 18), exact));
  EXPECT_TRUE(is_nearest_sqrt(exact_stddev(1, one, count, count, 18), exact));
}

TEST(Variance, RandomReadings_AreNearest) {
  std::mt19937_64 random(13);
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t width = random() % 64;
    const std::int64_t offset = static_cast<std::int64_t>(random()) >> (1 + random() % 63);
    std::vector<std::int64_t> values(2 + random() % 20);
    for (std::int64_t& value : values) {
      value = offset / 2 + (static_cast<std::int64_t>(random()) >> width) / 2;
    }
    const Moments m = moments(values);
    const auto places = static_cast<int>(random() % 19);
    const UInt192 squares = squares_of(m.squares);
    for (const std::uint64_t divisor : {m.count, m.count - 1}) {
      const cpp_rational exact = variance_of(m.sum, squares, m.count, divisor, places);
      ASSERT_TRUE(is_nearest(exact_variance(m.sum, squares, m.count, divisor, places), exact));
      ASSERT_TRUE(is_nearest_sqrt(exact_stddev(m.sum, squares, m.count, divisor, places), exact));
    }
  }
}

TEST(Variance, RandomMomentsOfEveryWidth_AreNearest) {
  // Any count, squares and sum with sum² <= count·squares, as very long windows would have them.
  std::mt19937_64 random(14);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t count = (random() >> (random() % 63)) | 2U;
    const UInt192 squares{{random(), random(), random() >> (random() % 64)}};
    const cpp_int widest = boost::multiprecision::sqrt(cpp_int(count * big(squares)));
    cpp_int drawn = (cpp_int(random()) << 64U) + random();
    drawn %= widest + 1;
    drawn = std::min(i % 5 == 0 ? widest : drawn, big(kLargestSum));
    const auto sum = static_cast<Int128>(drawn);
    const auto places = static_cast<int>(random() % 19);
    const cpp_rational exact = variance_of(sum, squares, count, count - 1, places);
    ASSERT_TRUE(is_nearest(exact_variance(sum, squares, count, count - 1, places), exact));
    ASSERT_TRUE(is_nearest_sqrt(exact_stddev(-sum, squares, count, count - 1, places), exact));
  }
}

TEST(Stddev, PerfectSquaresAndTheirNeighbours_AreNearest) {
  // Roots that end exactly on a tie (54 bits) and one unit beside it.
  std::mt19937_64 random(15);
  for (int i = 0; i < 20'000; ++i) {
    const cpp_int root((random() >> 10U) | 1U | (std::uint64_t{1} << 53U));
    const UInt192 squares = squares_of(root * root + static_cast<int>(random() % 3) - 1);
    const cpp_rational exact = variance_of(0, squares, 1, 1, 0);
    ASSERT_TRUE(is_nearest_sqrt(exact_stddev(0, squares, 1, 1, 0), exact)) << root;
  }
}

}  // namespace
}  // namespace weir
