#include "ops/evaluate_columns.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/decimal.hpp"
#include "ops/evaluate.hpp"

namespace weir::ops {
namespace {

constexpr std::uint32_t kRows = 3 * kColumnRows;

struct Columns {
  explicit Columns(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (auto& field : fields) {
      for (std::int64_t& units : field) {
        units = random() % 10 == 0 ? kNullUnits : static_cast<std::int64_t>(random() % 2'001) - 1'000;
      }
    }
    for (std::uint32_t& key : keys) key = static_cast<std::uint32_t>(random() % tests[0].size());
    for (auto& test : tests) {
      for (std::uint8_t& outcome : test) outcome = static_cast<std::uint8_t>(random() % 2);
    }
  }
  std::vector<std::vector<std::int64_t>> fields{2, std::vector<std::int64_t>(kRows)};
  std::vector<std::uint32_t> keys = std::vector<std::uint32_t>(kRows);
  std::vector<std::vector<std::uint8_t>> tests{2, std::vector<std::uint8_t>(17)};
  std::vector<double> scales{100.0, 1.0};
};

/// A program of `steps` random instructions over 6 registers, the first ones loading something into each.
Program random_program(std::mt19937_64& random, int steps) {
  Program program;
  program.registers = 6;
  program.constants = {0.0, 1.0, -2.5, 1e6, kNullValue};
  const auto reg = [&] { return static_cast<std::uint8_t>(random() % 6); };
  for (std::uint8_t dst = 0; dst < 6; ++dst) {
    const Op loads[] = {Op::field, Op::constant, Op::key_test};
    const Op op = loads[random() % 3];
    program.code.push_back({op, dst, 0, 0, 0, static_cast<std::uint16_t>(random() % (op == Op::constant ? 5 : 2))});
  }
  for (int i = 0; i < steps; ++i) {
    const auto op = static_cast<Op>(
        static_cast<int>(Op::neg) +
        static_cast<int>(random() % (static_cast<unsigned>(Op::select) - static_cast<unsigned>(Op::neg) + 1)));
    program.code.push_back({op, reg(), reg(), reg(), reg(), 0});
  }
  program.result = reg();
  return program;
}

TEST(EvaluateColumns, Columns_HaveTheBitsOfTheScalarEvaluator) {
  std::mt19937_64 random(5);
  const Columns columns(6);
  const std::vector<const std::int64_t*> fields{columns.fields[0].data(), columns.fields[1].data()};
  const std::vector<const std::uint8_t*> tests{columns.tests[0].data(), columns.tests[1].data()};
  const ColumnInput input{fields.data(), columns.scales.data(), columns.keys.data(), tests.data()};
  ColumnRegisters registers;
  registers.reserve(6);
  for (int i = 0; i < 300; ++i) {
    const Program program = random_program(random, i % 30);
    for (const std::uint32_t rows : {1U, 31U, 32U, 33U, kColumnRows - 1, kColumnRows}) {
      const auto first = static_cast<std::uint32_t>(random() % (kRows - rows + 1));
      const double* const result = evaluate_columns(program, input, first, rows, registers);
      for (std::uint32_t row = 0; row < rows; ++row) {
        const double expected = evaluate(
            program, [&](std::size_t f) { return units_to_double(fields[f][first + row], columns.scales[f]); },
            [&](std::size_t t) { return tests[t][columns.keys[first + row]] != 0 ? 1.0 : 0.0; });
        const bool same = (std::isnan(expected) && std::isnan(result[row])) ||
                          std::bit_cast<std::uint64_t>(expected) == std::bit_cast<std::uint64_t>(result[row]);
        ASSERT_TRUE(same) << "program " << i << ", row " << row << ": " << result[row] << ", expected " << expected;
      }
    }
  }
}

}  // namespace
}  // namespace weir::ops
