#include "execute/group_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "execute/queries.hpp"

namespace weir::execute {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint32_t> groups_of(const GroupTable& table) {
  return {table.view().group_of, table.view().group_of + table.view().keys};
}

TEST(GroupTable, NoGroupBy_IsOneGroupFromTheStart) {
  batch::KeyDictionary keys(2, 100);
  const plan::QueryPlan query = grouped_query({});
  GroupTable table(query, keys);
  EXPECT_EQ(table.groups(), 1U);
  EXPECT_EQ(table.view().group_of, nullptr);
  EXPECT_THAT(table.ranks(), ElementsAre(0U));
  intern(keys, {"a", "b"});
  table.extend(1);
  EXPECT_EQ(table.groups(), 1U);
  EXPECT_EQ(table.view().keys, 1U);
}

TEST(GroupTable, Subset_GivesIdsByFirstAppearanceOverKeyIds) {
  batch::KeyDictionary keys(2, 100);
  const plan::QueryPlan query = grouped_query({1});
  GroupTable table(query, keys);
  intern(keys, {"h0", "b"});
  intern(keys, {"h1", "a"});
  intern(keys, {"h2", "b"});
  table.extend(3);
  EXPECT_THAT(groups_of(table), ElementsAre(0U, 1U, 0U));
  EXPECT_EQ(table.text(1, 0), "a");
  EXPECT_THAT(table.ranks(), ElementsAre(1U, 0U));
  EXPECT_THAT(table.ordered(), ElementsAre(1U, 0U));
}

TEST(GroupTable, KeysWhoseTextsRunTogether_AreDifferentGroups) {
  batch::KeyDictionary keys(3, 100);
  const plan::QueryPlan query = grouped_query({0, 1});
  GroupTable table(query, keys);
  intern(keys, {"a", "bc", ""});
  intern(keys, {"ab", "c", ""});
  intern(keys, {"a", "bc", "x"});
  table.extend(3);
  EXPECT_THAT(groups_of(table), ElementsAre(0U, 1U, 0U));
}

TEST(GroupTable, AllKeysInAnyOrder_AreGroupsOfTheirOwnSortedInGroupByOrder) {
  batch::KeyDictionary keys(2, 100);
  const plan::QueryPlan query = grouped_query({1, 0});
  GroupTable table(query, keys);
  intern(keys, {"a", "z"});
  intern(keys, {"b", "y"});
  intern(keys, {"a", "\xff"});
  table.extend(3);
  EXPECT_THAT(groups_of(table), ElementsAre(0U, 1U, 2U));
  EXPECT_EQ(table.text(1, 0), "y");
  EXPECT_EQ(table.text(1, 1), "b");
  EXPECT_THAT(table.ordered(), testing::IsEmpty());
  EXPECT_THAT(table.ranks(), ElementsAre(1U, 0U, 2U)) << "bytes are unsigned";
}

TEST(GroupTable, MoreThanMaxGroups_HaveNoGroup) {
  batch::KeyDictionary keys(1, 100);
  plan::QueryPlan query = grouped_query({0});
  query.max_groups = 2;
  GroupTable table(query, keys);
  for (const char* key : {"a", "b", "c", "d"}) {
    intern(keys, {key});
  }
  table.extend(4);
  EXPECT_THAT(groups_of(table), ElementsAre(0U, 1U, kNoGroup, kNoGroup));
  EXPECT_EQ(table.groups(), 2U);
  EXPECT_THAT(table.ranks(), ElementsAre(0U, 1U));
}

TEST(GroupTable, KeyTestsAndHashes_AreTablesByKey) {
  batch::KeyDictionary keys(2, 100);
  plan::QueryPlan query = grouped_query({0});
  query.key_tests.push_back({1, plan::KeyTest::Compare::eq, "x"});
  query.having_key_tests.push_back({0, plan::KeyTest::Compare::lt, "b"});
  select(query, {plan::AggregateKind::distinct, -1, 1, 0.0}, batch::ValueType::count);
  GroupTable table(query, keys);
  intern(keys, {"a", "x"});
  intern(keys, {"b", "y"});
  table.extend(1);
  table.extend(2);
  EXPECT_EQ(table.view().key_tests[0][0], 1);
  EXPECT_EQ(table.view().key_tests[0][1], 0);
  EXPECT_TRUE(table.having_test(0, 0));
  EXPECT_FALSE(table.having_test(0, 1));
  EXPECT_EQ(table.view().key_hashes[0], nullptr);
  EXPECT_EQ(table.view().key_hashes[1][1], distinct_hash("y"));
}

TEST(GroupTable, DistinctHash_NeverChanges) {
  // Registers in checkpoints come from it.
  EXPECT_EQ(distinct_hash(""), 9'631'484'328'251'088'465ULL);
  EXPECT_EQ(distinct_hash("sensor-17"), 12'956'331'150'217'835'249ULL);
}

TEST(GroupTable, ManyKeysInSteps_AreAsAMapHasThem) {
  std::mt19937_64 random(3);
  batch::KeyDictionary keys(3, 100'000);
  const plan::QueryPlan query = grouped_query({2, 0});
  GroupTable table(query, keys);
  std::map<std::pair<std::string, std::string>, std::uint32_t> expected;
  std::vector<std::uint32_t> group_of;
  for (int step = 0; step < 40; ++step) {
    for (int i = 0; i < 300; ++i) {
      const std::string a = std::to_string(random() % 50);
      const std::string b = std::to_string(random() % 40);
      const std::string c = std::to_string(random() % 60);
      const std::uint32_t before = keys.size();
      if (intern(keys, {a, b, c}) != before) continue;
      group_of.push_back(expected.try_emplace({c, a}, static_cast<std::uint32_t>(expected.size())).first->second);
    }
    table.extend(keys.size());
    ASSERT_EQ(groups_of(table), group_of);
    if (step % 3 != 0) continue;
    const auto ranks = table.ranks();
    ASSERT_EQ(ranks.size(), expected.size());
    std::uint32_t rank = 0;
    for (const auto& [texts, group] : expected) {
      ASSERT_EQ(ranks[group], rank++);
      ASSERT_EQ(table.text(group, 0), texts.first);
      ASSERT_EQ(table.text(group, 1), texts.second);
    }
  }
}

}  // namespace
}  // namespace weir::execute
