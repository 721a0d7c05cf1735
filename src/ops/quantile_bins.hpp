// Log-linear bins for quantiles, found in integers: a logarithm would differ between platforms. Host and device.
//
// As in an HDR histogram: magnitudes below 128 have a bin each, and every further octave [2^k, 2^(k+1)) is cut into 64
// equal bins. A bin's representative, its middle, is off by at most half a bin: 1/128 = 0.78 % of the value. Negative
// values mirror the positive ones, so bins ascend with values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "core/host_device.hpp"

namespace weir::ops {

/// Bins in an octave, as a power of two.
inline constexpr int kQuantileBits = 6;

/// The largest relative error of a quantile.
inline constexpr double kQuantileError = 1.0 / 128.0;

/// Every bin lies in [-kQuantileLastBin, kQuantileLastBin].
inline constexpr std::int32_t kQuantileLastBin = (63 - kQuantileBits) * 64 + 63;
inline constexpr std::uint64_t kQuantileBins = 2 * std::uint64_t{kQuantileLastBin} + 1;

WEIR_HOST_DEVICE inline int floor_log2(std::uint64_t value) noexcept {
#ifdef __CUDA_ARCH__
  return 63 - __clzll(static_cast<long long>(value));
#else
  return 63 - __builtin_clzll(value);
#endif
}

/// @brief The bin of a value (any but the null of units).
WEIR_HOST_DEVICE inline std::int32_t quantile_bin(std::int64_t value) noexcept {
  const std::uint64_t magnitude =
      value < 0 ? 0U - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  if (magnitude < 128) return static_cast<std::int32_t>(value);
  const int shift = floor_log2(magnitude) - kQuantileBits;  // leaves a number in [64, 128)
  const auto bin = static_cast<std::int32_t>(shift * 64 + static_cast<int>(magnitude >> shift));
  return value < 0 ? -bin : bin;
}

/// @brief The value that stands for a bin: its middle.
WEIR_HOST_DEVICE inline std::int64_t quantile_bin_value(std::int32_t bin) noexcept {
  const std::int32_t index = bin < 0 ? -bin : bin;
  if (index < 128) return bin;
  const int shift = index / 64 - 1;
  const std::uint64_t low = static_cast<std::uint64_t>(index - shift * 64) << shift;
  const auto middle = static_cast<std::int64_t>(low + (std::uint64_t{1} << (shift - 1)));
  return bin < 0 ? -middle : middle;
}

/// @brief The rank, 1 … count, that quantile q asks for: the nearest rank, ceil(q · count).
WEIR_HOST_DEVICE inline std::uint64_t quantile_rank(double q, std::uint64_t count) noexcept {
  const double wanted = q * static_cast<double>(count);
  if (!(wanted > 1.0)) return 1;
  if (wanted >= static_cast<double>(count)) return count;
  const auto below = static_cast<std::uint64_t>(wanted);
  const std::uint64_t rank = below + (static_cast<double>(below) < wanted ? 1U : 0U);
  return rank > count ? count : rank;
}

/// @brief The value at quantile q of a histogram: ascending bins with their counts, `count` in all (at least 1),
/// clamped to the exact smallest and largest value.
inline std::int64_t quantile_value(std::span<const std::pair<std::int32_t, std::uint64_t>> bins, std::uint64_t count,
                                   double q, std::int64_t min, std::int64_t max) noexcept {
  const std::uint64_t rank = quantile_rank(q, count);
  std::uint64_t seen = 0;
  std::int64_t value = max;
  for (const auto& [bin, in_bin] : bins) {
    seen += in_bin;
    if (seen >= rank) {
      value = quantile_bin_value(bin);
      break;
    }
  }
  return value < min ? min : value > max ? max : value;
}

}  // namespace weir::ops
