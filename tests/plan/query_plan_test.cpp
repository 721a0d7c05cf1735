// What a query is compiled to: arguments and their parts, columns and their types, groups, sinks, fingerprint.
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"
#include "support/sanitized.hpp"

namespace weir::plan_test {
namespace {

using plan::AggregateKind;
using namespace std::chrono_literals;

plan::QueryPlan plan_select(std::vector<std::string> select, std::vector<spec::Let> let = {}) {
  spec::Pipeline pipeline = simple_pipeline(std::move(select));
  pipeline.queries[0].let = std::move(let);
  return plan::compile(pipeline).queries.at(0);
}

TEST(QueryPlan, EveryAggregateHasItsKindTypeAndParts) {
  using batch::ValueType;
  struct Case {
    const char* text;
    AggregateKind kind;
    ValueType type;
    int places;
    int parts;  ///< of the nullable argument load
  };
  using namespace plan;
  const std::vector<Case> cases{
      {"count(load)", AggregateKind::count, ValueType::count, 0, kPartCount},
      {"sum(load)", AggregateKind::sum, ValueType::decimal, 3, kPartCount | kPartSum},
      {"avg(load)", AggregateKind::avg, ValueType::real, 0, kPartCount | kPartSum},
      {"min(load)", AggregateKind::min, ValueType::decimal, 3, kPartCount | kPartMinMax},
      {"max(load)", AggregateKind::max, ValueType::decimal, 3, kPartCount | kPartMinMax},
      {"first(load)", AggregateKind::first, ValueType::decimal, 3, kPartCount | kPartFirst},
      {"last(load)", AggregateKind::last, ValueType::decimal, 3, kPartCount | kPartLast},
      {"stddev(load)", AggregateKind::stddev, ValueType::real, 0, kPartCount | kPartSum | kPartSquares},
      {"stddev_pop(load)", AggregateKind::stddev_pop, ValueType::real, 0, kPartCount | kPartSum | kPartSquares},
      {"variance(load)", AggregateKind::variance, ValueType::real, 0, kPartCount | kPartSum | kPartSquares},
      {"variance_pop(load)", AggregateKind::variance_pop, ValueType::real, 0, kPartCount | kPartSum | kPartSquares},
      {"range(load)", AggregateKind::range, ValueType::decimal, 3, kPartCount | kPartMinMax},
      {"quantile(load, 0.5)", AggregateKind::quantile, ValueType::decimal, 3,
       kPartCount | kPartQuantile | kPartMinMax}};
  for (const Case& expected : cases) {
    const QueryPlan query = plan_select({expected.text});
    ASSERT_EQ(query.aggregates.size(), 1U) << expected.text;
    EXPECT_EQ(query.aggregates[0].kind, expected.kind) << expected.text;
    EXPECT_EQ(query.aggregates[0].argument, 0) << expected.text;
    ASSERT_EQ(query.arguments.size(), 1U) << expected.text;
    EXPECT_EQ(query.arguments[0].field, 0) << expected.text;
    EXPECT_EQ(query.arguments[0].parts, expected.parts) << expected.text;
    ASSERT_EQ(query.shape.columns.size(), 1U) << expected.text;
    EXPECT_EQ(query.shape.columns[0].name, expected.text);
    EXPECT_EQ(query.shape.columns[0].type, expected.type) << expected.text;
    EXPECT_EQ(query.shape.columns[0].places, expected.places) << expected.text;
  }
}

TEST(QueryPlan, KnowsTheDecimalPlacesOfItsStreamsFields) {
  EXPECT_EQ(plan_select({"count()"}).field_places, (std::vector<int>{3, 2, 0}));
}

TEST(QueryPlan, CountAndDistinctNeedNoArgument) {
  const plan::QueryPlan query = plan_select({"count()", "distinct(line)"});
  EXPECT_TRUE(query.arguments.empty());
  EXPECT_EQ(query.aggregates[0].argument, -1);
  EXPECT_EQ(query.aggregates[1].kind, AggregateKind::distinct);
  EXPECT_EQ(query.aggregates[1].key, 1);
  EXPECT_EQ(query.shape.columns[1].type, batch::ValueType::count);
}

TEST(QueryPlan, EqualArgumentsAreOneWithThePartsOfAllUses) {
  const plan::QueryPlan query = plan_select(
      {"avg(load)", "max( load ) as peak", "sum(load * 2)", "min(load*2)", "last((load * 2))", "avg(load) as again"});
  ASSERT_EQ(query.arguments.size(), 2U);
  EXPECT_EQ(query.arguments[0].parts, plan::kPartCount | plan::kPartSum | plan::kPartMinMax);
  EXPECT_EQ(query.arguments[1].parts, plan::kPartCount | plan::kPartSum | plan::kPartMinMax | plan::kPartLast);
  EXPECT_EQ(query.arguments[1].text, "load * 2");
  EXPECT_EQ(query.aggregates.size(), 6U);
  EXPECT_EQ(query.shape.columns[1].name, "peak");
  EXPECT_EQ(query.shape.columns[3].name, "min(load*2)");
}

TEST(QueryPlan, ARequiredFieldNeedsNoCount) {
  const plan::QueryPlan query = plan_select({"avg(speed)", "sum(speed + 0)"});
  EXPECT_FALSE(query.arguments[0].nullable);
  EXPECT_EQ(query.arguments[0].parts, plan::kPartSum);
  EXPECT_TRUE(query.arguments[1].nullable) << "an expression can be null whatever it is made of";
  EXPECT_EQ(query.arguments[1].parts, plan::kPartCount | plan::kPartSum);
}

TEST(QueryPlan, CountOfARequiredFieldIsTheCountOfReadings) {
  const plan::QueryPlan query = plan_select({"count(speed)"});
  EXPECT_TRUE(query.arguments.empty());
  EXPECT_EQ(query.aggregates[0].argument, -1);
}

TEST(QueryPlan, DerivedValuesKeepTheirPlaces) {
  const plan::QueryPlan query =
      plan_select({"sum(kw)", "sum(load / 1000) as a", "sum(kw + 0) as b", "sum(load)"}, {{"kw", "load / 1000", 9, 0}});
  EXPECT_EQ(query.shape.columns[0].places, 9);
  EXPECT_EQ(query.shape.columns[1].places, 6);
  EXPECT_EQ(query.shape.columns[2].places, 6);
  EXPECT_EQ(query.shape.columns[3].places, 3);
  EXPECT_EQ(query.arguments.size(), 4U) << "other places are another argument";
}

TEST(QueryPlan, LetsUseEachOtherInAnyOrder) {
  const plan::QueryPlan query = plan_select({"sum(b) as x"}, {{"a", "c * 2", 6, 0},
                                                              {"b", "a + hot", 6, 0},
                                                              {"c", "load", 6, 0},
                                                              {"hot", "if(warm, 1, 0)", 6, 0},
                                                              {"warm", "c > 3", 6, 0}});
  EXPECT_GE(query.arguments[0].field, -1);
  EXPECT_FALSE(query.arguments[0].program.empty());
}

TEST(QueryPlan, ALetThatIsAConditionCanBeTheFilter) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].let = {{"hot", "load > 80 and machine == 'm'", 6, 0}};
  pipeline.queries[0].where = "hot";
  EXPECT_EQ(plan::compile(pipeline).queries[0].where.code.size(), 5U);
}

