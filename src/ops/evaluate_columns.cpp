#include "ops/evaluate_columns.hpp"

#include <algorithm>

#include "ops/evaluate.hpp"

// Tells GCC that the columns of an instruction do not overlap but row by row; clang finds out at run time.
#if defined(__clang__)
#define WEIR_NO_DEPENDENCIES
#else
#define WEIR_NO_DEPENDENCIES _Pragma("GCC ivdep")
#endif

namespace weir::ops {
namespace {

// A register may be both source and destination; each row is read before it is written, so no order can show.
template <class Function>
void unary(Function f, double* dst, const double* a, std::uint32_t rows) {
  WEIR_NO_DEPENDENCIES
  for (std::uint32_t i = 0; i < rows; ++i) dst[i] = f(a[i]);
}

template <class Function>
void binary(Function f, double* dst, const double* a, const double* b, std::uint32_t rows) {
  WEIR_NO_DEPENDENCIES
  for (std::uint32_t i = 0; i < rows; ++i) dst[i] = f(a[i], b[i]);
}

}  // namespace

const double* evaluate_columns(const Program& program, const ColumnInput& input, std::uint32_t first,
                               std::uint32_t rows, ColumnRegisters& registers) {
  for (const Instruction& step : program.code) {
    double* const dst = registers.column(step.dst);
    const double* const a = registers.column(step.a);
    const double* const b = registers.column(step.b);
    if (step.op == Op::field) {
      const std::int64_t* const units = input.fields[step.index] + first;
      const double scale = input.scales[step.index];
      for (std::uint32_t i = 0; i < rows; ++i) dst[i] = units_to_double(units[i], scale);
    } else if (step.op == Op::constant) {
      std::fill_n(dst, rows, program.constants[step.index]);
    } else if (step.op == Op::key_test) {
      const std::uint8_t* const table = input.key_tests[step.index];
      const std::uint32_t* const keys = input.keys + first;
      for (std::uint32_t i = 0; i < rows; ++i) dst[i] = table[keys[i]] != 0 ? 1.0 : 0.0;
    } else if (step.op == Op::select) {
      const double* const c = registers.column(step.c);
      WEIR_NO_DEPENDENCIES
      for (std::uint32_t i = 0; i < rows; ++i) dst[i] = select(a[i], b[i], c[i]);
    } else if (!with_unary(step.op, [&](auto f) { unary(f, dst, a, rows); })) {
      with_binary(step.op, [&](auto f) { binary(f, dst, a, b, rows); });
    }
  }
  return registers.column(program.result);
}

}  // namespace weir::ops
