// Queries without aggregates: their rows are the readings themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

spec::Pipeline of_readings(std::vector<std::string> select) {
  spec::Pipeline pipeline = simple_pipeline(std::move(select));
  pipeline.queries[0].group_by.clear();
  pipeline.queries[0].window = 0s;
  return pipeline;
}

TEST(Readings, SelectedValuesAreColumnsWithTheirPlaces) {
  spec::Pipeline pipeline =
      of_readings({"load", "kw", "load / 1000 as thousands", "max(load, speed) as top", "load as again"});
  pipeline.queries[0].let = {{"kw", "load / 1000", 9, 0}};
  const plan::QueryPlan query = plan::compile(pipeline).queries.at(0);
  EXPECT_TRUE(query.readings);
  EXPECT_TRUE(query.shape.readings);
  EXPECT_TRUE(query.aggregates.empty());
  EXPECT_THAT(query.columns, ElementsAre(0U, 1U, 2U, 3U, 0U));
  EXPECT_THAT(query.shape.group_keys, ElementsAre("machine", "line"));
  ASSERT_EQ(query.shape.columns.size(), 5U);
  EXPECT_EQ(query.shape.columns[0].places, 3);
  EXPECT_EQ(query.shape.columns[1].places, 9);
  EXPECT_EQ(query.shape.columns[2].places, 6);
  EXPECT_EQ(query.shape.columns[2].name, "thousands");
}

TEST(Readings, AnAggregateOrAWindowMakesItAnotherQuery) {
  EXPECT_FALSE(plan::compile(of_readings({"count()"})).queries[0].readings);
  EXPECT_THAT(
      mistakes_of(of_readings({"load", "count()"})),
      ElementsAre("query 'q', select \"load\", column 1: an entry of select must be an aggregate (write avg(load) or "
                  "last(load))"));
  EXPECT_EQ(mistakes_of(simple_pipeline({"load"})).size(), 1U);
}

TEST(Readings, ColumnsAreNumbers) {
  EXPECT_THAT(
      mistakes_of(of_readings({"machine"})),
      ElementsAre("query 'q', select \"machine\", column 1: a column must be a number, this is a key (the keys are "
                  "part of every row)"));
  EXPECT_THAT(
      mistakes_of(of_readings({"load > 1 as hot"})),
      ElementsAre("query 'q', select \"load > 1 as hot\", column 6: a column must be a number, this is a condition "
                  "(write if(condition, 1, 0))"));
  EXPECT_THAT(
      mistakes_of(of_readings({"load as time"})),
      ElementsAre("query 'q': select: every row has a member 'time' already (give the column another name with 'as')"));
}

TEST(Readings, NothingOfGroupsGoesWithThem) {
  spec::Pipeline pipeline = simple_pipeline({"load"});
  pipeline.queries[0].readings = true;
  EXPECT_THAT(
      mistakes_of(pipeline),
      ElementsAre("query 'q': a query of readings has no group_by, window, slide or having (select aggregates)"));
}

TEST(Readings, AreExplained) {
  spec::Pipeline pipeline = of_readings({"load", "speed * 2 as double_speed"});
  pipeline.queries[0].where = "machine == 'm'";
  const std::string text = plan::explain(plan::compile(pipeline));
  EXPECT_EQ(text.substr(text.find("query ")), R"~(query q from s
  rows        every reading that passes, at its own time
  keys        machine, line
  where       machine == 'm'
    r0 = key_test machine == 'm'
    result r0
  argument 0  load: decimal(3)
  argument 1  speed * 2: decimal(6)
    r0 = field speed
    r1 = constant 2
    r2 = mul r0, r1
    result r2
  select      load: decimal(3) = argument 0
  select      double_speed: decimal(6) = argument 1
  sinks       console (10 rows)

)~");
}

}  // namespace
}  // namespace weir::plan_test
