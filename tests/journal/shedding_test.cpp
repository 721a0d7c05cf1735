// Which messages are shed, against a model in a std::deque, over random operations.
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "journal/memory_queue.hpp"

namespace weir::journal {
namespace {

using std::chrono::steady_clock;

// What journal.hpp promises, in the plainest form: a list of messages, searched from the front.
class Model {
 public:
  explicit Model(std::uint64_t capacity) : capacity_(capacity) {}

  batch::Accepted offer(std::string payload, bool sheddable) {
    const std::uint64_t size = charge(payload);
    if (sheddable && !fits(used(), size)) {
      if (!fits(used_by_held(), size)) {
        ++shed;
        return batch::Accepted::shed;
      }
      for (auto it = queue_.begin(); !fits(used(), size);) {
        it = it->sheddable ? (++shed, queue_.erase(it)) : it + 1;
      }
    }
    if (!fits(used(), size)) {
      return batch::Accepted::full;
    }
    queue_.push_back({std::move(payload), sheddable});
    return batch::Accepted::yes;
  }

  const std::string* next() {
    if (read_ == taken_.size()) {
      taken_.clear();
      read_ = 0;
      std::uint64_t bytes = 0;
      while (!queue_.empty()) {
        bytes += charge(queue_.front().payload);
        if (bytes > 32'768 && !taken_.empty()) {
          break;
        }
        taken_.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    return read_ == taken_.size() ? nullptr : &taken_[read_++].payload;
  }

  std::uint64_t shed = 0;

 private:
  struct Message {
    std::string payload;
    bool sheddable;
  };
  static std::uint64_t charge(const std::string& payload) { return (72 + payload.size() + 7) / 8 * 8; }
  [[nodiscard]] bool fits(std::uint64_t others, std::uint64_t size) const {
    return others == 0 || others + size <= capacity_;
  }
  [[nodiscard]] std::uint64_t used_by_held() const {
    std::uint64_t bytes = 0;
    for (const Message& message : taken_) {
      bytes += message.sheddable ? 0 : charge(message.payload);
    }
    for (const Message& message : queue_) {
      bytes += message.sheddable ? 0 : charge(message.payload);
    }
    return bytes;
  }
  [[nodiscard]] std::uint64_t used() const {
    std::uint64_t bytes = used_by_held();
    for (const Message& message : queue_) {
      bytes += message.sheddable ? charge(message.payload) : 0;
    }
    return bytes;
  }

  std::uint64_t capacity_;
  std::deque<Message> queue_;
  std::vector<Message> taken_;
  std::size_t read_ = 0;
};

struct Mix {
  std::uint64_t capacity;
  std::size_t largest_payload;
  double sheddable;
  double reading;
};

void PrintTo(const Mix& mix, std::ostream* out) {
  *out << mix.capacity << " bytes, payloads to " << mix.largest_payload << ", " << mix.sheddable << " sheddable";
}

class Shedding : public testing::TestWithParam<Mix> {};

TEST_P(Shedding, OldestSheddableMessagesGoFirst) {
  const Mix mix = GetParam();
  std::mt19937_64 random(20'261'122);
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  const auto journal = make_memory_queue(mix.capacity);
  Model model(mix.capacity);
  std::uint64_t number = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (chance(random) < mix.reading) {
      const std::string* expected = model.next();
      const Record* record = journal->next(steady_clock::now());
      ASSERT_EQ(record == nullptr, expected == nullptr) << "step " << step;
      if (record != nullptr) {
        ASSERT_EQ(record->message.payload, *expected) << "step " << step;
      }
    } else {
      std::string payload = std::to_string(number++) + ":";
      payload.resize(payload.size() + random() % (mix.largest_payload + 1), 'x');
      const bool sheddable = chance(random) < mix.sheddable;
      batch::MessageView message;
      message.payload = payload;
      message.delivery = sheddable ? batch::Delivery::shed : batch::Delivery::hold_back;
      ASSERT_EQ(journal->offer_until(message, steady_clock::now()), model.offer(payload, sheddable)) << "step " << step;
    }
    ASSERT_EQ(journal->shed(), model.shed) << "step " << step;
  }
  // What is left comes out in the same order.
  while (const std::string* expected = model.next()) {
    const Record* record = journal->next(steady_clock::now());
    ASSERT_NE(record, nullptr);
    ASSERT_EQ(record->message.payload, *expected);
  }
  EXPECT_EQ(journal->next(steady_clock::now()), nullptr);
  EXPECT_EQ(journal->bytes_queued(), 0U);
  if (mix.sheddable > 0) {
    EXPECT_GT(model.shed, 0U) << "the mix does not exercise shedding";
  }
}

INSTANTIATE_TEST_SUITE_P(Mixes, Shedding,
                         testing::Values(Mix{4'000, 64, 1.0, 0.3}, Mix{4'000, 64, 0.5, 0.4}, Mix{4'000, 64, 0.9, 0.45},
                                         Mix{1, 64, 0.5, 0.5}, Mix{150, 64, 0.8, 0.4}, Mix{10'000, 9'000, 0.5, 0.4},
                                         Mix{10'000, 20'000, 0.7, 0.4}, Mix{200'000, 500, 0.7, 0.4},
                                         Mix{200'000, 40'000, 0.5, 0.4}, Mix{8'192, 300, 0.0, 0.4}));

}  // namespace
}  // namespace weir::journal
