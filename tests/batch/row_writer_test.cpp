#include "batch/row_writer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::batch {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

struct Row {
  std::int64_t time;
  std::uint32_t key;
  std::int64_t field;
  std::uint32_t source;
  friend bool operator==(const Row&, const Row&) = default;
};

/// Hands out a new batch for each full one and keeps all.
class Keeper final : public RowWriter::Owner {
 public:
  explicit Keeper(std::uint32_t capacity) : capacity_(capacity) { batches.emplace_back(1, capacity); }

  Batch& batch_full(Batch& full) override {
    EXPECT_EQ(&full, &batches.back());
    EXPECT_EQ(full.size(), capacity_);
    return batches.emplace_back(1, capacity_);
  }
  void malformed(Malformed reason, std::string_view sample, std::string_view /*member*/) override {
    refused.emplace_back(reason, sample);
  }

  [[nodiscard]] std::vector<Row> rows() const {
    std::vector<Row> out;
    for (const Batch& batch : batches) {
      for (std::uint32_t row = 0; row < batch.size(); ++row) {
        std::uint32_t source = 0;
        for (const SourceRun& run : batch.runs) {
          source = run.row <= row ? run.source : source;
        }
        out.push_back({batch.times()[row], batch.keys()[row], batch.field(0)[row], source});
      }
    }
    return out;
  }

  std::deque<Batch> batches;
  std::vector<std::pair<Malformed, std::string>> refused;

 private:
  std::uint32_t capacity_;
};

std::uint64_t malformed_in(const Batch& batch) {
  std::uint64_t out = 0;
  for (const std::uint64_t count : batch.malformed) {
    out += count;
  }
  return out;
}

void write(RowWriter& writer, const Row& row) {
  writer.time(row.time);
  if (!writer.takes_time()) {
    writer.refuse_time("sample");
    return;
  }
  writer.field(0, row.field);
  writer.key(row.key);
  writer.commit();
}

TEST(RowWriter, Commit_FillsTheColumns) {
  KeyDictionary keys(1, 10);
  Keeper keeper(4);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.begin_message(0, 100, kNoLimit);
  EXPECT_EQ(writer.arrival_ns(), 100);
  write(writer, {1, 2, 3, 0});
  write(writer, {-4, 5, -6, 0});
  EXPECT_EQ(keeper.rows(), (std::vector<Row>{{1, 2, 3, 0}, {-4, 5, -6, 0}}));
  EXPECT_EQ(keeper.batches[0].received, 2U);
  EXPECT_TRUE(keeper.batches[0].at_message_boundary);
}

TEST(RowWriter, FullBatch_IsHandedOnAndTheMessageGoesOnInTheNext) {
  KeyDictionary keys(1, 10);
  Keeper keeper(2);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.begin_message(7, 100, kNoLimit);
  for (std::int64_t i = 0; i < 5; ++i) {
    write(writer, {i, 0, i, 7});
  }
  ASSERT_EQ(keeper.batches.size(), 3U);
  EXPECT_EQ(keeper.batches[0].size(), 2U);
  EXPECT_EQ(keeper.batches[1].size(), 2U);
  EXPECT_EQ(keeper.batches[2].size(), 1U);
  EXPECT_FALSE(keeper.batches[0].at_message_boundary);
  EXPECT_FALSE(keeper.batches[1].at_message_boundary);
  const std::vector<Row> rows = keeper.rows();
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(rows[static_cast<std::size_t>(i)], (Row{i, 0, i, 7}));
  }
  for (const Batch& batch : keeper.batches) {
    ASSERT_EQ(batch.runs.size(), 1U);
    EXPECT_EQ(batch.runs[0].source, 7U);
    EXPECT_EQ(batch.runs[0].row, 0U);
  }
}

TEST(RowWriter, Reject_CountsTheReadingAndReusesItsRow) {
  KeyDictionary keys(1, 10);
  Keeper keeper(4);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.begin_message(0, 100, kNoLimit);
  writer.time(9);
  writer.field(0, 9);
  writer.reject(Malformed::not_a_number, "broken");
  write(writer, {1, 2, 3, 0});
  EXPECT_EQ(keeper.rows(), (std::vector<Row>{{1, 2, 3, 0}}));
  EXPECT_EQ(keeper.batches[0].received, 2U);
  EXPECT_EQ(keeper.batches[0].malformed[static_cast<std::size_t>(Malformed::not_a_number)], 1U);
  ASSERT_EQ(keeper.refused.size(), 1U);
  EXPECT_EQ(keeper.refused[0], (std::pair{Malformed::not_a_number, std::string("broken")}));
}

