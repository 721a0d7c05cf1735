// The queue in memory. Two rings, one a delivery class, so that shedding the oldest sheddable message frees its room at
// once whatever was queued before it; the reader merges them by number, which is the order of arrival.
//
// Producers append under a short lock; texts above kCopyUnderLock are copied outside of it into a reserved record. The
// reader takes kTakeBytes at a time and then reads without the lock. It does not want a wake-up per message: after it
// ran dry it naps a little first, during which producers need not signal, and sleeps only when nothing comes.
#include "journal/memory_queue.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <vector>

#include "journal/record_ring.hpp"

namespace weir::journal {
namespace {

using Clock = std::chrono::steady_clock;

// Larger texts are copied outside the lock: at this size the copy takes as long as taking the lock once more.
constexpr std::uint64_t kCopyUnderLock = 16U << 10U;
// How much the reader takes at once. What it has taken is out of reach of shedding, so it is kept small.
constexpr std::uint64_t kTakeBytes = 32U << 10U;
// A nap is short against every batch interval, and long against the microseconds that a wake-up costs the producer.
constexpr std::chrono::milliseconds kNap{1};
constexpr int kNapsBeforeSleep = 4;
// A napping reader is woken when so much waits (or a quarter of the capacity, if less).
constexpr std::uint64_t kWakeBytes = 256U << 10U;

class RingQueue final : public MemoryQueue {
 public:
  explicit RingQueue(std::uint64_t capacity)
      : capacity_(capacity), wake_bytes_(std::min(kWakeBytes, capacity / 4)), held_(capacity) {
    taken_.reserve(kTakeBytes / sizeof(RecordHeader) + 1);
    copies_.resize(kTakeBytes);
  }

  batch::Accepted offer(const batch::MessageView& message) override {
    return offer_until(message, Clock::time_point::max());
  }

  batch::Accepted offer_until(const batch::MessageView& message, Clock::time_point deadline) override {
    RecordHeader header;
    header.payload_bytes = message.payload.size();
    header.topic_bytes = static_cast<std::uint32_t>(message.topic.size());
    header.detail_bytes = static_cast<std::uint32_t>(message.position_detail.size());
    header.arrival_ns = message.arrival_ns;
    header.position_offset = message.position_offset;
    header.source = message.source;
    header.delivery = message.delivery;
    header.duplicate = message.duplicate;
    header.starts_file = message.starts_file;
    header.refused = message.refused;
    return append(header, message.payload, message.topic, message.position_detail, deadline);
  }

  void finished(std::uint32_t source) override {
    RecordHeader header;
    header.kind = Record::Kind::finished;
    header.source = source;
    append(header, {}, {}, {}, Clock::time_point::max());
  }

  void failed(std::uint32_t source, const std::string& what) override {
    RecordHeader header;
    header.kind = Record::Kind::failed;
    header.source = source;
    header.payload_bytes = what.size();
    append(header, what, {}, {}, Clock::time_point::max());
  }

  const Record* next(Clock::time_point deadline) override {
    if (read_ == taken_.size()) {
      std::unique_lock lock(mutex_);
      release_taken();
      wait_for_record(lock, deadline);
      take();
      reading_ = !taken_.empty();
      if (!reading_) {
        return nullptr;
      }
    }
    return &taken_[read_++];
  }

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    reader_.notify_one();
    room_.notify_all();
  }

  [[nodiscard]] bool drained() const override {
    const std::lock_guard lock(mutex_);
    return closed_ && waiting_ == 0 && !reading_;
  }

