// Runs sealed batches through every query of their stream, hands result rows to the sinks, keeps the ledgers, writes
// and restores checkpoints. Everything here happens on one thread, the engine's, but report(), which any thread may
// call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch/key_dictionary.hpp"
#include "core/file_system.hpp"
#include "core/instant.hpp"
#include "execute/backend.hpp"
#include "execute/operator.hpp"
#include "execute/row_stream.hpp"
#include "execute/watermark.hpp"
#include "plan/plan.hpp"
#include "runtime/dedupe.hpp"
#include "runtime/key_ages.hpp"
#include "runtime/standstill_watch.hpp"
#include "runtime/stream_identity.hpp"
#include "sink/sink.hpp"
#include "state/checkpoint_store.hpp"
#include "state/ledger.hpp"

namespace weir::sink {
class DeadLetters;
}

namespace weir::runtime {

/// Result rows handed to the sinks at once: few enough to stay in the nearest caches, and to bound the table.
inline constexpr std::uint32_t kRowsAtOnce = 4096;

/// What went through, for the closing lines, status and tests.
struct Report {
  struct Stream {
    std::string name;
    state::StreamLedger ledger;
    std::uint32_t keys = 0;
    std::int64_t watermark_ns = execute::kNoWatermark;
    bool arrival_time = false;  ///< event time is the arrival
    SeenInstants times{};       ///< event times that were read since the start, also of what was refused or left out
  };
  struct Query {
    std::string name;
    state::QueryLedger ledger;
  };
  struct Sink {
    std::string name;
    state::SinkLedger ledger;
    std::uint64_t not_shown = 0;  ///< rows since the start that a console was too short for
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
  /// Where the state that was thrown away would have gone on in the journal; nothing: it was not.
  std::optional<std::uint64_t> discarded_at;
  /// How the sources changed; the journal must hold no message that is still to be read.
  std::vector<std::string> changes;

  std::vector<std::pair<std::uint32_t, batch::SourcePosition>> positions;
  std::int64_t interval_end_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t newest_arrival_ns = std::numeric_limits<std::int64_t>::min();
  batch::FeedState feed;                                ///< of a stream that reads a journal
  std::int64_t newest_time_ns = execute::kNoWatermark;  ///< the largest event time seen
  // Of a stream with key_ttl, see StreamFeed::set_key_clock().
  std::int64_t key_clock_ns = execute::kNoWatermark;
  std::int64_t next_key_release_ns = execute::kNoWatermark;
  bool ended = false;  ///< the input had ended: nothing is left to read
};

/// The head of a stream's section of a checkpoint; the key tuples, the watermark tracker and the dedupe table follow.
struct SavedStream {
  std::uint32_t version = 0;  ///< of the section
  std::string fingerprint;
  state::StreamLedger ledger;
  std::int64_t watermark_ns = execute::kNoWatermark;
  StreamResume resume;
  std::uint32_t keys = 0;
  std::optional<StreamIdentity> identity;  ///< nothing: saved by a version that did not tell
};
/// @throws Error on another version or cut-off bytes.
SavedStream read_saved_stream(state::Reader& in);

/// @throws ConfigError with the names there are, when `discard` has one that is neither a query's nor a stream's, of
/// the plan or of the checkpoint (nullptr: there is none).
void require_known_names(const plan::Plan& plan, const state::Checkpoint* checkpoint,
                         const std::vector<std::string>& discard);

/// What a start would find in a plan's state directory.
struct StateOutlook {
  std::uint64_t checkpoint = 0;    ///< that it would go on from; 0: it would begin with nothing
  std::vector<std::string> notes;  ///< as Engine::restore() returns them
};
/// @brief Looks at the newest good checkpoint, without the lock of the directory. @throws ConfigError as
/// Engine::restore()
StateOutlook look_at_state(const plan::Plan& plan, execute::Backend& backend);

class Engine {
 public:
  /// @param journals recordings by the name of the stream that is read from one instead of its sources
  /// @param files what outputs are read and written with; outlives it
  Engine(const plan::Plan& plan, execute::Backend& backend, sink::DeadLetters* dead_letters,
         const std::map<std::string, std::string>& journals = {}, FileSystem& files = real_file_system());
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// @brief Takes over a checkpoint, in memory alone. @param discard names of queries, and of streams with all their
  /// queries, whose saved state is thrown away @return what begins anew or is given up, one line each
  /// @throws ConfigError when a stream or a query is not what it was and is not discarded
  std::vector<std::string> restore(const state::Checkpoint& checkpoint, const std::vector<std::string>& discard);
  /// @brief Whether state begins anew or belongs to other sources than the restored checkpoint says, so that one has to
  /// be written before anything is received.
  [[nodiscard]] bool outdates_checkpoint() const noexcept { return outdates_checkpoint_; }
  /// @brief Whether the restored checkpoint has the stream; without one no stream is known.
  [[nodiscard]] bool knows(std::size_t stream) const { return streams_[stream]->known; }
  /// @brief Where the journal of a stream begins that goes on without its state.
  void set_next_record(std::size_t stream, std::uint64_t number) { streams_[stream]->resume.feed.next_record = number; }

