// Expressions: programs against an evaluator that works from the text alone, and the limits of the language.
#include "plan/expression.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "oracle/expression_oracle.hpp"
#include "plan/pipelines.hpp"
#include "plan/program_interpreter.hpp"

namespace weir::plan_test {
namespace {

/// Writes random expressions of a wanted type.
class Author {
 public:
  explicit Author(std::uint64_t seed) : random_(seed) {}

  std::string number(int depth) {
    switch (depth <= 0 ? pick(4) : pick(13)) {
      case 0:
      case 1:
        return one_of({"load", "speed", "raw"});
      case 2:
        return one_of({"0", "1", "2", "0.5", "3.25", "10", "0.1"});
      case 3:
        return one_of({"twice", "share"});
      case 4:
      case 5:
      case 6:
      case 7:
        return number(depth - 1) + one_of({" + ", " - ", " * ", " / ", " % ", "+", "*"}) + number(depth - 1);
      case 8:
        return "(" + number(depth - 1) + ")";
      case 9:
        return "-" + number(depth - 1);
      case 10:
        return one_of({"abs(", "sqrt(", "floor(", "ceil(", "round("}) + number(depth - 1) + ")";
      case 11:
        return one_of({"min(", "max("}) + number(depth - 1) + ", " + number(depth - 1) +
               (pick(2) == 0 ? ", " + number(depth - 1) : "") + ")";
      default:
        return "if(" + condition(depth - 1) + ", " + number(depth - 1) + ", " + number(depth - 1) + ")";
    }
  }

  std::string condition(int depth) {
    switch (depth <= 0 ? pick(3) : pick(9)) {
      case 0:
      case 1:
        return number(depth - 1) + one_of({" < ", " <= ", " > ", " >= ", " == ", " != "}) + number(depth - 1);
      case 2:
        return pick(2) == 0
                   ? one_of({"machine", "line"}) + one_of({" == ", " != ", " < ", " >= "}) +
                         one_of({"'a'", "'b'", "'\xc3\xa9'"})
                   : one_of({"'a'", "''"}) + one_of({" < ", " == ", " <= ", " > "}) + one_of({"machine", "line"});
      case 3:
      case 4:
        return condition(depth - 1) + one_of({" and ", " or "}) + condition(depth - 1);
      case 5:
        return "not (" + condition(depth - 1) + ")";
      case 6:
        return "(" + condition(depth - 1) + ")";
      case 7:
        return "is_null(" + number(depth - 1) + ")";
      default:
        return "if(" + condition(depth - 1) + ", " + condition(depth - 1) + ", " + condition(depth - 1) + ")";
    }
  }

  std::size_t pick(std::size_t choices) { return std::uniform_int_distribution<std::size_t>(0, choices - 1)(random_); }
  std::string one_of(const std::vector<std::string>& choices) { return choices[pick(choices.size())]; }

 private:
  std::mt19937_64 random_;
};

constexpr const char* kTwice = "load * 2";
constexpr const char* kShare = "speed / (twice + raw)";

oracle::NamedValues random_row(Author& author) {
  static const std::vector<std::optional<double>> kNumbers{std::nullopt, 0.0,   1.0,    -1.0, 0.5,
                                                           -2.5,         1e300, 21.375, 7.0,  -0.0};
  static const std::vector<std::string> kTexts{"a", "b", "", "ab", "\xc3\xa9"};
  oracle::NamedValues row;
  for (const char* name : {"load", "speed", "raw"}) {
    row.numbers[name] = kNumbers[author.pick(kNumbers.size())];
  }
  row.numbers["twice"] = oracle::evaluate_text(kTwice, row);
  row.numbers["share"] = oracle::evaluate_text(kShare, row);
  row.keys["machine"] = kTexts[author.pick(kTexts.size())];
  row.keys["line"] = kTexts[author.pick(kTexts.size())];
  return row;
}

std::vector<double> fields_of(const oracle::NamedValues& row) {
  std::vector<double> fields;
  for (const char* name : {"load", "speed", "raw"}) {
    fields.push_back(row.numbers.at(name).value_or(std::nan("")));
  }
  return fields;
}

std::vector<double> key_tests_of(const plan::QueryPlan& query, const oracle::NamedValues& row) {
  std::vector<double> tests;
  for (const plan::KeyTest& test : query.key_tests) {
    tests.push_back(test.matches(row.keys.at(test.key == 0 ? "machine" : "line")) ? 1.0 : 0.0);
  }
  return tests;
}

spec::Pipeline with_lets() {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].let = {{"share", kShare, 6, 0}, {"twice", kTwice, 6, 0}};
  return pipeline;
}

void expect_same(double found, oracle::Answer expected, const std::string& text) {
  if (!expected.has_value()) {
    EXPECT_TRUE(std::isnan(found)) << text << " gave " << found << " instead of null";
  } else {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(found), std::bit_cast<std::uint64_t>(*expected))
        << text << " gave " << found << " instead of " << *expected;
  }
}

