#include "runtime/live_stream.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

#include "core/time_text.hpp"

namespace weir::runtime {
namespace {

constexpr std::int64_t kBeforeAll = std::numeric_limits<std::int64_t>::min();

std::int64_t floor_to(std::int64_t value, std::int64_t step) noexcept {
  const std::int64_t remainder = value % step;
  return value - (remainder < 0 ? remainder + step : remainder);
}

}  // namespace

LiveStream::LiveStream(const StreamFeed::Wiring& wiring, const StreamResume& resume)
    : wiring_(wiring),
      plan_(wiring.plan->streams[wiring.stream]),
      interval_ns_(wiring.plan->spec.batch_interval.count()),
      feed_(wiring, IntervalClock::arrival),
      journal_(journal::make_memory_journal(wiring.plan->spec.journal_memory)),
      states_(plan_.spec.sources.size()),
      clock_ns_(std::max(resume.newest_arrival_ns, wall_clock_ns())) {
  feed_.set_interval_end(resume.interval_end_ns != kBeforeAll ? resume.interval_end_ns
                                                              : floor_to(clock_ns_, interval_ns_) + interval_ns_);
  for (std::uint32_t i = 0; i < plan_.spec.sources.size(); ++i) {
    decoders_.push_back(decode::make_decoder(plan_.spec, plan_.spec.sources[i]));
    batch::SourcePosition position;
    for (const auto& [source, where] : resume.positions) {
      if (source == i) {
        position = where;
      }
    }
    sources_.push_back(source::make_source(plan_.spec.sources[i], plan_.spec.name, i, *journal_, position));
    states_[i].last_arrival_ns = clock_ns_;
  }
}

LiveStream::~LiveStream() {
  abandon();
}

void LiveStream::start() {
  worker_ = std::thread([this] { work(); });
  for (const auto& source : sources_) {
    source->start();
  }
}

void LiveStream::drain() {
  // The worker goes on reading while the sources stop, so a source that waits for room in the journal gets it.
  for (const auto& source : sources_) {
    source->stop();
  }
  journal_->close();
  if (worker_.joinable()) {
    worker_.join();
  }
}

void LiveStream::abandon() {
  journal_->close();
  for (const auto& source : sources_) {
    source->stop();
  }
  if (worker_.joinable()) {
    worker_.join();
  }
}

void LiveStream::work() {
  advance_clock(wall_clock_ns());
  while (!feed_.stopped() && !ended_) {
    const journal::Record* const record = journal_->next(feed_.interval_end(), std::chrono::nanoseconds(interval_ns_));
    if (record == nullptr) {
      break;
    }
    take(*record);
  }
  feed_.finish(ended_);
  wiring_.queue->push({wiring_.stream, nullptr});
}

void LiveStream::take(const journal::Record& record) {
  if (record.shed > 0) {
    feed_.shed(record.shed);
  }
  const std::uint32_t source = record.message.source;
  SourceState& state = states_[source];
  switch (record.kind) {
    case journal::Record::Kind::started:
    case journal::Record::Kind::tick:
      advance_clock(record.message.arrival_ns);
      return;
    case journal::Record::Kind::message: {
      // Arrival instants of several receivers can be swapped by a hair; within a stream they never go back.
      advance_clock(record.message.arrival_ns);
      state.last_arrival_ns = clock_ns_;
      state.idle = false;
      const std::int64_t ahead = plan_.spec.max_ahead.count();
      const std::int64_t latest = clock_ns_ > std::numeric_limits<std::int64_t>::max() - ahead
                                      ? std::numeric_limits<std::int64_t>::max()
                                      : clock_ns_ + ahead;
      feed_.message(record.message, *decoders_[source], clock_ns_, latest);
      feed_.seal_if_full();
      return;
    }
    case journal::Record::Kind::failed:
      spdlog::error("stream {}: {}", plan_.spec.name, record.error);
      [[fallthrough]];
    case journal::Record::Kind::finished:
      feed_.finish_input(source, *decoders_[source], clock_ns_);
      state.finished = true;
      feed_.tick({0, batch::Tick::Kind::source_finished, source, 0});
      ended_ = std::all_of(states_.begin(), states_.end(), [](const SourceState& s) { return s.finished; });
      return;
  }
}

void LiveStream::advance_clock(std::int64_t now_ns) {
  clock_ns_ = std::max(clock_ns_, now_ns);
  if (clock_ns_ < feed_.interval_end()) {
    return;
  }
  feed_.advance_arrival_clock(clock_ns_);
  if (!plan_.arrival_time) {
    check_idle(feed_.interval_end() - interval_ns_);
  }
  feed_.seal();
}

void LiveStream::check_idle(std::int64_t now_ns) {
  const std::int64_t timeout = plan_.spec.idle_timeout.count();
  if (timeout == 0) {
    return;
  }
  bool all_silent = true;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    SourceState& state = states_[i];
    if (!state.idle && !state.finished && now_ns - state.last_arrival_ns >= timeout) {
      state.idle = true;
      feed_.tick({0, batch::Tick::Kind::source_idle, i, 0});
    }
    all_silent &= state.idle || state.finished;
  }
  if (all_silent) {
    // Nobody can tell how far the sensors' time has come, so the wall clock stands in (semantics §4).
    feed_.tick({0, batch::Tick::Kind::watermark, 0, now_ns - plan_.spec.out_of_order.count()});
  }
}

}  // namespace weir::runtime
