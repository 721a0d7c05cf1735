#include "runtime/live_stream.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "core/arrival_clock.hpp"
#include "core/error.hpp"
#include "core/posix_file.hpp"
#include "journal/durable_journal.hpp"
#include "runtime/journals.hpp"

namespace weir::runtime {

LiveStream::LiveStream(const StreamFeed::Wiring& wiring, const StreamResume& resume)
    : wiring_(wiring),
      interval_ns_(wiring.plan->spec.batch_interval.count()),
      durable_(!wiring.plan->spec.state_dir.empty()),
      feed_(wiring, resume) {
  raise_arrival_clock(resume.feed.clock_ns);  // the wall clock may have been set back since
  const spec::Pipeline& spec = wiring.plan->spec;
  const spec::Stream& stream = wiring.plan->streams[wiring.stream].spec;
  std::vector<batch::SourcePosition> positions(stream.sources.size());
  for (const auto& [source, position] : resume.positions) {
    positions.at(source) = position;
  }
  if (durable_) {
    make_directories(spec.state_dir + "/journal", 0700);
    journal::Recovered recovered;
    journal_ = journal::open_durable_journal(journal_options(spec, stream), resume.feed.next_record, recovered);
    for (const std::string& warning : recovered.warnings) {
      spdlog::warn("stream '{}': {}", stream.name, warning);
    }
    if (recovered.records > 0) {
      spdlog::info("stream '{}': {} records of the journal are read again", stream.name, recovered.records);
    }
    for (auto& [source, position] : recovered.positions) {
      if (source < positions.size()) {  // the feed refuses the others by name
        positions[source].advance(position.offset, position.detail);
      }
    }
  } else {
    journal_ = journal::make_memory_journal(spec.journal_memory);
  }
  source::SourceOptions options;
  options.session_dir = durable_ ? spec.state_dir + "/mqtt" : "";
  for (std::uint32_t i = 0; i < stream.sources.size(); ++i) {
    sources_.push_back(source::make_source(stream.sources[i], stream.name, i, *journal_, positions[i], options));
  }
}

LiveStream::~LiveStream() {
  abandon();
}

void LiveStream::start() {
  if (durable_ && wiring_.plan->spec.journal_sync == spec::JournalSync::batch) {
    syncer_ = std::thread([this] { keep_synced(); });
  }
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

std::exception_ptr LiveStream::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

void LiveStream::fail(std::exception_ptr error) {
  const std::scoped_lock lock(mutex_);
  if (!error_) {
    error_ = std::move(error);
  }
}

void LiveStream::work() {
  try {
    while (!feed_.stopped() && !feed_.ended() && !error()) {
      const std::int64_t interval_end = feed_.next_tick();
      const journal::Record* const record = journal_->next(interval_end, std::chrono::nanoseconds(interval_ns_));
      if (record == nullptr) {
        break;
      }
      feed_.take(*record);
      if (syncer_.joinable() && feed_.next_tick() != interval_end) {
        const std::scoped_lock lock(mutex_);
        sync_wanted_ = true;
        changed_.notify_one();
      }
    }
    if (feed_.ended() && !feed_.failure().empty()) {
      // The input did not come to its end: whoever supervises the gateway has to know.
      fail(std::make_exception_ptr(Error("stream '" + wiring_.plan->streams[wiring_.stream].spec.name +
                                         "' has no source left: " + feed_.failure())));
    }
  } catch (...) {
    fail(std::current_exception());
  }
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_one();
  }
  if (syncer_.joinable()) {
    syncer_.join();
  }
  feed_.finish(feed_.ended() && !error());
  wiring_.queue->push({wiring_.stream, nullptr});
}

void LiveStream::keep_synced() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return sync_wanted_ || over_; });
    const bool last = over_;
    sync_wanted_ = false;
    lock.unlock();
    try {
      journal_->sync();
    } catch (...) {
      fail(std::current_exception());
      return;
    }
    if (last) {
      return;
    }
    lock.lock();
  }
}

}  // namespace weir::runtime
