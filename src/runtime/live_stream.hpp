// One stream of a live run: its journal, its sources, and the thread that tails the journal and decodes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "journal/journal.hpp"
#include "runtime/engine.hpp"
#include "runtime/record_feed.hpp"
#include "runtime/stream_feed.hpp"
#include "source/source.hpp"

namespace weir::runtime {

class LiveStream {
 public:
  /// @brief Opens the journal: a durable one in the pipeline's state_dir, or a queue in memory where it has none.
  /// @throws Error when the journal is damaged or cannot be written.
  LiveStream(const StreamFeed::Wiring& wiring, const StreamResume& resume);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  /// @brief Starts the worker, then the sources. @throws Error when a source cannot start.
  void start();
  /// @brief Sources stop; what they delivered is still decoded and handed to the engine; then the stream ends.
  void drain();
  /// @brief The engine is gone: give up at once. (A durable journal still takes what a broker has sent until then.)
  void abandon();
  /// @brief What went wrong while reading the journal, once the stream has ended.
  [[nodiscard]] std::exception_ptr error() const;
  /// @brief Why sources gave up, the others going on.
  [[nodiscard]] std::vector<std::string> failed_sources() const;
  [[nodiscard]] journal::Journal& journal() noexcept { return *journal_; }

 private:
  void work();
  void keep_synced();
  void end_syncer();
  void fail(std::exception_ptr error);

  StreamFeed::Wiring wiring_;
  std::int64_t interval_ns_;
  bool durable_;
  RecordFeed feed_;
  std::unique_ptr<journal::Journal> journal_;
  std::vector<std::unique_ptr<source::Source>> sources_;
  std::thread worker_;

  // journal_sync = "batch": a thread of its own syncs once a batch interval, so that decoding goes on meanwhile.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool sync_wanted_ = false;
  bool over_ = false;
  std::exception_ptr error_;
  std::vector<std::string> failed_sources_;
  std::thread syncer_;
};

}  // namespace weir::runtime
