// `having` on the device: of the groups of a closed window those whose row is kept. What the Finalizer does on the host
// (execute/finalize.cpp), with the same arithmetic, for every aggregate that a cell alone decides.
#pragma once

#include "core/exact_arithmetic.hpp"
#include "kernels/views.hpp"

namespace weir::kernels {

/// @brief A part of two words as the sum that it is.
WEIR_HOST_DEVICE inline Int128 sum_at(const Word* words) noexcept {
  return static_cast<Int128>((static_cast<UInt128>(words[1]) << 64U) | words[0]);
}

/// @brief The double that `having` sees for an aggregate of a cell; null where it has too few values.
WEIR_HOST_DEVICE inline double aggregate_value(const AggregateView& aggregate, const Word* cell) noexcept {
  const std::uint64_t count = cell[aggregate.count];
  if (count < aggregate.least) return ops::kNullValue;
  const Word* const words = cell + aggregate.word;
  switch (aggregate.kind) {
    case ValueKind::count:
      return static_cast<double>(count);
    case ValueKind::sum:
      return exact::mean(sum_at(words), 1, aggregate.unit);
    case ValueKind::mean:
      return exact::mean(sum_at(words), count, aggregate.unit);
    case ValueKind::value:
      return exact::mean(as_signed(words[0]), 1, aggregate.unit);
    case ValueKind::range:
      return exact::mean(static_cast<Int128>(as_signed(cell[aggregate.other])) - as_signed(words[0]), 1,
                         aggregate.unit);
    case ValueKind::stddev:
    case ValueKind::variance: {
      const Word* const limbs = cell + aggregate.other;
      const UInt192 squares{{limbs[0], limbs[1], limbs[2]}};
      // A sample's variance has one degree of freedom less, and needs two values.
      const std::uint64_t divisor = count - (aggregate.least - 1);
      return aggregate.kind == ValueKind::stddev
                 ? exact::stddev(sum_at(words), squares, count, divisor, aggregate.unit)
                 : exact::variance(sum_at(words), squares, count, divisor, aggregate.unit);
    }
  }
  return ops::kNullValue;
}

/// One thread a group that has readings.
struct KeepRows {
  static constexpr bool kBarriers = false;
  HavingView view;

  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& block) const {
    for (std::uint64_t group = block.first(); group < view.groups; group += block.stride()) {
      if (view.flags[group] == 0) continue;
      const Word* const cell = view.totals + group * view.words;
      const double kept = ops::evaluate(
          view.program, [&](std::uint16_t index) { return aggregate_value(view.aggregates[index], cell); },
          [&](std::uint16_t test) { return view.tests[test][group] != 0 ? 1.0 : 0.0; });
      if (kept == 1.0) continue;
      view.flags[group] = 0;
      *view.refused = 1;
    }
  }
};

}  // namespace weir::kernels