TEST(RowWriter, Future_IsRefusedJustAfterTheLimit) {
  KeyDictionary keys(1, 10);
  Keeper keeper(4);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.begin_message(0, 100, 1'000);
  write(writer, {1'000, 0, 0, 0});
  write(writer, {1'001, 0, 0, 0});
  write(writer, {-1'001, 0, 0, 0});
  EXPECT_EQ(keeper.rows().size(), 2U);
  EXPECT_EQ(keeper.batches[0].received, 3U);
  EXPECT_EQ(keeper.batches[0].malformed[static_cast<std::size_t>(Malformed::future)], 1U);
  ASSERT_EQ(keeper.refused.size(), 1U);
  EXPECT_EQ(keeper.refused[0], (std::pair{Malformed::future, std::string("sample")}));
}

TEST(RowWriter, ReadingsOutsideTheRange_AreNeitherReceivedNorRefused) {
  KeyDictionary keys(1, 10);
  Keeper keeper(4);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.set_range(10, 20);
  writer.begin_message(0, 100, 1'000);
  for (const std::int64_t time : {9, 10, 19, 20, 1'001}) {
    write(writer, {time, 0, 0, 0});
  }
  EXPECT_EQ(keeper.rows(), (std::vector<Row>{{10, 0, 0, 0}, {19, 0, 0, 0}}));
  EXPECT_EQ(writer.left_out(), 2U);
  EXPECT_EQ(keeper.batches[0].received, 3U) << "one is refused: no sensor can have measured then";
  EXPECT_EQ(keeper.batches[0].malformed[static_cast<std::size_t>(Malformed::future)], 1U);
}

TEST(RowWriter, TimeThatLeavesNoRoom_IsBadTimeAlsoWhereItWouldBeFuture) {
  KeyDictionary keys(1, 10);
  Keeper keeper(8);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.set_times({-5'000, 5'000});
  writer.begin_message(0, 100, 1'000);
  for (const std::int64_t time : {-5'001, -5'000, 1'000, 1'001, 5'000, 5'001}) {
    write(writer, {time, 0, 0, 0});
  }
  writer.begin_message(0, 100, kNoLimit);
  for (const std::int64_t time : {5'000, 5'001}) {
    write(writer, {time, 0, 0, 0});
  }
  EXPECT_EQ(keeper.rows().size(), 3U);
  EXPECT_EQ(keeper.batches[0].malformed[static_cast<std::size_t>(Malformed::future)], 2U);
  EXPECT_EQ(keeper.batches[0].malformed[static_cast<std::size_t>(Malformed::bad_time)], 3U);
}

TEST(RowWriter, RowAheadOfItsArrival_IsMarked) {
  KeyDictionary keys(1, 10);
  Keeper keeper(2);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.begin_message(0, 100, kNoLimit, 100);
  for (const std::int64_t time : {100, 101, 99, 102}) {
    write(writer, {time, 0, 0, 0});
  }
  for (const std::size_t batch : {0U, 1U}) {
    ASSERT_EQ(keeper.batches[batch].ahead.size(), 1U);
    EXPECT_EQ(keeper.batches[batch].ahead[0].row, 1U);
    EXPECT_EQ(keeper.batches[batch].ahead[0].arrival_ns, 100);
  }
}

TEST(RowWriter, NullField_MarksTheBatch) {
  KeyDictionary keys(1, 10);
  Keeper keeper(4);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  writer.begin_message(0, 100, kNoLimit);
  write(writer, {1, 0, 1, 0});
  EXPECT_FALSE(keeper.batches[0].may_have_nulls);
  writer.time(2);
  writer.key(0);
  writer.null_field(0);
  writer.commit(1);
  EXPECT_TRUE(keeper.batches[0].may_have_nulls);
  EXPECT_EQ(keeper.batches[0].rounded, 1U);
  EXPECT_EQ(keeper.batches[0].field(0)[1], kNullUnits);
}

TEST(RowWriter, Sources_AreMarkedWhereTheyChange) {
  KeyDictionary keys(1, 10);
  Keeper keeper(8);
  RowWriter writer(keys, keeper);
  writer.attach(keeper.batches.back());
  for (const std::uint32_t source : {3U, 3U, 1U, 3U}) {
    writer.begin_message(source, 100, kNoLimit);
    write(writer, {0, 0, 0, source});
  }
  const std::vector<SourceRun>& runs = keeper.batches[0].runs;
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[1].row, 2U);
  EXPECT_EQ(runs[1].source, 1U);
  EXPECT_EQ(runs[2].row, 3U);
}

TEST(RowWriter, RandomMessages_LoseNothingAndTheLedgerBalances) {
  for (const std::uint32_t capacity : {1U, 31U, 32U, 33U}) {
    std::mt19937_64 random(80 + capacity);
    KeyDictionary keys(1, 10);
    Keeper keeper(capacity);
    RowWriter writer(keys, keeper);
    writer.attach(keeper.batches.back());
    std::vector<Row> expected;
    std::uint64_t offered = 0;
    std::uint64_t refused = 0;
    for (int message = 0; message < 500; ++message) {
      const auto source = static_cast<std::uint32_t>(random() % 3);
      writer.begin_message(source, message, 1'000);
      for (std::uint64_t reading = random() % 5; reading > 0; --reading) {
        ++offered;
        const auto number = static_cast<std::int64_t>(offered);
        if (random() % 4 == 0) {
          writer.reject(static_cast<Malformed>(random() % kMalformedReasons), "broken");
          ++refused;
        } else if (random() % 8 == 0) {
          write(writer, {1'001, 0, number, source});
          ++refused;
        } else {
          expected.push_back({number % 1'001, static_cast<std::uint32_t>(number), number, source});
          write(writer, expected.back());
        }
      }
    }
    EXPECT_EQ(keeper.rows(), expected) << capacity;
    EXPECT_EQ(keeper.refused.size(), refused) << capacity;
    std::uint64_t received = 0;
    for (const Batch& batch : keeper.batches) {
      EXPECT_EQ(batch.received, batch.size() + malformed_in(batch) + batch.shed) << capacity;
      received += batch.received;
    }
    EXPECT_EQ(received, offered) << capacity;
  }
}

}  // namespace
}  // namespace weir::batch
