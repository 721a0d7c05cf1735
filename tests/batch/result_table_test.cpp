#include "batch/result_table.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace weir::batch {
namespace {

TEST(ResultTable, Append_KeepsRowsInOrder) {
  const ResultShape shape{.query = "q",
                          .group_keys = {"house", "plug"},
                          .columns = {{.name = "count", .type = ValueType::count, .places = 0},
                                      {.name = "avg", .type = ValueType::real, .places = 0}}};
  ResultTable table(shape);
  EXPECT_TRUE(table.empty());
  const std::string_view first[] = {"0", "11"};
  const std::string_view second[] = {"1", ""};
  const Value values[] = {{.units = 64, .real = 0, .null = false}, {.units = 0, .real = 12.25, .null = false}};
  const Value nulls[] = {{.units = 1, .real = 0, .null = false}, {.units = 0, .real = 0, .null = true}};
  table.append({.window_start_ns = 0, .window_end_ns = 10, .revision = 0}, first, values);
  table.append({.window_start_ns = 10, .window_end_ns = 20, .revision = 1}, second, nulls);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table.group(0, 1), "11");
  EXPECT_EQ(table.group(1, 0), "1");
  EXPECT_EQ(table.value(0, 1).real, 12.25);
  EXPECT_TRUE(table.value(1, 1).null);
  EXPECT_EQ(table.row(1).revision, 1U);
  table.clear();
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(&table.shape(), &shape);
}

TEST(ResultTable, NoGroupKeys_StillHoldsRows) {
  const ResultShape shape{
      .query = "q", .group_keys = {}, .columns = {{.name = "count", .type = ValueType::count, .places = 0}}};
  ResultTable table(shape);
  const Value value{.units = 3, .real = 0, .null = false};
  table.append({.window_start_ns = 0, .window_end_ns = 1, .revision = 0}, nullptr, &value);
  ASSERT_EQ(table.size(), 1U);
  EXPECT_TRUE(table.value(0, 0).units == 3);
}

}  // namespace
}  // namespace weir::batch
