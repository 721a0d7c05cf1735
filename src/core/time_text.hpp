// Event time as text: reading every form that semantics §1 names, printing RFC 3339.
//
// An instant is a signed 64-bit count of nanoseconds since the Unix epoch (years 1677 to 2262).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/local_clock.hpp"

namespace weir {

enum class TimeUnit : std::uint8_t {
  automatic,  ///< a number is taken by magnitude (s < 1e11 <= ms < 1e14 <= us < 1e17 <= ns) unless it has the digits of
              ///< a date (calendar_pattern), anything else is ISO 8601
  seconds,    ///< epoch, integer or decimal
  milliseconds,
  microseconds,
  nanoseconds,
  rfc3339,  ///< and the forms of ISO 8601 around it: a blank for 'T', no zone (then TimeReader's), no seconds, hours
            ///< alone, a date alone, a comma before the fraction, +0100 and +01, the basic form 20130831T220000Z
  format    ///< strptime-style
};

/// How event times are written.
struct TimeForm {
  TimeUnit unit = TimeUnit::automatic;
  std::vector<std::string> formats;  ///< for TimeUnit::format: the first one that fits counts
  std::string zone = "UTC";
  Overlap overlap = Overlap::first;
  Gap gap = Gap::before;
};

/// Reads event times of one declared form. Immutable after construction; any thread may call it. Copies share the zone
/// and the pattern.
class TimeReader {
 public:
  /// @param format strptime-style pattern, only for TimeUnit::format. Understood: %Y %m %d %H %M %S %f (fraction
  ///        digits) %y %j %b %B %e %I %p %z %Z(UTC|GMT only) %s %T %F %D %R %n %t %%, and literal text. Names are
  ///        English, whatever the locale. A pattern needs a year or %s.
  /// @param zone where text without a zone belongs: "UTC", "+02:00", or an IANA name such as "Europe/Berlin" (read
  ///        from the system's zoneinfo, $TZDIR or /usr/share/zoneinfo). A local time that occurs twice is the earlier
  ///        of the two; one that the clock skips is read with the offset from before the skip.
  /// @throws ConfigError on an unknown pattern letter or zone.
  explicit TimeReader(TimeUnit unit = TimeUnit::automatic, const std::string& format = {},
                      const std::string& zone = "UTC");
  explicit TimeReader(const TimeForm& form);

  /// @brief Nanoseconds since the epoch, or nothing when `text` is not a time of this form or is out of range. Decimal
  /// fractions are read exactly; digits below a nanosecond are cut off toward the past (floor). A leap second ":60" is
  /// read as the next second's 0; it is a time only at the end of a UTC day.
  /// @param order of who reads the times one after the other; needed where needs_order()
  [[nodiscard]] std::optional<std::int64_t> read(std::string_view text, LocalOrder* order = nullptr) const noexcept;
  [[nodiscard]] bool needs_order() const noexcept;

 private:
  struct Form;
  TimeUnit unit_;
  std::shared_ptr<const Form> form_;
};

/// @brief The strptime pattern of a text that is no likely epoch time but the digits of a date of this century
/// ("2025011900" gives "%Y%m%d%H"); empty for any other.
[[nodiscard]] std::string_view calendar_pattern(std::string_view text) noexcept;

/// @brief Appends "2013-08-31T22:00:00Z", with only as many fraction digits as needed.
void append_rfc3339(std::string& out, std::int64_t ns);

/// @brief The wall clock now, nanoseconds since the epoch.
std::int64_t wall_clock_ns() noexcept;

}  // namespace weir
