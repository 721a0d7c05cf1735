#include "ops/evaluate.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace weir::ops {
namespace {

constexpr double kNan = kNullValue;

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// Runs one operation over a, b, c.
double run(Op op, double a, double b = 0.0, double c = 0.0) {
  Program program;
  program.constants = {a, b, c};
  program.code = {
      {Op::constant, 0, 0, 0, 0, 0}, {Op::constant, 1, 0, 0, 0, 1}, {Op::constant, 2, 0, 0, 0, 2}, {op, 3, 0, 1, 2, 0}};
  program.result = 3;
  program.registers = 4;
  return evaluate(
      program, [](std::size_t) { return 0.0; }, [](std::size_t) { return 0.0; });
}

TEST(Evaluate, FloorCeilRound_AreThoseOfTheStandardLibrary) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 100'000; ++i) {
    const double x = i % 2 == 0 ? std::bit_cast<double>(random())
                                : static_cast<double>(static_cast<std::int64_t>(random() % 40'001) - 20'000) / 8.0;
    ASSERT_TRUE(same(run(Op::floor, x), std::floor(x))) << x;
    ASSERT_TRUE(same(run(Op::ceil, x), std::ceil(x))) << x;
    ASSERT_TRUE(same(run(Op::round, x), std::round(x))) << x;
  }
  for (const double x : {0.0, -0.0, 0.5, -0.5, -0.3, 0.49999999999999994, -0.49999999999999994, 4503599627370495.5,
                         HUGE_VAL, -HUGE_VAL, kNan}) {
    EXPECT_TRUE(same(run(Op::floor, x), std::floor(x))) << x;
    EXPECT_TRUE(same(run(Op::ceil, x), std::ceil(x))) << x;
    EXPECT_TRUE(same(run(Op::round, x), std::round(x))) << x;
  }
}

TEST(Evaluate, Arithmetic_IsIeee) {
  EXPECT_EQ(run(Op::add, 0.1, 0.2), 0.1 + 0.2);
  EXPECT_EQ(run(Op::sub, 0.3, 0.1), 0.3 - 0.1);
  EXPECT_EQ(run(Op::mul, 0.1, 3.0), 0.1 * 3.0);
  EXPECT_EQ(run(Op::div, 1.0, 3.0), 1.0 / 3.0);
  EXPECT_EQ(run(Op::mod, -7.5, 2.0), -1.5);
  EXPECT_EQ(run(Op::neg, 2.0), -2.0);
  EXPECT_EQ(run(Op::abs, -2.0), 2.0);
  EXPECT_EQ(run(Op::sqrt, 2.0), std::sqrt(2.0));
}

TEST(Evaluate, WhatHasNoMeaning_IsNull) {
  EXPECT_TRUE(is_null(run(Op::div, 0.0, 0.0)));
  EXPECT_TRUE(is_null(run(Op::sqrt, -1.0)));
  EXPECT_TRUE(is_null(run(Op::mod, 1.0, 0.0)));
  EXPECT_EQ(run(Op::is_null, kNan), 1.0);
  EXPECT_EQ(run(Op::is_null, 0.0), 0.0);
}

TEST(Evaluate, MinAndMax_AreNullIfEitherSideIs) {
  EXPECT_EQ(run(Op::min, 1.0, 2.0), 1.0);
  EXPECT_EQ(run(Op::max, 1.0, 2.0), 2.0);
  for (const Op op : {Op::min, Op::max}) {
    EXPECT_TRUE(is_null(run(op, kNan, 2.0)));
    EXPECT_TRUE(is_null(run(op, 1.0, kNan)));
  }
}

TEST(Evaluate, Comparisons_AreNullIfEitherSideIs) {
  const std::vector<std::pair<Op, std::vector<double>>> table{{Op::lt, {1, 0, 0}}, {Op::le, {1, 1, 0}},
                                                              {Op::gt, {0, 0, 1}}, {Op::ge, {0, 1, 1}},
                                                              {Op::eq, {0, 1, 0}}, {Op::ne, {1, 0, 1}}};
  for (const auto& [op, expected] : table) {
    EXPECT_EQ(run(op, 1.0, 2.0), expected[0]);
    EXPECT_EQ(run(op, 2.0, 2.0), expected[1]);
    EXPECT_EQ(run(op, 3.0, 2.0), expected[2]);
    EXPECT_TRUE(is_null(run(op, kNan, 2.0)));
    EXPECT_TRUE(is_null(run(op, 2.0, kNan)));
    EXPECT_TRUE(is_null(run(op, kNan, kNan)));
  }
}

TEST(Evaluate, Logic_IsKleenes) {
  // Rows and columns: false, null, true.
  const double values[] = {0.0, kNan, 1.0};
  const double both[3][3] = {{0, 0, 0}, {0, kNan, kNan}, {0, kNan, 1}};
  const double either[3][3] = {{0, kNan, 1}, {kNan, kNan, 1}, {1, 1, 1}};
  const double inverse[] = {1.0, kNan, 0.0};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(same(run(Op::not_, values[i]), inverse[i]));
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_TRUE(same(run(Op::and_, values[i], values[j]), both[i][j])) << i << " and " << j;
      EXPECT_TRUE(same(run(Op::or_, values[i], values[j]), either[i][j])) << i << " or " << j;
    }
  }
}

TEST(Evaluate, Select_TakesTheBranchOrNull) {
  EXPECT_EQ(run(Op::select, 1.0, 2.0, 3.0), 2.0);
  EXPECT_EQ(run(Op::select, 0.0, 2.0, 3.0), 3.0);
  EXPECT_TRUE(is_null(run(Op::select, kNan, 2.0, 3.0)));
  EXPECT_EQ(run(Op::select, 1.0, 2.0, kNan), 2.0);
}

TEST(Evaluate, EmptyProgram_KeepsTheRow) {
  EXPECT_EQ(evaluate(
                Program{}, [](std::size_t) { return 0.0; }, [](std::size_t) { return 0.0; }),
            1.0);
}

}  // namespace
}  // namespace weir::ops
