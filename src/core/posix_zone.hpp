// The POSIX TZ string that ends a zoneinfo file: the rule for all years after its last listed change.
// No state; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

/// When, in any year, the clock is set: a day rule and seconds of local time from that day's midnight.
struct YearlyChange {
  enum class Kind : std::uint8_t {
    month_week_day,  ///< Mm.w.d: weekday d (0 is Sunday) of week w (5 is the last) of month m
    julian_no_leap,  ///< Jn: day 1 … 365, 29 February never counted
    zero_based_day   ///< n: day 0 … 365
  };
  Kind kind = Kind::month_week_day;
  unsigned month = 0, week = 0, day = 0;
  std::int64_t seconds = 2 * 3600;
};

/// Offsets are in seconds east of UTC.
struct PosixZone {
  std::int64_t standard_offset = 0;
  std::int64_t daylight_offset = 0;
  bool daylight = false;  ///< the zone has daylight saving time
  YearlyChange begin, end;

  /// @brief The instant, in seconds since the epoch, at which daylight saving time begins or ends in a year.
  [[nodiscard]] std::int64_t daylight_begins(std::int64_t year) const noexcept;
  [[nodiscard]] std::int64_t daylight_ends(std::int64_t year) const noexcept;
};

/// @brief Reads "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX.1 TZ, with RFC 8536's hours from -167 to 167); nothing when it is
/// none. Daylight saving time without a rule is refused: POSIX leaves its days to the implementation.
std::optional<PosixZone> parse_posix_zone(std::string_view text) noexcept;

}  // namespace weir
