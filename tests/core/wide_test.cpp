#include "core/wide.hpp"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

namespace weir {
namespace {

using boost::multiprecision::cpp_int;

constexpr std::uint64_t kAllBits = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kTopBit = std::uint64_t{1} << 63U;

cpp_int big(const Wide& value) {
  cpp_int out = 0;
  for (std::size_t i = Wide::kLimbs; i-- > 0;) {
    out = (out << 64U) + value.limb[i];
  }
  return out;
}

/// Limbs that are often all zeros or all ones, where carries and wrong estimates happen.
Wide random_wide(std::mt19937_64& random, std::size_t limbs) {
  Wide out;
  for (std::size_t i = 0; i < limbs; ++i) {
    switch (random() % 6) {
      case 0:
        out.limb[i] = 0;
        break;
      case 1:
        out.limb[i] = kAllBits;
        break;
      case 2:
        out.limb[i] = kTopBit;
        break;
      case 3:
        out.limb[i] = random() % 3;
        break;
      default:
        out.limb[i] = random();
    }
  }
  return out;
}

void expect_division(const Wide& a, const Wide& b) {
  const Quotient quotient = divide(a, b);
  const cpp_int value =
      (cpp_int(static_cast<std::uint64_t>(quotient.value >> 64U)) << 64U) + static_cast<std::uint64_t>(quotient.value);
  ASSERT_EQ(value, big(a) / big(b)) << big(a) << " / " << big(b);
  ASSERT_EQ(quotient.exact, big(a) % big(b) == 0) << big(a) << " / " << big(b);
}

TEST(Wide, Divide_TheRareEstimateThatIsOneTooLarge) {
  // The cases of Hacker's Delight 9-2 (divmnu), with 64-bit digits: the last needs the divisor added back.
  expect_division(Wide({3, 0, kTopBit}), Wide({1, 0, kTopBit >> 2U}));
  expect_division(Wide({0, kAllBits - 1, kTopBit}), Wide({kAllBits, kTopBit}));
  expect_division(Wide({0, 0, kTopBit, kTopBit - 1}), Wide({1, 0, kTopBit}));
}

TEST(Wide, Divide_AgreesWithIntegersOfAnySize) {
  std::mt19937_64 random(51);
  for (int i = 0; i < 60'000; ++i) {
    const std::size_t b_limbs = 1 + random() % 6;
    const Wide b = random_wide(random, b_limbs);
    const Wide a = random_wide(random, 1 + random() % (b_limbs + 2));
    if (b.size() == 0 || big(a) / big(b) >= cpp_int(1) << 128U) {
      continue;
    }
    expect_division(a, b);
  }
}

TEST(Wide, MultiplySubtractShift_AgreeWithIntegersOfAnySize) {
  std::mt19937_64 random(52);
  for (int i = 0; i < 20'000; ++i) {
    const Wide a = random_wide(random, random() % 5);
    const Wide b = random_wide(random, random() % 5);
    ASSERT_EQ(big(a * b), big(a) * big(b));
    if (big(a) != 0) {
      ASSERT_EQ(big(a * b - b), big(a) * big(b) - big(b));
    }
    const auto shift = static_cast<unsigned>(random() % 257);
    ASSERT_EQ(big(a << shift), big(a) << shift);
  }
}

TEST(Wide, Bits_CountUpToTheHighest) {
  EXPECT_EQ(Wide().bits(), 0);
  EXPECT_EQ(Wide(1).bits(), 1);
  EXPECT_EQ(Wide({0, 1}).bits(), 65);
  EXPECT_EQ((Wide(1) << 511U).bits(), 512);
}

}  // namespace
}  // namespace weir
