// One producer and one reader: what comes out, closing, deadlines, records larger than the queue.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "journal/memory_queue.hpp"

namespace weir::journal {
namespace {

using std::chrono::steady_clock;

steady_clock::time_point now() {
  return steady_clock::now();
}
steady_clock::time_point soon() {
  return now() + std::chrono::seconds(10);
}

batch::MessageView held(std::string_view payload) {
  batch::MessageView message;
  message.payload = payload;
  return message;
}

TEST(MemoryQueue, EveryMemberOfAMessageComesOutAsItWentIn) {
  const auto journal = make_memory_queue(1U << 20U);
  batch::MessageView in = held("21.5");
  in.topic = "plant/a/b";
  in.arrival_ns = 1'377'986'401'000'000'123;
  in.source = 7;
  in.duplicate = true;
  in.starts_file = true;
  in.position_offset = 1ULL << 40U;
  in.position_detail = "12/name/";
  in.refused = batch::Malformed::other_topic;
  for (const batch::Delivery delivery : {batch::Delivery::hold_back, batch::Delivery::shed}) {
    in.delivery = delivery;
    ASSERT_EQ(journal->offer(in), batch::Accepted::yes);
    const Record* record = journal->next(soon());
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->kind, Record::Kind::message);
    EXPECT_EQ(record->message.payload, in.payload);
    EXPECT_EQ(record->message.topic, in.topic);
    EXPECT_EQ(record->message.arrival_ns, in.arrival_ns);
    EXPECT_EQ(record->message.source, in.source);
    EXPECT_EQ(record->message.delivery, delivery);
    EXPECT_TRUE(record->message.duplicate);
    EXPECT_TRUE(record->message.starts_file);
    EXPECT_EQ(record->message.position_offset, in.position_offset);
    EXPECT_EQ(record->message.position_detail, in.position_detail);
    EXPECT_EQ(record->message.refused, in.refused);
  }
}

TEST(MemoryQueue, PayloadIsCopiedSoThatTheCallerMayReuseItsBuffer) {
  const auto journal = make_memory_queue(1U << 20U);
  std::string buffer = "first";
  journal->offer(held(buffer));
  buffer = "other";
  EXPECT_EQ(journal->next(soon())->message.payload, "first");
}

TEST(MemoryQueue, PayloadsOfEverySizeSurviveManyTurnsOfTheRing) {
  const auto journal = make_memory_queue(100'000);
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 4096U, 16'384U, 16'385U, 33'000U, 65'537U, 99'928U}) {
    for (int turn = 0; turn < 20; ++turn) {
      std::string payload(size, static_cast<char>('a' + turn));
      if (size > 0) {
        payload.back() = '\n';
      }
      ASSERT_EQ(journal->offer(held(payload)), batch::Accepted::yes);
      const Record* record = journal->next(soon());
      ASSERT_NE(record, nullptr);
      ASSERT_EQ(record->message.payload, payload);
      ASSERT_EQ(journal->next(now()), nullptr);  // gives the record back
    }
  }
}

TEST(MemoryQueue, NothingUntilTheDeadlineIsNullptr) {
  const auto journal = make_memory_queue(1U << 20U);
  EXPECT_EQ(journal->next(now()), nullptr);
  EXPECT_EQ(journal->next(now() + std::chrono::milliseconds(20)), nullptr);
  EXPECT_FALSE(journal->drained());
}

TEST(MemoryQueue, SleepingReaderIsWokenByAMessage) {
  const auto journal = make_memory_queue(1U << 20U);
  std::thread reader([&] {
    const Record* record = journal->next(soon());
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->message.payload, "late");
  });
  // Longer than the naps that precede the sleep, however they are scheduled: the reader is woken in both states.
  const auto later = now() + std::chrono::milliseconds(30);
  while (now() < later) {
    std::this_thread::yield();
  }
  journal->offer(held("late"));
  reader.join();
}

