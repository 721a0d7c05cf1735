#include "runtime/record_feed.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "core/arrival_clock.hpp"
#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/log.hpp"
#include "source/line_buffer.hpp"

namespace weir::runtime {
RecordFeed::RecordFeed(const StreamFeed::Wiring& wiring, const StreamResume& resume)
    : stream_(wiring.plan->streams[wiring.stream]),
      interval_ns_(wiring.plan->spec.batch_interval.count()),
      longest_message_(std::max<std::uint64_t>(wiring.plan->spec.max_message, source::kBlockBytes) + 1),
      feed_(wiring, IntervalClock::arrival),
      sources_(stream_.spec.sources.size()),
      clock_ns_(resume.feed.sources.empty() ? resume.newest_arrival_ns : resume.feed.clock_ns),
      ahead_watch_(stream_.spec, *wiring.keys),
      next_record_(resume.feed.next_record) {
  feed_.set_interval_end(resume.interval_end_ns);
  feed_.set_key_clock(resume.key_clock_ns, resume.next_key_release_ns);
  for (std::uint32_t i = 0; i < sources_.size(); ++i) {
    const spec::Source& source = stream_.spec.sources[i];
    decoders_.push_back(decode::make_decoder(stream_.spec, source));
    admitted_.push_back(
        {source.kind == spec::SourceKind::mqtt, source.max_message, {source.topics.begin(), source.topics.end()}});
    sources_[i].last_arrival_ns = clock_ns_;
    if (i < resume.feed.sources.size()) {
      const batch::FeedState::Source& saved = resume.feed.sources[i];
      sources_[i] = {saved.last_arrival_ns, saved.idle, saved.finished};
      decoders_[i]->load(saved.decoder);
    }
  }
  feed_.set_on_ahead([this](std::uint32_t key, std::int64_t time_ns, std::int64_t arrival_ns) {
    ahead_watch_.take(key, time_ns, arrival_ns);
  });
  feed_.set_before_hand_on([this](batch::Batch& batch) { write_state(batch.feed); });
}

void RecordFeed::take(const journal::Record& record) {
  if (record.message.source >= sources_.size()) {
    throw Error("stream '" + stream_.spec.name + "': the journal has a record of source " +
                std::to_string(record.message.source) + ", the configuration has " + std::to_string(sources_.size()) +
                " sources: restore the list of sources");
  }
  switch (record.kind) {
    case journal::Record::Kind::message:
      message(record);
      break;
    case journal::Record::Kind::failed:
      failed_sources_.push_back(fmt::format("stream '{}': {}", stream_.spec.name, record.error));
      log::error("{}", failed_sources_.back());
      [[fallthrough]];
    case journal::Record::Kind::finished:
      finished(record);
      break;
    case journal::Record::Kind::started:
      started(record.message.arrival_ns);
      break;
    case journal::Record::Kind::tick:
      advance_clock(record.message.arrival_ns);
      break;
  }
  // After the clock, which may have handed on a batch that does not cover this record.
  if (record.shed > 0) {
    feed_.shed(record.shed);
  }
  next_record_ = record.number + 1;
  if (record.kind == journal::Record::Kind::message) {
    feed_.seal_if_full();
  }
}

void RecordFeed::message(const journal::Record& record) {
  // Arrival instants of several receivers can be swapped by a hair; within a stream they never go back.
  advance_clock(record.message.arrival_ns);
  const std::uint32_t source = record.message.source;
  batch::MessageView message = record.message;
  message.refused = refusal(message);
  if (message.refused) [[unlikely]] {
    message.payload = message.payload.substr(0, batch::kRefusedSample);
  }
  const std::uint64_t before = feed_.readings();
  feed_.message(message, *decoders_[source], clock_ns_, latest(), held());
  if (feed_.readings() != before) {
    heard(source);
  }
  feed_.set_boundary(nothing_held_back());
}

// A source is heard when it sends a reading, not when it sends something: heartbeats, empty arrays and what is refused
// say nothing about how far its time has come. A duplicate is a reading, though the engine will drop it, hence the
// tick.
void RecordFeed::heard(std::uint32_t source) {
  SourceState& state = sources_[source];
  state.last_arrival_ns = clock_ns_;
  if (state.idle || state.finished) {
    state.idle = state.finished = false;
    feed_.tick({0, batch::Tick::Kind::source_heard, source, 0});
  }
}

std::int64_t RecordFeed::latest() const noexcept {
  return saturating_add(clock_ns_, stream_.spec.max_ahead.count());
}

// A journal can hold what a source of today would not have handed on: an older version wrote it, or one with other
// topics. What it holds is never a reason to run out of memory, or to count what nobody asked for.
std::optional<batch::Malformed> RecordFeed::refusal(const batch::MessageView& message) const {
  const Admitted& admitted = admitted_[message.source];
  if (message.refused) {
    return message.refused;
  }
  if (message.payload.size() > (admitted.mqtt ? admitted.max_message : longest_message_)) {
    return batch::Malformed::too_large;
  }
  if (!admitted.mqtt) {
    return std::nullopt;
  }
  const bool asked_for = std::any_of(admitted.topics.begin(), admitted.topics.end(),
                                     [&](const TopicPattern& topic) { return topic.matches(message.topic); });
  return asked_for ? std::nullopt : std::optional(batch::Malformed::other_topic);
}

void RecordFeed::finished(const journal::Record& record) {
  const std::uint32_t source = record.message.source;
  feed_.finish_input(source, *decoders_[source], clock_ns_, latest(), held());
  feed_.set_boundary(nothing_held_back());
  sources_[source].finished = true;
  feed_.tick({0, batch::Tick::Kind::source_finished, source, 0});
  ended_ = std::all_of(sources_.begin(), sources_.end(), [](const SourceState& s) { return s.finished; });
}

bool RecordFeed::nothing_held_back() const noexcept {
  return std::none_of(decoders_.begin(), decoders_.end(), [](const auto& decoder) { return decoder->holds_back(); });
}

// Silence while the process was away says nothing about the sensors, and what had come to its end may have grown.
void RecordFeed::started(std::int64_t now_ns) {
  ended_ = false;
  failed_sources_.clear();  // of the life before: this one has begun them anew
  if (saturating_subtract(clock_ns_, now_ns) > ArrivalClock::kMostSlewed.count()) {
    clock_ns_ = now_ns;
    feed_.set_arrival_clock_back(now_ns);
  }
  for (std::uint32_t i = 0; i < sources_.size(); ++i) {
    SourceState& source = sources_[i];
    source.last_arrival_ns = std::max(clock_ns_, now_ns);
    if (std::exchange(source.finished, false)) {
      feed_.tick({0, batch::Tick::Kind::source_heard, i, 0});
    }
  }
  advance_clock(now_ns);
}

void RecordFeed::advance_clock(std::int64_t now_ns) {
  clock_ns_ = std::max(clock_ns_, now_ns);
  if (feed_.interval_end() == kEarliest) {
    feed_.set_interval_end(next_multiple(clock_ns_, interval_ns_));
    for (SourceState& source : sources_) {
      source.last_arrival_ns = std::max(source.last_arrival_ns, clock_ns_);
    }
  }
  if (clock_ns_ < feed_.interval_end()) {
    return;
  }
  feed_.advance_arrival_clock(clock_ns_);
  if (!stream_.arrival_time) {
    const std::int64_t interval_begin = feed_.interval_end() - interval_ns_;
    feed_.tick({0, batch::Tick::Kind::arrival_clock, 0, interval_begin});
    check_idle(interval_begin);
  }
  feed_.seal();
}

void RecordFeed::check_idle(std::int64_t now_ns) {
  const std::int64_t timeout = stream_.spec.idle_timeout.count();
  if (timeout == 0) {
    return;
  }
  bool all_silent = true;
  for (std::uint32_t i = 0; i < sources_.size(); ++i) {
    SourceState& source = sources_[i];
    if (!source.idle && !source.finished && now_ns - source.last_arrival_ns >= timeout) {
      source.idle = true;
      feed_.tick({0, batch::Tick::Kind::source_idle, i, 0});
    }
    all_silent &= source.idle || source.finished;
  }
  if (all_silent) {
    // Nobody can tell how far the sensors' time has come, so the wall clock stands in (semantics §4).
    feed_.tick({0, batch::Tick::Kind::watermark, 0, saturating_subtract(now_ns, stream_.spec.out_of_order.count())});
  }
}

void RecordFeed::write_state(batch::FeedState& state) const {
  state.next_record = next_record_;
  state.clock_ns = clock_ns_;
  state.sources.resize(sources_.size());
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    batch::FeedState::Source& saved = state.sources[i];
    saved.last_arrival_ns = sources_[i].last_arrival_ns;
    saved.idle = sources_[i].idle;
    saved.finished = sources_[i].finished;
    decoders_[i]->save(saved.decoder);
  }
}

}  // namespace weir::runtime
