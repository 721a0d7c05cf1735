#include "runtime/dedupe.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "core/decimal.hpp"
#include "support/section_memory.hpp"

namespace weir::runtime {
namespace {

constexpr std::uint32_t kEnough = 1'000'000;

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
    Dedupe dedupe(-1, kEnough);
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
  Dedupe dedupe(0, kEnough);
  batch::Batch batch(1, 8);
  fill(batch, {{10, 1, 7}, {11, 1, 7}, {11, 1, 8}, {11, 2, 7}});
  EXPECT_EQ(dedupe.remove(batch), 1U);
  EXPECT_EQ(batch.size(), 3U);
}

TEST(Dedupe, AReadingWithoutASequenceNumberIsNoRepeat) {
  Dedupe dedupe(0, kEnough);
  batch::Batch batch(1, 8);
  fill(batch, {{1, 1, kNullUnits}, {2, 1, kNullUnits}, {2, 1, kNullUnits}, {3, 1, 7}, {4, 1, 7}});
  EXPECT_EQ(dedupe.remove(batch), 1U);
  EXPECT_EQ(batch.size(), 4U);
}

TEST(Dedupe, ForgetsReadingsWhoseWindowsAreClosed) {
  Dedupe dedupe(-1, kEnough);
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
  Dedupe dedupe(-1, kEnough);
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

TEST(Dedupe, ARepeatIsLookedForAmongTheLastReadingsHoweverTheyAreCutIntoBatches) {
  constexpr std::size_t kReadings = 40'000;
  for (const std::uint32_t remembered : {1U, 31U, 1024U, 5'000U}) {
    std::mt19937_64 random(remembered);
    std::vector<Row> rows;
    std::vector<std::int64_t> expected;
    for (std::size_t i = 0; i < kReadings; ++i) {
      rows.push_back(
          {static_cast<std::int64_t>(random() % (2 * std::uint64_t{remembered} + 2)), 0, static_cast<std::int64_t>(i)});
    }
    std::map<std::int64_t, std::size_t> accepted;  // the last place of each identity
    for (std::size_t i = 0; i < kReadings; ++i) {
      const auto known = accepted.find(rows[i].time);
      if (known == accepted.end() || i - known->second > remembered) {
        accepted[rows[i].time] = i;
        expected.push_back(rows[i].value);
      }
    }
    for (const std::size_t cut : {std::size_t{1}, std::size_t{33}, std::size_t{4'096}, kReadings}) {
      auto dedupe = std::make_unique<Dedupe>(-1, remembered);
      batch::Batch batch(1, kReadings);
      std::vector<std::int64_t> left;
      for (std::size_t begin = 0; begin < kReadings; begin += cut) {
        const std::size_t end = std::min(begin + cut, kReadings);
        fill(batch,
             {rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.begin() + static_cast<std::ptrdiff_t>(end)});
        dedupe->remove(batch);
        left.insert(left.end(), batch.field(0), batch.field(0) + batch.size());
        if (begin / cut % 100 == 50) {
          // A restart changes nothing.
          state::SectionWriter out;
          dedupe->save(out);
          dedupe = std::make_unique<Dedupe>(-1, remembered);
          state::Reader in(out.bytes());
          dedupe->load(in);
        }
      }
      ASSERT_EQ(left, expected) << remembered << " remembered, cut by " << cut;
      EXPECT_LE(dedupe->bytes(), Dedupe::worst_case_bytes(remembered));
    }
  }
}

TEST(Dedupe, MemoryStaysWithinTheEstimateWhileNoWindowCloses) {
  constexpr std::uint32_t kRemembered = 20'000;
  Dedupe dedupe(0, kRemembered);
  batch::Batch batch(1, 1024);
  for (std::int64_t round = 0; round < 300; ++round) {
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < 1000; ++i) {
      // Some sequence numbers come again and again, in ever new places.
      rows.push_back({round * 1000 + i, 0, i % 2 == 0 ? round * 1000 + i : i});
    }
    fill(batch, rows);
    dedupe.remove(batch);
    ASSERT_LE(dedupe.bytes(), Dedupe::worst_case_bytes(kRemembered));
  }
  EXPECT_GT(dedupe.forgotten_early(), 0U);
}

TEST(Dedupe, ReadsTheFirstFormatWhichHasNoNumbersOfRows) {
  state::Writer saved;
  saved.i64(5);
  saved.u64(2);
  for (const std::int64_t time : {4, 20}) {
    saved.u32(1);
    saved.i64(time);
    saved.i64(time);
  }
  Dedupe dedupe(-1, kEnough);
  state::Reader in(saved.bytes());
  dedupe.load(in, false);
  EXPECT_TRUE(in.at_end());
  batch::Batch batch(1, 8);
  fill(batch, {{20, 1, 0}, {21, 1, 0}});
  EXPECT_EQ(dedupe.remove(batch), 1U);
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
      auto dedupe = std::make_unique<Dedupe>(by_value ? 0 : -1, kEnough);
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
        auto after = std::make_unique<Dedupe>(by_value ? 0 : -1, kEnough);
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
  Dedupe dedupe(-1, kEnough);
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
  constexpr std::size_t kBlock = 4096 * 28;
  EXPECT_LT(most, 3 * kBlock) << "20,000 readings of 28 bytes are remembered at a time";
}

TEST(Dedupe, RemembersAcrossSaveAndLoad) {
  Dedupe before(-1, kEnough);
  batch::Batch batch(1, 8);
  fill(batch, {{10, 1, 0}, {20, 2, 0}});
  before.remove(batch);
  state::SectionWriter out;
  before.save(out);
  Dedupe after(-1, kEnough);
  state::Reader in(out.bytes());
  after.load(in);
  EXPECT_TRUE(in.at_end());
  fill(batch, {{20, 2, 0}, {20, 1, 0}, {10, 1, 0}});
  EXPECT_EQ(after.remove(batch), 2U);
}

}  // namespace
}  // namespace weir::runtime