TEST(Expression, RandomConditionsGiveWhatTheirTextSays) {
  Author author(20260101);
  for (int round = 0; round < 1500; ++round) {
    spec::Pipeline pipeline = with_lets();
    const std::string text = author.condition(static_cast<int>(author.pick(6)));
    pipeline.queries[0].where = text;
    const std::vector<std::string> mistakes = mistakes_of(pipeline);
    ASSERT_TRUE(mistakes.empty()) << text << '\n' << mistakes.front();
    const plan::Plan plan = plan::compile(pipeline);
    const plan::QueryPlan& query = plan.queries[0];
    ASSERT_LE(query.where.registers, ops::kMaxRegisters);
    for (int i = 0; i < 10; ++i) {
      const oracle::NamedValues row = random_row(author);
      expect_same(interpret(query.where, fields_of(row), key_tests_of(query, row)), oracle::evaluate_text(text, row),
                  text);
    }
  }
}

TEST(Expression, RandomArgumentsGiveWhatTheirTextSays) {
  Author author(7);
  for (int round = 0; round < 1500; ++round) {
    const std::string text = author.number(static_cast<int>(author.pick(6)));
    spec::Pipeline pipeline = with_lets();
    pipeline.queries[0].select = {"avg(" + text + ") as x"};
    const std::vector<std::string> mistakes = mistakes_of(pipeline);
    ASSERT_TRUE(mistakes.empty()) << text << '\n' << mistakes.front();
    const plan::Plan plan = plan::compile(pipeline);
    const plan::Argument& argument = plan.queries[0].arguments.at(0);
    for (int i = 0; i < 10; ++i) {
      const oracle::NamedValues row = random_row(author);
      const double found = argument.field >= 0
                               ? fields_of(row)[static_cast<std::size_t>(argument.field)]
                               : interpret(argument.program, fields_of(row), key_tests_of(plan.queries[0], row));
      expect_same(found, oracle::evaluate_text(text, row), text);
    }
  }
}

TEST(Expression, InstructionsNeverWriteIntoTheirOwnOperands) {
  Author author(3);
  for (int round = 0; round < 500; ++round) {
    spec::Pipeline pipeline = with_lets();
    pipeline.queries[0].where = author.condition(6);
    const plan::Plan plan = plan::compile(pipeline);
    for (const ops::Instruction& step : plan.queries[0].where.code) {
      const bool unary = step.op >= ops::Op::neg;
      const bool binary = step.op >= ops::Op::add;
      EXPECT_FALSE((unary && step.dst == step.a) || (binary && step.dst == step.b) ||
                   (step.op == ops::Op::select && step.dst == step.c));
    }
  }
}

plan::Plan plan_where(const std::string& where) {
  spec::Pipeline pipeline = with_lets();
  pipeline.queries[0].where = where;
  return plan::compile(pipeline);
}