  [[nodiscard]] std::uint64_t shed() const override { return shed_.load(std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t bytes_queued() const override {
    const std::lock_guard lock(mutex_);
    return charged_;
  }

 private:
  enum class Reader : std::uint8_t { awake, napping, asleep };

  batch::Accepted append(RecordHeader& header, std::string_view payload, std::string_view topic,
                         std::string_view detail, Clock::time_point deadline) {
    header.bytes = RecordRing::footprint(header.text_bytes());
    header.charge = header.bytes;
    header.oversize = header.charge > capacity_;
    if (header.oversize) {
      header.bytes = RecordRing::footprint(0);
    }
    std::unique_lock lock(mutex_);
    RecordRing* ring = &held_;
    if (header.delivery == batch::Delivery::hold_back) {
      wait_for_room(lock, header.charge, deadline);
    }
    if (closed_) {
      return batch::Accepted::stopped;
    }
    if (header.delivery == batch::Delivery::shed) {
      if (!make_room_by_shedding(header.charge)) {
        shed_.fetch_add(1, std::memory_order_relaxed);
        return batch::Accepted::shed;
      }
      ring = &sheddable();
    } else if (!fits(header.charge)) {
      return batch::Accepted::full;
    }
    charged_ += header.charge;
    sheddable_charge_ += header.delivery == batch::Delivery::shed ? header.charge : 0;
    header.number = next_number_++;
    ++waiting_;
    if (header.oversize) {
      oversize_.reset(new char[header.text_bytes()]);
    }
    const bool outside = header.delivery == batch::Delivery::hold_back && header.text_bytes() > kCopyUnderLock;
    header.ready = !outside;
    RecordHeader& record = ring->reserve(header);
    char* texts = header.oversize ? oversize_.get() : record.texts();
    if (outside) {
      lock.unlock();
    }
    for (const std::string_view text : {payload, topic, detail}) {
      texts = std::copy(text.begin(), text.end(), texts);
    }
    if (outside) {
      lock.lock();
      record.ready = true;
    }
    wake_reader(lock, header.kind != Record::Kind::message);
    return batch::Accepted::yes;
  }

  [[nodiscard]] bool fits(std::uint64_t charge) const noexcept {
    return charged_ == 0 || (charge <= capacity_ && charged_ <= capacity_ - charge);
  }

  /// Oldest first, and only if that helps: where held messages fill the queue, shedding what little there is besides
  /// would lose it for nothing.
  bool make_room_by_shedding(std::uint64_t charge) {
    if (fits(charge)) {
      return true;
    }
    const std::uint64_t firm = charged_ - sheddable_charge_;
    if (firm != 0 && (charge > capacity_ || firm > capacity_ - charge)) {
      return false;
    }
    while (!fits(charge)) {
      const RecordHeader& oldest = *sheddable_->front();
      charged_ -= oldest.charge;
      sheddable_charge_ -= oldest.charge;
      --waiting_;
      shed_.fetch_add(1, std::memory_order_relaxed);
      if (oldest.oversize) {
        oversize_.reset();
      }
      sheddable_->pass();
    }
    return true;
  }

  void wait_for_room(std::unique_lock<std::mutex>& lock, std::uint64_t charge, Clock::time_point deadline) {
    while (!closed_ && !fits(charge) && Clock::now() < deadline) {
      // The reader may be napping on a queue that is too full for this message but not full enough to wake it.
      if (reader_state_ != Reader::awake) {
        reader_.notify_one();
      }
      ++producers_waiting_;
      if (deadline == Clock::time_point::max()) {
        room_.wait(lock);
      } else {
        room_.wait_until(lock, deadline);
      }
      --producers_waiting_;
    }
  }

  void wake_reader(std::unique_lock<std::mutex>& lock, bool at_once) {
    const bool wake =
        reader_state_ == Reader::asleep || (reader_state_ == Reader::napping && (at_once || charged_ >= wake_bytes_));
    if (wake) {
      reader_state_ = Reader::awake;  // one signal is enough
      lock.unlock();
      reader_.notify_one();
    }
  }

  [[nodiscard]] RecordRing& sheddable() {
    if (!sheddable_) {
      sheddable_.emplace(capacity_);
    }
    return *sheddable_;
  }

  /// The ring whose front is next in order of arrival, or nullptr when nothing can be read yet.
  [[nodiscard]] RecordRing* next_ring() noexcept {
    RecordHeader* held = held_.front();
    RecordHeader* loose = sheddable_ ? sheddable_->front() : nullptr;
    if (loose != nullptr && (held == nullptr || loose->number < held->number)) {
      return &*sheddable_;
    }
    return held != nullptr && held->ready ? &held_ : nullptr;
  }

  void release_taken() {
    taken_.clear();
    read_ = 0;
    oversize_taken_.reset();
    if (taken_charge_ != 0) {
      charged_ -= taken_charge_;
      taken_charge_ = 0;
      if (producers_waiting_ > 0) {
        room_.notify_all();
      }
    }
  }

  void wait_for_record(std::unique_lock<std::mutex>& lock, Clock::time_point deadline) {
    for (int naps = 0; next_ring() == nullptr && !(closed_ && waiting_ == 0); ++naps) {
      const Clock::time_point now = Clock::now();
      if (now >= deadline) {
        return;
      }
      const bool nap = naps < kNapsBeforeSleep && producers_waiting_ == 0;
      reader_state_ = nap ? Reader::napping : Reader::asleep;
      reader_.wait_until(lock, nap ? std::min(deadline, now + kNap) : deadline);
      reader_state_ = Reader::awake;
    }
  }

  void take() {
    std::uint64_t bytes = 0;
    for (RecordRing* ring = next_ring(); ring != nullptr; ring = next_ring()) {
      RecordHeader& header = *ring->front();
      bytes += header.charge;
      if (bytes > kTakeBytes && !taken_.empty()) {
        return;
      }
      const char* texts = header.oversize ? oversize_.get() : header.texts();
      if (header.oversize) {
        oversize_taken_ = std::move(oversize_);
      }
      if (header.delivery == batch::Delivery::hold_back) {
        taken_charge_ += header.charge;
      } else {
        // Copied out, so that what is shed behind it frees its room at once.
        charged_ -= header.charge;
        sheddable_charge_ -= header.charge;
        if (!header.oversize) {
          texts = copy_out(texts, header.text_bytes(), bytes - header.charge);
        }
      }
      --waiting_;
      taken_.push_back(record_of(header, texts));
      ring->pass();
    }
    if (producers_waiting_ > 0) {
      room_.notify_all();
    }
  }

  /// `used`: an upper bound of the bytes that earlier records of this take have copied.
  const char* copy_out(const char* texts, std::uint64_t size, std::uint64_t used) {
    if (used + size > copies_.size()) {
      copies_.resize(used + size);  // only the first record of a take can be so large: nothing points into it yet
    }
    char* place = copies_.data() + used;
    std::copy_n(texts, size, place);
    return place;
  }

  static Record record_of(const RecordHeader& header, const char* texts) {
    Record record;
    record.kind = header.kind;
    record.message.source = header.source;
    const std::string_view payload(texts, header.payload_bytes);
    if (header.kind != Record::Kind::message) {
      record.error = payload;
      return record;
    }
    record.message.payload = payload;
    record.message.topic = {texts + header.payload_bytes, header.topic_bytes};
    record.message.position_detail = {texts + header.payload_bytes + header.topic_bytes, header.detail_bytes};
    record.message.arrival_ns = header.arrival_ns;
    record.message.delivery = header.delivery;
    record.message.duplicate = header.duplicate;
    record.message.starts_file = header.starts_file;
    record.message.refused = header.refused;
    record.message.position_offset = header.position_offset;
    return record;
  }

  const std::uint64_t capacity_;
  const std::uint64_t wake_bytes_;
  std::atomic<std::uint64_t> shed_{0};

  mutable std::mutex mutex_;
  std::condition_variable reader_;
  std::condition_variable room_;
  RecordRing held_;
  std::optional<RecordRing> sheddable_;  // made with the first such message: many streams never have one
  std::unique_ptr<char[]> oversize_;     // texts of the only record in the queue
  std::uint64_t next_number_ = 0;
  std::uint64_t charged_ = 0;           // both rings, and what the reader holds of held_
  std::uint64_t sheddable_charge_ = 0;  // of these, what could be shed
  std::uint64_t waiting_ = 0;           // records not taken
  std::uint32_t producers_waiting_ = 0;
  Reader reader_state_ = Reader::awake;
  bool closed_ = false;
  bool reading_ = false;  // the reader holds records

  // What the reader has taken; only its thread touches it.
  std::vector<Record> taken_;
  std::size_t read_ = 0;
  std::uint64_t taken_charge_ = 0;
  std::vector<char> copies_;
  std::unique_ptr<char[]> oversize_taken_;
};

}  // namespace

std::unique_ptr<MemoryQueue> make_memory_queue(std::uint64_t capacity_bytes) {
  return std::make_unique<RingQueue>(std::max<std::uint64_t>(capacity_bytes, 1));
}

}  // namespace weir::journal
