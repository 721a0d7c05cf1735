// The durable journal as a queue: sheddable messages wait in memory and enter the segment in their order, ticks come
// when nothing else does, and a journal that is read again repeats all of it.
#include <gtest/gtest.h>

#include <thread>

#include "core/time_text.hpp"
#include "journal_files.hpp"

namespace weir::test {
namespace {

class Queue : public testing::Test {
 protected:
  Queue() { options_.directory = directory_.path(); }

  static batch::MessageView loose(std::string_view payload, std::uint64_t offset = 0) {
    batch::MessageView view = message(payload, 1);
    view.delivery = batch::Delivery::shed;
    view.position_offset = offset;
    return view;
  }
  /// Everything that a journal gives until it is closed and drained.
  static std::vector<Kept> all(Journal& journal) {
    journal.close();
    std::vector<Kept> records;
    while (const Record* record = journal.next(kNever, kLong)) records.push_back(keep(*record));
    return records;
  }

  TemporaryDirectory directory_;
  DurableOptions options_;
};

TEST_F(Queue, WithAStalledWorkerTheOldestAreShedAndMemoryIsBounded) {
  constexpr std::uint64_t kOffered = 10'000;
  options_.memory_bytes = 100'000;
  auto journal = open_journal(options_);
  const std::string payload(200, 'p');
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < kOffered; ++i) {
    refused += journal->offer(loose(payload, i)) == batch::Accepted::shed ? 1U : 0U;
    ASSERT_LE(journal->bytes_queued(), options_.memory_bytes + 200);
  }
  EXPECT_EQ(refused, 0U) << "the oldest make room";
  EXPECT_EQ(parse_journal(options_.directory).size(), 1U) << "nothing of it is on disk";
  const std::vector<Kept> records = all(*journal);
  std::uint64_t shed = 0;
  std::vector<Kept> messages;
  for (const Kept& one : records) {
    shed += one.shed;
    if (one.kind == 0) messages.push_back(one);
  }
  EXPECT_EQ(messages.size() + shed, kOffered);
  EXPECT_GT(messages.size(), 300U);
  for (std::size_t i = 0; i < messages.size(); ++i) ASSERT_EQ(messages[i].offset, kOffered - messages.size() + i);
  EXPECT_TRUE(messages[0].sheddable);
  journal.reset();
  EXPECT_EQ(parse_journal(options_.directory), records) << "a journal read again says the same";
}

TEST_F(Queue, SheddableMessagesComeAmongTheOthersInTheirOrder) {
  auto journal = open_journal(options_);
  const std::string payload(50, 'p');
  std::thread firm([&] {
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      batch::MessageView view = message(payload, 0);
      view.position_offset = i;
      journal->offer(view);
    }
    journal->finished(0);
  });
  std::thread soft([&] {
    for (std::uint64_t i = 0; i < 20'000; ++i) journal->offer(loose(payload, i));
    journal->finished(1);
  });
  std::vector<std::uint64_t> next(2, 0);
  std::vector<Kept> records;
  for (int ended = 0; ended < 2;) {
    const Record* record = journal->next(kNever, kLong);
    ASSERT_NE(record, nullptr);
    records.push_back(keep(*record));
    if (record->kind == Record::Kind::finished) {
      ++ended;
      EXPECT_EQ(next[record->message.source], 20'000U) << "the end comes behind the messages";
    } else if (record->kind == Record::Kind::message) {
      ASSERT_EQ(record->message.position_offset, next[record->message.source]++);
    }
  }
  firm.join();
  soft.join();
  journal.reset();
  EXPECT_EQ(parse_journal(options_.directory), records);
}

TEST_F(Queue, ATickComesWhenNothingElseDoesAndIsRepeated) {
  auto journal = open_journal(options_);
  EXPECT_EQ(journal->next(0, kLong)->kind, Record::Kind::started);
  const std::int64_t before = wall_clock_ns();
  const Record* tick = journal->next(before + 20'000'000, kLong);
  ASSERT_EQ(tick->kind, Record::Kind::tick);
  EXPECT_GE(tick->message.arrival_ns, before + 20'000'000);
  EXPECT_EQ(tick->number, 1U);
  EXPECT_EQ(journal->next(kNever, std::chrono::milliseconds(1))->kind, Record::Kind::tick) << "the clock was set back";
  journal->offer(message("m"));
  EXPECT_EQ(journal->next(0, std::chrono::seconds(0))->kind, Record::Kind::message) << "what is there comes first";
  EXPECT_EQ(journal->next(0, std::chrono::seconds(0))->kind, Record::Kind::tick);
  const std::vector<Kept> rest = all(*journal);
  EXPECT_TRUE(rest.empty());
  journal.reset();
  const auto again = open_journal(options_);
  std::vector<int> kinds;
  for (const Kept& one : all(*again)) kinds.push_back(one.kind);
  EXPECT_EQ(kinds, (std::vector<int>{4, 3, 3, 0, 3, 4}));
}

TEST_F(Queue, AWaitingWorkerIsWokenByEitherKindOfMessage) {
  const auto journal = open_journal(options_);
  EXPECT_EQ(journal->next(kNever, kLong)->kind, Record::Kind::started);
  for (int i = 0; i < 20; ++i) {
    std::thread producer([&] { journal->offer(i % 2 == 0 ? message("m") : loose("m")); });
    const Record* record = journal->next(kNever, kLong);
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->kind, Record::Kind::message) << "a wake-up was lost";
    producer.join();
  }
}

TEST_F(Queue, WhatWasShedIsToldOncePerTickUnderSteadyLoad) {
  options_.memory_bytes = 20'000;
  const auto journal = open_journal(options_);
  const std::string payload(200, 'p');
  for (int i = 0; i < 1000; ++i) journal->offer(loose(payload));
  for (int i = 0; i < 1000; ++i) journal->offer(message(payload));
  int ticks = 0;
  std::uint64_t shed = 0;
  for (int messages = 0; messages < 1000;) {
    const Record* record = journal->next(1, kLong);  // long past
    ASSERT_NE(record, nullptr);
    ticks += record->kind == Record::Kind::tick ? 1 : 0;
    shed += record->shed;
    messages += record->kind == Record::Kind::message ? 1 : 0;
  }
  for (const Kept& one : all(*journal)) {
    ticks += one.kind == 3 ? 1 : 0;
    shed += one.shed;
  }
  EXPECT_EQ(ticks, 1);
  EXPECT_GT(shed, 900U);
}

TEST_F(Queue, AFailureIsARecord) {
  auto journal = open_journal(options_);
  journal->failed(3, "the broker is gone");
  journal->offer(loose("m"));
  journal->failed(4, "this one too");
  const std::vector<Kept> records = all(*journal);
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[1].kind, 2);
  EXPECT_EQ(records[1].source, 3U);
  EXPECT_EQ(records[1].payload, "the broker is gone");
  EXPECT_EQ(records[3].payload, "this one too");
  EXPECT_EQ(journal->offer(message("late")), batch::Accepted::stopped);
  EXPECT_EQ(journal->offer(loose("late")), batch::Accepted::stopped);
  journal.reset();
  EXPECT_EQ(parse_journal(options_.directory), records);
}

}  // namespace
}  // namespace weir::test
