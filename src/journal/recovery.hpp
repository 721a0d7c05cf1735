// What a journal's directory holds when it is opened, with every record from a number on verified, and what is to be
// done about what a crash left: the rest of an unfinished file removed, a torn end cut off, the last segment marked
// complete. Looking and doing are two steps: a start that is refused in between leaves the journal as it was.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "journal/durable_journal.hpp"
#include "journal/segment_format.hpp"

namespace weir::journal {

/// Something that a crash left and that put_in_order() changes.
struct Repair {
  enum class Kind : std::uint8_t {
    remove,    ///< the file
    complete,  ///< `bytes` of it hold records up to `end_number`
    truncate   ///< it is complete and has room behind it: `bytes` stay
  };
  Kind kind = Kind::remove;
  std::string path;
  SegmentHeader header{};
  std::uint64_t bytes = 0;
  std::uint64_t end_number = 0;
};

struct RecoveredSegments {
  std::vector<SegmentName> segments;  ///< all that are there, ascending; the ones to be read are complete
  std::uint64_t from = 0;             ///< first number to be read
  std::uint64_t next_number = 0;      ///< of the next record that is appended
  std::uint64_t bytes = 0;            ///< of the frames from `from` on
  std::int64_t newest_arrival_ns = std::numeric_limits<std::int64_t>::min();  ///< among these
  std::vector<std::string> unfinished;                                        ///< paths, to be removed
  std::vector<Repair> repairs;                                                ///< in their order
};

/// @brief Verifies, and changes nothing. Nobody else may have the directory open.
/// @throws Error as open_durable_journal() does
RecoveredSegments recover_segments(const DurableOptions& options, std::uint64_t from, Recovered& recovered);

/// @brief Does what was found to be done. @throws FileError; what was left undone is found again
void put_in_order(FileSystem& files, const std::string& directory, const RecoveredSegments& found);

}  // namespace weir::journal
