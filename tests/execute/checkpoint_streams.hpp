// Plans and streams over which checkpoints are tested, of either backend: overlapping windows with and without late
// readings, new keys and stragglers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "contract/queries.hpp"
#include "contract/random_streams.hpp"

namespace weir::contract {

inline std::vector<oracle::Event> stream(std::uint64_t seed) {
  StreamShape shape;
  shape.seed = seed;
  shape.readings = 600;
  shape.disorder = kSecond;
  shape.straggler_share = 0.1;
  shape.new_plug_every = 40;
  return random_stream(shape);
}

inline std::vector<plan::Plan> plans() {
  std::vector<plan::Plan> plans;
  for (const QueryCase& query : all_queries()) {
    plans.push_back(plan_of(plugs_stream(1, kSecond), query.with(6 * kSecond, 2 * kSecond).spec));
    plans.push_back(plan_of(plugs_stream(1, kSecond), query.with(6 * kSecond, 4 * kSecond, 20 * kSecond).spec));
    plans.push_back(plan_of(plugs_stream(1, kSecond), query.with(30 * kSecond, kSecond).spec));
  }
  return plans;
}

/// Events of a batch.
inline constexpr std::size_t kStep = 30;

inline std::span<const oracle::Event> step(const std::vector<oracle::Event>& events, std::size_t at) {
  return std::span(events).subspan(at, std::min(kStep, events.size() - at));
}

}  // namespace weir::contract
