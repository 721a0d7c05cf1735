// What kernels are given: plain structs of sizes and of pointers into the memory of one device. No ownership.
//
// "[n]" is the extent of an array. Rows are counted within a chunk, groups within a query.
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/address_space.hpp"
#include "kernels/cell.hpp"
#include "ops/evaluate.hpp"
#include "ops/hyperloglog.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::kernels {

/// The group of a row that has none; the same as execute::kNoGroup.
inline constexpr std::uint32_t kNoGroup = 0xFFFF'FFFF;

/// A sorted or hashed key that stands for "nothing here"; sorts behind every other.
inline constexpr std::uint64_t kNoKey = ~std::uint64_t{0};

/// Null in a column of 32-bit units.
inline constexpr std::int32_t kNarrowAbsent = std::numeric_limits<std::int32_t>::min();

// A column of a chunk in the narrowest encoding that is exact (execute/cuda/chunk_encoder.hpp chooses it).

/// Units of a field: 64-bit, or 32-bit with kNarrowAbsent for null.
struct FieldColumn {
  const void* data = nullptr;
  bool narrow = false;
  WEIR_HOST_DEVICE std::int64_t at(std::uint64_t row) const noexcept {
    const void* const there = in_device_memory(data);
    if (!narrow) return static_cast<const std::int64_t*>(there)[row];
    const std::int32_t value = static_cast<const std::int32_t*>(there)[row];
    return value == kNarrowAbsent ? ops::kAbsent : value;
  }
};

/// Event times: 64-bit, or base + unit · a 32-bit offset.
struct TimeColumn {
  const void* data = nullptr;  ///< nullptr: nobody asks for times
  bool narrow = false;
  std::int64_t base = 0;
  std::int64_t unit = 1;
  WEIR_HOST_DEVICE std::int64_t at(std::uint64_t row) const noexcept {
    if (!narrow) return static_cast<const std::int64_t*>(data)[row];
    // Unsigned, for the distance to the base may take all 64 bits.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) +
                                     static_cast<std::uint64_t>(unit) * static_cast<const std::uint32_t*>(data)[row]);
  }
};

/// A pane that rows of the chunk may fall into.
struct PaneTarget {
  std::int64_t start = 0;
  Word* cells = nullptr;          ///< [group][words]
  std::uint32_t* used = nullptr;  ///< becomes 1 with the first reading
  std::uint32_t slot = 0;
  std::uint32_t entered = 0;  ///< its readings are already in what is derived from panes
};

struct ArgumentView {
  ops::ProgramView program;  ///< only when field < 0
  double scale = 1.0;        ///< 10^places
  std::int32_t field = -1;
  std::uint32_t first_part = 0;  ///< in PlanView::parts
  std::uint32_t parts = 0;
};

enum class SketchKind : std::uint32_t { quantile, distinct };

struct SketchView {
  SketchKind kind = SketchKind::quantile;
  std::uint32_t source = 0;  ///< quantile: argument; distinct: key of the schema
};

/// What a query asks for, once on the device.
struct PlanView {
  ops::ProgramView where;
  const ArgumentView* arguments = nullptr;
  const Part* parts = nullptr;     ///< [part_count], those of an argument together; part 0 counts the readings
  const double* scales = nullptr;  ///< [field] → 10^places
  const SketchView* sketches = nullptr;
  std::uint32_t argument_count = 0;
  std::uint32_t part_count = 0;
  std::uint32_t words = 0;        ///< of a cell
  std::uint32_t front_words = 0;  ///< of a front
  std::uint32_t sketch_count = 0;
  std::int64_t pane_ns = 0;
  std::int64_t slide_ns = 0;
  std::int64_t window_ns = 0;
};

/// What the key ids mean.
struct KeyView {
  const std::uint32_t* group_of = nullptr;       ///< [key id]; nullptr: one group, 0
  const std::uint8_t* const* tests = nullptr;    ///< [test] → [key id]
  const std::uint64_t* const* hashes = nullptr;  ///< [schema key] → [key id]
};