TEST(Expression, OperatorsHaveTheirUsualPrecedence) {
  const auto value = [](const std::string& text) {
    const oracle::NamedValues row{{{"load", 5.0}, {"speed", 3.0}, {"raw", 2.0}}, {}};
    spec::Pipeline pipeline = simple_pipeline({"sum(" + text + " + 0 * load) as x"});
    const plan::Plan plan = plan::compile(pipeline);
    return interpret(plan.queries[0].arguments[0].program, fields_of(row));
  };
  EXPECT_EQ(value("load + speed * raw"), 11.0);
  EXPECT_EQ(value("load - speed - raw"), 0.0);
  EXPECT_EQ(value("load / speed / raw"), 5.0 / 3.0 / 2.0);
  EXPECT_EQ(value("-load % speed"), -2.0);
  EXPECT_EQ(value("- - load"), 5.0);
  EXPECT_EQ(value("(load - speed) * +raw"), 4.0);
  EXPECT_EQ(value("if(load > 1 or load > 9 and speed > 9, 1, 0)"), 1.0);
  EXPECT_EQ(value("if(not load > 9 and not speed > 9, 1, 0)"), 1.0);
}

TEST(Expression, OtherSpellingsMeanTheSame) {
  const auto code = [](const std::string& where) {
    const plan::Plan plan = plan_where(where);
    std::vector<ops::Op> result;
    for (const ops::Instruction& step : plan.queries[0].where.code) {
      result.push_back(step.op);
    }
    return result;
  };
  EXPECT_EQ(code("load = 1 and speed <> 2"), code("load == 1 && speed != 2"));
  EXPECT_EQ(code("NOT (load > 1 OR speed > 1)"), code("!(load > 1 || speed > 1)"));
  EXPECT_EQ(plan_where("machine = \"it's\"").queries[0].key_tests[0].literal, "it's");
  EXPECT_EQ(plan_where("machine = 'it''s'").queries[0].key_tests[0].literal, "it's");
}

TEST(Expression, ConstantsAreFoldedToTheSameBits) {
  const plan::Plan plan = plan_where("load > 0.1 + 0.2 * 3 - sqrt(2)");
  const ops::Program& where = plan.queries[0].where;
  ASSERT_EQ(where.constants.size(), 1U);
  EXPECT_EQ(where.constants[0], 0.1 + 0.2 * 3.0 - std::sqrt(2.0));
  EXPECT_EQ(where.code.size(), 3U);
  EXPECT_EQ(plan_where("1 < 2").queries[0].where.code.size(), 1U);
  EXPECT_EQ(interpret(plan_where("1 < 2").queries[0].where, {0.0, 0.0, 0.0}), 1.0);
}

TEST(Expression, EqualValuesAreComputedOnce) {
  const plan::Plan plan = plan_where("twice * twice > 3 and load * 2 < 9");
  int multiplications = 0;
  for (const ops::Instruction& step : plan.queries[0].where.code) {
    multiplications += step.op == ops::Op::mul ? 1 : 0;
  }
  EXPECT_EQ(multiplications, 2);  // load * 2 once, and its square
}

TEST(Expression, EqualKeyTestsAreOne) {
  const plan::Plan plan = plan_where("machine == 'a' or (load > 1 and 'a' == machine) or line == 'a' or 'b' < machine");
  ASSERT_EQ(plan.queries[0].key_tests.size(), 3U);
  EXPECT_EQ(plan.queries[0].key_tests[2].compare, plan::KeyTest::Compare::gt);
}

TEST(Expression, KeysAreComparedBytewise) {
  const plan::KeyTest less{0, plan::KeyTest::Compare::lt, "\xc3\xa9"};
  EXPECT_TRUE(less.matches("z"));
  EXPECT_TRUE(less.matches(""));
  EXPECT_FALSE(less.matches("\xff"));
  const plan::KeyTest equal{0, plan::KeyTest::Compare::eq, ""};
  EXPECT_TRUE(equal.matches(""));
  EXPECT_FALSE(equal.matches(std::string_view("\0", 1)));
}

