// The journal on disk. Producers append to the active segment under one short lock, which makes the order of arrival
// the order of numbers; the worker reads what is published without it, a stretch at a time. Allocating, completing and
// compressing segments is done by two threads beside.
//
// Locks: release_mutex_, then mutex_, then those inside of the supply, the finisher and the queue. The callbacks of the
// supply and the finisher come without their locks.
#include "journal/durable_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "core/arrival_clock.hpp"
#include "core/error.hpp"
#include "journal/arrived.hpp"
#include "journal/frame_reading.hpp"
#include "journal/live_segment.hpp"
#include "journal/memory_queue.hpp"
#include "journal/recovery.hpp"
#include "journal/segment_chain.hpp"
#include "journal/segment_sequence.hpp"

namespace weir::journal {
namespace {

using Clock = std::chrono::steady_clock;

// How much the worker reads between two looks at the lock.
constexpr std::uint64_t kStretchBytes = 64U << 10U;
// How many bytes of sheddable messages are taken over at a time, under the lock.
constexpr std::uint64_t kTakeOverBytes = 64U << 10U;
// As in the queue in memory: short against every batch interval, long against what a wake-up costs a producer.
constexpr std::chrono::milliseconds kNap{1};
constexpr int kNapsBeforeSleep = 4;
constexpr std::uint64_t kWakeBytes = 256U << 10U;
constexpr std::chrono::milliseconds kRetry{100};
constexpr std::uint64_t kSmallestSegment = 4096;

DurableOptions checked(DurableOptions options) {
  options.segment_bytes = aligned(std::max(options.segment_bytes, kSmallestSegment));
  options.backlog_bytes = std::max<std::uint64_t>(options.backlog_bytes, 1);
  if (!options.notice) {
    options.notice = [](const std::string&) {};
  }
  return options;
}

FileDescriptor lock_directory(FileSystem& files, const std::string& directory) {
  files.make_directories(directory, 0700);
  FileDescriptor lock = files.open(directory, O_RDONLY | O_DIRECTORY);
  if (!files.lock(lock, directory)) {
    throw Error(fmt::format("the journal '{}' is in use by another process", directory));
  }
  return lock;
}

class DurableJournal final : public Journal {
 public:
  DurableJournal(const DurableOptions& options, std::uint64_t from, Recovered& recovered)
      : options_(checked(options)),
        directory_lock_(lock_directory(*options_.files, options_.directory)),
        queue_(make_memory_queue(options_.memory_bytes)),
        clock_(options_.notice),
        stretch_(std::clamp<std::uint64_t>(options_.backlog_bytes / 4, 1, kStretchBytes)),
        wake_bytes_(std::min(kWakeBytes, options_.backlog_bytes / 4)) {
    found_ = recover_segments(options_, from, recovered);
    recovered.from = found_.from;
    appended_ = found_.bytes;
    clock_.resume(std::max(options_.last_arrival_ns, found_.newest_arrival_ns), options_.not_before_ns);
    first_ = make_first_segment(options_, found_);
  }

  ~DurableJournal() override {
    close();
    if (first_) {
      first_->discard();
    }
  }
  DurableJournal(const DurableJournal&) = delete;
  DurableJournal& operator=(const DurableJournal&) = delete;

  void begin() override {
    const std::lock_guard lock(mutex_);
    begin_once();
  }

  batch::Accepted offer(const batch::MessageView& message) override {
    return offer(arrived(message, clock_), Sender::can_wait);
  }

  batch::Accepted offer_until(const batch::MessageView& message, Clock::time_point /*deadline*/) override {
    return offer(arrived(message, clock_), Sender::acknowledges);
  }

  [[nodiscard]] bool has_room() const override {
    const std::lock_guard lock(mutex_);
    return chain_ && !chain_->disk_full() && backlog() <= options_.backlog_bytes / 2;
  }

  void finished(std::uint32_t source) override {
    if (sheddable_seen_.load()) {
      queue_->finished(source);  // behind the source's messages that wait there
      wake_sleeper();
      return;
    }
    Record record;
    record.kind = Record::Kind::finished;
    record.message.source = source;
    record.message.arrival_ns = clock_.now_ns();
    append_when_possible(record, 0);
  }

