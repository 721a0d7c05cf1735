// The clock of arrival: wall-clock time that never goes back and never stands still.
#pragma once

#include <cstdint>

namespace weir {

/// @brief Nanoseconds since the Unix epoch. Follows the wall clock, also when that is set forward; when it is set back,
/// goes on at its own rate from where it was, so that batch intervals and windows in arrival time go on too. One clock
/// for the whole process. Any thread.
std::int64_t arrival_clock_ns() noexcept;

/// @brief The clock stands at `ns` at least from now on: where an earlier life of the pipeline had come to.
void raise_arrival_clock(std::int64_t ns) noexcept;

}  // namespace weir
