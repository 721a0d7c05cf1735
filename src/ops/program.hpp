// The register program that `where`, `let`, aggregate arguments and `having` compile to.
//
// One type: IEEE double. Booleans are 0.0 and 1.0. Null is NaN, so it passes through arithmetic by itself; an operation
// that has no finite meaning (0/0, sqrt(-1)) is null too. Comparisons with null are null; `and`, `or`, `not` follow
// Kleene's three-valued logic; `where` and `having` keep a row only when the result is 1.0.
#pragma once

#include <cstdint>
#include <vector>

namespace weir::ops {

enum class Op : std::uint8_t {
  field,     ///< dst = field `index` as a double (decimal_to_double), null where absent; in `having`: result column
             ///< `index`
  constant,  ///< dst = constants[index]
  key_test,  ///< dst = table of key test `index` at the row's key id (0.0 or 1.0); in `having`: at the row's group id
  neg,
  abs,
  sqrt,
  floor,
  ceil,
  round,
  not_,
  is_null,  // dst = f(a); round: half away from zero
  add,
  sub,
  mul,
  div,
  mod,
  min,
  max,  // dst = f(a, b); mod is C's fmod; min/max: null if either is
  lt,
  le,
  gt,
  ge,
  eq,
  ne,
  and_,
  or_,
  select  ///< dst = a == 1 ? b : a == 0 ? c : null
};

struct Instruction {
  Op op;
  std::uint8_t dst = 0;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;
  std::uint16_t index = 0;
};

/// Registers a program may use; the compiler reuses them, and refuses an expression that needs more.
inline constexpr int kMaxRegisters = 32;

struct Program {
  std::vector<Instruction> code;
  std::vector<double> constants;
  std::uint8_t result = 0;     ///< register that holds the result after the last instruction
  std::uint8_t registers = 0;  ///< registers used
  [[nodiscard]] bool empty() const noexcept { return code.empty(); }
};

}  // namespace weir::ops