  void failed(std::uint32_t source, const std::string& what) override {
    if (sheddable_seen_.load()) {
      queue_->failed(source, what);
      wake_sleeper();
      return;
    }
    Record record;
    record.kind = Record::Kind::failed;
    record.message.source = source;
    record.message.arrival_ns = clock_.now_ns();
    record.error = what;
    append_when_possible(record, 0);
  }

  const Record* next(std::int64_t tick_at_ns, std::chrono::nanoseconds longest_wait) override {
    if (!reading_) {
      begin();
    }
    if (recovered_) {
      if (const Record* const record = next_recovered()) {
        return record;
      }
    }
    if (read_at_ >= stretch_end_ && !find_records(tick_at_ns, longest_wait)) {
      return nullptr;
    }
    const char* const frame = reading_->at(read_at_);
    const std::uint64_t bytes = size_of_frame(frame_header(frame));
    read_frame(frame, record_);
    if (reading_->broken()) {
      throw Error(reading_->describe_broken());
    }
    read_at_ += bytes;
    read_ += bytes;
    return &record_;
  }

  void close() override {
    queue_->close();
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    reader_.notify_all();
    room_.notify_all();
  }

  [[nodiscard]] std::uint64_t bytes_queued() const override {
    const std::lock_guard lock(mutex_);
    return backlog() + queue_->bytes_queued();
  }

  void sync() override {
    std::unique_lock lock(mutex_);
    if (chain_ && !chain_->sync_before(lock, chain_->next_number())) {
      throw Error(chain_->tell_failure());
    }
  }

  void release_before(std::uint64_t number) noexcept override {
    if (chain_ && !options_.keep) {
      chain_->release_before(number);
    }
  }

 private:
  enum class Reader : std::uint8_t { awake, napping, asleep };

  // ---- The beginning

  /// mutex_ is held.
  void begin_once() {
    if (chain_) {
      return;
    }
    put_in_order(*options_.files, options_.directory, found_);
    recovered_.emplace(segments_from(found_.segments, found_.from), found_.from,
                       options_.skip_damage ? SegmentSequence::OnDamage::skip : SegmentSequence::OnDamage::refuse,
                       *options_.files);
    chain_.emplace(options_, found_, first_, mutex_, [this] {
      reader_.notify_all();
      room_.notify_all();
    });
    first_.reset();
    reading_ = chain_->after(nullptr);
    Record started;
    started.kind = Record::Kind::started;
    started.message.arrival_ns = clock_.now_ns();
    append(started);
    room_.notify_all();
  }

  /// Whether a record can be appended; mutex_ is held by `lock`.
  bool wait_for_beginning(std::unique_lock<std::mutex>& lock, bool insists) {
    if (insists && !chain_) {
      try {
        begin_once();
      } catch (const Error& error) {
        options_.notice(error.what());
      }
    }
    while (!chain_ && !closed_ && !insists) {
      room_.wait(lock);
    }
    return chain_.has_value();
  }

  // ---- Producers

  /// What becomes of a message that is not taken: its sender offers it again, or has been told that it was taken.
  enum class Sender : std::uint8_t { can_wait, acknowledges };

  batch::Accepted offer(const batch::MessageView& message, Sender sender) {
    if (std::max({message.payload.size(), message.topic.size(), message.position_detail.size()}) > kLargestText) {
      throw Error(
          fmt::format("a message of {} bytes is larger than a journal's record can be", message.payload.size()));
    }
    if (message.delivery == batch::Delivery::shed) {
      return offer_sheddable(message);
    }
    Record record;
    record.message = message;
    return append_when_possible(record, frame_bytes(record), sender);
  }

  batch::Accepted offer_sheddable(const batch::MessageView& message) {
    sheddable_seen_.store(true);
    const batch::Accepted accepted = queue_->offer(message);
    wake_sleeper();
    return accepted;
  }

