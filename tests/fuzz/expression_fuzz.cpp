// Any text as a filter and as an aggregate's argument: refused, or its program keeps the rules of ops/program.hpp and
// gives what a second interpreter gives.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ops/evaluate.hpp"
#include "plan/pipelines.hpp"
#include "plan/program_interpreter.hpp"

namespace {

void check(const weir::ops::Program& program, std::size_t key_test_count) {
  using weir::ops::Op;
  if (program.registers > weir::ops::kMaxRegisters) {
    std::abort();
  }
  for (const weir::ops::Instruction& step : program.code) {
    const bool reads_a = step.op >= Op::neg;
    const bool reads_b = step.op >= Op::add;
    if ((reads_a && step.a == step.dst) || (reads_b && step.b == step.dst) ||
        (step.op == Op::select && step.c == step.dst)) {
      std::abort();
    }
  }
  for (const double value : {0.0, -1.5, 1e300, std::nan("")}) {
    const std::vector<double> fields{value, 3.0, std::nan("")};
    const std::vector<double> key_tests(key_test_count, value == 0.0 ? 0.0 : 1.0);
    const double found = weir::ops::evaluate(
        program, [&](std::size_t i) { return fields.at(i); }, [&](std::size_t i) { return key_tests.at(i); });
    const double expected = program.empty() ? 1.0 : weir::plan_test::interpret(program, fields, key_tests);
    if (std::isnan(found) != std::isnan(expected) ||
        (!std::isnan(found) && std::bit_cast<std::uint64_t>(found) != std::bit_cast<std::uint64_t>(expected))) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  weir::spec::Pipeline filtered = weir::plan_test::simple_pipeline();
  filtered.queries[0].where = text;
  weir::spec::Pipeline selected = weir::plan_test::simple_pipeline({"sum(" + text + ") as x"});
  weir::spec::Pipeline had = weir::plan_test::simple_pipeline({text, "avg(load) as mean"});
  had.queries[0].having = text;
  for (const weir::spec::Pipeline& pipeline : {filtered, selected, had}) {
    try {
      const weir::plan::QueryPlan query = weir::plan::compile(pipeline).queries.at(0);
      check(query.where, query.key_tests.size());
      for (const weir::plan::Argument& argument : query.arguments) {
        check(argument.program, query.key_tests.size());
      }
    } catch (const weir::ConfigError&) {
      // The text is no expression.
    }
  }
  return 0;
}
