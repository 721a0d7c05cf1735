// Correctly rounded doubles from integers of any size, for the oracle.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>

namespace weir::oracle {

using boost::multiprecision::cpp_int;

/// @brief The double nearest to `whole` + something in (0, 1) if `inexact`, times 2^exponent; ties to even. `whole` has
/// at least 55 bits.
inline double round_to_double(const cpp_int& whole, bool inexact, int exponent) {
  const auto dropped = static_cast<int>(msb(whole)) + 1 - 53;
  cpp_int kept = whole >> static_cast<unsigned>(dropped);
  const cpp_int rest = whole - (kept << static_cast<unsigned>(dropped));
  const cpp_int half = cpp_int(1) << static_cast<unsigned>(dropped - 1);
  if (rest > half || (rest == half && (inexact || (kept & 1) != 0))) ++kept;
  return std::ldexp(static_cast<double>(static_cast<std::uint64_t>(kept)), dropped + exponent);
}

/// @brief The double nearest to numerator/denominator, denominator > 0.
inline double nearest_quotient(cpp_int numerator, const cpp_int& denominator) {
  if (numerator == 0) return 0.0;
  const bool negative = numerator < 0;
  if (negative) numerator = -numerator;
  // 70 bits more than the denominator has: the quotient then has 70 or more.
  const unsigned shift = static_cast<unsigned>(msb(denominator)) + 70;
  numerator <<= shift;
  const cpp_int quotient = numerator / denominator;
  const double result = round_to_double(quotient, quotient * denominator != numerator, -static_cast<int>(shift));
  return negative ? -result : result;
}

/// @brief The double nearest to sqrt(numerator/denominator), both > 0 or the numerator 0.
inline double nearest_square_root(cpp_int numerator, const cpp_int& denominator) {
  if (numerator == 0) return 0.0;
  const unsigned shift = static_cast<unsigned>(msb(denominator)) + 140;
  numerator <<= 2 * shift;
  const cpp_int quotient = numerator / denominator;
  const cpp_int root = sqrt(quotient);
  return round_to_double(root, root * root * denominator != numerator, -static_cast<int>(shift));
}

}  // namespace weir::oracle
