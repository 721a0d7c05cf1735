// Between exact units and the doubles that programs compute with. Host and device, the same bits on both.
//
// core/decimal.hpp declares the same two conversions for set-up code; these are the inline ones for rows.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "core/host_device.hpp"

namespace weir::ops {

/// Null among doubles.
inline constexpr double kNullValue = std::numeric_limits<double>::quiet_NaN();

/// Null among units; the same value as weir::kNullUnits.
inline constexpr std::int64_t kAbsent = std::numeric_limits<std::int64_t>::min();

WEIR_HOST_DEVICE inline bool is_null(double x) noexcept {
  return x != x;
}

/// @brief The nearest integral double, ties to even, for any x. With |x| < 2^52, adding 2^52 leaves no room for a
/// fraction, so IEEE addition itself rounds; from there on every double is integral. Keeps the sign of zero.
WEIR_HOST_DEVICE inline double round_half_even(double x) noexcept {
  constexpr double kTwo52 = 4503599627370496.0;
  const double magnitude = std::fabs(x);
  const double rounded = (magnitude + kTwo52) - kTwo52;
  return magnitude < kTwo52 ? std::copysign(rounded, x) : x;
}

/// @brief The double that an expression sees for a field; `scale` is 10^places as a double (exact up to 10^22).
WEIR_HOST_DEVICE inline double units_to_double(std::int64_t units, double scale) noexcept {
  return units == kAbsent ? kNullValue : static_cast<double>(units) / scale;
}

/// @brief A computed double as units, rounded half to even; kAbsent when it is not finite or does not fit.
WEIR_HOST_DEVICE inline std::int64_t double_to_units(double value, double scale) noexcept {
  constexpr double kTwo63 = 9223372036854775808.0;
  const double scaled = round_half_even(value * scale);
  // Written so that NaN fails. -2^63 itself stands for null and is out of the range of a decimal.
  return std::fabs(scaled) < kTwo63 ? static_cast<std::int64_t>(scaled) : kAbsent;
}

}  // namespace weir::ops
