#include "core/arrival_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "core/instant.hpp"
#include "core/time_text.hpp"

namespace weir {
namespace {

/// Two readings of clocks are never of the same moment.
constexpr std::int64_t kJitter = 1'000'000;
/// Beyond it a clock was set, not adjusted.
constexpr std::int64_t kJump = 1'000'000'000;

std::int64_t read(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string instant(std::int64_t ns) {
  std::string text;
  append_rfc3339(text, floor_multiple(ns, 1'000'000'000));
  return text;
}

/// To the second: more only hides what matters.
std::string span(std::int64_t ns) {
  return to_string(Duration(floor_multiple(ns, 1'000'000'000)));
}

}  // namespace

ArrivalClock::Reading ArrivalClock::read_clocks() noexcept {
  const std::int64_t steady = read(CLOCK_BOOTTIME);
  return {read(CLOCK_REALTIME), steady};
}

ArrivalClock::ArrivalClock(Notice notice, std::function<Reading()> read)
    : notice_(std::move(notice)), read_(std::move(read)) {
  const Reading reading = read_();
  offset_ = reading.wall_ns - reading.steady_ns;
}

void ArrivalClock::resume(std::int64_t last_ns, std::int64_t not_before_ns) {
  const Reading reading = read_();
  const std::int64_t behind = saturating_subtract(last_ns, reading.wall_ns);
  if (behind <= 0) {
    return;
  }
  if (behind > kMostSlewed.count() && reading.wall_ns >= not_before_ns) {
    tell(
        fmt::format("the wall clock stands at {}, {} before the last arrival: it was set back, and arrival times go on "
                    "from it",
                    instant(reading.wall_ns), span(behind)));
    return;
  }
  const std::lock_guard lock(mutex_);
  offset_ = last_ns - reading.steady_ns;
  since_ns_ = reading.steady_ns;
  state_ = State::behind;
  if (behind > kMostSlewed.count()) {
    state_ = State::far_behind;
    tell(
        fmt::format("the wall clock stands at {}, before {}, when readings were made: it cannot be right; arrival "
                    "times go on from {} until it is set",
                    instant(reading.wall_ns), instant(not_before_ns), instant(last_ns)));
  }
}

std::int64_t ArrivalClock::now_ns() {
  Reading reading = read_();
  if (!agrees(reading)) {
    reading = read_();  // the thread may have been put aside between the two clocks
    if (!agrees(reading)) {
      follow(reading);
    }
  }
  return reading.steady_ns + offset_.load(std::memory_order_relaxed);
}

bool ArrivalClock::agrees(Reading reading) const noexcept {
  const std::int64_t ahead = reading.wall_ns - reading.steady_ns - offset_.load(std::memory_order_relaxed);
  return ahead >= -kJitter && ahead <= kJitter && state_.load(std::memory_order_relaxed) == State::right;
}

void ArrivalClock::follow(Reading reading) {
  const std::lock_guard lock(mutex_);
  const std::int64_t offset = offset_.load(std::memory_order_relaxed);
  const std::int64_t wall_offset = reading.wall_ns - reading.steady_ns;
  const std::int64_t ahead = wall_offset - offset;
  const State before = state_.load(std::memory_order_relaxed);
  if (ahead > kJump) {
    if (before != State::suspects || std::abs(wall_offset - suspected_offset_) > kJump) {
      suspected_offset_ = wall_offset;
      since_ns_ = reading.steady_ns;
      state_ = State::suspects;
    } else if (reading.steady_ns - since_ns_ >= kPatience.count()) {
      offset_ = wall_offset;
      state_ = State::right;
      tell(fmt::format("the wall clock was set forward by {}, and arrival times follow it", span(ahead)));
    }
    return;
  }
  if (before == State::suspects) {
    tell(fmt::format("the wall clock jumped ahead by {} and came back: arrival times did not follow it",
                     span(suspected_offset_ - offset)));
  }
  if (ahead >= -kJitter) {
    offset_ = std::max(offset, wall_offset);
    state_ = State::right;
  } else if (ahead < -kMostSlewed.count()) {
    if (before != State::far_behind) {
      tell(
          fmt::format("the wall clock was set back by {}: arrival times go on from {} at their own rate; start Weir "
                      "anew if the wall clock is right now",
                      span(-ahead), instant(reading.steady_ns + offset)));
    }
    state_ = State::far_behind;
  } else {
    if (before == State::behind) {
      offset_ = offset - std::min(-ahead, std::max<std::int64_t>(reading.steady_ns - since_ns_, 0) / 2);
    }
    since_ns_ = before == State::behind ? std::max(since_ns_, reading.steady_ns) : reading.steady_ns;
    state_ = State::behind;
  }
}

void ArrivalClock::tell(const std::string& line) const {
  if (notice_) {
    notice_(line);
  }
}

}  // namespace weir
