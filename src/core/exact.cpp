#include "core/exact.hpp"

#include "core/decimal.hpp"
#include "core/exact_arithmetic.hpp"

namespace weir {
namespace {

std::uint64_t unit(int places) noexcept {
  return static_cast<std::uint64_t>(pow10(places));
}

}  // namespace

double exact_mean(Int128 sum, std::uint64_t count, int places) noexcept {
  return exact::mean(sum, count, unit(places));
}

double exact_variance(Int128 sum, UInt192 squares, std::uint64_t count, std::uint64_t divisor, int places) noexcept {
  return exact::variance(sum, squares, count, divisor, unit(places));
}

double exact_stddev(Int128 sum, UInt192 squares, std::uint64_t count, std::uint64_t divisor, int places) noexcept {
  return exact::stddev(sum, squares, count, divisor, unit(places));
}

double exact_decimal_to_double(Int128 units, int places) noexcept {
  return exact_mean(units, 1, places);
}

}  // namespace weir