TEST(MemoryQueue, FinishedAndFailedComeAfterTheMessagesBeforeThem) {
  const auto journal = make_memory_queue(1U << 20U);
  journal->offer(held("last"));
  journal->finished(3);
  journal->failed(4, "cannot read 'x': Input/output error");
  EXPECT_EQ(journal->next(soon())->message.payload, "last");
  const Record* end = journal->next(soon());
  EXPECT_EQ(end->kind, Record::Kind::finished);
  EXPECT_EQ(end->message.source, 3U);
  const Record* failure = journal->next(soon());
  EXPECT_EQ(failure->kind, Record::Kind::failed);
  EXPECT_EQ(failure->message.source, 4U);
  EXPECT_EQ(failure->error, "cannot read 'x': Input/output error");
}

TEST(MemoryQueue, ClosedJournalTakesNothingButGivesWhatItHas) {
  const auto journal = make_memory_queue(1U << 20U);
  journal->offer(held("kept"));
  journal->close();
  batch::MessageView message = held("too late");
  EXPECT_EQ(journal->offer(message), batch::Accepted::stopped);
  message.delivery = batch::Delivery::shed;
  EXPECT_EQ(journal->offer(message), batch::Accepted::stopped);
  EXPECT_EQ(journal->shed(), 0U);
  EXPECT_FALSE(journal->drained());
  EXPECT_EQ(journal->next(soon())->message.payload, "kept");
  EXPECT_FALSE(journal->drained());
  EXPECT_EQ(journal->next(soon()), nullptr);
  EXPECT_TRUE(journal->drained());
  journal->close();
  EXPECT_TRUE(journal->drained());
}

TEST(MemoryQueue, CloseWakesASleepingReader) {
  const auto journal = make_memory_queue(1U << 20U);
  std::thread reader([&] {
    EXPECT_EQ(journal->next(steady_clock::time_point::max()), nullptr);
    EXPECT_TRUE(journal->drained());
  });
  journal->close();
  reader.join();
}

TEST(MemoryQueue, HeldProducerWaitsForRoomAndGoesOn) {
  const auto journal = make_memory_queue(1'000);
  const std::string payload(400, 'x');
  journal->offer(held(payload));
  journal->offer(held(payload));
  EXPECT_EQ(journal->offer_until(held(payload), now()), batch::Accepted::full);
  EXPECT_EQ(journal->offer_until(held(payload), now() + std::chrono::milliseconds(5)), batch::Accepted::full);
  std::thread producer([&] { EXPECT_EQ(journal->offer(held("third")), batch::Accepted::yes); });
  EXPECT_EQ(journal->next(soon())->message.payload, payload);
  EXPECT_EQ(journal->next(soon())->message.payload, payload);
  EXPECT_EQ(journal->next(soon())->message.payload, "third");
  producer.join();
}

TEST(MemoryQueue, CloseReleasesABlockedProducer) {
  const auto journal = make_memory_queue(500);
  journal->offer(held(std::string(400, 'x')));
  std::thread producer([&] { EXPECT_EQ(journal->offer(held(std::string(400, 'y'))), batch::Accepted::stopped); });
  journal->close();
  producer.join();
}

TEST(MemoryQueue, MessageLargerThanTheQueueIsTakenAlone) {
  const auto journal = make_memory_queue(1'000);
  const std::string large(1'000'000, 'l');
  for (const batch::Delivery delivery : {batch::Delivery::hold_back, batch::Delivery::shed}) {
    batch::MessageView message = held(large);
    message.topic = "t";
    message.delivery = delivery;
    ASSERT_EQ(journal->offer(message), batch::Accepted::yes);
    EXPECT_GT(journal->bytes_queued(), 1'000'000U);
    EXPECT_EQ(journal->offer_until(held("small"), now()), batch::Accepted::full);
    const Record* record = journal->next(soon());
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->message.payload, large);
    EXPECT_EQ(record->message.topic, "t");
    EXPECT_EQ(journal->next(now()), nullptr);
    ASSERT_EQ(journal->offer_until(held("small"), now()), batch::Accepted::yes);
    EXPECT_EQ(journal->offer_until(message, now()),
              delivery == batch::Delivery::shed ? batch::Accepted::shed : batch::Accepted::full);
    EXPECT_EQ(journal->next(soon())->message.payload, "small");
    EXPECT_EQ(journal->next(now()), nullptr);
    EXPECT_EQ(journal->bytes_queued(), 0U);
  }
  EXPECT_EQ(journal->shed(), 1U);
}

}  // namespace
}  // namespace weir::journal
