// The query's `where` over a chunk of rows: which of them stay.
//
// Most filters compare fields with constants. The double of a field never falls while its units rise, so such a
// comparison holds on one range of units, found once by bisection with the very arithmetic that the program would do;
// rows then are compared as integers. Every other filter runs as a program over columns. Immutable once built.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "batch/batch.hpp"
#include "ops/evaluate_columns.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cpu {

/// A field is not null, and in [low, high] or, if not `inside`, outside of it.
struct RangeTest {
  std::size_t field = 0;
  std::int64_t low = 0;
  std::int64_t high = 0;
  bool inside = true;
  [[nodiscard]] bool holds(std::int64_t units) const noexcept;
};

/// A key test has this outcome.
struct KeyOutcome {
  std::size_t test = 0;
  bool outcome = true;
};

/// A filter that is a conjunction of such tests.
struct Conjunction {
  std::vector<RangeTest> ranges;
  std::vector<KeyOutcome> keys;
};

/// @brief The conjunction that decides exactly as the program does, or nothing when it is none.
std::optional<Conjunction> as_conjunction(const ops::Program& program, const std::vector<double>& scales);

class Filter {
 public:
  Filter(const ops::Program& program, const std::vector<double>& scales);

  /// @brief No filter: every row stays.
  [[nodiscard]] bool all() const noexcept { return program_.empty(); }

  /// @brief Writes the rows of [first, first + rows) that stay into `selected`, as offsets from `first`, ascending.
  /// @param selected room for ops::kColumnRows @return how many stay
  std::uint32_t select(const ops::ColumnInput& input, std::uint32_t first, std::uint32_t rows,
                       ops::ColumnRegisters& registers, std::uint32_t* selected) const;

 private:
  const ops::Program& program_;
  std::optional<Conjunction> conjunction_;
};

}  // namespace weir::execute::cpu