TEST(QueryPlan, HavingUsesSelectedAndHiddenAggregates) {
  spec::Pipeline pipeline = simple_pipeline({"count()", "avg(load) as mean"});
  pipeline.queries[0].having =
      "mean > 1 and avg( load ) > 2 and sum(load) > 3 and count() > 4 and max(sum(load), 5) > 0 and machine != 'x'";
  const plan::QueryPlan query = plan::compile(pipeline).queries.at(0);
  ASSERT_EQ(query.aggregates.size(), 3U) << "avg and count are selected, sum is hidden and kept once";
  EXPECT_EQ(query.shape.columns.size(), 2U);
  ASSERT_EQ(query.hidden_columns.size(), 1U);
  EXPECT_EQ(query.hidden_columns[0].name, "sum(load)");
  EXPECT_EQ(query.hidden_columns[0].type, batch::ValueType::decimal);
  EXPECT_EQ(query.hidden_columns[0].places, 3);
  ASSERT_EQ(query.having_key_tests.size(), 1U);
  EXPECT_EQ(query.having_key_tests[0].key, 0U) << "index in group_keys";
  EXPECT_TRUE(query.key_tests.empty());
  std::vector<std::uint16_t> columns;
  for (const ops::Instruction& step : query.having.code) {
    if (step.op == ops::Op::field) {
      columns.push_back(step.index);
    }
  }
  std::sort(columns.begin(), columns.end());
  EXPECT_EQ(columns, (std::vector<std::uint16_t>{0, 1, 2}));
}

