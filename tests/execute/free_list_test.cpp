#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "execute/cpu/free_list.hpp"

namespace weir::execute::cpu {
namespace {

using List = FreeList<std::unique_ptr<int>>;

/// Takes `count` things, made where none is free, and gives them back. Returns how many were made.
int round(List& list, int count) {
  list.begin_round();
  std::vector<std::unique_ptr<int>> taken;
  int made = 0;
  for (int i = 0; i < count; ++i) {
    auto thing = list.take();
    made += thing ? 0 : 1;
    taken.push_back(thing ? std::move(*thing) : std::make_unique<int>(i));
  }
  for (auto& thing : taken) list.give(std::move(thing));
  return made;
}

TEST(FreeList, ANeedThatGoesUpAndDownMakesNothingNew) {
  List list;
  EXPECT_EQ(round(list, 6), 6);
  for (int i = 0; i < 10 * List::kRounds; ++i) EXPECT_EQ(round(list, i % 2 == 0 ? 5 : 6), 0) << i;
}

TEST(FreeList, WhatOneRoundNeededIsReleased) {
  List list;
  round(list, 100);
  for (int i = 0; i < 2 * List::kRounds; ++i) EXPECT_EQ(round(list, 3), 0) << i;
  EXPECT_EQ(list.free().size(), 3U);
}

TEST(FreeList, AnEmptyOneHasNothing) {
  List list;
  for (int i = 0; i < 2 * List::kRounds; ++i) list.begin_round();
  EXPECT_FALSE(list.take().has_value());
}

}  // namespace
}  // namespace weir::execute::cpu
