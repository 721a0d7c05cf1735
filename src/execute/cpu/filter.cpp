#include "execute/cpu/filter.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "core/decimal.hpp"
#include "core/int128.hpp"
#include "ops/units.hpp"

namespace weir::execute::cpu {
namespace {

using ops::Op;

constexpr Int128 kSmallest = -Int128{std::numeric_limits<std::int64_t>::max()};
constexpr Int128 kLargest = std::numeric_limits<std::int64_t>::max();

/// The smallest units for which `below` is false; kLargest + 1 when it is true for all. `below` is true up to some
/// point and false from there on.
template <class Below>
Int128 first_not(const Below& below) {
  Int128 low = kSmallest;
  Int128 high = kLargest + 1;
  while (low < high) {
    const Int128 middle = low + (high - low) / 2;
    if (below(static_cast<std::int64_t>(middle))) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

RangeTest range(std::size_t field, Int128 low, Int128 high, bool inside) {
  // An empty range of 128 bits becomes an empty one of 64.
  if (low > high) return {field, 1, 0, inside};
  return {field, static_cast<std::int64_t>(low), static_cast<std::int64_t>(high), inside};
}

RangeTest compare(Op op, std::size_t field, double constant, double scale) {
  const Int128 not_less = first_not([&](std::int64_t u) { return ops::units_to_double(u, scale) < constant; });
  const Int128 greater = first_not([&](std::int64_t u) { return ops::units_to_double(u, scale) <= constant; });
  switch (op) {
    case Op::lt:
      return range(field, kSmallest, not_less - 1, true);
    case Op::le:
      return range(field, kSmallest, greater - 1, true);
    case Op::gt:
      return range(field, greater, kLargest, true);
    case Op::ge:
      return range(field, not_less, kLargest, true);
    case Op::eq:
      return range(field, not_less, greater - 1, true);
    default:
      return range(field, not_less, greater - 1, false);
  }
}

Op mirrored(Op op) noexcept {
  switch (op) {
    case Op::lt:
      return Op::gt;
    case Op::le:
      return Op::ge;
    case Op::gt:
      return Op::lt;
    case Op::ge:
      return Op::le;
    default:
      return op;
  }
}

bool is_comparison(Op op) noexcept {
  return op == Op::lt || op == Op::le || op == Op::gt || op == Op::ge || op == Op::eq || op == Op::ne;
}

/// What a register holds, as far as it matters here; monostate: anything else.
struct Field {
  std::size_t index;
};
using Symbol = std::variant<std::monostate, Field, double, Conjunction>;

Symbol combine(const ops::Instruction& step, const std::array<Symbol, ops::kMaxRegisters>& registers,
               const std::vector<double>& scales) {
  const Symbol& a = registers[step.a];
  const Symbol& b = registers[step.b];
  if (step.op == Op::neg && std::holds_alternative<double>(a)) return -std::get<double>(a);
  if (step.op == Op::not_ && std::holds_alternative<Conjunction>(a)) {
    // A null comparison stays null under `not`, and a range test refuses nulls either way.
    Conjunction inverse = std::get<Conjunction>(a);
    if (inverse.ranges.size() + inverse.keys.size() != 1) return {};
    for (RangeTest& test : inverse.ranges) test.inside = !test.inside;
    for (KeyOutcome& test : inverse.keys) test.outcome = !test.outcome;
    return inverse;
  }
  if (step.op == Op::and_ && std::holds_alternative<Conjunction>(a) && std::holds_alternative<Conjunction>(b)) {
    Conjunction both = std::get<Conjunction>(a);
    const auto& other = std::get<Conjunction>(b);
    both.ranges.insert(both.ranges.end(), other.ranges.begin(), other.ranges.end());
    both.keys.insert(both.keys.end(), other.keys.begin(), other.keys.end());
    return both;
  }
  const auto known = [](const Symbol& symbol) {
    return std::holds_alternative<double>(symbol) && !ops::is_null(std::get<double>(symbol));
  };
  if (is_comparison(step.op)) {
    if (std::holds_alternative<Field>(a) && known(b)) {
      const std::size_t field = std::get<Field>(a).index;
      return Conjunction{{compare(step.op, field, std::get<double>(b), scales[field])}, {}};
    }
    if (known(a) && std::holds_alternative<Field>(b)) {
      const std::size_t field = std::get<Field>(b).index;
      return Conjunction{{compare(mirrored(step.op), field, std::get<double>(a), scales[field])}, {}};
    }
  }
  return {};
}

/// Appends i to `selected` where keep(i); without a branch, for which rows stay is rarely predictable.
template <class Keep>
std::uint32_t compact(std::uint32_t rows, std::uint32_t* selected, const Keep& keep) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < rows; ++i) {
    selected[count] = i;
    count += keep(i) ? 1U : 0U;
  }
  return count;
}

}  // namespace

bool RangeTest::holds(std::int64_t units) const noexcept {
  const std::uint64_t offset = static_cast<std::uint64_t>(units) - static_cast<std::uint64_t>(low);
  const std::uint64_t width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const bool in = low <= high && offset <= width;
  return units != kNullUnits && in == inside;
}

std::optional<Conjunction> as_conjunction(const ops::Program& program, const std::vector<double>& scales) {
  std::array<Symbol, ops::kMaxRegisters> registers;
  for (const ops::Instruction& step : program.code) {
    Symbol result;
    if (step.op == Op::field) {
      result = Field{step.index};
    } else if (step.op == Op::constant) {
      result = program.constants[step.index];
    } else if (step.op == Op::key_test) {
      result = Conjunction{{}, {{step.index, true}}};
    } else {
      result = combine(step, registers, scales);
    }
    registers[step.dst] = std::move(result);
  }
  Symbol& result = registers[program.result];
  if (program.empty() || !std::holds_alternative<Conjunction>(result)) return std::nullopt;
  return std::get<Conjunction>(std::move(result));
}

Filter::Filter(const ops::Program& program, const std::vector<double>& scales)
    : program_(program), conjunction_(as_conjunction(program, scales)) {}

std::uint32_t Filter::select(const ops::ColumnInput& input, std::uint32_t first, std::uint32_t rows,
                             ops::ColumnRegisters& registers, std::uint32_t* selected) const {
  if (!conjunction_) {
    const double* const result = ops::evaluate_columns(program_, input, first, rows, registers);
    return compact(rows, selected, [=](std::uint32_t i) { return result[i] == 1.0; });
  }
  const auto& [ranges, keys] = *conjunction_;
  if (ranges.size() == 1 && keys.empty()) {
    const RangeTest test = ranges[0];
    const std::int64_t* const units = input.fields[test.field] + first;
    return compact(rows, selected, [=](std::uint32_t i) { return test.holds(units[i]); });
  }
  std::array<std::uint8_t, ops::kColumnRows> keep;
  std::fill_n(keep.begin(), rows, std::uint8_t{1});
  for (const RangeTest& test : ranges) {
    const std::int64_t* const units = input.fields[test.field] + first;
    for (std::uint32_t i = 0; i < rows; ++i) keep[i] = test.holds(units[i]) ? keep[i] : std::uint8_t{0};
  }
  for (const KeyOutcome& test : keys) {
    const std::uint8_t* const table = input.key_tests[test.test];
    const std::uint32_t* const ids = input.keys + first;
    for (std::uint32_t i = 0; i < rows; ++i) keep[i] = (table[ids[i]] != 0) == test.outcome ? keep[i] : std::uint8_t{0};
  }
  return compact(rows, selected, [&](std::uint32_t i) { return keep[i] != 0; });
}

}  // namespace weir::execute::cpu