/// A balanced tree of 2^depth different leaves: needs depth + 2 registers.
std::string balanced(int depth, int& leaf) {
  if (depth == 0) {
    return "(load + " + std::to_string(leaf++) + ")";
  }
  const std::string left = balanced(depth - 1, leaf);
  return "(" + left + " * " + balanced(depth - 1, leaf) + ")";
}

TEST(Expression, BalancedTreesFitTheRegisters) {
  int leaf = 0;
  const std::string text = balanced(9, leaf) + " > 0";
  const plan::Plan plan = plan_where(text);
  EXPECT_LE(plan.queries[0].where.registers, 14);
  oracle::NamedValues row{{{"load", 0.25}, {"speed", 3.0}, {"raw", 2.0}}, {}};
  expect_same(interpret(plan.queries[0].where, fields_of(row)), oracle::evaluate_text(text, row), "balanced");
}

/// Forty values that are all needed first in one order, then in the same order again, so none can be given up.
TEST(Expression, TooManySharedValuesAreComputedAgain) {
  std::string sum = "0";
  std::string product = "1";
  for (int i = 0; i < 40; ++i) {
    const std::string value = "sqrt(load + " + std::to_string(i) + ")";
    sum += " + " + value;
    product = product + " * " + value;
  }
  const std::string text = "(" + sum + ") * 2 < " + product;
  const plan::Plan plan = plan_where(text);
  EXPECT_LE(plan.queries[0].where.registers, ops::kMaxRegisters);
  oracle::NamedValues row{{{"load", 0.25}, {"speed", 3.0}, {"raw", 2.0}}, {}};
  expect_same(interpret(plan.queries[0].where, fields_of(row)), oracle::evaluate_text(text, row), "shared");
}

TEST(Expression, NestingIsBounded) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '(') + "load" +
           std::string(static_cast<std::size_t>(depth), ')') + " > 0";
  };
  EXPECT_NO_THROW((void)plan_where(nested(200)));
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].where = nested(201);
  EXPECT_EQ(
      mistakes_of(pipeline).at(0),
      "query 'q', where, column 201: the expression is nested more than 200 deep (give a part of it a name with let)");
  for (const char* repeated : {"(", "-", "not ", "abs(", "if("}) {
    std::string text;
    for (int i = 0; i < 9000; ++i) {
      text += repeated;
    }
    pipeline.queries[0].where = text;
    EXPECT_FALSE(mistakes_of(pipeline).empty()) << repeated;
  }
}

TEST(Expression, LongChainsNeitherOverflowNorHang) {
  std::string text = "load";
  for (int i = 0; i < 2000; ++i) {
    text += "+load";
  }
  EXPECT_NO_THROW((void)plan_where(text + " > 0"));
  for (int i = 0; i < 8000; ++i) {
    text += "+load";
  }
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].where = text + " > 0";
  EXPECT_EQ(mistakes_of(pipeline).at(0),
            "query 'q', where: the expression takes more than 32 registers or 4096 instructions (write a shorter one)");
  pipeline.queries[0].where = std::string(70'000, '1');
  EXPECT_EQ(mistakes_of(pipeline).at(0), "query 'q', where, column 1: the expression is longer than 65536 bytes");
}

TEST(Expression, LetsThatDoubleEachOtherStaySmall) {
  spec::Pipeline pipeline = simple_pipeline({"sum(x60)"});
  pipeline.queries[0].let.push_back({"x0", "load", 6, 0});
  for (int i = 1; i <= 60; ++i) {
    const std::string before = "x" + std::to_string(i - 1);
    pipeline.queries[0].let.push_back({"x" + std::to_string(i), before + " + " + before, 6, 0});
  }
  const plan::Plan plan = plan::compile(pipeline);
  EXPECT_EQ(plan.queries[0].arguments[0].program.code.size(), 61U);
  EXPECT_EQ(interpret(plan.queries[0].arguments[0].program, {1.0, 0.0, 0.0}), std::ldexp(1.0, 60));
}

}  // namespace
}  // namespace weir::plan_test
