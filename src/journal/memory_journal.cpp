// The journal of a pipeline without a state directory: a queue in memory, and ticks where it runs dry.
#include <algorithm>
#include <utility>

#include "core/arrival_clock.hpp"
#include "journal/arrived.hpp"
#include "journal/journal.hpp"
#include "journal/memory_queue.hpp"

namespace weir::journal {
namespace {

class MemoryJournal final : public Journal {
 public:
  MemoryJournal(std::uint64_t capacity_bytes, ArrivalClock::Notice notice)
      : queue_(make_memory_queue(capacity_bytes)), clock_(std::move(notice)) {}

  batch::Accepted offer(const batch::MessageView& message) override { return queue_->offer(arrived(message, clock_)); }
  batch::Accepted offer_until(const batch::MessageView& message,
                              std::chrono::steady_clock::time_point deadline) override {
    return queue_->offer_until(arrived(message, clock_), deadline);
  }
  void finished(std::uint32_t source) override { queue_->finished(source); }
  void failed(std::uint32_t source, const std::string& what) override { queue_->failed(source, what); }

  const Record* next(std::int64_t tick_at_ns, std::chrono::nanoseconds longest_wait) override {
    if (!started_) {
      started_ = true;
      record_.kind = Record::Kind::started;
      record_.number = next_number_++;
      record_.message.arrival_ns = clock_.now_ns();
      return &record_;
    }
    const std::chrono::nanoseconds until_tick(tick_at_ns - std::min(tick_at_ns, clock_.now_ns()));
    const Record* const queued = queue_->next(std::chrono::steady_clock::now() + std::min(until_tick, longest_wait));
    if (queued == nullptr && queue_->drained()) {
      return last();
    }
    if (queued != nullptr) {
      record_ = *queued;
    } else {
      record_ = {};
      record_.kind = Record::Kind::tick;
      record_.message.arrival_ns = clock_.now_ns();
    }
    record_.number = next_number_++;
    tell_of_shed();
    return &record_;
  }

  void close() override { queue_->close(); }
  [[nodiscard]] std::uint64_t bytes_queued() const override { return queue_->bytes_queued(); }

 private:
  void tell_of_shed() {
    const std::uint64_t shed = queue_->shed();
    record_.shed = shed - std::exchange(told_, shed);
  }

  // What was shed after the last record is told of with a tick of its own.
  const Record* last() {
    if (queue_->shed() == told_) {
      return nullptr;
    }
    record_ = {};
    record_.kind = Record::Kind::tick;
    record_.number = next_number_++;
    record_.message.arrival_ns = clock_.now_ns();
    tell_of_shed();
    return &record_;
  }

  std::unique_ptr<MemoryQueue> queue_;
  ArrivalClock clock_;
  Record record_;
  std::uint64_t next_number_ = 0;
  std::uint64_t told_ = 0;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Journal> make_memory_journal(std::uint64_t capacity_bytes,
                                             std::function<void(const std::string&)> notice) {
  return std::make_unique<MemoryJournal>(capacity_bytes, std::move(notice));
}

}  // namespace weir::journal
