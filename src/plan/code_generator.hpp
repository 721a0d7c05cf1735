// From a value graph to the register program that backends run.
#pragma once

#include <optional>

#include "ops/program.hpp"
#include "plan/value_graph.hpp"

namespace weir::plan {

/// Longer programs are refused: they would be evaluated for every reading.
inline constexpr std::size_t kMaxInstructions = 4096;

/// @brief The program that computes `root`. Values are computed once and kept as long as they are needed; where that
/// takes more than ops::kMaxRegisters, they are computed again at each use instead. `dst` of an instruction is never
/// one of its operands. Nothing when the expression is too large either way.
std::optional<ops::Program> generate(const ValueGraph& graph, int root);

}  // namespace weir::plan
