// What each operation of a Program computes, and the evaluator for one row. Host and device.
//
// Every functor here is plain IEEE arithmetic without contraction, so all backends get the same bits. Null is NaN
// (program.hpp has the rules). evaluate_columns.hpp runs the same functors over columns.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/host_device.hpp"
#include "ops/program.hpp"
#include "ops/units.hpp"

namespace weir::ops {

namespace functor {

struct Neg {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept { return -a; }
};
struct Abs {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept { return std::fabs(a); }
};
struct Sqrt {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept { return std::sqrt(a); }
};
struct Floor {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept {
    const double nearest = round_half_even(a);
    return nearest > a ? nearest - 1.0 : nearest;
  }
};
struct Ceil {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept {
    const double nearest = round_half_even(a);
    return std::copysign(nearest < a ? nearest + 1.0 : nearest, a);
  }
};
/// Half away from zero: from the integer toward zero, whose distance to the magnitude is exact.
struct Round {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept {
    const double magnitude = std::fabs(a);
    const double whole = Floor{}(magnitude);
    return std::copysign(magnitude - whole >= 0.5 ? whole + 1.0 : whole, a);
  }
};
struct Not {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept { return is_null(a) ? kNullValue : a == 0.0 ? 1.0 : 0.0; }
};
struct IsNull {
  WEIR_HOST_DEVICE double operator()(double a) const noexcept { return is_null(a) ? 1.0 : 0.0; }
};

struct Add {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept { return a + b; }
};
struct Sub {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept { return a - b; }
};
struct Mul {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept { return a * b; }
};
struct Div {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept { return a / b; }
};
/// fmod is exact by definition, on every platform.
struct Mod {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept { return std::fmod(a, b); }
};
struct Min {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept {
    return is_null(a) || is_null(b) ? kNullValue : b < a ? b : a;
  }
};
struct Max {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept {
    return is_null(a) || is_null(b) ? kNullValue : b > a ? b : a;
  }
};

/// A comparison is null when either side is.
template <class Compare>
struct Comparison {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept {
    return is_null(a) || is_null(b) ? kNullValue : Compare{}(a, b) ? 1.0 : 0.0;
  }
};
struct LessThan {
  WEIR_HOST_DEVICE bool operator()(double a, double b) const noexcept { return a < b; }
};
struct LessEqual {
  WEIR_HOST_DEVICE bool operator()(double a, double b) const noexcept { return a <= b; }
};
struct GreaterThan {
  WEIR_HOST_DEVICE bool operator()(double a, double b) const noexcept { return a > b; }
};
struct GreaterEqual {
  WEIR_HOST_DEVICE bool operator()(double a, double b) const noexcept { return a >= b; }
};
struct EqualTo {
  WEIR_HOST_DEVICE bool operator()(double a, double b) const noexcept { return a == b; }
};
struct NotEqualTo {
  WEIR_HOST_DEVICE bool operator()(double a, double b) const noexcept { return a != b; }
};

/// Kleene: false settles `and`, true settles `or`, whatever the other side is.
struct And {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept {
    return a == 0.0 || b == 0.0 ? 0.0 : is_null(a) || is_null(b) ? kNullValue : 1.0;
  }
};
struct Or {
  WEIR_HOST_DEVICE double operator()(double a, double b) const noexcept {
    const bool a_true = !is_null(a) && a != 0.0;
    const bool b_true = !is_null(b) && b != 0.0;
    return a_true || b_true ? 1.0 : is_null(a) || is_null(b) ? kNullValue : 0.0;
  }
};

}  // namespace functor

/// @brief dst = a == 1 ? b : a == 0 ? c : null
WEIR_HOST_DEVICE inline double select(double a, double b, double c) noexcept {
  return a == 1.0 ? b : a == 0.0 ? c : kNullValue;
}

/// @brief Calls on(functor) with the functor of a unary operation; false when `op` is none.
template <class On>
WEIR_HOST_DEVICE inline bool with_unary(Op op, On&& on) {
  switch (op) {
    case Op::neg:
      on(functor::Neg{});
      return true;
    case Op::abs:
      on(functor::Abs{});
      return true;
    case Op::sqrt:
      on(functor::Sqrt{});
      return true;
    case Op::floor:
      on(functor::Floor{});
      return true;
    case Op::ceil:
      on(functor::Ceil{});
      return true;
    case Op::round:
      on(functor::Round{});
      return true;
    case Op::not_:
      on(functor::Not{});
      return true;
    case Op::is_null:
      on(functor::IsNull{});
      return true;
    default:
      return false;
  }
}

/// @brief Calls on(functor) with the functor of a binary operation; false when `op` is none.
template <class On>
WEIR_HOST_DEVICE inline bool with_binary(Op op, On&& on) {
  using namespace functor;
  switch (op) {
    case Op::add:
      on(Add{});
      return true;
    case Op::sub:
      on(Sub{});
      return true;
    case Op::mul:
      on(Mul{});
      return true;
    case Op::div:
      on(Div{});
      return true;
    case Op::mod:
      on(Mod{});
      return true;
    case Op::min:
      on(Min{});
      return true;
    case Op::max:
      on(Max{});
      return true;
    case Op::lt:
      on(Comparison<LessThan>{});
      return true;
    case Op::le:
      on(Comparison<LessEqual>{});
      return true;
    case Op::gt:
      on(Comparison<GreaterThan>{});
      return true;
    case Op::ge:
      on(Comparison<GreaterEqual>{});
      return true;
    case Op::eq:
      on(Comparison<EqualTo>{});
      return true;
    case Op::ne:
      on(Comparison<NotEqualTo>{});
      return true;
    case Op::and_:
      on(And{});
      return true;
    case Op::or_:
      on(Or{});
      return true;
    default:
      return false;
  }
}

/// A program as the device sees it: pointers instead of vectors.
struct ProgramView {
  const Instruction* code = nullptr;
  std::size_t size = 0;
  const double* constants = nullptr;
  std::uint8_t result = 0;
};

inline ProgramView view(const Program& program) noexcept {
  return {program.code.data(), program.code.size(), program.constants.data(), program.result};
}

/// @brief Runs the program for one row. @param field_at index → double (null is NaN). @param key_test_at index → 0.0
/// or 1.0. The result of an empty program is 1.0: it keeps the row.
template <class FieldAt, class KeyTestAt>
WEIR_HOST_DEVICE inline double evaluate(const ProgramView& program, FieldAt&& field_at, KeyTestAt&& key_test_at) {
  double registers[kMaxRegisters];
  if (program.size == 0) return 1.0;
  for (std::size_t i = 0; i < program.size; ++i) {
    const Instruction& step = program.code[i];
    double& dst = registers[step.dst];
    if (step.op == Op::field) {
      dst = field_at(step.index);
    } else if (step.op == Op::constant) {
      dst = program.constants[step.index];
    } else if (step.op == Op::key_test) {
      dst = key_test_at(step.index);
    } else if (step.op == Op::select) {
      dst = select(registers[step.a], registers[step.b], registers[step.c]);
    } else if (!with_unary(step.op, [&](auto f) { dst = f(registers[step.a]); })) {
      with_binary(step.op, [&](auto f) { dst = f(registers[step.a], registers[step.b]); });
    }
  }
  return registers[program.result];
}

template <class FieldAt, class KeyTestAt>
inline double evaluate(const Program& program, FieldAt&& field_at, KeyTestAt&& key_test_at) {
  return evaluate(view(program), std::forward<FieldAt>(field_at), std::forward<KeyTestAt>(key_test_at));
}

}  // namespace weir::ops
