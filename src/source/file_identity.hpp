// What a file is known by when it is opened again: bytes at its beginning and in front of a position, which do not
// change while it is only appended to.
#pragma once

#include <cstdint>
#include <optional>

namespace weir::source {

/// @brief XXH3-64 of the first and the last 4 KiB of the file's first `bytes` bytes. Nothing when it has fewer, or
/// cannot be read there.
std::optional<std::uint64_t> hash_of_ends(int file, std::uint64_t bytes);

}  // namespace weir::source