  /// @brief Looks whether every sink can begin, or go on at its position in the checkpoint; nothing on a disk changes.
  /// @throws Error, ConfigError
  void prepare_sinks(const state::Checkpoint* checkpoint);
  /// @brief Opens the sinks; what was written after the checkpoint is cut off where it comes again.
  void open_sinks();

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

 private:
  struct Restoring;
  struct Stream {
    std::unique_ptr<batch::KeyDictionary> keys;
    std::unique_ptr<execute::WatermarkTracker> tracker;
    execute::WatermarkTrace trace;
    std::unique_ptr<Dedupe> dedupe;
    std::unique_ptr<KeyAges> ages;     ///< nullptr: keys are never released
    std::uint64_t key_generation = 0;  ///< how often some were
    bool forgotten_logged = false;
    StandstillWatch standstill;
    state::StreamLedger ledger;
    StreamResume resume;
    StreamIdentity identity;
    bool known = false;
    std::uint32_t key_count = 0;
    bool at_boundary = true;
  };
  struct Query {
    std::unique_ptr<execute::RowStream> rows;  ///< nullptr where no query reads them
    std::unique_ptr<execute::Operator> runs;
    std::unique_ptr<batch::ResultTable> table;
    std::vector<std::uint32_t> late_rows;  ///< of the batch at hand
  };
  [[nodiscard]] std::vector<const batch::ResultShape*> shapes_of(std::size_t sink) const;
  void run_query(std::size_t index, const batch::Batch& batch, const execute::WatermarkTrace& trace);
  void hand_rows_on(std::size_t index, bool end_of_input);
  void warn_of_forgotten(std::size_t stream);
  [[nodiscard]] std::int64_t late_before(std::size_t stream) const;
  [[nodiscard]] std::int64_t late_before_of(std::size_t query) const;
  void release_keys(std::size_t index);
  void write_rows(std::size_t index);
  void report_late(const std::vector<std::size_t>& queries, const batch::Batch& batch);
  [[nodiscard]] const batch::KeyDictionary& keys_of(const plan::QueryPlan& query) const;
  void publish_sinks();  // under report_mutex_
  void save_stream(std::size_t index, state::SectionWriter& section) const;
  void restore_stream(std::size_t index, const state::Checkpoint& checkpoint, Restoring& restoring);
  void load_stream(std::size_t index, state::Reader& in, SavedStream saved, Restoring& restoring);
  static void load_ages(Stream& stream, state::Reader& in, std::uint32_t version);
  void restore_query(std::size_t index, const state::Checkpoint& checkpoint, Restoring& restoring);
  void look_for_removed(const state::Checkpoint& checkpoint, Restoring& restoring);

  const plan::Plan& plan_;
  execute::Backend& backend_;
  sink::DeadLetters* dead_letters_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Query> queries_;
  std::vector<state::SinkLedger> sink_ledgers_;  // [sink]
  std::vector<std::unique_ptr<sink::Sink>> sinks_;
  std::vector<std::string> without_state_;  // queries whose rows after the checkpoint do not come again
  bool outdates_checkpoint_ = false;
  std::vector<std::uint32_t> late_rows_all_;
  std::string text_;
  mutable std::mutex report_mutex_;
  Report report_;
};

}  // namespace weir::runtime
