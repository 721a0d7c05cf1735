#include "runtime/pacer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace weir::runtime {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min() + 1;
constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

// How long `to` waits when the recording begins at `from`.
std::chrono::duration<double> wait_for(double speed, std::int64_t from, std::int64_t to) {
  const auto before = std::chrono::steady_clock::now();
  Pacer pacer(speed, 1);
  EXPECT_FALSE(pacer.interval_over(from));
  return pacer.due(to) - before;
}

TEST(Pacer, ATinySpeedWaitsInsteadOfOverflowing) {
  using namespace std::chrono_literals;
  EXPECT_GT(wait_for(1e-9, 0, kSecond), 24h * 365 * 31);
  EXPECT_GT(wait_for(1e-10, 0, kSecond), 24h * 365 * 99);
  EXPECT_GT(wait_for(1e-300, 0, kSecond), 24h * 365 * 99);
  EXPECT_GT(wait_for(std::numeric_limits<double>::denorm_min(), 0, kSecond), 24h * 365 * 99);
}

TEST(Pacer, TimesAtTheEndsOfTheirRangeAreFarApart) {
  using namespace std::chrono_literals;
  EXPECT_GT(wait_for(1.0, kEarliest, kLatest), 24h * 365 * 99);
  Pacer pacer(1.0, kSecond);
  EXPECT_FALSE(pacer.interval_over(kLatest - 1)) << "no interval ends behind the last instant";
}

TEST(Pacer, WhatIsDueIsNotWaitedFor) {
  using namespace std::chrono_literals;
  EXPECT_LT(wait_for(1e9, 0, kSecond), 1s);
  EXPECT_LT(wait_for(1e-300, kSecond, kSecond), 1s);
  EXPECT_LT(wait_for(1e-10, kSecond, 0), 1s);
}

}  // namespace
}  // namespace weir::runtime
