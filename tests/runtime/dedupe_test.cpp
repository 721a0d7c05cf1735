#include "runtime/dedupe.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "support/section_memory.hpp"

namespace weir::runtime {
namespace {

struct Row {
  std::int64_t time;
  std::uint32_t key;
  std::int64_t value;
};

void fill(batch::Batch& batch, const std::vector<Row>& rows) {
  batch.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    batch.times()[i] = rows[i].time;
    batch.keys()[i] = rows[i].key;
    batch.field(0)[i] = rows[i].value;
  }
  batch.set_size(static_cast<std::uint32_t>(rows.size()));
}

TEST(Dedupe, RemovesWhatASetOfSeenReadingsWouldRemove) {
  for (const std::uint32_t size : {0U, 1U, 31U, 32U, 33U, 1025U, 5000U}) {
    std::mt19937_64 random(size);
    Dedupe dedupe(-1);
    std::set<std::pair<std::uint32_t, std::int64_t>> seen;
    batch::Batch batch(1, 8192);
    for (int round = 0; round < 4; ++round) {
      std::vector<Row> rows;
      std::vector<Row> expected;
      for (std::uint32_t i = 0; i < size; ++i) {
        const Row row{static_cast<std::int64_t>(random() % 500), static_cast<std::uint32_t>(random() % 20),
                      static_cast<std::int64_t>(i)};
        rows.push_back(row);
        if (seen.emplace(row.key, row.time).second) {
          expected.push_back(row);
        }
      }
      fill(batch, rows);
      EXPECT_EQ(dedupe.remove(batch), rows.size() - expected.size());
      ASSERT_EQ(batch.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(batch.times()[i], expected[i].time);
        EXPECT_EQ(batch.keys()[i], expected[i].key);
        EXPECT_EQ(batch.field(0)[i], expected[i].value);
      }
    }
  }
}

TEST(Dedupe, ASequenceNumberTakesThePlaceOfTheTime) {
  Dedupe dedupe(0);
  batch::Batch batch(1, 8);
  fill(batch, {{10, 1, 7}, {11, 1, 7}, {11, 1, 8}, {11, 2, 7}});
  EXPECT_EQ(dedupe.remove(batch), 1U);
  EXPECT_EQ(batch.size(), 3U);
}

TEST(Dedupe, ForgetsReadingsWhoseWindowsAreClosed) {
  Dedupe dedupe(-1);
  batch::Batch batch(1, 8);
  fill(batch, {{10, 1, 0}, {20, 1, 0}});
  EXPECT_EQ(dedupe.remove(batch), 0U);
  dedupe.forget_before(15);
  fill(batch, {{10, 1, 0}, {20, 1, 0}});
  EXPECT_EQ(dedupe.remove(batch), 1U) << "the reading behind the horizon is late, not a duplicate";
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch.times()[0], 10);
}

TEST(Dedupe, MemoryStaysBoundedWhileTheHorizonMoves) {
  Dedupe dedupe(-1);
  batch::Batch batch(1, 1024);
  std::uint64_t largest = 0;
  for (std::int64_t round = 0; round < 500; ++round) {
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < 1000; ++i) {
      rows.push_back({round * 1000 + i, 0, 0});
    }
    fill(batch, rows);
    EXPECT_EQ(dedupe.remove(batch), 0U);
    dedupe.forget_before((round - 1) * 1000);
    largest = std::max(largest, dedupe.bytes());
  }
  EXPECT_LE(largest, 1U << 20U) << "2,000 readings are remembered at a time";
}

// What is remembered, with a horizon that moves: a map in the plainest form. Times run ahead, lag behind, and come
// again.
class Remembered {
 public:
  explicit Remembered(bool by_value) : by_value_(by_value) {}
  bool is_new(const Row& row) {
    if (row.time < horizon) return true;  // late, not a duplicate
    const auto [entry, added] = times_.try_emplace({row.key, by_value_ ? row.value : row.time}, row.time);
    if (added || entry->second < horizon) {
      entry->second = row.time;
      return true;
    }
    return false;
  }
  std::int64_t horizon = std::numeric_limits<std::int64_t>::min();

 private:
  bool by_value_;
  std::map<std::pair<std::uint32_t, std::int64_t>, std::int64_t> times_;
};

