// Many producers at once. Meant to be run under ThreadSanitizer too.
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <string>
#include <thread>
#include <vector>

#include "journal/memory_queue.hpp"

namespace weir::journal {
namespace {

using std::chrono::steady_clock;

// A payload is "<number>:" and then one repeated letter, so that a torn copy shows.
std::string payload_of(std::uint64_t number, std::size_t filling) {
  std::string payload = std::to_string(number) + ":";
  payload.append(filling, static_cast<char>('a' + number % 26));
  return payload;
}

std::uint64_t number_of(std::string_view payload) {
  std::uint64_t number = 0;
  std::from_chars(payload.data(), payload.data() + payload.size(), number);
  return number;
}

struct Load {
  std::uint64_t capacity;
  std::size_t filling;
  std::uint64_t messages;
  bool last_one_sheds;
};

class Producers : public testing::TestWithParam<Load> {};

TEST_P(Producers, EachOnesOrderIsKeptAndNothingIsLostUncounted) {
  constexpr std::uint32_t kProducers = 4;
  const Load load = GetParam();
  const auto journal = make_memory_queue(load.capacity);
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::thread> producers;
  for (std::uint32_t source = 0; source < kProducers; ++source) {
    producers.emplace_back([&, source] {
      for (std::uint64_t number = 0; number < load.messages; ++number) {
        const std::string payload = payload_of(number, load.filling * (number % 5));
        batch::MessageView message;
        message.payload = payload;
        message.source = source;
        message.delivery =
            load.last_one_sheds && source == kProducers - 1 ? batch::Delivery::shed : batch::Delivery::hold_back;
        refused += journal->offer(message) == batch::Accepted::shed ? 1 : 0;
      }
      journal->finished(source);
    });
  }
  std::vector<std::uint64_t> following(kProducers, 0);
  std::vector<std::uint64_t> received(kProducers, 0);
  for (std::uint32_t ended = 0; ended < kProducers;) {
    const Record* record = journal->next(steady_clock::now() + std::chrono::seconds(30));
    ASSERT_NE(record, nullptr) << "a wake-up was lost";
    if (record->kind == Record::Kind::finished) {
      ++ended;
      continue;
    }
    const std::uint32_t source = record->message.source;
    const std::uint64_t number = number_of(record->message.payload);
    ASSERT_GE(number, following[source]);
    if (!load.last_one_sheds || source != kProducers - 1) {
      ASSERT_EQ(number, following[source]);
    }
    ASSERT_EQ(record->message.payload, payload_of(number, load.filling * (number % 5)));
    following[source] = number + 1;
    ++received[source];
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  for (std::uint32_t source = 0; source + 1 < kProducers; ++source) {
    EXPECT_EQ(received[source], load.messages);
  }
  EXPECT_EQ(received[kProducers - 1] + journal->shed(), load.messages);
  EXPECT_LE(refused.load(), journal->shed());
  EXPECT_EQ(journal->next(steady_clock::now()), nullptr);
  EXPECT_EQ(journal->bytes_queued(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Producers,
                         testing::Values(Load{1U << 20U, 20, 20'000, false}, Load{2'000, 20, 5'000, false},
                                         Load{1U << 20U, 20, 20'000, true}, Load{2'000, 20, 5'000, true},
                                         Load{1U << 20U, 20'000, 500, false}, Load{100'000, 20'000, 500, true},
                                         Load{10'000, 20'000, 500, false}));

TEST(Producers, AreAllReleasedByClose) {
  const auto journal = make_memory_queue(1'000);
  std::vector<std::thread> producers;
  std::atomic<int> stopped{0};
  for (int i = 0; i < 4; ++i) {
    producers.emplace_back([&] {
      const std::string payload(300, 'x');
      batch::MessageView message;
      message.payload = payload;
      while (journal->offer(message) != batch::Accepted::stopped) {
      }
      ++stopped;
    });
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(journal->next(steady_clock::now() + std::chrono::seconds(30)), nullptr);
  }
  journal->close();
  for (std::thread& producer : producers) {
    producer.join();
  }
  EXPECT_EQ(stopped.load(), 4);
  while (journal->next(steady_clock::now()) != nullptr) {
  }
  EXPECT_TRUE(journal->drained());
}

}  // namespace
}  // namespace weir::journal
