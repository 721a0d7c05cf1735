// A time zone: from a clock on the wall to UTC.
//
// Built once from the system's zoneinfo (TZif files, RFC 8536), immutable afterwards; any thread may call it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

class TimeZone {
 public:
  /// @param name "UTC", "+02:00", "-03:30", or an IANA name such as "Europe/Berlin", read from $TZDIR or
  ///        /usr/share/zoneinfo.
  /// @throws ConfigError when there is no such zone, or its file is damaged.
  explicit TimeZone(const std::string& name);

  /// @brief The zone in the content of a TZif file; `path` is for messages.
  /// @throws ConfigError when it is damaged.
  static TimeZone from_tzif(const std::string& path, const std::string& bytes);

  /// @brief Seconds since the epoch of a local time that is given as if it were UTC. A local time that occurs twice
  /// (the clock was set back) is the earlier of the two; one that never occurs (the clock was set forward) is read with
  /// the offset that was valid before the change.
  [[nodiscard]] std::int64_t to_utc(std::int64_t local_seconds) const noexcept { return resolve(local_seconds).utc; }

  /// What a local time stands for.
  struct Resolved {
    std::int64_t utc = 0;    ///< as to_utc() has it
    std::int64_t later = 0;  ///< of one that occurs twice, the second time; else utc
    bool skipped = false;    ///< it never occurs
    [[nodiscard]] bool twice() const noexcept { return later != utc; }
  };
  [[nodiscard]] Resolved resolve(std::int64_t local_seconds) const noexcept;

  [[nodiscard]] bool is_utc() const noexcept { return changes_.empty() && first_offset_ == 0; }

 private:
  TimeZone() = default;

  /// From the local time `local_from` on, as the rule in to_utc counts it, the offset holds.
  struct Change {
    std::int64_t local_from;
    std::int64_t offset;  ///< seconds east of UTC
  };
  std::int64_t first_offset_ = 0;
  std::vector<Change> changes_;  ///< ascending

  friend class ZoneFile;
};

}  // namespace weir
