// What a user is told about a wrong expression: one line, the column, what to write instead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> in_where(const std::string& where) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].where = where;
  return mistakes_of(pipeline);
}

std::vector<std::string> in_having(const std::string& having) {
  spec::Pipeline pipeline = simple_pipeline({"count()", "avg(load) as mean"});
  pipeline.queries[0].having = having;
  return mistakes_of(pipeline);
}

std::vector<std::string> in_select(const std::string& select) {
  return mistakes_of(simple_pipeline({select}));
}

std::vector<std::string> in_lets(std::vector<spec::Let> lets) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].let = std::move(lets);
  return mistakes_of(pipeline);
}

TEST(MistakesInExpressions, Syntax) {
  EXPECT_THAT(in_where("load >"),
              ElementsAre("query 'q', where, column 7: expected a value, the expression ends here"));
  EXPECT_THAT(in_where("load > 1 2"),
              ElementsAre("query 'q', where, column 10: expected an operator or the end, not '2'"));
  EXPECT_THAT(in_where("(load > 1"), ElementsAre("query 'q', where, column 1: this '(' has no ')'"));
  EXPECT_THAT(in_where("abs(load > 1"), ElementsAre("query 'q', where, column 4: this '(' has no ')'"));
  EXPECT_THAT(in_where("load > )"), ElementsAre("query 'q', where, column 8: expected a value, not ')'"));
  EXPECT_THAT(
      in_where("load > 12a"),
      ElementsAre(
          "query 'q', where, column 8: '12a' is neither a number nor a name (write a number as in 12, 0.5 or 1e-3)"));
  EXPECT_THAT(in_where("load > 1e999"),
              ElementsAre("query 'q', where, column 8: the number 1e999 is too large or too small for a double"));
  EXPECT_THAT(in_where("machine == 'a"),
              ElementsAre("query 'q', where, column 12: the text that begins here has no closing '"));
  EXPECT_THAT(in_where("load > 1 & raw > 1"),
              ElementsAre("query 'q', where, column 10: unexpected character '&' (write 'and' or &&)"));
  EXPECT_THAT(
      in_where("load ^ 2 > 1"),
      ElementsAre("query 'q', where, column 6: unexpected character '^' (there is no power: multiply, as in x * x)"));
  EXPECT_THAT(in_where("load > \x01"), ElementsAre("query 'q', where, column 8: unexpected byte 0x01"));
  EXPECT_THAT(in_where("1 < load < 3"),
              ElementsAre("query 'q', where, column 10: comparisons cannot be chained (write a < b and b < c)"));
  EXPECT_THAT(
      in_where("load as x"),
      ElementsAre("query 'q', where, column 6: expected an operator or the end, not 'as' (only an entry of select "
                  "has an alias, after its end)"));
}

TEST(MistakesInExpressions, Names) {
  EXPECT_THAT(in_where("lood > 1"),
              ElementsAre("query 'q', where, column 1: unknown name 'lood' (did you mean 'load'?)"));
  EXPECT_THAT(in_where("lood > 1 or x > 2"),
              ElementsAre("query 'q', where, column 1: unknown name 'lood' (did you mean 'load'?)",
                          "query 'q', where, column 13: unknown name 'x' (one of: load, speed, raw, machine, line)"));
  EXPECT_THAT(in_where("sqr(load) > 1"),
              ElementsAre("query 'q', where, column 1: unknown function 'sqr' (did you mean 'sqrt'?)"));
}

TEST(MistakesInExpressions, Types) {
  EXPECT_THAT(
      in_where("load + machine > 1"),
      ElementsAre("query 'q', where, column 6: expected a number on both sides of '+', the right side is a key (a key "
                  "can only be compared with a text)"));
  EXPECT_THAT(in_where("'1' * load > 1"),
              ElementsAre("query 'q', where, column 5: expected a number on both sides of '*', the left side is a text "
                          "(numbers are written without quotes)"));
  EXPECT_THAT(
      in_where("load and raw > 1"),
      ElementsAre("query 'q', where, column 6: expected a condition on both sides of 'and', the left side is a number "
                  "(write a comparison, as in x > 0)"));
  EXPECT_THAT(
      in_where("(load > 1) + 1 > 1"),
      ElementsAre("query 'q', where, column 12: expected a number on both sides of '+', the left side is a condition "
                  "(write if(condition, 1, 0) to count with it)"));
  EXPECT_THAT(
      in_where("load > '1'"),
      ElementsAre("query 'q', where, column 6: expected a number on both sides of '>', the right side is a text "
                  "(numbers are written without quotes)"));
  EXPECT_THAT(
      in_where("machine == 7"),
      ElementsAre("query 'q', where, column 9: a key can only be compared with a text, not with a number (put the "
                  "value in quotes, as in machine == '7')"));
  EXPECT_THAT(in_where("machine == line"),
              ElementsAre("query 'q', where, column 9: a key can only be compared with a text, not with a key"));
  EXPECT_THAT(
      in_where("'a' == 'b'"),
      ElementsAre("query 'q', where, column 5: expected a number on both sides of '==', both sides are texts (numbers "
                  "are written without quotes)"));
  EXPECT_THAT(in_where("not load"),
              ElementsAre("query 'q', where, column 1: expected a condition after 'not', this is a number (write a "
                          "comparison, as in x > 0)"));
  EXPECT_THAT(
      in_where("-machine > 1"),
      ElementsAre("query 'q', where, column 1: expected a number after '-', this is a key (a key can only be compared "
                  "with a text)"));
  EXPECT_THAT(
      in_where("load"),
      ElementsAre("query 'q', where: expected a condition, this is a number (write a comparison, as in x > 0)"));
  EXPECT_THAT(
      in_where("(load > 1) == (raw > 1)"),
      ElementsAre("query 'q', where, column 12: expected a number on both sides of '==', both sides are conditions "
                  "(write if(condition, 1, 0) to count with it)"));
}

