// Durations as users type them: "10ms", "1.5s", "1h30m".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

using Duration = std::chrono::nanoseconds;

/// @brief Reads one or more number+unit pairs (ns us µs ms s m/min h d w), summed; "0" alone is zero; nothing when it
/// is no duration, is finer than a nanosecond or does not fit. A leading '-' is refused.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

/// @brief A short spelling that parse_duration reads back to the same value: "1m30s", "250ms", "1.5s", "2w", "0s".
/// A negative duration, which only a message can show, gets a leading '-'.
std::string to_string(Duration duration);

/// @brief Reads a size in bytes: "64MiB", "1.5 GB", "4096". Units: B, kB to PB (powers of 1000), KiB to PiB (of 1024),
/// in any case; nothing when it is no size, no whole number of bytes or does not fit.
std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept;

/// @brief "12.3 MiB", "512 B".
std::string bytes_to_string(std::uint64_t bytes);

}  // namespace weir