TEST(QueryPlan, KeysOfHavingAreGroupKeysInTheirOrder) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.queries[0].group_by = {"line", "machine"};
  pipeline.queries[0].having = "machine == 'm'";
  const plan::QueryPlan query = plan::compile(pipeline).queries.at(0);
  EXPECT_EQ(query.group_keys, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(query.shape.group_keys, (std::vector<std::string>{"line", "machine"}));
  EXPECT_EQ(query.having_key_tests.at(0).key, 1U);
}

// With work for each pair of columns or arguments this would take minutes.
// What grows with the square of the columns would not end within the time that CTest gives a test.
TEST(QueryPlan, HundredThousandsOfColumnsAreCompiled) {
  constexpr int kColumns = test::kSanitized ? 100'000 : 300'000;
  constexpr int kArguments = test::kSanitized ? 7'000 : 20'000;
  std::vector<std::string> select;
  for (int i = 0; i < kColumns; ++i) {
    const std::string number = std::to_string(i);
    select.push_back((i < kArguments ? "max(load + " + number + ")" : "count()") + " as c" + number);
  }
  const plan::QueryPlan query = plan_select(std::move(select));
  EXPECT_EQ(query.shape.columns.size(), std::size_t{kColumns});
  EXPECT_EQ(query.arguments.size(), std::size_t{kArguments});
}

TEST(QueryPlan, MaxGroupsComesFromTheStream) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.streams[0].max_keys = 77;
  EXPECT_EQ(plan::compile(pipeline).queries[0].max_groups, 77U);
  pipeline.queries[0].max_groups = 5;
  EXPECT_EQ(plan::compile(pipeline).queries[0].max_groups, 5U);
  pipeline.queries[0].group_by.clear();
  EXPECT_EQ(plan::compile(pipeline).queries[0].max_groups, 1U);
}

TEST(QueryPlan, AQueryWithoutSinksPrints) {
  spec::Pipeline pipeline = simple_pipeline();
  plan::Plan plan = plan::compile(pipeline);
  ASSERT_EQ(plan.spec.sinks.size(), 1U);
  EXPECT_EQ(plan.spec.sinks[0].name, "console");
  EXPECT_EQ(plan.queries[0].sinks, std::vector<std::size_t>{0});

  spec::Sink file;
  file.name = "rows";
  file.kind = spec::SinkKind::file;
  file.path = "{query}.jsonl";
  pipeline.sinks = {file};
  pipeline.queries[0].sinks = {"rows"};
  plan = plan::compile(pipeline);
  EXPECT_EQ(plan.spec.sinks.size(), 1U) << "no console where nobody asked for it";
  pipeline.queries[0].sinks = {"rows", "console"};
  plan = plan::compile(pipeline);
  EXPECT_EQ(plan.queries[0].sinks, (std::vector<std::size_t>{0, 1}));

  spec::Sink console;
  console.name = "console";
  console.rows = 0;
  pipeline.sinks.push_back(console);
  plan = plan::compile(pipeline);
  EXPECT_EQ(plan.spec.sinks.size(), 2U) << "a declared one takes its place";
}

