// What a journal holds, printed for `weir inspect`: its segments with the verdict on their checksums, and records.
#pragma once

#include <cstdint>
#include <string>

namespace weir::app {

/// @brief Prints the segments of a journal, a directory or a single segment, and its first `records` records.
/// @return whether every checksum agrees and nothing is missing. @throws Error when it cannot be read
bool show_journal(const std::string& path, std::uint64_t records);

/// @brief As show_journal(), for every journal in the directories below `directory`; prints nothing where there is
/// none.
bool show_journals_below(const std::string& directory, std::uint64_t records);

}  // namespace weir::app
