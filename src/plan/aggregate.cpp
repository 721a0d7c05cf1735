#include "plan/aggregate.hpp"

#include <algorithm>
#include <array>

namespace weir::plan {
namespace {

// In the order of AggregateKind.
constexpr std::array<std::string_view, 14> kNames{"count",        "sum",   "avg",      "min",        "max",
                                                  "first",        "last",  "stddev",   "stddev_pop", "variance",
                                                  "variance_pop", "range", "quantile", "distinct"};

}  // namespace

std::optional<AggregateKind> aggregate_named(std::string_view name) noexcept {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    return std::nullopt;
  }
  return static_cast<AggregateKind>(found - kNames.begin());
}

std::string_view aggregate_name(AggregateKind kind) noexcept {
  return kNames[static_cast<std::size_t>(kind)];
}

std::span<const std::string_view> aggregate_names() noexcept {
  return kNames;
}

std::uint16_t parts_of(AggregateKind kind) noexcept {
  switch (kind) {
    case AggregateKind::sum:
    case AggregateKind::avg:
      return kPartSum;
    case AggregateKind::stddev:
    case AggregateKind::stddev_pop:
    case AggregateKind::variance:
    case AggregateKind::variance_pop:
      return kPartSum | kPartSquares;
    case AggregateKind::min:
    case AggregateKind::max:
    case AggregateKind::range:
      return kPartMinMax;
    case AggregateKind::first:
      return kPartFirst;
    case AggregateKind::last:
      return kPartLast;
    case AggregateKind::quantile:
      return kPartQuantile | kPartMinMax;
    case AggregateKind::count:
    case AggregateKind::distinct:
      break;
  }
  return 0;
}

batch::ValueType result_type(AggregateKind kind) noexcept {
  switch (kind) {
    case AggregateKind::count:
    case AggregateKind::distinct:
      return batch::ValueType::count;
    case AggregateKind::avg:
    case AggregateKind::stddev:
    case AggregateKind::stddev_pop:
    case AggregateKind::variance:
    case AggregateKind::variance_pop:
      return batch::ValueType::real;
    default:
      return batch::ValueType::decimal;
  }
}

}  // namespace weir::plan