TEST(QueryPlan, StreamsKnowTheirQueries) {
  spec::Pipeline pipeline = simple_pipeline();
  spec::Stream other = simple_stream();
  other.name = "other";
  other.time.arrival = true;
  pipeline.streams.insert(pipeline.streams.begin(), other);
  spec::Query second = pipeline.queries[0];
  second.name = "second";
  second.window = 0s;
  pipeline.queries.push_back(second);
  const plan::Plan plan = plan::compile(pipeline);
  EXPECT_TRUE(plan.streams[0].arrival_time);
  EXPECT_TRUE(plan.streams[0].queries.empty());
  EXPECT_FALSE(plan.streams[0].has_per_batch_query);
  EXPECT_EQ(plan.streams[1].queries, (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(plan.streams[1].has_per_batch_query);
  EXPECT_EQ(plan.queries[1].stream, 1U);
}

TEST(QueryPlan, FingerprintChangesWithEverythingThatDecidesTheMeaning) {
  const spec::Pipeline base = simple_pipeline({"count()", "sum(load)"});
  const auto fingerprint = [](const spec::Pipeline& pipeline) {
    return plan::compile(pipeline).queries.at(0).fingerprint();
  };
  const std::string before = fingerprint(base);
  EXPECT_EQ(fingerprint(base), before);
  const std::vector<std::function<void(spec::Pipeline&)>> changes{
      [](auto& p) { p.streams[0].schema.fields[0].places = 4; },
      [](auto& p) { p.streams[0].schema.fields[0].path = "/x"; },
      [](auto& p) { p.streams[0].schema.fields[0].required = true; },
      [](auto& p) { p.streams[0].schema.keys.pop_back(); },
      [](auto& p) { p.streams[0].time.field = "u"; },
      [](auto& p) { p.streams[0].time.unit = TimeUnit::seconds; },
      [](auto& p) { p.streams[0].name = p.queries[0].from = "s2"; },
      [](auto& p) { p.queries[0].where = "load > 0"; },
      [](auto& p) {
        p.queries[0].let.push_back({"a", "load", 6, 0});
      },
      [](auto& p) { p.queries[0].group_by = {"line"}; },
      [](auto& p) { p.queries[0].group_by.clear(); },
      [](auto& p) { p.queries[0].select.pop_back(); },
      [](auto& p) { p.queries[0].select[1] = "sum(load) as x"; },
      [](auto& p) { p.queries[0].window = 20s; },
      [](auto& p) { p.queries[0].slide = 5s; },
      [](auto& p) { p.queries[0].window = 0s; },
      [](auto& p) { p.queries[0].allowed_lateness = 1s; },
      [](auto& p) { p.queries[0].having = "count() > 1"; },
      [](auto& p) { p.queries[0].emit_empty = true; }};
  std::vector<std::string> seen{before};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    spec::Pipeline changed = base;
    changes[i](changed);
    const std::string after = fingerprint(changed);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), after), 0) << "change " << i;
    seen.push_back(after);
  }
  const std::vector<std::function<void(spec::Pipeline&)>> harmless{
      [](auto& p) { p.queries[0].line = 9; }, [](auto& p) { p.queries[0].max_groups = 9; },
      [](auto& p) { p.streams[0].sources[0].path = "other"; }, [](auto& p) { p.streams[0].idle_timeout = 9s; }};
  for (const auto& change : harmless) {
    spec::Pipeline changed = base;
    change(changed);
    EXPECT_EQ(fingerprint(changed), before);
  }
}

}  // namespace
}  // namespace weir::plan_test