  /// @param charge bytes that count against backlog_bytes; 0: a record that is no message and waits for no backlog
  batch::Accepted append_when_possible(Record& record, std::uint64_t charge, Sender sender = Sender::can_wait) {
    const bool insists = sender == Sender::acknowledges;
    std::unique_lock lock(mutex_);
    bool appended = false;
    const bool begun = wait_for_beginning(lock, insists);
    while (begun && chain_->failure().empty() && (insists || !closed_)) {
      appended = (insists || backlog_allows(charge)) && append(record);
      if (appended || closed_) {
        break;
      }
      ++producers_waiting_;
      room_.wait(lock);
      --producers_waiting_;
    }
    if (!appended) {
      return insists ? batch::Accepted::broken : batch::Accepted::stopped;
    }
    const std::uint64_t number = record.number;
    const bool full = insists && (chain_->disk_full() || !backlog_allows(charge));
    if (reader_state_ == Reader::asleep ||
        (reader_state_ == Reader::napping && (charge == 0 || backlog() >= wake_bytes_))) {
      reader_state_ = Reader::awake;  // one signal is enough
      reader_.notify_one();
    }
    if (options_.sync_each && !chain_->sync_before(lock, number + 1)) {
      return insists ? batch::Accepted::broken : batch::Accepted::stopped;
    }
    return full ? batch::Accepted::yes_full : batch::Accepted::yes;
  }

  [[nodiscard]] std::uint64_t backlog() const noexcept { return appended_ - read_published_; }
  [[nodiscard]] bool backlog_allows(std::uint64_t charge) const noexcept {
    return charge == 0 || backlog() == 0 || backlog() + charge <= options_.backlog_bytes;
  }

  /// The worker sleeps on mutex_; it has looked into the queue after it said so.
  void wake_sleeper() {
    if (reader_state_.load() == Reader::asleep) {
      const std::lock_guard lock(mutex_);
      reader_state_ = Reader::awake;
      reader_.notify_one();
    }
  }

  // ---- Appending; mutex_ is held

  bool append(Record& record) {
    if (!chain_->append(record)) {
      return false;
    }
    appended_ += frame_bytes(record);
    return true;
  }

  bool append_tick() {
    const std::uint64_t shed = shed_total();
    Record tick;
    tick.kind = Record::Kind::tick;
    tick.message.arrival_ns = clock_.now_ns();
    tick.shed = shed - shed_told_;
    if (!append(tick)) {
      return false;
    }
    shed_told_ = shed;
    return true;
  }

  // ---- The worker

  const Record* next_recovered() {
    if (const Record* const record = recovered_->next()) {
      read_ += frame_bytes(*record);
      if (read_ - read_seen_ >= stretch_) {
        const std::lock_guard lock(mutex_);
        publish_progress();
      }
      return record;
    }
    recovered_.reset();
    return nullptr;
  }

  /// Sets the stretch to be read next; false when the journal is closed and drained.
  bool find_records(std::int64_t tick_at_ns, std::chrono::nanoseconds longest_wait) {
    std::optional<Clock::time_point> deadline;
    std::unique_lock lock(mutex_);
    for (int naps = 0;; ++naps) {
      publish_progress();
      if (!chain_->failure().empty()) {
        throw Error(chain_->tell_failure());
      }
      tell_of_shedding(tick_at_ns);
      take_over_sheddable();
      if (set_stretch()) {
        return true;
      }
      if (closed_ && !pending_) {
        if (shed_total() == shed_told_ || !append_tick()) {
          return false;
        }
        continue;
      }
      const Clock::time_point now = Clock::now();
      if (!deadline) {
        const std::chrono::nanoseconds until_tick(tick_at_ns - std::min(tick_at_ns, clock_.now_ns()));
        deadline = now + std::min(until_tick, longest_wait);
      }
      if (now >= *deadline) {
        if (append_tick()) {
          continue;
        }
        deadline = now + kRetry;
      }
      sleep(lock, now, *deadline, naps);
    }
  }

  void sleep(std::unique_lock<std::mutex>& lock, Clock::time_point now, Clock::time_point deadline, int naps) {
    if (pending_) {  // there is no room for it
      reader_.wait_until(lock, std::min(deadline, now + kRetry));
      return;
    }
    const bool nap = naps < kNapsBeforeSleep && producers_waiting_ == 0;
    reader_state_ = nap ? Reader::napping : Reader::asleep;
    if (nap || queue_->bytes_queued() == 0) {
      reader_.wait_until(lock, nap ? std::min(deadline, now + kNap) : deadline);
    }
    reader_state_ = Reader::awake;
  }

