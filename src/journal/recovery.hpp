// What a journal's directory holds when it is opened, with every record from a number on verified, and what a crash
// left put in order: the rest of an unfinished file removed, a torn end cut off, the last segment marked complete.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "journal/durable_journal.hpp"
#include "journal/segment_format.hpp"

namespace weir::journal {

struct RecoveredSegments {
  std::vector<SegmentName> segments;  ///< all that are there, ascending; the ones to be read are complete
  std::uint64_t from = 0;             ///< first number to be read
  std::uint64_t next_number = 0;      ///< of the next record that is appended
  std::uint64_t bytes = 0;            ///< of the frames from `from` on
  std::int64_t newest_arrival_ns = std::numeric_limits<std::int64_t>::min();  ///< among these
};

/// @brief Verifies and repairs. Nobody else may have the directory open.
/// @throws Error as open_durable_journal() does
RecoveredSegments recover_segments(const DurableOptions& options, std::uint64_t from, Recovered& recovered);

}  // namespace weir::journal
