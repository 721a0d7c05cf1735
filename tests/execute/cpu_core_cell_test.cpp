// The vector scatter and plain additions leave the same cells.
#include "execute/cpu/core_cell.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

namespace weir::execute::cpu {
namespace {

using Cell = CoreCell<true, true>;

struct alignas(64) Line {
  Cell cells[2];
};

class Cells {
 public:
  explicit Cells(std::size_t groups) : lines_(groups / 2 + 1) {}
  Cell* data() { return lines_[0].cells; }
  Cell& operator[](std::size_t i) { return lines_[i / 2].cells[i % 2]; }

 private:
  std::vector<Line> lines_;
};

void add(Cell& cell, std::int64_t value) {
  ++cell.count;
  ops::add_value(cell.low, cell.wraps, value);
  ops::merge(cell.extremes, ops::extremes_of(value));
}

/// Adds all rows by vector instructions as far as they go, and checks the cells after the rows that went.
std::uint32_t check(const std::vector<std::int64_t>& values, std::uint32_t groups, std::uint32_t ahead) {
  std::mt19937 random(31);
  std::vector<std::uint32_t> ids(values.size());
  for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(random() % groups);
  Cells actual(groups);
  Cells expected(groups);
  const std::uint32_t done =
      scatter_vectors(actual.data(), ids.data(), values.data(), static_cast<std::uint32_t>(values.size()), ahead);
  for (std::uint32_t i = 0; i < done; ++i) add(expected[ids[i]], values[i]);
  for (std::uint32_t g = 0; g < groups; ++g) {
    EXPECT_EQ(actual[g].count, expected[g].count);
    EXPECT_EQ(actual[g].low, expected[g].low);
    EXPECT_EQ(actual[g].wraps, expected[g].wraps);
    EXPECT_EQ(actual[g].extremes.min, expected[g].extremes.min);
    EXPECT_EQ(actual[g].extremes.max(), expected[g].extremes.max());
  }
  return done;
}

std::vector<std::int64_t> narrow_values(std::size_t size) {
  std::mt19937_64 random(32);
  std::vector<std::int64_t> values(size);
  for (std::int64_t& value : values) value = static_cast<std::int64_t>(random() % (2 * kNarrow)) - kNarrow;
  return values;
}

TEST(CoreCell, VectorScatter_LeavesTheCellsOfPlainAdditions) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 31U, 32U, 33U, 1'024U, 1'025U}) {
    for (const std::uint32_t groups : {1U, 2U, 33U}) {
      const std::uint32_t without = check(narrow_values(size), groups, 0);
      EXPECT_EQ(check(narrow_values(size), groups, 24), without);
      EXPECT_GE(without + 8, without == 0 ? 0 : size) << "only a few rows at the end may be left";
    }
  }
}

TEST(CoreCell, VectorScatter_StopsAtAValueThatIsNotNarrow) {
  for (const std::int64_t wide : {kNarrow, -kNarrow - 1, std::numeric_limits<std::int64_t>::max(),
                                  std::numeric_limits<std::int64_t>::min() + 1}) {
    for (const std::size_t position : {0U, 7U, 8U, 100U}) {
      std::vector<std::int64_t> values = narrow_values(200);
      values[position] = wide;
      EXPECT_LE(check(values, 5, 0), position);
    }
  }
}

TEST(CoreCell, EdgesOfTheNarrowRange_AreNarrow) {
  const std::uint32_t usual = check(narrow_values(16), 3, 0);
  std::vector<std::int64_t> values(16, kNarrow - 1);
  values[3] = -kNarrow;
  EXPECT_EQ(check(values, 3, 0), usual);
}

}  // namespace
}  // namespace weir::execute::cpu
