// A group's cell in a pane: count, sum and extremes of one argument.
//
// With sum and extremes a cell is 32 bytes: half a cache line, never straddling two. The count has 32 bits and the sum
// 96, which is exact for up to 2^32 - 1 readings; a pane that holds more is continued in another pane with the same
// start (pane.hpp), so nothing here has to look out for it.
#pragma once

#include <cstdint>

#include "ops/accumulate.hpp"

namespace weir::execute::cpu {

template <bool kSum, bool kExtremes>
struct CoreCell;

template <>
struct CoreCell<false, false> {
  std::uint32_t count = 0;
};
template <>
struct CoreCell<true, false> {
  std::int64_t low = 0;
  std::int32_t wraps = 0;
  std::uint32_t count = 0;
};
template <>
struct CoreCell<false, true> {
  ops::Extremes extremes;
  std::uint32_t count = 0;
  std::uint32_t unused = 0;
};
template <>
struct CoreCell<true, true> {
  std::int64_t low = 0;
  std::int32_t wraps = 0;
  std::uint32_t count = 0;
  ops::Extremes extremes;
};

/// Values in [-kNarrow, kNarrow): a pane's 2^32 - 1 readings of such values cannot overflow the low word of a sum.
inline constexpr std::int64_t kNarrow = std::int64_t{1} << 31;

/// @brief Adds values[i] to cells[groups[i]] with vector instructions, for values in the narrow range and cells that
/// never took another one. Stops at a value that is not.
/// @param ahead ask for cells so many rows ahead; 0: they are in the near caches
/// @return how many rows were added; 0 where the processor has no such instructions
std::uint32_t scatter_vectors(CoreCell<true, true>* cells, const std::uint32_t* groups, const std::int64_t* values,
                              std::uint32_t size, std::uint32_t ahead) noexcept;

}  // namespace weir::execute::cpu
