// The CPU's filter decides as the program does, whichever way it takes.
#include "execute/cpu/filter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

#include "core/decimal.hpp"
#include "ops/evaluate.hpp"

namespace weir::execute::cpu {
namespace {

using ops::Op;

const std::vector<double> kScales{100.0, 1e18};

/// field op constant
ops::Program comparison(Op op, std::uint16_t field, double constant, bool constant_first = false) {
  ops::Program program;
  program.constants = {constant};
  program.code = {{Op::field, 0, 0, 0, 0, field}, {Op::constant, 1, 0, 0, 0, 0}};
  program.code.push_back({op, 2, static_cast<std::uint8_t>(constant_first ? 1 : 0),
                          static_cast<std::uint8_t>(constant_first ? 0 : 1), 0, 0});
  program.result = 2;
  program.registers = 3;
  return program;
}

class Rows {
 public:
  explicit Rows(std::uint64_t seed, std::uint32_t size) : keys_(size) {
    std::mt19937_64 random(seed);
    for (auto& column : columns_) {
      for (std::uint32_t i = 0; i < size; ++i) {
        column.push_back(random() % 8 == 0   ? kNullUnits
                         : random() % 8 == 0 ? static_cast<std::int64_t>(random() >> 1)
                                             : static_cast<std::int64_t>(random() % 401) - 200);
      }
    }
    for (std::uint32_t& key : keys_) key = static_cast<std::uint32_t>(random() % 4);
    pointers_ = {columns_[0].data(), columns_[1].data()};
    tests_ = {table_.data()};
    input_ = {pointers_.data(), kScales.data(), keys_.data(), tests_.data()};
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// What select() gives and what the program says row by row.
  void check(const ops::Program& program, bool expect_conjunction) {
    EXPECT_EQ(as_conjunction(program, kScales).has_value(), expect_conjunction);
    const Filter filter(program, kScales);
    ops::ColumnRegisters registers;
    registers.reserve(program.registers);
    std::array<std::uint32_t, ops::kColumnRows> selected;
    const auto size = static_cast<std::uint32_t>(keys_.size());
    for (std::uint32_t first = 0; first < size; first += ops::kColumnRows) {
      const std::uint32_t rows = std::min(size - first, ops::kColumnRows);
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < rows; ++i) {
        const double result = ops::evaluate(
            program, [&](std::size_t f) { return ops::units_to_double(columns_[f][first + i], kScales[f]); },
            [&](std::size_t t) { return tests_[t][keys_[first + i]] != 0 ? 1.0 : 0.0; });
        if (result == 1.0) expected.push_back(i);
      }
      const std::uint32_t count = filter.select(input_, first, rows, registers, selected.data());
      const std::vector<std::uint32_t> actual(selected.begin(), selected.begin() + count);
      ASSERT_EQ(actual, expected);
    }
  }

 private:
  std::array<std::vector<std::int64_t>, 2> columns_;
  std::vector<std::uint32_t> keys_;
  std::array<std::uint8_t, 4> table_{0, 1, 1, 0};
  std::vector<const std::int64_t*> pointers_;
  std::vector<const std::uint8_t*> tests_;
  ops::ColumnInput input_;
};

TEST(CpuFilter, NoProgram_KeepsEverything) {
  EXPECT_TRUE(Filter(ops::Program{}, kScales).all());
}

TEST(CpuFilter, Comparisons_AreDecidedInIntegersAsTheProgramDoes) {
  Rows rows(21, 2'500);
  for (const Op op : {Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne}) {
    for (const double constant :
         {-0.0, 0.5, 1.0, -1.25, 1.000000000000001, 1e18, -1e300, HUGE_VAL, 9.223372036854775}) {
      rows.check(comparison(op, 0, constant), true);
      rows.check(comparison(op, 1, constant), true);
      rows.check(comparison(op, 0, constant, true), true);
    }
  }
}

TEST(CpuFilter, Thresholds_AreExactWhereDoublesAreCoarserThanUnits) {
  // With 18 places many units share a double; the range has to begin and end exactly where the double changes.
  std::mt19937_64 random(22);
  for (int i = 0; i < 300; ++i) {
    const auto units = static_cast<std::int64_t>(random() >> 1);
    const double constant = ops::units_to_double(units, 1e18);
    for (const Op op : {Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne}) {
      const ops::Program program = comparison(op, 1, constant);
      const auto conjunction = as_conjunction(program, kScales);
      ASSERT_TRUE(conjunction.has_value());
      for (std::int64_t near = units - 700; near <= units + 700; ++near) {
        const double result = ops::evaluate(
            program, [&](std::size_t) { return ops::units_to_double(near, 1e18); }, [](std::size_t) { return 0.0; });
        ASSERT_EQ(conjunction->ranges[0].holds(near), result == 1.0) << near;
      }
      ASSERT_FALSE(conjunction->ranges[0].holds(kNullUnits));
    }
  }
}

TEST(CpuFilter, NullConstant_IsLeftToTheProgram) {
  Rows(23, 100).check(comparison(Op::ne, 0, ops::kNullValue), false);
}

TEST(CpuFilter, ConjunctionsOfComparisonsAndKeyTests_AreDecidedInIntegers) {
  ops::Program program;
  program.constants = {-1.0, 1.0};
  program.code = {{Op::field, 0, 0, 0, 0, 0}, {Op::constant, 1, 0, 0, 0, 0}, {Op::ge, 0, 0, 1, 0, 0},
                  {Op::field, 1, 0, 0, 0, 0}, {Op::constant, 2, 0, 0, 0, 1}, {Op::gt, 1, 1, 2, 0, 0},
                  {Op::not_, 1, 1, 0, 0, 0},  {Op::and_, 0, 0, 1, 0, 0},     {Op::key_test, 1, 0, 0, 0, 0},
                  {Op::and_, 0, 0, 1, 0, 0}};
  program.registers = 3;
  for (const std::uint32_t size : {0U, 1U, 31U, 32U, 33U, 1'023U, 1'024U, 1'025U}) Rows(24, size).check(program, true);
  program.code.push_back({Op::not_, 0, 0, 0, 0, 0});  // of a conjunction: no conjunction
  Rows(25, 1'025).check(program, false);
}

TEST(CpuFilter, AnythingElse_RunsAsAProgram) {
  ops::Program program = comparison(Op::lt, 0, 0.5);
  program.code.insert(program.code.begin() + 1, {Op::abs, 0, 0, 0, 0, 0});
  Rows(26, 1'025).check(program, false);
}

}  // namespace
}  // namespace weir::execute::cpu
