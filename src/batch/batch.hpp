// One buffer of readings in columns: what decoders fill and backends run over.
//
// A batch is owned by one thread at a time: the decoder fills it, seals it, hands it to the engine, which returns it to
// the pool. The columns lie in one allocation from the pool's memory (page-locked with CUDA), 64-byte aligned, and
// never move, so a backend can copy them asynchronously.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "batch/malformed.hpp"
#include "batch/message.hpp"
#include "core/instant.hpp"

namespace weir::batch {

/// Where the columns' memory comes from. Page-locked with CUDA, aligned otherwise.
class ColumnMemory {
 public:
  virtual ~ColumnMemory() = default;
  virtual void* allocate(std::size_t bytes) = 0;  ///< 64-byte aligned, zeroed; throws std::bad_alloc
  virtual void release(void* memory, std::size_t bytes) noexcept = 0;
};
ColumnMemory& host_column_memory();

/// From `row` on (up to the next run), readings came from `source`.
struct SourceRun {
  std::uint32_t row;
  std::uint32_t source;
};

/// A decision of the wall clock, placed between rows, before `row`. Made from what is recorded, so a replay repeats it.
struct Tick {
  enum class Kind : std::uint8_t {
    source_idle,      ///< `source` no longer holds the watermark back
    source_finished,  ///< likewise
    source_heard,     ///< `source` holds it back again, also if its readings turn out to be duplicates
    watermark,        ///< all sources are silent: the watermark is at least `instant_ns`
    arrival_clock  ///< the arrival clock stands at `instant_ns`: the watermark follows readings ahead of their arrival
  };
  std::uint32_t row;
  Kind kind;
  std::uint32_t source = 0;
  std::int64_t instant_ns = 0;
};

/// Row `row` has an event time beyond its arrival (live): it lifts the watermark no further than to `arrival_ns`.
struct AheadRow {
  std::uint32_t row;
  std::int64_t arrival_ns;
};

/// Before `row`, the interval that ends at `end_ns` of arrival time ended (per-batch queries close on it). Where a mark
/// is more than one interval after the one before it, the intervals in between had no reading.
struct IntervalEnd {
  std::uint32_t row;
  std::int64_t end_ns;
};

/// Where the decoding of a journal stands after a batch, so that a restart goes on there (semantics §7).
struct FeedState {
  struct Source {
    std::int64_t last_arrival_ns = 0;  ///< of a reading
    bool idle = false;
    bool finished = false;
    std::string decoder;  ///< what the decoder keeps between messages (Decoder::save)
  };
  std::uint64_t next_record = 0;  ///< number of the first record that is not in the batch or an earlier one
  std::int64_t clock_ns = std::numeric_limits<std::int64_t>::min();  ///< the arrival clock
  std::vector<Source> sources;                                       ///< one each source; empty: no journal is read
};

class Batch {
 public:
  Batch(std::size_t fields, std::uint32_t capacity, ColumnMemory& memory = host_column_memory());
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// @brief Empties the batch for its next use; keeps its memory.
  void clear() noexcept;

  // Columns: size() rows of them are valid.
  [[nodiscard]] std::int64_t* times() noexcept { return times_; }  ///< event time, ns since the epoch
  [[nodiscard]] std::uint32_t* keys() noexcept { return keys_; }   ///< id in the stream's KeyDictionary
  [[nodiscard]] std::int64_t* field(std::size_t i) noexcept { return fields_[i]; }  ///< units, kNullUnits where absent
  [[nodiscard]] const std::int64_t* times() const noexcept { return times_; }
  [[nodiscard]] const std::uint32_t* keys() const noexcept { return keys_; }
  [[nodiscard]] const std::int64_t* field(std::size_t i) const noexcept { return fields_[i]; }
  [[nodiscard]] std::size_t fields() const noexcept { return fields_.size(); }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
  void set_size(std::uint32_t size) noexcept { size_ = size; }
  /// @brief Keeps the rows whose flag is not 0, in order; the marks between rows move along.
  /// @param keep a flag for each row
  void keep_rows(std::span<const std::uint8_t> keep) noexcept;
  /// @brief Bytes of memory that a batch of this shape takes.
  static std::uint64_t bytes(std::size_t fields, std::uint32_t capacity) noexcept;

  // What goes with the rows.
  std::vector<SourceRun> runs;             ///< at least one when size() > 0; ascending rows
  std::vector<Tick> ticks;                 ///< ascending rows, row <= size()
  std::vector<IntervalEnd> interval_ends;  ///< ascending rows, row <= size()
  std::vector<AheadRow> ahead;             ///< ascending rows; few, but for a clock that is behind its sensors'
  std::uint32_t key_count = 0;             ///< the dictionary's size when sealed: every key here is below
  bool may_have_nulls = false;             ///< some field of some row may be kNullUnits
  bool end_of_input = false;               ///< after these rows every source has ended: close all windows
  // Ledger of what went into this batch (semantics §6): received = size() + malformed + shed at sealing.
  std::uint64_t received = 0;
  std::uint64_t shed = 0;
  std::uint64_t rounded = 0;  ///< fields that lost digits
  MalformedCounts malformed{};
  std::uint64_t payload_bytes = 0;
  // Where each source stands after the last row, when the batch ends at a message boundary.
  std::vector<std::pair<std::uint32_t, SourcePosition>> positions;
  FeedState feed;                   ///< written at each sealing; clear() leaves it, for it has texts
  bool at_message_boundary = true;  ///< a checkpoint may be taken after this batch
  std::int64_t newest_arrival_ns = std::numeric_limits<std::int64_t>::min();
  /// Before the first row and tick the arrival clock was set back to this instant: the stream's time begins anew there
  /// where it was ahead (semantics §4).
  std::optional<std::int64_t> clock_set_back_ns;
  /// The dictionary is full: after these rows, keys that are long silent are to be released (semantics §1).
  bool release_keys = false;
  std::int64_t next_key_release_ns = 0;  ///< with release_keys: not again before an event time of this
  std::int64_t newest_time_ns = std::numeric_limits<std::int64_t>::min();  ///< event time, of all readings so far
  /// Event times that were read, also of readings that were refused or that a replay leaves out: for people to see. Of
  /// the rows that are kept only sealing adds them.
  SeenInstants times_read{};
  /// End of the batch interval that is still open after the last row; the smallest int64 before the first.
  std::int64_t open_interval_end_ns = std::numeric_limits<std::int64_t>::min();

 private:
  ColumnMemory& memory_;
  void* block_ = nullptr;
  std::int64_t* times_ = nullptr;
  std::uint32_t* keys_ = nullptr;
  std::vector<std::int64_t*> fields_;
  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
};

}  // namespace weir::batch