  void publish_progress() {
    read_seen_ = read_;
    if (read_published_ != read_) {
      read_published_ = read_;
      if (producers_waiting_ > 0) {
        room_.notify_all();
      }
    }
  }

  bool set_stretch() {
    while (read_at_ == reading_->end()) {
      std::shared_ptr<LiveSegment> next = chain_->after(reading_.get());
      if (!next) {
        break;
      }
      reading_ = std::move(next);
      read_at_ = kSegmentHeaderBytes;
    }
    // Its last frame may go beyond: what is published are whole frames.
    stretch_end_ = std::min(reading_->end(), read_at_ + stretch_);
    return read_at_ < stretch_end_;
  }

  /// Sheddable messages enter the segment in front of what is appended from now on, as long as not much waits there.
  void take_over_sheddable() {
    for (std::uint64_t bytes = 0; bytes < kTakeOverBytes && backlog() < options_.memory_bytes;) {
      if (!pending_) {
        const Record* const record = queue_->next(Clock::time_point::min());
        if (record == nullptr) {
          return;
        }
        pending_ = *record;
        if (pending_->kind != Record::Kind::message) {
          pending_->message.arrival_ns = clock_.now_ns();
        }
      }
      bytes += frame_bytes(*pending_);
      if (!append(*pending_)) {
        if (!closed_ || (!chain_->disk_full() && chain_->failure().empty())) {
          return;
        }
        unwritable_ += pending_->kind == Record::Kind::message ? 1U : 0U;  // nobody could read it any more
      }
      pending_.reset();
    }
  }

  /// Under steady load no time passes without a message, and yet what was shed is told of once an interval.
  void tell_of_shedding(std::int64_t tick_at_ns) {
    if (shed_total() != shed_told_ && tick_at_ns != shed_tick_at_ns_ && clock_.now_ns() >= tick_at_ns) {
      shed_tick_at_ns_ = append_tick() ? tick_at_ns : shed_tick_at_ns_;
    }
  }

  [[nodiscard]] std::uint64_t shed_total() const { return queue_->shed() + unwritable_; }

  const DurableOptions options_;
  RecoveredSegments found_;
  std::shared_ptr<LiveSegment> first_;  // until the journal begins
  const FileDescriptor directory_lock_;
  const std::unique_ptr<MemoryQueue> queue_;  // sheddable messages
  ArrivalClock clock_;
  const std::uint64_t stretch_;
  const std::uint64_t wake_bytes_;

  mutable std::mutex mutex_;
  std::condition_variable reader_;
  std::condition_variable room_;
  std::uint64_t appended_ = 0;        // bytes of frames that are or were for the worker
  std::uint64_t read_published_ = 0;  // of these, what it has read
  unsigned producers_waiting_ = 0;
  bool closed_ = false;
  std::atomic<Reader> reader_state_ = Reader::awake;
  std::atomic<bool> sheddable_seen_ = false;

  // Only the worker touches these.
  std::optional<SegmentSequence> recovered_;
  std::shared_ptr<LiveSegment> reading_;
  std::uint64_t read_at_ = kSegmentHeaderBytes;
  std::uint64_t stretch_end_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t read_seen_ = 0;
  Record record_;
  std::optional<Record> pending_;  // taken from the queue, and not yet in a segment
  std::uint64_t unwritable_ = 0;
  std::uint64_t shed_told_ = 0;
  std::int64_t shed_tick_at_ns_ = std::numeric_limits<std::int64_t>::min();

  std::optional<SegmentChain> chain_;  // last: its threads use what stands above
};

}  // namespace

std::unique_ptr<Journal> prepare_durable_journal(const DurableOptions& options, std::uint64_t from,
                                                 Recovered& recovered) {
  return std::make_unique<DurableJournal>(options, from, recovered);
}

std::unique_ptr<Journal> open_durable_journal(const DurableOptions& options, std::uint64_t from, Recovered& recovered) {
  std::unique_ptr<Journal> journal = prepare_durable_journal(options, from, recovered);
  journal->begin();
  return journal;
}

}  // namespace weir::journal
