// What a backend (CPU, CUDA, the naive one of the tests) implements: panes of integers for each query.
//
// The backend-independent QueryRunner (query_runner.hpp) decides where a batch is cut: rows between two cuts see the
// same set of closed windows, so within accumulate() order does not matter and a backend may use any number of threads.
// Calls come from the engine's thread only. A backend may work asynchronously between begin() and finish(): the
// columns stay untouched until finish() returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "core/exact.hpp"
#include "core/int128.hpp"
#include "execute/extent.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"
#include "state/serial.hpp"

namespace weir::execute {

/// The group of a key that has none: the query's max_groups were already taken. Its readings count as filtered, after
/// the filter and before lateness are asked.
inline constexpr std::uint32_t kNoGroup = 0xFFFF'FFFF;

/// Horizon::closed_end and late_before while the stream has no watermark: nothing is closed, nothing is late. The one
/// value that is no multiple of the pane.
inline constexpr std::int64_t kNothingClosed = std::numeric_limits<std::int64_t>::min();

/// Bytes of panes' cells that save() leaves to be encoded later at most.
inline constexpr std::uint64_t kMostDeferred = std::uint64_t{256} << 20U;

/// How the numbers of a pane are stored. Checkpoints of both are read, the second is written.
enum class PaneNumbers : std::uint8_t {
  fixed = 1,  ///< each in 4, 8 or 16 bytes
  compact     ///< differences and small numbers in few bytes
};

/// What the query's key ids mean, kept by GroupTable for all backends. Arrays grow only between batches.
struct GroupView {
  const std::uint32_t* group_of = nullptr;         ///< [key id] → group id or kNoGroup; nullptr: one group, id 0
  std::uint32_t keys = 0;                          ///< key ids known
  std::uint32_t groups = 0;                        ///< group ids known
  std::span<const std::uint8_t* const> key_tests;  ///< one table [key id] → 0/1 for each QueryPlan::key_tests
  std::span<const std::uint64_t* const>
      key_hashes;  ///< [schema key] → table [key id] → hash of that key's text; nullptr where no distinct() needs it
  std::span<const std::uint8_t* const> having_tests;  ///< one table [group id] → 0/1 for each having_key_tests
};

/// Rows [begin, end) of a batch.
struct RowRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// What is closed during one accumulate(). All instants are multiples of the pane, or kNothingClosed.
///
/// A reading at t is asked, in this order:
///  1. where: anything but 1.0, or a key without a group: filtered.
///  2. the gap, only when slide > window: t is in no window when floor_mod(t + window, slide) >= window, which holds
///  for
///     all of a pane or for none of it: filtered. (The last window end after t is floor((t + window)/slide)·slide; t is
///     in a gap when that end is not after t.)
///  3. t < late_before: late. Otherwise it is counted in its pane, also when some of its windows are closed.
/// With X the end of the last window that is closed for good, late_before = X + slide - window: of the readings before
/// it, every window has ended. X = closed_end without allowed_lateness, earlier with it.
struct Horizon {
  std::int64_t closed_end = kNothingClosed;   ///< windows with end <= closed_end were emitted
  std::int64_t late_before = kNothingClosed;  ///< readings with time < late_before are late
  /// Per-batch queries: every row belongs to the pane that starts here, whatever its event time; none is late or in a
  /// gap. Starts are numbered intervals, not instants: the end of an interval is known only after its readings.
  bool single_pane = false;
  std::int64_t single_pane_start = 0;
};

/// A reading of an already closed window that is kept for its revisions (allowed_lateness): it was counted and its time
/// is before closed_end.
struct Straggler {
  std::int64_t pane_start;
  std::uint32_t group;
};

struct StepCounts {
  std::uint64_t counted = 0;
  std::uint64_t filtered = 0;
  std::uint64_t late = 0;
};

/// Sparse log-linear histogram bins of one group and argument: bin → count, ascending bins (ops/quantile_bins.hpp).
struct QuantileBins {
  std::vector<std::pair<std::int32_t, std::uint64_t>> bins;
};

/// The integers of one argument for one group and window. Only the parts that the plan asks for are set.
struct ArgumentTotal {
  // What most queries ask for comes first and together: a window has as many of these as groups.
  Int128 sum = 0;
  std::uint64_t count = 0;                       ///< non-null values (always set)
  std::int64_t min = 0, max = 0;                 ///< valid when count > 0
  std::int64_t first_time = 0, first_value = 0;  ///< likewise
  std::int64_t last_time = 0, last_value = 0;
  UInt192 squares;
};

/// A closed window as integers, in columns; one entry a group that has readings, ascending group ids. A backend may
/// leave out groups whose row `having` refuses, but not from a revision, whose rows are numbered.
struct WindowTotals {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  bool revision = false;  ///< answer to revise(); may then hold groups without readings
  bool refused = false;   ///< there are groups with readings that were left out
  std::vector<std::uint32_t> groups;
  std::vector<std::uint64_t> counts;     ///< readings, per entry
  std::vector<ArgumentTotal> arguments;  ///< [entry * arguments + argument]
  std::vector<QuantileBins>
      quantiles;  ///< [entry * quantile arguments + q], q in order of the arguments with kPartQuantile
  std::vector<std::uint64_t> distincts;  ///< [entry * distinct aggregates + d]: estimate (ops/hyperloglog.hpp)
  void clear() noexcept;
};

class WindowConsumer {
 public:
  virtual ~WindowConsumer() = default;
  /// @brief Windows and revisions in the order of the calls that asked for them: exactly one call for each close() and
  /// revise(), also when no group has readings. `totals` is valid during the call.
  virtual void window(const WindowTotals& totals) = 0;
};

/// The panes of one query on one backend.
class QueryPanes {
 public:
  virtual ~QueryPanes() = default;

