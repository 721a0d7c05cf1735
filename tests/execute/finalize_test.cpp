#include "execute/finalize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "execute/queries.hpp"

namespace weir::execute {
namespace {

using batch::ValueType;
using plan::AggregateKind;

/// One argument with every part, in hundredths, and a second one without bins.
plan::QueryPlan full_query(std::vector<std::size_t> group_keys) {
  plan::QueryPlan query = grouped_query(std::move(group_keys));
  query.arguments.resize(2);
  query.arguments[0].field = 0;
  query.arguments[0].places = 2;
  query.arguments[0].parts = plan::kPartCount | plan::kPartSum | plan::kPartSquares | plan::kPartMinMax |
                             plan::kPartFirst | plan::kPartLast | plan::kPartQuantile;
  query.arguments[1].field = 1;
  query.arguments[1].parts = plan::kPartCount | plan::kPartSum;
  return query;
}

/// Values 1.00, 2.00, 4.00 for each group, and none of the second argument.
WindowTotals three_values(std::vector<std::uint32_t> groups) {
  WindowTotals totals;
  for (const std::uint32_t group : groups) {
    totals.groups.push_back(group);
    totals.counts.push_back(3);
    ArgumentTotal first;
    first.count = 3;
    first.sum = 700;
    first.squares = {{10'000 + 40'000 + 160'000, 0, 0}};
    first.min = 100;
    first.max = 400;
    first.first_value = 200;
    first.last_value = 100;
    totals.arguments.push_back(first);
    totals.arguments.emplace_back();
    totals.quantiles.push_back({{{100, 1}, {164, 1}, {228, 1}}});
    totals.distincts.push_back(5 + group);
  }
  return totals;
}

TEST(Finalize, Aggregates_AreTheirDefinitions) {
  batch::KeyDictionary keys(1, 10);
  plan::QueryPlan query = full_query({});
  select(query, {AggregateKind::count, -1, -1, 0.0}, ValueType::count);
  for (const AggregateKind kind : {AggregateKind::sum, AggregateKind::min, AggregateKind::max, AggregateKind::first,
                                   AggregateKind::last, AggregateKind::range}) {
    select(query, {kind, 0, -1, 0.0}, ValueType::decimal, 2);
  }
  for (const AggregateKind kind : {AggregateKind::avg, AggregateKind::variance, AggregateKind::variance_pop,
                                   AggregateKind::stddev, AggregateKind::stddev_pop}) {
    select(query, {kind, 0, -1, 0.0}, ValueType::real);
  }
  select(query, {AggregateKind::quantile, 0, -1, 1.0}, ValueType::decimal, 2);
  select(query, {AggregateKind::distinct, -1, 0, 0.0}, ValueType::count);
  GroupTable groups(query, keys);
  Finalizer finalizer(query, groups);
  batch::ResultTable out(query.shape);
  EXPECT_EQ(finalizer.append(three_values({0}), 0, 10, {}, out), 1U);
  const std::array<int, 7> exact{3, 700, 100, 400, 200, 100, 300};
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(static_cast<int>(out.value(0, i).units), exact[i]) << i;
  }
  EXPECT_EQ(out.value(0, 7).real, 7.0 / 3.0);
  EXPECT_EQ(out.value(0, 8).real, 7.0 / 3.0);  // (63 - 49) / 3 / 2
  EXPECT_EQ(out.value(0, 9).real, 14.0 / 9.0);
  EXPECT_DOUBLE_EQ(out.value(0, 10).real, 1.5275252316519468);
  EXPECT_DOUBLE_EQ(out.value(0, 11).real, 1.2472191289246473);
  EXPECT_EQ(static_cast<int>(out.value(0, 12).units), 400) << "clamped to the exact maximum";
  EXPECT_EQ(static_cast<int>(out.value(0, 13).units), 5);
  EXPECT_EQ(out.row(0).window_start_ns, 0);
  EXPECT_EQ(out.row(0).window_end_ns, 10);
  EXPECT_EQ(out.row(0).revision, 0U);
}

TEST(Finalize, ValueOfNoReadings_IsNull) {
  batch::KeyDictionary keys(1, 10);
  plan::QueryPlan query = full_query({});
  for (const AggregateKind kind : {AggregateKind::sum, AggregateKind::avg, AggregateKind::min, AggregateKind::stddev,
                                   AggregateKind::variance_pop}) {
    select(query, {kind, 1, -1, 0.0}, kind == AggregateKind::sum ? ValueType::decimal : ValueType::real);
  }
  GroupTable groups(query, keys);
  Finalizer finalizer(query, groups);
  batch::ResultTable out(query.shape);
  finalizer.append(three_values({0}), 0, 10, {}, out);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(out.value(0, i).null) << i;
  }
}

TEST(Finalize, SampleSpreadOfOneValue_IsNull) {
  batch::KeyDictionary keys(1, 10);
  plan::QueryPlan query = full_query({});
  select(query, {AggregateKind::stddev, 0, -1, 0.0}, ValueType::real);
  select(query, {AggregateKind::variance, 0, -1, 0.0}, ValueType::real);
  select(query, {AggregateKind::stddev_pop, 0, -1, 0.0}, ValueType::real);
  GroupTable groups(query, keys);
  Finalizer finalizer(query, groups);
  WindowTotals totals = three_values({0});
  totals.counts[0] = totals.arguments[0].count = 1;
  totals.arguments[0].sum = 5;
  totals.arguments[0].squares = {{25, 0, 0}};
  batch::ResultTable out(query.shape);
  finalizer.append(totals, 0, 10, {}, out);
  EXPECT_TRUE(out.value(0, 0).null);
  EXPECT_TRUE(out.value(0, 1).null);
  EXPECT_FALSE(out.value(0, 2).null);
  EXPECT_EQ(out.value(0, 2).real, 0.0);
}

TEST(Finalize, Rows_AreSortedByKeysWithFewAndWithManyGroupsPresent) {
  batch::KeyDictionary keys(1, 1000);
  plan::QueryPlan query = full_query({0});
  select(query, {AggregateKind::count, -1, -1, 0.0}, ValueType::count);
  GroupTable groups(query, keys);
  for (int i = 0; i < 200; ++i) {
    intern(keys, {std::to_string(i)});
  }
  groups.extend(200);
  Finalizer finalizer(query, groups);
  for (const std::vector<std::uint32_t>& present :
       {std::vector<std::uint32_t>{},
        {7},
        {2, 10, 100, 199},
        std::vector<std::uint32_t>(groups.ordered().begin(), groups.ordered().end())}) {
    batch::ResultTable out(query.shape);
    std::vector<std::uint32_t> ascending = present;
    if (ascending.size() > 4) std::sort(ascending.begin(), ascending.end());
    EXPECT_EQ(finalizer.append(three_values(ascending), 0, 10, {}, out), present.size());
    for (std::size_t i = 1; i < out.size(); ++i) {
      EXPECT_LT(out.group(i - 1, 0), out.group(i, 0));
    }
  }
}

TEST(Finalize, Revisions_GoWithTheirEntriesAndGroupsWithoutReadingsHaveNoRow) {
  batch::KeyDictionary keys(1, 10);
  plan::QueryPlan query = full_query({0});
  select(query, {AggregateKind::count, -1, -1, 0.0}, ValueType::count);
  GroupTable groups(query, keys);
  for (const char* key : {"c", "b", "a"}) {
    intern(keys, {key});
  }
  groups.extend(3);
  Finalizer finalizer(query, groups);
  WindowTotals totals = three_values({0, 1, 2});
  totals.counts[1] = 0;
  batch::ResultTable out(query.shape);
  const std::array<std::uint32_t, 3> revisions{4, 5, 6};
  EXPECT_EQ(finalizer.append(totals, 0, 10, revisions, out), 2U);
  EXPECT_EQ(out.group(0, 0), "a");
  EXPECT_EQ(out.row(0).revision, 6U);
  EXPECT_EQ(out.group(1, 0), "c");
  EXPECT_EQ(out.row(1).revision, 4U);
}

TEST(Finalize, Having_SeesSelectedAndHiddenAggregatesAndKeys) {
  batch::KeyDictionary keys(1, 10);
  plan::QueryPlan query = full_query({0});
  select(query, {AggregateKind::count, -1, -1, 0.0}, ValueType::count);
  query.aggregates.push_back({AggregateKind::sum, 0, -1, 0.0});
  query.hidden_columns.push_back({"sum", ValueType::decimal, 2});
  query.having_key_tests.push_back({0, plan::KeyTest::Compare::ne, "b"});
  // sum == 7 and count == 3 and key != "b"
  using ops::Op;
  query.having.constants = {7.0, 3.0};
  query.having.code = {{Op::field, 0, 0, 0, 0, 1}, {Op::constant, 1, 0, 0, 0, 0}, {Op::eq, 0, 0, 1, 0, 0},
                       {Op::field, 1, 0, 0, 0, 0}, {Op::constant, 2, 0, 0, 0, 1}, {Op::eq, 1, 1, 2, 0, 0},
                       {Op::and_, 0, 0, 1, 0, 0},  {Op::key_test, 1, 0, 0, 0, 0}, {Op::and_, 0, 0, 1, 0, 0}};
  query.having.registers = 3;
  GroupTable groups(query, keys);
  for (const char* key : {"a", "b", "c"}) {
    intern(keys, {key});
  }
  groups.extend(3);
  Finalizer finalizer(query, groups);
  WindowTotals totals = three_values({0, 1, 2});
  totals.counts[2] = 4;
  batch::ResultTable out(query.shape);
  EXPECT_EQ(finalizer.append(totals, 0, 10, {}, out), 1U);
  EXPECT_EQ(out.group(0, 0), "a");
}

TEST(Finalize, EmptyWindow_HasCountZeroAndNulls) {
  batch::KeyDictionary keys(1, 10);
  plan::QueryPlan query = full_query({});
  select(query, {AggregateKind::count, -1, -1, 0.0}, ValueType::count);
  select(query, {AggregateKind::quantile, 0, -1, 0.5}, ValueType::decimal, 2);
  select(query, {AggregateKind::distinct, -1, 0, 0.0}, ValueType::count);
  GroupTable groups(query, keys);
  Finalizer finalizer(query, groups);
  batch::ResultTable out(query.shape);
  EXPECT_EQ(finalizer.append_empty(-10, 0, out), 1U);
  EXPECT_EQ(static_cast<int>(out.value(0, 0).units), 0);
  EXPECT_FALSE(out.value(0, 0).null);
  EXPECT_TRUE(out.value(0, 1).null);
  EXPECT_EQ(static_cast<int>(out.value(0, 2).units), 0);
}

}  // namespace
}  // namespace weir::execute
