// One thread's scratch for accumulate(): everything that a chunk of rows passes through, small enough for the L2 cache.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "execute/cpu/cpu_panes.hpp"

namespace weir::execute::cpu {

inline constexpr std::uint32_t kChunk = ops::kColumnRows;
using ChunkColumn = std::array<std::int64_t, kChunk>;

/// Panes that the rows of one chunk are sorted into at a time.
inline constexpr std::size_t kSlots = 64;
inline constexpr std::uint8_t kNoSlot = 0xFF;

struct alignas(64) CpuPanes::Worker {
  Worker(unsigned worker_id, std::size_t arguments, std::size_t registers_needed)
      : id(worker_id), values(arguments), derived(arguments), gathered(arguments), columns(arguments) {
    registers.reserve(registers_needed);
  }

  unsigned id;

  // The chunk: `first` is its first row; positions in it are [0, selected rows).
  std::uint32_t first = 0;
  std::array<std::uint32_t, kChunk> selected;      ///< position → offset of the row from `first`
  std::array<std::uint32_t, kChunk> groups;        ///< position → group
  const std::uint32_t* position_groups = nullptr;  ///< the same, or keys themselves; nullptr: all of group 0
  std::vector<const std::int64_t*> values;         ///< [argument] → its column from `first` on
  std::vector<ChunkColumn> derived;                ///< [argument] → units of a derived argument
  ops::ColumnRegisters registers;

  // The rows of one pane among them, when they are not the whole chunk.
  std::array<std::uint32_t, kChunk> offsets;
  std::array<std::uint32_t, kChunk> pane_groups;
  std::array<std::uint32_t, kChunk> pane_keys;
  ChunkColumn pane_times;
  std::vector<ChunkColumn> gathered;         ///< [argument]
  std::vector<const std::int64_t*> columns;  ///< [argument], what a RowSet points to

  // Sorting a chunk by pane.
  std::array<std::uint8_t, kChunk> slot_of;  ///< position → slot
  std::array<std::int64_t, kSlots> slot_start;
  std::array<std::uint32_t, kSlots> slot_rows;
  std::array<std::uint32_t, kChunk> positions;

  // The pane that it writes to, good for one accumulate().
  Pane* pane = nullptr;
  std::int64_t pane_start = 0;
  std::int64_t pane_last = 0;  ///< the last instant that belongs to it
  std::size_t shadows = 0;     ///< that it has now, in all panes

  // What it found.
  StepCounts counts;
  std::vector<std::uint32_t> late_rows;
  std::vector<std::uint32_t> deferred;  ///< rows that the engine's thread has to add: counted, but not added yet
};

}  // namespace weir::execute::cpu
