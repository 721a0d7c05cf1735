// Any bytes as a decimal: the fast path and the general one agree, and what was exact prints and reads back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/decimal.hpp"
#include "core/duration.hpp"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const int places = data[0] % (weir::kMaxPlaces + 1);
  // A copy of the exact size, so that the address sanitizer sees a read past the end.
  const std::string copy(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view text(copy);

  const weir::ParsedDecimal fast = weir::parse_decimal(text, places);
  const weir::ParsedDecimal general = weir::parse_decimal_any(text, places);
  require(fast.units == general.units && fast.status == general.status);
  require(fast.units != weir::kNullUnits);
  if (fast.status == weir::DecimalStatus::ok) {
    std::string printed;
    weir::append_decimal(printed, fast.units, places);
    const weir::ParsedDecimal again = weir::parse_decimal(printed, places);
    require(again.status == weir::DecimalStatus::ok && again.units == fast.units);
  }

  if (const auto duration = weir::parse_duration(text)) {
    require(weir::parse_duration(weir::to_string(*duration)) == duration);
  }
  static_cast<void>(weir::parse_bytes(text));
  return 0;
}
