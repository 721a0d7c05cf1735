// Runs a register program for one row as ops/program.hpp describes it: the slow reading of the contract, for tests.
#pragma once

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "ops/program.hpp"

namespace weir::plan_test {

/// @param fields NaN is null @param key_tests 0.0 or 1.0
inline double interpret(const ops::Program& program, const std::vector<double>& fields,
                        const std::vector<double>& key_tests = {}) {
  using ops::Op;
  const double null = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> registers(program.registers, null);
  for (const ops::Instruction& step : program.code) {
    const auto at = [&](std::uint8_t index) { return registers.at(index); };
    const auto truth = [&](bool value, bool is_null) { return is_null ? null : value ? 1.0 : 0.0; };
    const bool a_null = std::isnan(at(step.a));
    const bool b_null = std::isnan(at(step.b));
    const bool null_in = a_null || b_null;
    double value = null;
    switch (step.op) {
      case Op::field:
        value = fields.at(step.index);
        break;
      case Op::constant:
        value = program.constants.at(step.index);
        break;
      case Op::key_test:
        value = key_tests.at(step.index);
        break;
      case Op::neg:
        value = -at(step.a);
        break;
      case Op::abs:
        value = std::abs(at(step.a));
        break;
      case Op::sqrt:
        value = std::sqrt(at(step.a));
        break;
      case Op::floor:
        value = std::floor(at(step.a));
        break;
      case Op::ceil:
        value = std::ceil(at(step.a));
        break;
      case Op::round:
        value = std::round(at(step.a));
        break;
      case Op::not_:
        value = truth(at(step.a) == 0.0, a_null);
        break;
      case Op::is_null:
        value = a_null ? 1.0 : 0.0;
        break;
      case Op::add:
        value = at(step.a) + at(step.b);
        break;
      case Op::sub:
        value = at(step.a) - at(step.b);
        break;
      case Op::mul:
        value = at(step.a) * at(step.b);
        break;
      case Op::div:
        value = at(step.a) / at(step.b);
        break;
      case Op::mod:
        value = std::fmod(at(step.a), at(step.b));
        break;
      case Op::min:
        value = null_in ? null : at(step.b) < at(step.a) ? at(step.b) : at(step.a);
        break;
      case Op::max:
        value = null_in ? null : at(step.b) > at(step.a) ? at(step.b) : at(step.a);
        break;
      case Op::lt:
        value = truth(at(step.a) < at(step.b), null_in);
        break;
      case Op::le:
        value = truth(at(step.a) <= at(step.b), null_in);
        break;
      case Op::gt:
        value = truth(at(step.a) > at(step.b), null_in);
        break;
      case Op::ge:
        value = truth(at(step.a) >= at(step.b), null_in);
        break;
      case Op::eq:
        value = truth(at(step.a) == at(step.b), null_in);
        break;
      case Op::ne:
        value = truth(at(step.a) != at(step.b), null_in);
        break;
      case Op::and_:
        value = at(step.a) == 0.0 || at(step.b) == 0.0 ? 0.0 : truth(true, null_in);
        break;
      case Op::or_:
        value = at(step.a) == 1.0 || at(step.b) == 1.0 ? 1.0 : truth(false, null_in);
        break;
      case Op::select:
        value = at(step.a) == 1.0 ? at(step.b) : at(step.a) == 0.0 ? at(step.c) : null;
        break;
    }
    registers.at(step.dst) = value;
  }
  return registers.at(program.result);
}

}  // namespace weir::plan_test
