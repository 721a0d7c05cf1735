#include "runtime/stream_feed.hpp"

#include <algorithm>
#include <utility>

#include "core/instant.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"
#include "sink/dead_letter.hpp"

namespace weir::runtime {
namespace {

constexpr std::int64_t kKeyReleasesPerTtl = 16;

}  // namespace

StreamFeed::StreamFeed(const Wiring& wiring, IntervalClock clock)
    : wiring_(wiring),
      clock_(clock),
      interval_ns_(wiring.plan->spec.batch_interval.count()),
      writer_(*wiring.keys, *this),
      malformed_log_(wiring.plan->streams[wiring.stream].spec) {
  writer_.set_times(wiring.plan->streams[wiring.stream].times);
  batch_ = wiring_.pool->acquire();
  stopped_ = !batch_;
  if (batch_) {
    writer_.attach(*batch_);
  }
}

StreamFeed::~StreamFeed() = default;

void StreamFeed::message(const batch::MessageView& message, decode::Decoder& decoder, std::int64_t arrival_ns,
                         std::int64_t latest_time_ns, std::int64_t held_ns) {
  if (stopped_) {
    return;
  }
  arrival_ns_ = arrival_ns;
  batch_->newest_arrival_ns = std::max(batch_->newest_arrival_ns, arrival_ns);
  batch_->payload_bytes += message.payload.size();
  writer_.begin_message(message.source, arrival_ns, latest_time_ns, held_ns);
  decoder.decode(message, writer_);
  if (stopped_) {
    return;
  }
  after_rows();
  // A record that is split over two messages would be lost with a checkpoint in between.
  batch_->at_message_boundary = !decoder.holds_back();
  position(message.source, message.position_offset, message.position_detail);
}

void StreamFeed::finish_input(std::uint32_t source, decode::Decoder& decoder, std::int64_t arrival_ns,
                              std::int64_t latest_time_ns, std::int64_t held_ns) {
  if (stopped_) {
    return;
  }
  arrival_ns_ = arrival_ns;
  writer_.begin_message(source, arrival_ns, latest_time_ns, held_ns);
  decoder.finish(writer_);
  if (!stopped_) {
    after_rows();
    batch_->at_message_boundary = true;
  }
}

void StreamFeed::copy_row(const batch::Batch& from, std::uint32_t row, std::uint32_t source) {
  if (stopped_) {
    return;
  }
  writer_.begin_message(source, arrival_ns_, kLatest);
  writer_.time(from.times()[row]);
  writer_.key(from.keys()[row]);
  for (std::size_t i = 0; i < from.fields(); ++i) {
    writer_.field(i, from.field(i)[row]);
  }
  batch_->may_have_nulls |= from.may_have_nulls;
  writer_.commit();
}

void MessageCounts::add(const batch::Batch& staged) {
  for (std::size_t i = 0; i < malformed.size(); ++i) {
    malformed[i] += staged.malformed[i];
  }
  rounded += staged.rounded;
  payload_bytes += staged.payload_bytes;
}

void StreamFeed::add_counts(const MessageCounts& counts) {
  if (stopped_) {
    return;
  }
  for (std::size_t i = 0; i < counts.malformed.size(); ++i) {
    batch_->malformed[i] += counts.malformed[i];
    batch_->received += counts.malformed[i];
  }
  batch_->rounded += counts.rounded;
  batch_->payload_bytes += counts.payload_bytes;
}

void StreamFeed::position(std::uint32_t source, std::uint64_t offset, std::string_view detail) {
  if (stopped_) {
    return;
  }
  for (auto& [known, where] : batch_->positions) {
    if (known == source) {
      where.advance(offset, detail);
      return;
    }
  }
  batch_->positions.emplace_back(source, batch::SourcePosition{offset, std::string(detail)});
}

void StreamFeed::tick(batch::Tick tick) {
  if (!stopped_) {
    tick.row = batch_->size();
    batch_->ticks.push_back(tick);
  }
}

bool StreamFeed::advance_arrival_clock(std::int64_t now_ns) {
  if (stopped_) {
    return false;
  }
  const std::int64_t begin = floor_multiple(now_ns, interval_ns_);
  if (interval_end_ == std::numeric_limits<std::int64_t>::min()) {
    interval_end_ = next_multiple(now_ns, interval_ns_);
  }
  if (now_ns < interval_end_) {
    return false;
  }
  // After a pause (suspended machine, restart) several intervals are over; those in between were empty.
  batch_->interval_ends.push_back({batch_->size(), interval_end_});
  if (begin > interval_end_) {
    batch_->interval_ends.push_back({batch_->size(), begin});
  }
  interval_end_ = next_multiple(now_ns, interval_ns_);
  next_malformed_interval();
  if (wiring_.plan->streams[wiring_.stream].arrival_time) {
    tick({0, batch::Tick::Kind::watermark, 0, begin});
  }
  return true;
}

void StreamFeed::set_arrival_clock_back(std::int64_t now_ns) {
  if (stopped_) {
    return;
  }
  if (!seal()) {
    return;
  }
  if (interval_end_ != kEarliest) {
    batch_->interval_ends.push_back({0, interval_end_});
  }
  batch_->clock_set_back_ns = now_ns;
  interval_end_ = next_multiple(now_ns, interval_ns_);
}

void StreamFeed::shed(std::uint64_t messages) {
  if (!stopped_) {
    batch_->shed += messages;
    batch_->received += messages;
  }
}

void StreamFeed::set_range(const ReplayRange& range) {
  writer_.set_range(range.from_ns, range.to_ns);
  shift_ns_ = range.shift_ns;
}

bool StreamFeed::seal() {
  if (stopped_) {
    return false;
  }
  after_rows();
  hand_on();
  return !stopped_;
}

bool StreamFeed::seal_if_full() {
  if (!stopped_ && batch_->size() > batch_->capacity() / 2) {
    return seal();
  }
  return !stopped_;
}

void StreamFeed::finish(bool ended) {
  if (stopped_) {
    return;
  }
  after_rows();
  if (before_hand_on_) {
    before_hand_on_(*batch_);
  }
  if (ended && clock_ != IntervalClock::none && interval_end_ != std::numeric_limits<std::int64_t>::min()) {
    batch_->interval_ends.push_back({batch_->size(), interval_end_});
  }
  batch_->end_of_input = ended;
  batch_->newest_time_ns = key_clock_ns_;
  batch_->key_count = wiring_.keys->size();
  batch_->open_interval_end_ns = interval_end_;
  wiring_.queue->push({wiring_.stream, std::move(batch_)});
  stopped_ = true;
}

batch::Batch& StreamFeed::batch_full(batch::Batch& full) {
  if (!stopped_) {
    after_rows();
    full.at_message_boundary = divisible_;
    hand_on();
  }
  return stopped_ ? spill() : *batch_;
}

/// The engine is gone; the rest of the message is decoded into a batch that nobody reads.
batch::Batch& StreamFeed::spill() {
  if (!spill_) {
    spill_ = std::make_unique<batch::Batch>(wiring_.plan->streams[wiring_.stream].spec.schema.fields.size(),
                                            wiring_.plan->spec.batch_rows);
  }
  spill_->clear();
  return *spill_;
}

// Whether, and which, depends on the readings before this one alone, not on how they were cut into batches.
batch::Batch* StreamFeed::keys_full(batch::Batch& full) {
  const std::int64_t ttl = wiring_.plan->streams[wiring_.stream].spec.key_ttl.count();
  if (ttl == 0 || stopped_) {
    return nullptr;
  }
  after_rows();
  if (key_clock_ns_ == kEarliest || key_clock_ns_ < next_key_release_ns_) {
    return nullptr;
  }
  // The engine is waited for, so not for each of many readings under keys that nobody knows.
  next_key_release_ns_ = saturating_add(key_clock_ns_, std::max<std::int64_t>(ttl / kKeyReleasesPerTtl, 1));
  full.release_keys = true;
  full.next_key_release_ns = next_key_release_ns_;
  full.at_message_boundary = divisible_;
  hand_on();
  if (stopped_) {
    return &spill();
  }
  wiring_.pool->wait_for_engine();
  return batch_.get();
}

void StreamFeed::hand_on() {
  if (spill_) {
    return;
  }
  if (before_hand_on_) {
    before_hand_on_(*batch_);
  }
  if (clock_ != IntervalClock::arrival) {
    next_malformed_interval();  // at full speed a batch stands for the interval
  }
  batch_->key_count = wiring_.keys->size();
  batch_->open_interval_end_ns = interval_end_;
  batch_->newest_time_ns = key_clock_ns_;
  handed_on_ += batch_->size();
  wiring_.queue->push({wiring_.stream, std::move(batch_)});
  batch_ = wiring_.pool->acquire();
  examined_ = 0;
  ahead_examined_ = 0;
  if (!batch_) {
    stopped_ = true;
    return;
  }
  writer_.attach(*batch_);
}

void StreamFeed::malformed(batch::Malformed reason, std::string_view sample, std::string_view member) {
  malformed_log_.refused(reason, sample, member);
  if (wiring_.dead_letters != nullptr) {
    // Recorded files carry no arrival: then it is the moment of the replay.
    wiring_.dead_letters->malformed(name(), reason, arrival_ns_ != 0 ? arrival_ns_ : wall_clock_ns(), sample);
  }
}

void StreamFeed::next_malformed_interval() {
  malformed_log_.report();
  if (wiring_.dead_letters != nullptr) {
    wiring_.dead_letters->next_interval(name());
  }
}

const std::string& StreamFeed::name() const {
  return wiring_.plan->streams[wiring_.stream].spec.name;
}

void StreamFeed::after_rows() {
  if (!batch_ || examined_ == batch_->size()) {
    return;
  }
  std::int64_t* const times = batch_->times();
  if (shift_ns_ != 0) {
    for (std::uint32_t row = examined_; row < batch_->size(); ++row) {
      times[row] += shift_ns_;
    }
  }
  if (clock_ == IntervalClock::event_time) {
    mark_event_time_intervals();
  }
  for (std::uint32_t row = examined_; row < batch_->size(); ++row) {
    newest_event_time_ = std::max(newest_event_time_, times[row]);
    oldest_event_time_ = std::min(oldest_event_time_, times[row]);
  }
  key_clock_ns_ = std::max(key_clock_ns_, newest_event_time_);
  examined_ = batch_->size();
  for (; ahead_examined_ < batch_->ahead.size(); ++ahead_examined_) {
    const batch::AheadRow& ahead = batch_->ahead[ahead_examined_];
    on_ahead_(batch_->keys()[ahead.row], times[ahead.row], ahead.arrival_ns);
  }
}

void StreamFeed::mark_event_time_intervals() {
  const std::int64_t* const times = batch_->times();
  for (std::uint32_t row = examined_; row < batch_->size(); ++row) {
    if (interval_end_ == std::numeric_limits<std::int64_t>::min()) {
      interval_end_ = next_multiple(times[row], interval_ns_);
      continue;
    }
    if (times[row] >= interval_end_) {
      batch_->interval_ends.push_back({row, interval_end_});
      // Intervals between the two marks had no reading.
      const std::int64_t begin = floor_multiple(times[row], interval_ns_);
      if (begin > interval_end_) {
        batch_->interval_ends.push_back({row, begin});
      }
      interval_end_ = next_multiple(times[row], interval_ns_);
    }
  }
}

}  // namespace weir::runtime
