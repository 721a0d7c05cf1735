#include "runtime/live_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/log.hpp"
#include "journal/durable_journal.hpp"
#include "runtime/journals.hpp"

namespace weir::runtime {

namespace {

LiveStream::Group group_of(const spec::Source& source) noexcept {
  return source.kind == spec::SourceKind::mqtt     ? LiveStream::Group::brokers
         : source.kind == spec::SourceKind::custom ? LiveStream::Group::receivers
                                                   : LiveStream::Group::waiting;
}

/// Messages of the journal from a record on; what cannot be read counts as none.
std::uint64_t messages_from(const std::string& directory, std::uint64_t number) {
  std::uint64_t messages = 0;
  try {
    const auto reader = journal::open_journal_reader(directory, number);
    while (const journal::Record* const record = reader->next()) {
      messages += record->kind == journal::Record::Kind::message ? 1U : 0U;
    }
  } catch (const Error& error) {
    log::warn("{}", error.what());
  }
  return messages;
}

/// No machine that runs this program has an earlier time: the beginning of 2026.
constexpr std::int64_t kNotBefore = 1'767'225'600'000'000'000;

/// A wall clock that stands before it, or before what sensors have said, cannot be right: that of a machine without a
/// battery, before it has asked for the time.
std::int64_t earliest_right(const plan::StreamPlan& stream, const StreamResume& resume) {
  if (stream.arrival_time) {
    return kNotBefore;
  }
  return std::max(kNotBefore, saturating_subtract(resume.newest_time_ns, stream.spec.max_ahead.count()));
}

}  // namespace

LiveStream::LiveStream(const StreamFeed::Wiring& wiring, StreamResume resume, FileSystem& files)
    : wiring_(wiring),
      interval_ns_(wiring.plan->spec.batch_interval.count()),
      durable_(!wiring.plan->spec.state_dir.empty()) {
  const spec::Stream& stream = wiring.plan->streams[wiring.stream].spec;
  std::vector<batch::SourcePosition> positions(stream.sources.size());
  for (const auto& [source, position] : resume.positions) {
    positions.at(source) = position;
  }
  if (durable_) {
    look_at_journal(resume, positions, files);
  } else {
    journal_ = journal::make_memory_journal(wiring.plan->spec.journal_memory,
                                            journal_options(wiring.plan->spec, stream).notice);
  }
  feed_.emplace(wiring, resume);
  source::SourceOptions options;
  options.session_dir = durable_ ? wiring.plan->spec.state_dir + "/mqtt" : "";
  for (std::uint32_t i = 0; i < stream.sources.size(); ++i) {
    sources_.push_back(source::make_source(stream.sources[i], stream.name, i, *journal_, positions[i], options));
  }
}

void LiveStream::look_at_journal(StreamResume& resume, std::vector<batch::SourcePosition>& positions,
                                 FileSystem& files) {
  const spec::Pipeline& spec = wiring_.plan->spec;
  const spec::Stream& stream = wiring_.plan->streams[wiring_.stream].spec;
  files.make_directories(spec.state_dir + "/journal", 0700);
  journal::DurableOptions options = journal_options(spec, stream, files);
  options.last_arrival_ns = resume.feed.clock_ns;
  options.not_before_ns = earliest_right(wiring_.plan->streams[wiring_.stream], resume);
  journal::Recovered recovered;
  journal_ = journal::prepare_durable_journal(
      options, resume.discarded_at ? journal::kJournalEnd : resume.feed.next_record, recovered);
  for (const std::string& warning : recovered.warnings) {
    log::warn("stream '{}': {}", stream.name, warning);
  }
  if (!recovered.positions.empty()) {
    refuse_unread(resume);
  }
  if (recovered.records > 0 && !resume.discarded_at) {
    log::info("stream '{}': {} records of the journal are read again", stream.name, recovered.records);
  }
  if (resume.discarded_at && journal::is_journal(options.directory)) {
    if (const std::uint64_t left = messages_from(options.directory, *resume.discarded_at); left > 0) {
      log::warn("stream '{}': {} messages of the journal that no checkpoint has are given up (--discard-state)",
                stream.name, left);
    }
  }
  first_record_ = resume.feed.next_record = recovered.from;
  for (auto& [source, position] : recovered.positions) {
    if (source < positions.size()) {  // the feed refuses the others by name
      positions[source].advance(position.offset, position.detail);
    }
  }
}

void LiveStream::refuse_unread(const StreamResume& resume) const {
  const spec::Stream& stream = wiring_.plan->streams[wiring_.stream].spec;
  std::vector<Diagnostic> refused;
  for (const std::string& change : resume.changes) {
    refused.push_back(
        {wiring_.plan->spec.file, stream.line,
         change + ", and the journal holds messages from before that are not counted yet",
         fmt::format("start the former configuration once and stop it gracefully, which counts them; or start with "
                     "--discard-state {}, which gives them up",
                     stream.name)});
  }
  if (!refused.empty()) {
    throw ConfigError(std::move(refused));
  }
}

LiveStream::~LiveStream() {
  abandon();
  end_syncer();  // where start() could not start the worker, which does it otherwise
}

void LiveStream::start(Group group) {
  const std::vector<spec::Source>& specs = wiring_.plan->streams[wiring_.stream].spec.sources;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (group_of(specs[i]) == group) {
      sources_[i]->start();
    }
  }
}

void LiveStream::begin() {
  journal_->begin();
  if (durable_ && wiring_.plan->spec.journal_sync == spec::JournalSync::batch) {
    syncer_ = std::thread([this] { keep_synced(); });
  }
  worker_ = std::thread([this] { work(); });
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

std::vector<std::string> LiveStream::failed_sources() const {
  const std::scoped_lock lock(mutex_);
  return failed_sources_;
}

void LiveStream::fail(std::exception_ptr error) {
  const std::scoped_lock lock(mutex_);
  if (!error_) {
    error_ = std::move(error);
    failed_.store(true, std::memory_order_release);
  }
}

void LiveStream::work() {
  try {
    while (!feed_->stopped() && !feed_->ended() && !failed_.load(std::memory_order_acquire)) {
      const std::int64_t interval_end = feed_->next_tick();
      const journal::Record* const record = journal_->next(interval_end, std::chrono::nanoseconds(interval_ns_));
      if (record == nullptr) {
        break;
      }
      feed_->take(*record);
      if (syncer_.joinable() && feed_->next_tick() != interval_end) {
        const std::scoped_lock lock(mutex_);
        sync_wanted_ = true;
        changed_.notify_one();
      }
    }
    if (feed_->ended() && !feed_->failed_sources().empty()) {
      // The input did not come to its end: whoever supervises the gateway has to know, once the others are done.
      gave_up_ = feed_->failed_sources().back() + "; the stream has no source left";
    }
  } catch (...) {
    fail(std::current_exception());
  }
  {
    const std::scoped_lock lock(mutex_);
    failed_sources_ = feed_->failed_sources();
  }
  end_syncer();
  // A source that gave up is not at its end: its windows stay open for the next start.
  feed_->finish(feed_->ended() && gave_up_.empty() && !error());
  wiring_.queue->push({wiring_.stream, nullptr});
}

void LiveStream::end_syncer() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_one();
  }
  if (syncer_.joinable()) {
    syncer_.join();
  }
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
