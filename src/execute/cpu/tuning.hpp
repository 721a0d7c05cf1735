// How the CPU backend divides its work.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::execute::cpu {

/// Sizes that decide how work is divided, never what comes out of it. Tests make them small.
struct Tuning {
  /// Readings that a pane takes before another layer is begun: cells count in 32 bits.
  std::uint64_t pane_rows = 0xFFFF'FFFF;
  /// Rows that are worth another worker: about ten microseconds of work.
  std::uint32_t rows_per_worker = 8192;
  /// Groups that are worth another worker when a window closes.
  std::uint32_t groups_per_worker = 2048;
  /// Shadows that one worker may have at once; rows of further panes wait for the engine's thread. Enough for streams
  /// whose disorder spans some panes; a bound, so that memory can be estimated.
  std::size_t shadows_per_worker = 8;
  /// Bytes of a pane from which on a checkpoint encodes it later.
  std::size_t deferred_pane = std::size_t{256} << 10U;
};

}  // namespace weir::execute::cpu
