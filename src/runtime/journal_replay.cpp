#include "runtime/journal_replay.hpp"

#include "core/error.hpp"

namespace weir::runtime {

JournalReplay::JournalReplay(const StreamFeed::Wiring& wiring, const StreamResume& resume, const ReplayOptions& options,
                             const std::string& path)
    : StreamReplay(options.speed, wiring.plan->spec.batch_interval.count()),
      wiring_(wiring),
      options_(options),
      arrival_time_(wiring.plan->streams[wiring.stream].arrival_time),
      ended_before_(resume.ended) {
  if (options.loop) {
    throw ConfigError("--loop repeats files, not a journal: its arrival times do not repeat");
  }
  reader_ = journal::open_journal_reader(path, resume.feed.next_record);
  feed_ = std::make_unique<RecordFeed>(wiring, resume);
  feed_->feed().set_range({options.from_ns, options.to_ns, 0});
}

JournalReplay::~JournalReplay() {
  request_stop();
  join();
}

void JournalReplay::work() {
  try {
    replay();
  } catch (...) {
    error_ = std::current_exception();
  }
  feed_->finish((!ended_before_ || grew_) && !pacer_.stopped() && error_ == nullptr);
  wiring_.queue->push({wiring_.stream, nullptr});
}

void JournalReplay::replay() {
  while (!pacer_.stopped() && !feed_->stopped()) {
    const journal::Record* const record = reader_->next();
    if (record == nullptr) {
      return;
    }
    // Kinds without an arrival (a source's end) come at the time of what is before them.
    const std::int64_t arrival = record->message.arrival_ns;
    feed_->take(*record);
    grew_ = true;
    const std::int64_t now = arrival_time_ ? arrival : feed_->feed().newest_event_time();
    if (now != 0 && pacer_.interval_over(now)) {
      feed_->feed().seal();
      pacer_.wait(now);
    }
    if (options_.progress) {
      options_.progress(reader_->bytes_read(), reader_->bytes_total());
    }
  }
}

}  // namespace weir::runtime
