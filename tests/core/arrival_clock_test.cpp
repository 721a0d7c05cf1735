#include "core/arrival_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace weir {
namespace {

std::int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// One test, for the clock belongs to the process.
TEST(ArrivalClock, FollowsTheWallClockAndNeverGoesBack) {
  const std::int64_t before = wall_ns();
  const std::int64_t arrival = arrival_clock_ns();
  EXPECT_GE(arrival, before);
  // Two clocks are read one after the other: what lies between shows.
  constexpr std::int64_t kSecond = 1'000'000'000;
  EXPECT_LE(arrival, wall_ns() + kSecond);

  raise_arrival_clock(before - kSecond);
  EXPECT_LE(arrival_clock_ns(), wall_ns() + kSecond) << "a time that has passed changes nothing";

  // As if the wall clock had been set back by an hour.
  constexpr std::int64_t kHour = 3'600 * kSecond;
  raise_arrival_clock(wall_ns() + kHour);
  std::int64_t last = arrival_clock_ns();
  EXPECT_GE(last, before + kHour);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (arrival_clock_ns() == last && std::chrono::steady_clock::now() < deadline) {
  }
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = arrival_clock_ns();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(last, before + kHour) << "it goes on from there";

  raise_arrival_clock(INT64_MIN);  // "never" is no time
  EXPECT_GE(arrival_clock_ns(), last);
}

}  // namespace
}  // namespace weir
