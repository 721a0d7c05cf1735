#include "batch/batch.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "batch/malformed.hpp"
#include "core/decimal.hpp"

namespace weir::batch {
namespace {

/// Memory of exactly the size that was asked for, so that the address sanitizer sees what lies outside.
class CountedMemory final : public ColumnMemory {
 public:
  void* allocate(std::size_t bytes) override {
    allocated = bytes;
    ++live;
    void* const memory = std::aligned_alloc(64, bytes);
    std::memset(memory, 0, bytes);
    return memory;
  }
  void release(void* memory, std::size_t bytes) noexcept override {
    released = bytes;
    --live;
    std::free(memory);
  }
  std::size_t allocated = 0;
  std::size_t released = 0;
  int live = 0;
};

class NoMemory final : public ColumnMemory {
 public:
  void* allocate(std::size_t) override { throw std::bad_alloc(); }
  void release(void*, std::size_t) noexcept override { ADD_FAILURE() << "nothing was allocated"; }
};

bool is_aligned(const void* column) {
  return reinterpret_cast<std::uintptr_t>(column) % 64 == 0;
}

TEST(Batch, Columns_AreAlignedAndDoNotOverlap) {
  for (const std::uint32_t capacity : {1U, 31U, 32U, 33U, 64U, 65U, 4097U}) {
    for (const std::size_t fields : {0U, 1U, 3U}) {
      CountedMemory memory;
      {
        Batch batch(fields, capacity, memory);
        EXPECT_EQ(batch.fields(), fields);
        EXPECT_EQ(batch.capacity(), capacity);
        EXPECT_EQ(memory.allocated, Batch::bytes(fields, capacity));
        EXPECT_TRUE(is_aligned(batch.times()));
        EXPECT_TRUE(is_aligned(batch.keys()));
        for (std::uint32_t row = 0; row < capacity; ++row) {
          batch.times()[row] = -1 - std::int64_t{row};
          batch.keys()[row] = row;
          for (std::size_t i = 0; i < fields; ++i) {
            batch.field(i)[row] = static_cast<std::int64_t>(i * capacity + row);
          }
        }
        for (std::uint32_t row = 0; row < capacity; ++row) {
          ASSERT_EQ(std::as_const(batch).times()[row], -1 - std::int64_t{row});
          ASSERT_EQ(std::as_const(batch).keys()[row], row);
          for (std::size_t i = 0; i < fields; ++i) {
            ASSERT_TRUE(is_aligned(batch.field(i)));
            ASSERT_EQ(std::as_const(batch).field(i)[row], static_cast<std::int64_t>(i * capacity + row));
          }
        }
      }
      EXPECT_EQ(memory.live, 0);
      EXPECT_EQ(memory.released, memory.allocated);
    }
  }
}

TEST(Batch, HostMemory_IsZeroed) {
  const Batch batch(2, 1'000);
  for (std::uint32_t row = 0; row < 1'000; ++row) {
    ASSERT_EQ(batch.times()[row], 0);
    ASSERT_EQ(batch.keys()[row], 0U);
    ASSERT_EQ(batch.field(1)[row], 0);
  }
}

TEST(Batch, NoMemory_IsAnErrorAndLeavesNothingBehind) {
  NoMemory memory;
  EXPECT_THROW(Batch(1, 10, memory), std::bad_alloc);
}

TEST(Batch, Clear_KeepsTheMemoryAndForgetsTheRest) {
  Batch batch(1, 10);
  const Batch fresh(1, 10);
  const std::int64_t* const times = batch.times();
  batch.set_size(10);
  batch.runs.push_back({0, 1});
  batch.ticks.push_back({.row = 0, .kind = Tick::Kind::watermark, .source = 0, .instant_ns = 5});
  batch.interval_ends.push_back({.row = 0, .end_ns = 5});
  batch.key_count = 7;
  batch.may_have_nulls = true;
  batch.end_of_input = true;
  batch.received = 3;
  batch.shed = 2;
  batch.rounded = 1;
  batch.malformed[2] = 4;
  batch.payload_bytes = 100;
  batch.positions.emplace_back();
  batch.at_message_boundary = false;
  batch.newest_arrival_ns = 9;
  batch.clear();
  EXPECT_EQ(batch.times(), times);
  EXPECT_EQ(batch.size(), 0U);
  EXPECT_TRUE(batch.runs.empty());
  EXPECT_TRUE(batch.ticks.empty());
  EXPECT_TRUE(batch.interval_ends.empty());
  EXPECT_TRUE(batch.positions.empty());
  EXPECT_EQ(batch.key_count, fresh.key_count);
  EXPECT_EQ(batch.may_have_nulls, fresh.may_have_nulls);
  EXPECT_EQ(batch.end_of_input, fresh.end_of_input);
  EXPECT_EQ(batch.received, fresh.received);
  EXPECT_EQ(batch.shed, fresh.shed);
  EXPECT_EQ(batch.rounded, fresh.rounded);
  EXPECT_EQ(batch.malformed, fresh.malformed);
  EXPECT_EQ(batch.payload_bytes, fresh.payload_bytes);
  EXPECT_EQ(batch.at_message_boundary, fresh.at_message_boundary);
  EXPECT_EQ(batch.newest_arrival_ns, fresh.newest_arrival_ns);
  EXPECT_EQ(batch.open_interval_end_ns, fresh.open_interval_end_ns);
}

TEST(Malformed, Names_AreOneForEachReason) {
  EXPECT_EQ(name(Malformed::bad_payload), "bad_payload");
  EXPECT_EQ(name(Malformed::future), "future");
  EXPECT_EQ(name(Malformed::wrong_columns), "wrong_columns");
  EXPECT_EQ(name(Malformed::key_too_long), "key_too_long");
  EXPECT_EQ(static_cast<std::size_t>(Malformed::key_too_long) + 1, kMalformedReasons);
}

TEST(Batch, KeepRows_MovesTheMarksBetweenRowsAlong) {
  Batch batch(1, 16);
  for (std::uint32_t row = 0; row < 6; ++row) {
    batch.times()[row] = row;
    batch.keys()[row] = row;
    batch.field(0)[row] = row;
  }
  batch.set_size(6);
  batch.runs = {{0, 0}, {2, 1}, {4, 0}};
  batch.ticks = {{1, Tick::Kind::watermark, 0, 7}, {6, Tick::Kind::watermark, 0, 9}};
  batch.interval_ends = {{3, 100}, {5, 200}};
  const std::vector<std::uint8_t> keep{1, 0, 0, 1, 1, 0};
  batch.keep_rows(keep);
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch.times()[1], 3);
  EXPECT_EQ(batch.keys()[1], 3U);
  EXPECT_EQ(batch.field(0)[1], 3);
  EXPECT_EQ(batch.field(0)[2], 4);
  EXPECT_EQ(batch.runs[1].row, 1U);
  EXPECT_EQ(batch.runs[2].row, 2U);
  EXPECT_EQ(batch.ticks[0].row, 1U);
  EXPECT_EQ(batch.ticks[1].row, 3U);
  EXPECT_EQ(batch.interval_ends[0].row, 1U);
  EXPECT_EQ(batch.interval_ends[1].row, 3U);
}

}  // namespace
}  // namespace weir::batch
