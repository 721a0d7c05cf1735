#include "runtime/recorder.hpp"

#include <thread>
#include <utility>

#include "core/file_system.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"
#include "journal/durable_journal.hpp"
#include "runtime/journals.hpp"
#include "source/source.hpp"

namespace weir::runtime {

struct Recorder::Recording {
  Recording(const plan::Plan& plan, const spec::Stream& the_stream, const std::string& directory)
      : stream(the_stream), interval(plan.spec.batch_interval), has_ended(the_stream.sources.size()) {
    report.name = stream.name;
    report.directory = directory + "/" + stream.name;
    journal::DurableOptions options = journal_options(plan.spec, stream);
    options.directory = report.directory;
    options.keep = true;
    journal::Recovered recovered;
    journal = journal::open_durable_journal(options, journal::kJournalEnd, recovered);
    for (const std::string& warning : recovered.warnings) {
      log::warn("stream '{}': {}", stream.name, warning);
    }
    for (std::uint32_t i = 0; i < stream.sources.size(); ++i) {
      sources.push_back(source::make_source(stream.sources[i], stream.name, i, *journal, {}));
    }
  }

  /// Reads what is appended, so that ticks are recorded and nobody waits for room.
  void work() {
    std::int64_t now = wall_clock_ns();
    std::size_t ended = 0;
    while (ended < has_ended.size()) {
      const std::int64_t interval_end = (now / interval.count() + 1) * interval.count();
      const journal::Record* const record = journal->next(interval_end, interval);
      if (record == nullptr) {
        return;
      }
      now = std::max(now, record->message.arrival_ns);
      report.shed += record->shed;
      switch (record->kind) {
        case journal::Record::Kind::message:
          ++report.messages;
          report.payload_bytes += record->message.payload.size();
          break;
        case journal::Record::Kind::failed:
          log::error("stream '{}': {}", stream.name, record->error);
          [[fallthrough]];
        case journal::Record::Kind::finished:
          ended += has_ended.at(record->message.source) ? 0U : 1U;
          has_ended[record->message.source] = true;
          break;
        case journal::Record::Kind::tick:
        case journal::Record::Kind::started:
          break;
      }
    }
  }

  const spec::Stream& stream;
  const Duration interval;
  Stream report;
  std::vector<bool> has_ended;  ///< [source]
  std::unique_ptr<journal::Journal> journal;
  std::vector<std::unique_ptr<source::Source>> sources;
  std::exception_ptr error;
  std::thread worker;
};

Recorder::Recorder(plan::Plan plan, const std::string& directory) : plan_(std::move(plan)) {
  real_file_system().make_directories(directory, 0700);
  for (const plan::StreamPlan& stream : plan_.streams) {
    recordings_.push_back(std::make_unique<Recording>(plan_, stream.spec, directory));
  }
}

Recorder::~Recorder() {
  request_stop();
  finish();
}

void Recorder::start() {
  running_ = recordings_.size();
  for (const auto& recording : recordings_) {
    recording->worker = std::thread([this, &recording = *recording] {
      try {
        recording.work();
      } catch (...) {
        recording.error = std::current_exception();
      }
      const std::scoped_lock lock(mutex_);
      --running_;
      stop_requested_ |= recording.error != nullptr;
      changed_.notify_all();
    });
  }
  for (const auto& recording : recordings_) {
    for (const auto& source : recording->sources) {
      source->start();
    }
  }
}

void Recorder::request_stop() noexcept {
  const std::scoped_lock lock(mutex_);
  stop_requested_ = true;
  changed_.notify_all();
}

void Recorder::wait() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_requested_ || running_ == 0; });
  }
  finish();
  for (const auto& recording : recordings_) {
    if (recording->error) {
      std::rethrow_exception(recording->error);
    }
    recording->journal->sync();
  }
}

void Recorder::finish() {
  if (std::exchange(finished_, true)) {
    return;
  }
  for (const auto& recording : recordings_) {
    for (const auto& source : recording->sources) {
      source->stop();
    }
    recording->journal->close();
    if (recording->worker.joinable()) {
      recording->worker.join();
    }
  }
}

std::vector<Recorder::Stream> Recorder::report() const {
  std::vector<Stream> streams;
  for (const auto& recording : recordings_) {
    streams.push_back(recording->report);
  }
  return streams;
}

}  // namespace weir::runtime
