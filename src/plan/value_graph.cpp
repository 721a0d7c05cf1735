#include "plan/value_graph.hpp"

#include <bit>

#include "ops/evaluate.hpp"

namespace weir::plan {

int ValueGraph::intern(const GraphValue& value) {
  const Identity identity(value.op, value.a, value.b, value.c, value.index,
                          std::bit_cast<std::uint64_t>(value.constant));
  const auto [entry, inserted] = ids_.try_emplace(identity, static_cast<int>(values_.size()));
  if (inserted) {
    values_.push_back(value);
  }
  return entry->second;
}

int ValueGraph::field(std::size_t index) {
  return intern({.op = ops::Op::field, .index = static_cast<std::uint32_t>(index)});
}

int ValueGraph::key_test(std::size_t index) {
  return intern({.op = ops::Op::key_test, .index = static_cast<std::uint32_t>(index)});
}

int ValueGraph::constant(double value) {
  return intern({.op = ops::Op::constant, .constant = value});
}

int ValueGraph::apply(ops::Op op, int a, int b, int c) {
  const auto is_constant = [this](int id) { return id < 0 || (*this)[id].op == ops::Op::constant; };
  if (is_constant(a) && is_constant(b) && is_constant(c)) {
    double folded = 0.0;
    const auto at = [this](int id) { return (*this)[id].constant; };
    if (op == ops::Op::select) {
      return constant(ops::select(at(a), at(b), at(c)));
    }
    if (ops::with_unary(op, [&](auto function) { folded = function(at(a)); }) ||
        ops::with_binary(op, [&](auto function) { folded = function(at(a), at(b)); })) {
      return constant(folded);
    }
  }
  return intern({.op = op, .a = a, .b = b, .c = c});
}

}  // namespace weir::plan
