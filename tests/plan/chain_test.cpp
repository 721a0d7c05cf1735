// Queries that read the rows of other queries: what they see of them, and what a user is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kStream = R"~([streams.s]
source = { type = "file", path = "in.jsonl" }
time = { field = "t" }
keys = ["line", "machine"]
fields = { x = 2 }
max_keys = 500
max_key_bytes = 40
)~";

std::string query(const std::string& name, const std::string& from, const std::string& rest) {
  return "[[query]]\nname = \"" + name + "\"\nfrom = \"" + from + "\"\n" + rest + "\n";
}

const std::string kSeconds = query("seconds", "s",
                                   R"~(group_by = ["machine"]
window = "1s"
select = ["count() as n", "avg(x) as mean", "sum(x) as total", "max(x)"])~");

std::vector<std::string> told(const std::string& queries) {
  return mistakes_in(kStream + queries);
}

TEST(PlanChain, RowsAreAStreamWithTheGroupsAsKeysAndTheColumnsAsFields) {
  spec::Pipeline pipeline = simple_pipeline({"count() as n", "avg(load) as mean", "sum(load) as total", "max(load)"});
  spec::Query reader = pipeline.queries[0];
  reader.name = "reader";
  reader.from = pipeline.queries[0].name;
  reader.select = {"sum(n)", "max(mean)", "min(total)"};
  reader.where = {};
  pipeline.queries[0].sinks.clear();
  pipeline.queries.insert(pipeline.queries.begin(), reader);  // declared before what it reads
  const plan::Plan plan = plan::compile(pipeline);
  EXPECT_EQ(plan.order, (std::vector<std::size_t>{1, 0}));
  const plan::QueryPlan& parent = plan.queries[1];
  const plan::QueryPlan& child = plan.queries[0];
  EXPECT_EQ(child.parent, 1U);
  EXPECT_EQ(parent.parent, std::nullopt);
  EXPECT_THAT(parent.readers, ElementsAre(0U));
  EXPECT_THAT(parent.sinks, IsEmpty()) << "nobody asked to see them";
  EXPECT_THAT(plan.streams[0].queries, ElementsAre(1U));
  ASSERT_EQ(child.input.schema.fields.size(), 4U);
  EXPECT_EQ(child.input.schema.fields[0].name, "n");
  EXPECT_THAT(child.field_places, ElementsAre(0, plan::kRealPlaces, 3, 3));
  ASSERT_EQ(child.input.schema.keys.size(), parent.group_keys.size());
  EXPECT_EQ(child.input.max_keys, parent.max_groups);
}

TEST(PlanChain, WhatCannotBeReadIsRefusedWithTheWayOut) {
  EXPECT_THAT(told(kSeconds + query("m", "seconds", "window = \"1m\"\nselect = [\"sum(n)\"]")), IsEmpty());
  EXPECT_THAT(told(kSeconds + query("m", "secnds", "window = \"1m\"\nselect = [\"sum(n)\"]")),
              ElementsAre(HasSubstr("query 'm': unknown stream or query 'secnds' (did you mean 'seconds'?)")));
  EXPECT_THAT(told(kSeconds + query("m", "seconds", "select = [\"sum(n)\"]")),
              ElementsAre(HasSubstr("a query of the rows of query 'seconds' needs a window")));
  EXPECT_THAT(told(kSeconds + query("m", "seconds", "window = \"1m\"\nselect = [\"sum(x)\"]")),
              ElementsAre(HasSubstr("unknown name 'x'")))
      << "of the stream, not of the rows";
  EXPECT_THAT(told(kSeconds + query("m", "seconds", "window = \"1m\"\ngroup_by = [\"line\"]\nselect = [\"sum(n)\"]")),
              ElementsAre(HasSubstr("unknown key 'line'")));
  EXPECT_THAT(
      told(query("b", "s", "select = [\"count() as n\"]") + query("m", "b", "window = \"1m\"\nselect = [\"sum(n)\"]")),
      ElementsAre(HasSubstr("query 'b' has no window")));
  EXPECT_THAT(told(query("l", "s", "window = \"1s\"\nallowed_lateness = \"5s\"\nselect = [\"count() as n\"]") +
                   query("m", "l", "window = \"1m\"\nselect = [\"sum(n)\"]")),
              ElementsAre(HasSubstr("query 'l' has allowed_lateness")));
}

TEST(PlanChain, OneMistakeIsToldOnceHoweverManyReadIt) {
  EXPECT_THAT(told(query("a", "ss", "window = \"1s\"\nselect = [\"count() as n\"]") +
                   query("b", "a", "window = \"1m\"\nselect = [\"sum(n) as n\"]") +
                   query("c", "b", "window = \"1h\"\nselect = [\"sum(n)\"]")),
              ElementsAre(HasSubstr("query 'a': unknown stream or query 'ss'")));
}

TEST(PlanChain, CirclesAreNamed) {
  const std::string rest = "window = \"1s\"\nselect = [\"count() as n\"]";
  EXPECT_THAT(told(query("a", "b", rest) + query("b", "c", rest) + query("c", "a", rest) + query("d", "c", rest)),
              ElementsAre(HasSubstr("queries read each other in a circle: 'a' from 'b' from 'c' from 'a'")));
  EXPECT_THAT(told(query("a", "a", rest)), ElementsAre(HasSubstr("in a circle: 'a' from 'a'")));
}

TEST(PlanChain, EventTimesLeaveRoomForAllWindowsOneBehindTheOther) {
  const std::string years = "window = \"18250d\"\nselect = [\"count() as n\"]";
  EXPECT_THAT(told(query("a", "s", years)), IsEmpty());
  EXPECT_THAT(told(query("a", "s", years) + query("b", "a", years)),
              ElementsAre(HasSubstr("reach beyond the instants that there are")));
}

}  // namespace
}  // namespace weir::plan_test
