// HyperLogLog for distinct(): which register a 64-bit hash touches, and the estimate from all registers.
//
// The estimator is O. Ertl's improved one ("New cardinality estimation algorithms for HyperLogLog sketches", 2017,
// algorithm 6). It needs no bias table, no switch between ranges and no logarithm: only + - * / and sqrt, which IEEE
// rounds correctly, so every machine gets the same number. The standard error is 1.04/sqrt(4096) = 1.6 %.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/host_device.hpp"

namespace weir::ops {

inline constexpr int kHllPrecision = 12;
inline constexpr std::uint32_t kHllRegisters = 1U << kHllPrecision;
/// Ranks go from 1 to kHllMaxRank; 0 is an untouched register.
inline constexpr std::uint32_t kHllMaxRank = 64 - kHllPrecision + 1;

/// What one hash does: register `index` becomes at least `rank`.
struct HllUpdate {
  std::uint32_t index;
  std::uint32_t rank;
};

/// @brief The first 12 bits choose the register; the rank is the position of the first 1 in the other 52.
WEIR_HOST_DEVICE inline HllUpdate hll_update(std::uint64_t hash) noexcept {
  const auto index = static_cast<std::uint32_t>(hash >> (64 - kHllPrecision));
  // The bit below the remaining ones ends the search when they are all zero.
  const std::uint64_t rest = (hash << kHllPrecision) | (std::uint64_t{1} << (kHllPrecision - 1));
#ifdef __CUDA_ARCH__
  const auto zeros = static_cast<std::uint32_t>(__clzll(static_cast<long long>(rest)));
#else
  const auto zeros = static_cast<std::uint32_t>(__builtin_clzll(rest));
#endif
  return {index, zeros + 1};
}

/// How many registers hold each rank: all that the estimate needs.
struct HllRanks {
  std::array<std::uint32_t, kHllMaxRank + 1> registers{};  ///< [rank]; sums to kHllRegisters
};

/// @brief The estimated number of distinct hashes, rounded to the nearest integer; 0 for untouched registers.
inline std::uint64_t hll_estimate(const HllRanks& ranks) noexcept {
  constexpr double kM = kHllRegisters;
  constexpr double kAlphaInfinity = 0.721347520444481703680;  // 1 / (2 ln 2)
  const auto sigma = [](double x) {
    double y = 1.0;
    double z = x;
    for (double before = -1.0; before != z;) {
      x *= x;
      before = z;
      z += x * y;
      y += y;
    }
    return z;
  };
  const auto tau = [](double x) {
    if (x == 0.0 || x == 1.0) return 0.0;
    double y = 1.0;
    double z = 1.0 - x;
    for (double before = -1.0; before != z;) {
      x = std::sqrt(x);
      before = z;
      y *= 0.5;
      z -= (1.0 - x) * (1.0 - x) * y;
    }
    return z / 3.0;
  };
  if (ranks.registers[0] == kHllRegisters) return 0;  // sigma(1) is infinite
  double z = kM * tau(1.0 - static_cast<double>(ranks.registers[kHllMaxRank]) / kM);
  for (std::uint32_t rank = kHllMaxRank - 1; rank >= 1; --rank) {
    z = 0.5 * (z + static_cast<double>(ranks.registers[rank]));
  }
  z += kM * sigma(static_cast<double>(ranks.registers[0]) / kM);
  const double estimate = kAlphaInfinity * kM * kM / z;
  // Only if every register is saturated, which needs more hashes than 64 bits can count.
  constexpr double kLargest = 18446744073709549568.0;
  return estimate >= kLargest ? std::numeric_limits<std::uint64_t>::max()
                              : static_cast<std::uint64_t>(std::floor(estimate + 0.5));
}

}  // namespace weir::ops