/// The rows of a batch that one launch takes.
struct ChunkView {
  std::uint32_t rows = 0;
  std::uint32_t first_row = 0;  ///< in the batch
  TimeColumn times;
  const std::uint32_t* keys = nullptr;  ///< nullptr: nobody asks for keys
  const FieldColumn* fields = nullptr;  ///< [field]; those that nobody asks for hold nothing
  const PaneTarget* panes = nullptr;    ///< [pane_count], ascending starts
  std::uint32_t pane_count = 0;
};

/// Indices into StepView::counters.
enum Counter : std::uint32_t { kFiltered, kLate, kLateListed, kStragglers, kCounters };

/// A reading of a closed window that is kept for its revisions; as execute::Straggler.
struct StragglerEntry {
  std::int64_t pane_start;
  std::uint32_t group;
  std::uint32_t unused;
};

// Codes of sketches: a bin of a quantile, moved to start at 0, or (register, rank) of a HyperLogLog with the rank in
// the low bits, so that the last code of a register holds its largest rank. Above them the number of the sketch.
inline constexpr std::uint32_t kRankBits = 6;
inline constexpr std::uint32_t kSketchShift = 18;
static_assert(ops::kHllMaxRank < 1U << kRankBits && ops::kHllPrecision + kRankBits <= kSketchShift);
static_assert(2 * ops::kQuantileLastBin < 1 << kSketchShift);

/// Where the parts of a code's key lie: slot of the pane, group, code, from the high bits down.
struct CodeBits {
  std::uint32_t code = 0;
  std::uint32_t group = 0;
  WEIR_HOST_DEVICE std::uint64_t key(std::uint32_t slot, std::uint32_t group_id,
                                     std::uint32_t code_value) const noexcept {
    return (static_cast<std::uint64_t>(slot) << (group + code)) | (static_cast<std::uint64_t>(group_id) << code) |
           code_value;
  }
};

/// One pass over a chunk: filter, group, pane, accumulate.
struct StepView {
  PlanView plan;
  KeyView keys;
  ChunkView chunk;
  std::uint32_t groups = 0;

  // execute::Horizon
  std::int64_t late_before = 0;
  std::int64_t closed_end = 0;
  bool single_pane = false;
  bool keep_stragglers = false;

  std::uint64_t* counters = nullptr;     ///< [kCounters]
  std::uint32_t* late_rows = nullptr;    ///< room for every row since finish()
  StragglerEntry* stragglers = nullptr;  ///< room for every row since take_stragglers(), if they are kept
  std::uint8_t* dirty = nullptr;         ///< [group]: a reading entered a pane that had already been derived from

  // Scratch for what follows in further kernels; nullptr where nothing does.
  Word** row_cells = nullptr;      ///< [row] → its cell, nullptr for a row that is not counted
  std::uint64_t* codes = nullptr;  ///< [sketch][row] → key or kNoKey
  CodeBits code_bits;
  std::uint32_t group_bits = 0;        ///< so many have room for `groups` itself
  std::uint64_t* sort_keys = nullptr;  ///< [row] → (pane << group_bits) + group, or kNoKey
  std::uint32_t* sort_rows = nullptr;  ///< [row] → row
  bool narrow_sums = false;            ///< no sum of a block's rows can leave 64 bits
};

/// The sort-based way: rows in the order of their cells.
struct RunsView {
  StepView step;
  const std::uint64_t* keys = nullptr;  ///< [row], ascending
  const std::uint32_t* rows = nullptr;  ///< [row]
  std::uint32_t per_thread = 0;
};