TEST(MistakesInExpressions, Functions) {
  EXPECT_THAT(in_where("abs() > 1"), ElementsAre("query 'q', where, column 1: 'abs' takes one value, not 0"));
  EXPECT_THAT(
      in_where("if(load > 1, 2) > 1"),
      ElementsAre("query 'q', where, column 1: 'if' takes 3 values, not 2 (write if(condition, value, other value))"));
  EXPECT_THAT(
      in_where("if(load, 1, 2) > 1"),
      ElementsAre("query 'q', where, column 1: expected a condition as the first argument of 'if', this is a number "
                  "(write a comparison, as in x > 0)"));
  EXPECT_THAT(
      in_where("if(load > 1, 1, load > 2)"),
      ElementsAre("query 'q', where, column 1: 'if' chooses between two numbers or two conditions, these are a number "
                  "and a condition"));
  EXPECT_THAT(
      in_where("is_null(machine)"),
      ElementsAre("query 'q', where, column 1: expected a number as argument 1 of 'is_null', this is a key (a key is "
                  "never null)"));
  EXPECT_THAT(
      in_where("max(load, machine) > 1"),
      ElementsAre("query 'q', where, column 1: expected a number as argument 2 of 'max', this is a key (a key can only "
                  "be compared with a text)"));
}

TEST(MistakesInExpressions, AggregatesInTheWrongPlace) {
  EXPECT_THAT(
      in_where("avg(load) > 3"),
      ElementsAre("query 'q', where, column 1: 'avg' is an aggregate, but where is asked for each reading (put it into "
                  "having)"));
  EXPECT_THAT(
      in_where("max(load) > 3"),
      ElementsAre("query 'q', where, column 1: 'max' is an aggregate, but where is asked for each reading (put it into "
                  "having)"));
  EXPECT_THAT(in_where("max(load, 2) > 3"), IsEmpty());
  EXPECT_THAT(
      in_select("sum(avg(load))"),
      ElementsAre("query 'q', select \"sum(avg(load))\", column 5: 'avg' is an aggregate, but an aggregate cannot hold "
                  "another one"));
  EXPECT_THAT(
      in_lets({{"a", "avg(load)", 6, 0}}),
      ElementsAre("query 'q', let 'a', column 1: 'avg' is an aggregate, but a let is computed for each reading (put "
                  "the aggregate into select or having)"));
}

