// The values that a query computes for one row, each one only once: a directed acyclic graph in which equal
// sub-expressions are the same node. Expressions and lets of a query share one graph.
//
// No algebra is done on it (no re-association, no x*1): the order of the IEEE operations is part of the contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "ops/program.hpp"

namespace weir::plan {

struct GraphValue {
  ops::Op op;
  int a = -1;  ///< operands: ids of earlier values, or -1
  int b = -1;
  int c = -1;
  std::uint32_t index = 0;  ///< field, key_test
  double constant = 0.0;    ///< constant
};

class ValueGraph {
 public:
  /// Every function returns the id of the value; operands have smaller ids.
  int field(std::size_t index);
  int key_test(std::size_t index);
  int constant(double value);
  /// @brief An operation; folded where all operands are constants, by the operation that the backends run.
  int apply(ops::Op op, int a, int b = -1, int c = -1);

  [[nodiscard]] const GraphValue& operator[](int id) const { return values_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

 private:
  using Identity = std::tuple<ops::Op, int, int, int, std::uint32_t, std::uint64_t>;
  int intern(const GraphValue& value);

  std::vector<GraphValue> values_;
  std::map<Identity, int> ids_;
};

}  // namespace weir::plan
