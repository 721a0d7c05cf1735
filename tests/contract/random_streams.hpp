// Seeded streams for the contract suite: disorder, equal times, stragglers, gaps, idle sources, nulls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "oracle/oracle.hpp"

namespace weir::contract {

struct StreamShape {
  std::uint64_t seed = 1;
  std::size_t readings = 2000;
  std::size_t sources = 1;
  std::int64_t start = 0;
  std::int64_t mean_step = 100'000'000;  ///< ns of event time from reading to reading
  std::int64_t disorder = 0;             ///< so much a reading may be behind the newest one
  double straggler_share = 0.0;          ///< of readings up to twenty times as far behind
  double jump_share = 0.0;               ///< of readings before which event time jumps by a thousand steps
  double idle_share = 0.0;               ///< of readings before which a source goes idle
  double tick_share = 0.0;               ///< of readings before which the wall clock lifts the watermark
  std::size_t houses = 3, households = 2, plugs = 4;
  std::size_t new_plug_every = 0;  ///< readings after which the oldest plug is replaced by a new one; 0: never
};

std::vector<oracle::Event> random_stream(const StreamShape& shape);

/// @brief Sizes that add up to `total`: random ones, and the edges 0, 1, 31, 32, 33, 1023, 1024, 1025.
std::vector<std::size_t> random_split(std::size_t total, std::uint64_t seed);
/// @brief Sizes that add up to `total`, large enough for a backend to use all of its threads.
std::vector<std::size_t> coarse_split(std::size_t total, std::uint64_t seed);

}  // namespace weir::contract
