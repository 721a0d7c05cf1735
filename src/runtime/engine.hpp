// Runs sealed batches through every query of their stream, hands result rows to the sinks, keeps the ledgers, writes
// and restores checkpoints. Everything here happens on one thread, the engine's, but report(), which any thread may
// call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "batch/key_dictionary.hpp"
#include "execute/backend.hpp"
#include "execute/query_runner.hpp"
#include "execute/reading_runner.hpp"
#include "execute/watermark.hpp"
#include "plan/plan.hpp"
#include "runtime/dedupe.hpp"
#include "sink/sink.hpp"
#include "state/checkpoint_store.hpp"
#include "state/ledger.hpp"

namespace weir::sink {
class DeadLetters;
}

namespace weir::runtime {

/// What went through, for the closing lines, status and tests.
struct Report {
  struct Stream {
    std::string name;
    state::StreamLedger ledger;
    std::uint32_t keys = 0;
    std::int64_t watermark_ns = execute::kNoWatermark;
  };
  struct Query {
    std::string name;
    state::QueryLedger ledger;
  };
  struct Sink {
    std::string name;
    state::SinkLedger ledger;
  };
  std::vector<Stream> streams;
  std::vector<Query> queries;
  std::vector<Sink> sinks;
  std::uint64_t payload_bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t checkpoints = 0;
  [[nodiscard]] bool balances() const noexcept;
};

/// What a stream's feed needs to go on after a restart.
struct StreamResume {
  std::vector<std::pair<std::uint32_t, batch::SourcePosition>> positions;
  std::int64_t interval_end_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t newest_arrival_ns = std::numeric_limits<std::int64_t>::min();
  batch::FeedState feed;  ///< of a stream that reads a journal
  bool ended = false;     ///< the input had ended: nothing is left to read
};

/// The head of a stream's section of a checkpoint; the key tuples, the watermark tracker and the dedupe table follow.
struct SavedStream {
  std::string fingerprint;
  state::StreamLedger ledger;
  std::int64_t watermark_ns = execute::kNoWatermark;
  StreamResume resume;
  std::uint32_t keys = 0;
};
/// @throws Error on another version or cut-off bytes.
SavedStream read_saved_stream(state::Reader& in);

class Engine {
 public:
  Engine(const plan::Plan& plan, execute::Backend& backend, sink::DeadLetters* dead_letters);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// @brief Opens the sinks for a start from nothing.
  void open();
  /// @brief Takes over a checkpoint. @param discard names of queries whose saved state is thrown away. @throws
  /// ConfigError when a stream's schema or a query changed and is not discarded.
  void restore(const state::Checkpoint& checkpoint, const std::vector<std::string>& discard);

  [[nodiscard]] batch::KeyDictionary& keys(std::size_t stream) { return *streams_[stream]->keys; }
  [[nodiscard]] const StreamResume& resume(std::size_t stream) const { return streams_[stream]->resume; }
  /// @brief The interval clock's state belongs to the checkpoint; the feed reports it with each batch's hand-over.
  void process(std::size_t stream, batch::Batch& batch);
  /// @brief False while some stream stands in the middle of a message.
  [[nodiscard]] bool at_boundary() const noexcept;
  /// @brief What changed since the checkpoint that the draft knows; the files of the sinks, which are flushed, are
  /// named in it.
  void checkpoint(state::CheckpointDraft& draft);
  void count_checkpoint();
  /// @brief Flushes and closes the sinks.
  void close();
  /// @brief Wakes a sink that waits for its peer; any thread.
  void interrupt();

  [[nodiscard]] Report report() const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Stream {
    std::unique_ptr<batch::KeyDictionary> keys;
    std::unique_ptr<execute::WatermarkTracker> tracker;
    execute::WatermarkTrace trace;
    std::unique_ptr<Dedupe> dedupe;
    state::StreamLedger ledger;
    StreamResume resume;
    std::uint32_t key_count = 0;
    bool at_boundary = true;
  };
  struct Query {
    std::unique_ptr<execute::QueryRunner> runner;      ///< nullptr for a query of readings
    std::unique_ptr<execute::ReadingRunner> readings;  ///< nullptr for a query that aggregates
    std::unique_ptr<batch::ResultTable> table;
    [[nodiscard]] const state::QueryLedger& ledger() const noexcept {
      return runner ? runner->ledger() : readings->ledger();
    }
  };
  [[nodiscard]] std::vector<const batch::ResultShape*> shapes_of(std::size_t sink) const;
  void write_rows(const plan::QueryPlan& plan, batch::ResultTable& table);
  void report_late(std::size_t stream, const batch::Batch& batch);
  void publish_sinks();  // under report_mutex_
  void save_stream(std::size_t index, state::SectionWriter& section) const;
  void load_stream(std::size_t index, state::Reader& in);

  const plan::Plan& plan_;
  execute::Backend& backend_;
  sink::DeadLetters* dead_letters_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Query> queries_;
  std::vector<state::SinkLedger> sink_ledgers_;  // [sink]
  std::vector<std::unique_ptr<sink::Sink>> sinks_;
  std::vector<std::uint32_t> late_rows_;
  std::vector<std::uint32_t> late_rows_all_;
  std::string text_;
  mutable std::mutex report_mutex_;
  Report report_;
};

}  // namespace weir::runtime