  /// @brief The following calls are about this batch. `groups` covers every key id in it.
  virtual void begin(const batch::Batch& batch, const GroupView& groups) = 0;
  /// @brief Filters rows, finds pane and group, accumulates, in the order of questions of Horizon.
  /// Readings in [late_before, closed_end) enter their pane and everything derived from it that is still open.
  virtual void accumulate(RowRange rows, const Horizon& horizon) = 0;
  /// @brief Totals of window [end - window, end) go to the consumer, at the latest in finish(); then the window slides:
  /// called with ascending ends, one slide apart or further (over a gap in which every pane is empty).
  /// @param keep_from panes that start before it are no longer needed and are recycled.
  virtual void close(std::int64_t end_ns, std::int64_t keep_from) = 0;
  /// @brief Appends the stragglers since the last call, duplicates allowed; waits for outstanding work. Only called
  /// when allowed_lateness > 0.
  virtual void take_stragglers(std::vector<Straggler>& out) = 0;
  /// @brief Totals of an already closed window for these groups (ascending), from its panes, which are still kept.
  virtual void revise(std::int64_t end_ns, std::span<const std::uint32_t> groups) = 0;
  /// @brief Waits until everything since begin() is done; adds to `counts`; appends the rows that were late, ascending,
  /// at most `late_rows_limit` of them. begin() may follow for the rest of the same batch: that is how the runner looks
  /// at occupied() before it jumps over a gap.
  virtual void finish(StepCounts& counts, std::vector<std::uint32_t>& late_rows, std::size_t late_rows_limit) = 0;

  /// @brief Start of the oldest and end of the newest kept pane that holds a reading; false when none does. Panes
  /// before keep_from of the last close() do not show. Between finish() and begin().
  [[nodiscard]] virtual bool occupied(std::int64_t& first_start, std::int64_t& last_end) const = 0;

  /// @brief Writes all panes in the backend-neutral form of execute/pane_codec.hpp, a chunk for each pane whose version
  /// is the number of readings in it: panes only ever grow. The chunks may be deferred. Between batches.
  virtual void save(state::SectionWriter& out) const = 0;
  /// @brief Replaces everything by what save() of any backend wrote; `closed_end` as in Horizon. @throws Error on
  /// damage.
  virtual void load(state::Reader& in, PaneNumbers numbers, std::int64_t closed_end, std::uint32_t groups) = 0;

  /// @brief Bytes of memory held now.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

struct MemoryNeed {
  std::uint64_t host_bytes = 0;
  std::uint64_t device_bytes = 0;
  /// On the host, not in host_bytes: the histograms of quantile() when the values of every group fill every bin.
  std::uint64_t histogram_bytes = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string name() const = 0;  ///< "cpu", "cuda:0", "naive"
  /// @brief One line for `weir devices`: model, memory, threads.
  [[nodiscard]] virtual std::string description() const = 0;
  /// @brief Memory for the batches' columns (page-locked with CUDA).
  virtual batch::ColumnMemory& column_memory() = 0;
  /// @brief The worst case of a query's state with max_groups groups: what a device's panes allocate when they are
  /// made.
  [[nodiscard]] virtual MemoryNeed worst_case(const plan::QueryPlan& query, const Extent& extent) const = 0;
  /// @brief Bytes of memory that the device has; 0 for a backend without a device.
  [[nodiscard]] virtual std::uint64_t device_memory() const { return 0; }
  /// @brief Calls piece(i) for each i below `pieces`, in any order and on any of the backend's host threads, and
  /// returns when all are done: for work on the host that belongs to nobody's panes. Not from inside a call to
  /// QueryPanes that has not yet called its consumer.
  virtual void run_pieces(std::size_t pieces, const std::function<void(std::size_t)>& piece) {
    for (std::size_t i = 0; i < pieces; ++i) piece(i);
  }
  /// @brief `query` and `consumer` must outlive the result. @throws Error when a device has no room for them.
  virtual std::unique_ptr<QueryPanes> make_panes(const plan::QueryPlan& query, WindowConsumer& consumer,
                                                 const Extent& extent) = 0;
};

/// @brief The CPU backend with `threads` threads (0: all cores).
std::unique_ptr<Backend> make_cpu_backend(unsigned threads);

/// What `weir devices` lists and `device = "auto"` chooses from.
struct BackendChoice {
  std::string name;
  bool available = false;
  std::string detail;  ///< description, or why it is not available
};
std::vector<BackendChoice> list_backends();

/// @brief The backend for `device` ("auto", "cpu", "cuda", "cuda:N"); `why` gets one line when auto fell back.
/// @throws ConfigError when the one asked for is not available.
std::unique_ptr<Backend> make_backend(const std::string& device, unsigned threads, std::string& why);

}  // namespace weir::execute