TEST(Dedupe, AnyHistoryIsRememberedAlsoAcrossSavesOfWhatChanged) {
  for (const bool by_value : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      std::mt19937_64 random(seed);
      auto dedupe = std::make_unique<Dedupe>(by_value ? 0 : -1);
      Remembered remembered(by_value);
      weir::test::SectionMemory memory;
      batch::Batch batch(1, 4096);
      std::int64_t now = 0;
      std::uint64_t removed = 0;
      for (int round = 0; round < 120; ++round) {
        std::vector<Row> rows;
        std::vector<Row> expected;
        for (std::uint64_t left = random() % 3000; left > 0; --left) {
          now += static_cast<std::int64_t>(random() % 3);
          const bool far = random() % 500 == 0;
          const std::int64_t time = now - static_cast<std::int64_t>(random() % 900) + (far ? 50'000 : 0);
          rows.push_back(
              {time, static_cast<std::uint32_t>(random() % 7), static_cast<std::int64_t>(random() % 20'000)});
        }
        for (const Row& row : rows) {
          if (remembered.is_new(row)) expected.push_back(row);
        }
        fill(batch, rows);
        EXPECT_EQ(dedupe->remove(batch), rows.size() - expected.size());
        removed += rows.size() - expected.size();
        ASSERT_EQ(batch.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_EQ(batch.times()[i], expected[i].time);
          ASSERT_EQ(batch.keys()[i], expected[i].key);
          ASSERT_EQ(batch.field(0)[i], expected[i].value);
        }
        remembered.horizon = std::max(remembered.horizon, now - 2'000 - static_cast<std::int64_t>(random() % 100));
        dedupe->forget_before(remembered.horizon);
        if (random() % 4 != 0) continue;
        state::SectionWriter whole;
        dedupe->save(whole);
        ASSERT_EQ(memory.save([&](state::SectionWriter& section) { dedupe->save(section); }), whole.bytes());
        if (random() % 4 != 0) continue;
        // Somebody else goes on from there. Chunks of an earlier process mean nothing to it.
        auto after = std::make_unique<Dedupe>(by_value ? 0 : -1);
        state::Reader in(whole.bytes());
        after->load(in);
        EXPECT_TRUE(in.at_end());
        dedupe = std::move(after);
        memory = {};
      }
      EXPECT_GT(removed, 1'000U);
    }
  }
}

TEST(Dedupe, ACheckpointWritesTheBlocksThatGrew) {
  Dedupe dedupe(-1);
  weir::test::SectionMemory memory;
  batch::Batch batch(1, 1024);
  std::size_t most = 0;
  for (std::int64_t round = 0; round < 400; ++round) {
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < 100; ++i) {
      rows.push_back({round * 100 + i, 0, 0});
    }
    fill(batch, rows);
    EXPECT_EQ(dedupe.remove(batch), 0U);
    dedupe.forget_before((round - 200) * 100);
    memory.save([&](state::SectionWriter& section) { dedupe.save(section); });
    most = std::max(most, memory.written_bytes);
  }
  constexpr std::size_t kBlock = 4096 * 20;
  EXPECT_LT(most, 3 * kBlock) << "20,000 readings of 20 bytes are remembered at a time";
}

TEST(Dedupe, RemembersAcrossSaveAndLoad) {
  Dedupe before(-1);
  batch::Batch batch(1, 8);
  fill(batch, {{10, 1, 0}, {20, 2, 0}});
  before.remove(batch);
  state::SectionWriter out;
  before.save(out);
  Dedupe after(-1);
  state::Reader in(out.bytes());
  after.load(in);
  EXPECT_TRUE(in.at_end());
  fill(batch, {{20, 2, 0}, {20, 1, 0}, {10, 1, 0}});
  EXPECT_EQ(after.remove(batch), 2U);
}

TEST(Compact, MovesTheMarksBetweenRowsAlong) {
  batch::Batch batch(1, 16);
  fill(batch, {{0, 0, 0}, {1, 0, 1}, {2, 0, 2}, {3, 0, 3}, {4, 0, 4}, {5, 0, 5}});
  batch.runs = {{0, 0}, {2, 1}, {4, 0}};
  batch.ticks = {{1, batch::Tick::Kind::watermark, 0, 7}, {6, batch::Tick::Kind::watermark, 0, 9}};
  batch.interval_ends = {{3, 100}, {5, 200}};
  EXPECT_EQ(compact(batch, 0, {1, 0, 0, 1, 1, 0}), 3U);
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch.field(0)[1], 3);
  EXPECT_EQ(batch.field(0)[2], 4);
  EXPECT_EQ(batch.runs[1].row, 1U);
  EXPECT_EQ(batch.runs[2].row, 2U);
  EXPECT_EQ(batch.ticks[0].row, 1U);
  EXPECT_EQ(batch.ticks[1].row, 3U);
  EXPECT_EQ(batch.interval_ends[0].row, 1U);
  EXPECT_EQ(batch.interval_ends[1].row, 3U);
}

TEST(Compact, LeavesRowsBeforeTheBeginningAlone) {
  batch::Batch batch(1, 16);
  fill(batch, {{0, 0, 0}, {1, 0, 1}, {2, 0, 2}});
  batch.runs = {{0, 0}, {1, 1}};
  EXPECT_EQ(compact(batch, 2, {0}), 1U);
  EXPECT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.runs[1].row, 1U);
}

}  // namespace
}  // namespace weir::runtime
