#include "core/arrival_clock.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/instant.hpp"
#include "core/time_text.hpp"

namespace weir {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kYear = 365 * 24 * kHour;
constexpr std::int64_t kStart = 50 * kYear;

/// Two clocks that a test sets.
struct Machine {
  std::int64_t steady = 1000 * kSecond;
  std::int64_t wall = kStart;
  std::vector<std::string> said;

  void pass(std::int64_t ns) {
    steady += ns;
    wall += ns;
  }
  ArrivalClock clock() {
    return ArrivalClock([this](const std::string& line) { said.push_back(line); },
                        [this] {
                          return ArrivalClock::Reading{wall, steady};
                        });
  }
};

/// The clock is asked all the time, as messages and ticks do.
std::int64_t run(Machine& machine, ArrivalClock& clock, std::int64_t ns) {
  std::int64_t last = clock.now_ns();
  for (std::int64_t passed = 0; passed < ns; passed += kSecond / 10) {
    machine.pass(kSecond / 10);
    const std::int64_t now = clock.now_ns();
    EXPECT_GE(now, last) << "it never goes back";
    last = now;
  }
  return last;
}

TEST(ArrivalClock, IsTheWallClock) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  EXPECT_EQ(clock.now_ns(), machine.wall);
  EXPECT_EQ(run(machine, clock, kHour), machine.wall);
  EXPECT_TRUE(machine.said.empty());
  ArrivalClock real;
  EXPECT_NEAR(static_cast<double>(real.now_ns()), static_cast<double>(wall_clock_ns()), 60e9);
}

TEST(ArrivalClock, AGlitchOfYearsNeverGetsIn) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  run(machine, clock, kSecond);
  machine.wall += 10 * kYear;
  EXPECT_EQ(run(machine, clock, 3 * kSecond), kStart + 4 * kSecond);
  machine.wall -= 10 * kYear;
  EXPECT_EQ(run(machine, clock, kHour), machine.wall);
  ASSERT_EQ(machine.said.size(), 1U);
  EXPECT_NE(machine.said[0].find("jumped ahead"), std::string::npos) << machine.said[0];
}

TEST(ArrivalClock, AJumpThatLastsIsFollowed) {
  Machine machine;
  machine.wall = 0;  // a machine without a battery, until it is told the time
  ArrivalClock clock = machine.clock();
  run(machine, clock, kSecond);
  machine.wall += kStart;
  EXPECT_EQ(run(machine, clock, ArrivalClock::kPatience.count() + kSecond), machine.wall);
  ASSERT_EQ(machine.said.size(), 1U);
  EXPECT_NE(machine.said[0].find("set forward"), std::string::npos) << machine.said[0];
}

TEST(ArrivalClock, SetBackALittle_CatchesUpWithoutGoingBack) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  run(machine, clock, kSecond);
  machine.wall -= 4 * kSecond;
  EXPECT_GT(run(machine, clock, 2 * kSecond), machine.wall + kSecond);
  EXPECT_EQ(run(machine, clock, 10 * kSecond), machine.wall);
  EXPECT_TRUE(machine.said.empty());
}

TEST(ArrivalClock, SetBackByHours_GoesOnAtItsOwnRateAndSaysSoOnce) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  run(machine, clock, kSecond);
  machine.wall -= 8 * kHour;
  const std::int64_t arrival = run(machine, clock, kHour);
  EXPECT_EQ(arrival, machine.wall + 8 * kHour);
  ASSERT_EQ(machine.said.size(), 1U);
  EXPECT_NE(machine.said[0].find("set back by 8h"), std::string::npos) << machine.said[0];
}

TEST(ArrivalClock, ANewStartFollowsAWallClockThatWasSetBack) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  clock.resume(kStart + 10 * kYear, kStart - kHour);
  EXPECT_EQ(clock.now_ns(), machine.wall);
  ASSERT_EQ(machine.said.size(), 1U);
}

TEST(ArrivalClock, ANewStartDoesNotFollowAWallClockThatCannotBeRight) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  const std::int64_t last = kStart + kHour;
  clock.resume(last, kStart + 1);
  EXPECT_EQ(clock.now_ns(), last);
  EXPECT_EQ(run(machine, clock, kHour), last + kHour);
  machine.wall = kStart + 5 * kHour;  // told the time at last
  EXPECT_EQ(run(machine, clock, 20 * kSecond), machine.wall);
}

TEST(ArrivalClock, ANewStartALittleBehind_GoesOnFromTheLastArrival) {
  Machine machine;
  ArrivalClock clock = machine.clock();
  clock.resume(kStart + 2 * kSecond, kEarliest);
  EXPECT_EQ(clock.now_ns(), kStart + 2 * kSecond);
  EXPECT_EQ(run(machine, clock, 10 * kSecond), machine.wall);
  clock.resume(kEarliest, kEarliest);  // "never" is no time
  EXPECT_EQ(clock.now_ns(), machine.wall);
}

}  // namespace
}  // namespace weir