/// Panes and what is derived from them, for all groups at once.
struct WindowView {
  PlanView plan;
  std::uint32_t groups = 0;
  const Word* const* panes = nullptr;  ///< cells of all live panes, ascending starts
  Word* const* fronts = nullptr;       ///< their fronts; nullptr entries where there is none
  // Positions in `panes`.
  std::uint32_t begin = 0;        ///< first pane of the window
  std::uint32_t entered = 0;      ///< panes before it have entered
  std::uint32_t end = 0;          ///< behind the last pane of the window
  std::uint32_t front_end = 0;    ///< panes before it are in the front stack
  std::uint32_t stay = 0;         ///< panes before it leave
  Word* running = nullptr;        ///< [group][words]: totals of invertible parts, backs of the others; nullptr: none
  std::uint8_t* dirty = nullptr;  ///< [group]
  bool rebuild = false;           ///< of every group
  bool flip = false;              ///< the back becomes the front
  // Result, dense.
  std::uint32_t* flags = nullptr;  ///< [group]: 1 where there are readings
  Word* totals = nullptr;          ///< [group][words]
};

/// Totals of panes [begin, end) without anything derived; of listed groups, or of all.
struct FoldView {
  PlanView plan;
  const Word* const* panes = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  const std::uint32_t* groups = nullptr;  ///< [size], nullptr: group i at i
  std::uint32_t size = 0;
  std::uint32_t* flags = nullptr;  ///< [size] 1 where there are readings; may be nullptr
  Word* totals = nullptr;          ///< [size][words]
};

/// What `having` makes of the words of a cell.
enum class ValueKind : std::uint8_t { count, sum, mean, value, range, stddev, variance };

/// An aggregate that `having` reads.
struct AggregateView {
  ValueKind kind = ValueKind::count;
  std::uint8_t least = 0;   ///< with fewer values it is null
  std::uint16_t count = 0;  ///< the word that counts the values
  std::uint16_t word = 0;   ///< sum, mean, stddev, variance: the sum; range: the minimum; value: itself
  std::uint16_t other = 0;  ///< stddev, variance: the squares; range: the maximum
  std::uint64_t unit = 1;   ///< 10^places
};

/// The groups of a closed window whose rows `having` keeps.
struct HavingView {
  ops::ProgramView program;
  const AggregateView* aggregates = nullptr;   ///< [aggregate of the plan]
  const std::uint8_t* const* tests = nullptr;  ///< [test] → [group]
  std::uint32_t groups = 0;
  std::uint32_t words = 0;
  const Word* totals = nullptr;      ///< [group][words]
  std::uint32_t* flags = nullptr;    ///< [group]: becomes 0 where the row is refused
  std::uint32_t* refused = nullptr;  ///< becomes 1 where one is
};

/// Dense totals to entries of the groups that have readings, ascending.
struct GatherView {
  std::uint32_t groups = 0;
  std::uint32_t words = 0;
  const std::uint32_t* flags = nullptr;      ///< [group]
  const std::uint32_t* positions = nullptr;  ///< [group], exclusive sums of flags
  const Word* totals = nullptr;              ///< [group][words]
  std::uint32_t* out_groups = nullptr;
  Word* out_totals = nullptr;
  std::uint32_t* out_size = nullptr;
};

/// Empty cells, or empty fronts.
struct EmptyView {
  PlanView plan;
  Word* cells = nullptr;
  std::uint64_t size = 0;  ///< cells or fronts
  bool fronts = false;
};

/// Where the codes of each pane begin in a sorted list of keys.
struct FindSlotsView {
  const std::uint64_t* keys = nullptr;  ///< [*size], ascending
  const std::uint64_t* size = nullptr;
  CodeBits bits;
  std::uint32_t slots = 0;
  std::uint64_t* bounds = nullptr;  ///< [slots + 1]: first position of the slot; the last one is behind all of them
};

/// Keys of codes lose their slot.
struct StripSlotsView {
  std::uint64_t* keys = nullptr;  ///< [size]
  std::uint64_t size = 0;
  CodeBits bits;
};

/// Takes the counts of one list from those of another that has all of its keys; both ascending, each key once.
struct SubtractCodesView {
  const std::uint64_t* keys = nullptr;  ///< [size]
  const std::uint64_t* counts = nullptr;
  std::uint64_t size = 0;
  const std::uint64_t* from_keys = nullptr;  ///< [from_size]
  std::uint64_t* from_counts = nullptr;
  std::uint64_t from_size = 0;
};

}  // namespace weir::kernels
