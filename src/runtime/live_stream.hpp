// One stream of a live run: its journal, its sources, and the thread that tails the journal and decodes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/file_system.hpp"
#include "journal/journal.hpp"
#include "runtime/engine.hpp"
#include "runtime/record_feed.hpp"
#include "runtime/stream_feed.hpp"
#include "source/source.hpp"

namespace weir::runtime {

class LiveStream {
 public:
  /// @brief Looks at the journal: a durable one in the pipeline's state_dir, or a queue in memory where it has none.
  /// Nothing that is there is changed before begin().
  /// @param files what the journal is written with; outlives it
  /// @throws Error when the journal is damaged or cannot be written, ConfigError when it holds messages that the
  /// changed sources would misread.
  LiveStream(const StreamFeed::Wiring& wiring, StreamResume resume, FileSystem& files);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // A start: sources that can be refused come before what cannot be undone.
  enum class Group : std::uint8_t {
    waiting,   ///< what they read waits for begin()
    brokers,   ///< a message may come at once, and begins the journal
    receivers  ///< the user's own, which may wait for their first message to be taken: after begin()
  };
  /// @brief Starts these sources. @throws Error when one cannot start.
  void start(Group group);
  /// @brief Begins the journal and starts the worker. @throws Error
  void begin();
  /// @brief Number of the first record that is read; 0 without a durable journal.
  [[nodiscard]] std::uint64_t first_record() const noexcept { return first_record_; }
  /// @brief Sources stop; what they delivered is still decoded and handed to the engine; then the stream ends.
  void drain();
  /// @brief The engine is gone: give up at once. (A durable journal still takes what a broker has sent until then.)
  void abandon();
  /// @brief What went wrong while reading the journal, once the stream has ended.
  [[nodiscard]] std::exception_ptr error() const;
  /// @brief Why there is no source left, though the input is not at its end, once the stream has ended; empty: it is.
  [[nodiscard]] const std::string& gave_up() const noexcept { return gave_up_; }
  /// @brief Why sources gave up, the others going on.
  [[nodiscard]] std::vector<std::string> failed_sources() const;
  [[nodiscard]] journal::Journal& journal() noexcept { return *journal_; }

 private:
  void work();
  void keep_synced();
  void end_syncer();
  void fail(std::exception_ptr error);
  void look_at_journal(StreamResume& resume, std::vector<batch::SourcePosition>& positions, FileSystem& files);
  void refuse_unread(const StreamResume& resume) const;

  StreamFeed::Wiring wiring_;
  std::int64_t interval_ns_;
  bool durable_;
  std::uint64_t first_record_ = 0;
  std::optional<RecordFeed> feed_;
  std::unique_ptr<journal::Journal> journal_;
  std::vector<std::unique_ptr<source::Source>> sources_;
  std::thread worker_;
  std::string gave_up_;  // the worker's, until the stream has ended

  // journal_sync = "batch": a thread of its own syncs once a batch interval, so that decoding goes on meanwhile.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool sync_wanted_ = false;
  bool over_ = false;
  std::exception_ptr error_;
  std::atomic<bool> failed_ = false;  // error_ is set: what the worker asks for each record
  std::vector<std::string> failed_sources_;
  std::thread syncer_;
};

}  // namespace weir::runtime
