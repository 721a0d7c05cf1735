#include "core/arrival_clock.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>

namespace weir {
namespace {

// Wall clock minus steady clock: the largest difference seen.
std::atomic<std::int64_t> offset{std::numeric_limits<std::int64_t>::min()};

template <class Clock>
std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

std::int64_t raise_offset(std::int64_t at_least) noexcept {
  std::int64_t known = offset.load(std::memory_order_relaxed);
  while (known < at_least && !offset.compare_exchange_weak(known, at_least, std::memory_order_relaxed)) {
  }
  return std::max(known, at_least);
}

}  // namespace

std::int64_t arrival_clock_ns() noexcept {
  const std::int64_t steady = now_ns<std::chrono::steady_clock>();
  const std::int64_t wall = now_ns<std::chrono::system_clock>();
  return steady + raise_offset(wall - steady);
}

void raise_arrival_clock(std::int64_t ns) noexcept {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(ns, now_ns<std::chrono::steady_clock>(), &difference)) {
    raise_offset(difference);
  }
}

}  // namespace weir
