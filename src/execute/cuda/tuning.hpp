// Sizes that decide how work is divided, never what comes out of it. Tests make them small.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::execute::cuda {

/// How rows become cells (kernels/step.hpp).
enum class Accumulation : std::uint8_t { automatic, shared, global, sorted };

struct Tuning {
  Accumulation accumulation = Accumulation::automatic;
  /// Rows of one upload and launch: enough to fill a device, small enough that copies and kernels overlap.
  std::uint32_t chunk_rows = 1U << 17U;
  /// Sorted rows that one thread adds up.
  std::uint32_t rows_per_thread = 64;
  /// Entries of a window that are copied to the host at a time.
  std::uint32_t copy_entries = 1U << 16U;
  /// Codes of sketches that are collected before they are sorted: so many that a pass over a pane's codes pays.
  std::uint64_t pending_codes = std::uint64_t{1} << 20U;
  /// What memory is planned for, because it depends on the readings: different bins of a group within a pane (64 are an
  /// octave), different keys of a distinct() within a pane; within a window twice as many.
  std::uint32_t assumed_bins = 128;
  std::uint32_t assumed_keys = 100'000;
  /// Columns that are kept on the host, for the loss of the device, before the panes are copied back
  /// (fallback_panes.hpp).
  std::size_t keep_bytes = std::size_t{64} << 20U;
};

}  // namespace weir::execute::cuda