TEST(MistakesInExpressions, SelectEntries) {
  EXPECT_THAT(
      in_select("load"),
      ElementsAre("query 'q', select \"load\", column 1: an entry of select must be an aggregate (write avg(load) or "
                  "last(load))"));
  EXPECT_THAT(
      in_select("avg(load) * 2"),
      ElementsAre("query 'q', select \"avg(load) * 2\", column 11: an entry of select must be an aggregate (compute "
                  "inside of it, as in avg(x * 2))"));
  EXPECT_THAT(
      in_select("average(load)"),
      ElementsAre("query 'q', select \"average(load)\", column 1: 'average' is no aggregate (one of: count, sum, avg, "
                  "min, max, first, last, stddev, stddev_pop, variance, variance_pop, range, quantile, distinct)"));
  EXPECT_THAT(in_select("summ(load)"),
              ElementsAre("query 'q', select \"summ(load)\", column 1: 'summ' is no aggregate (did you mean 'sum'?)"));
  EXPECT_THAT(in_select("count(*)"),
              ElementsAre("query 'q', select \"count(*)\", column 7: count takes no '*' (write count())"));
  EXPECT_THAT(in_select("sum()"),
              ElementsAre("query 'q', select \"sum()\", column 1: 'sum' cannot take 0 arguments (write sum(x))"));
  EXPECT_THAT(in_select("quantile(load)"),
              ElementsAre("query 'q', select \"quantile(load)\", column 1: 'quantile' cannot take 1 argument (write "
                          "quantile(x, 0.99))"));
  EXPECT_THAT(
      in_select("quantile(load, 99)"),
      ElementsAre("query 'q', select \"quantile(load, 99)\", column 16: the second argument of quantile must be a "
                  "number between 0 and 1 (0.99 is the 99th percentile)"));
  EXPECT_THAT(in_select("quantile(load, raw)").size(), 1U);
  EXPECT_THAT(in_select("quantile(load, 1 - 0.01)"), IsEmpty());
  EXPECT_THAT(
      in_select("distinct(load)"),
      ElementsAre("query 'q', select \"distinct(load)\", column 10: distinct takes a key of the stream (one of: "
                  "machine, line)"));
  EXPECT_THAT(
      in_select("sum(machine)"),
      ElementsAre("query 'q', select \"sum(machine)\", column 5: 'sum' takes a number, this is a key (a key can be "
                  "grouped by, or counted with distinct(key))"));
  EXPECT_THAT(
      in_select("count(machine)"),
      ElementsAre("query 'q', select \"count(machine)\", column 7: 'count' takes a number, this is a key (a key is "
                  "never null: write count(), or distinct(key))"));
  EXPECT_THAT(
      in_select("avg(load > 1)"),
      ElementsAre("query 'q', select \"avg(load > 1)\", column 10: 'avg' takes a number, this is a condition (write "
                  "avg(if(condition, 1, 0)))"));
  EXPECT_THAT(
      in_select("avg(load) as"),
      ElementsAre(
          "query 'q', select \"avg(load) as\", column 13: expected a name after 'as', the expression ends here"));
  EXPECT_THAT(in_select("avg(load) peak").size(), 1U);
  EXPECT_THAT(in_select(""), ElementsAre("query 'q', select \"\", column 1: the expression is empty"));
}

TEST(MistakesInExpressions, Having) {
  EXPECT_THAT(
      in_having("load > 1"),
      ElementsAre("query 'q', having, column 1: 'load' belongs to a single reading, but having is asked for a whole "
                  "group (use an aggregate, as in avg(load))"));
  EXPECT_THAT(
      in_having("line == 'a'"),
      ElementsAre("query 'q', having, column 1: 'line' is a key that the query does not group by (having sees the "
                  "group's keys only; ask for it in where)"));
  EXPECT_THAT(in_having("meen > 1"),
              ElementsAre("query 'q', having, column 1: unknown name 'meen' (did you mean 'mean'?)"));
  EXPECT_THAT(in_having("avg(lood) > 1"),
              ElementsAre("query 'q', having, column 5: unknown name 'lood' (did you mean 'load'?)"));
  EXPECT_THAT(
      in_having("machine > 3"),
      ElementsAre("query 'q', having, column 9: a key can only be compared with a text, not with a number (put the "
                  "value in quotes, as in machine == '7')"));
  EXPECT_THAT(
      in_having("mean"),
      ElementsAre("query 'q', having: expected a condition, this is a number (write a comparison, as in x > 0)"));
}

TEST(MistakesInExpressions, Lets) {
  EXPECT_THAT(in_lets({{"a", "b + 1", 6, 0}, {"b", "c", 6, 0}, {"c", "a", 6, 0}}),
              ElementsAre("query 'q': let 'a' is defined by itself: a -> b -> c -> a (break the circle)"));
  EXPECT_THAT(in_lets({{"a", "a", 6, 0}}),
              ElementsAre("query 'q': let 'a' is defined by itself: a -> a (break the circle)"));
  EXPECT_THAT(in_lets({{"a", "", 6, 0}}), ElementsAre("query 'q', let 'a', column 1: the expression is empty"));
  EXPECT_THAT(in_lets({{"a", "machine", 6, 0}}),
              ElementsAre("query 'q', let 'a': expected a number or a condition, this is a key (use the key itself)"));
  EXPECT_THAT(in_lets({{"a", "load", 19, 0}}),
              ElementsAre("query 'q': let 'a': 'places' = 19 is not between 0 and 18"));
  std::vector<spec::Let> chain{{"x0", "load", 6, 0}};
  for (int i = 1; i < 300; ++i) {
    chain.push_back({"x" + std::to_string(i), "x" + std::to_string(i - 1), 6, 0});
  }
  EXPECT_THAT(in_lets(chain), IsEmpty());
  std::reverse(chain.begin(), chain.end());
  EXPECT_THAT(in_lets(chain), ElementsAre("query 'q', let 'x99': lets use each other more than 200 deep"));
}

}  // namespace
}  // namespace weir::plan_test
