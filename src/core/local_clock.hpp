// Local time as a file has it: the zone, and what holds for the hour that its clock shows twice or leaves out.
//
// A LocalClock is immutable after construction; any thread may use it. A LocalOrder belongs to one reader of times.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/time_zone.hpp"

namespace weir {

/// Which of the two a local time is that occurs twice.
enum class Overlap : std::uint8_t {
  first,
  second,
  order  ///< the first, until local time goes back in the order of reading; from there on the second
};

/// What a local time is that never occurs.
enum class Gap : std::uint8_t {
  before,  ///< read with the offset from before the clock was set forward
  refused  ///< no time
};

/// Where the reading of local times stands, for Overlap::order.
struct LocalOrder {
  std::int64_t last = std::numeric_limits<std::int64_t>::min();  ///< local time of the last one that occurs twice
  bool second = false;                                           ///< it was the second one
};

class LocalClock {
 public:
  /// @throws ConfigError as TimeZone does
  explicit LocalClock(const std::string& zone, Overlap overlap = Overlap::first, Gap gap = Gap::before)
      : zone_(zone), overlap_(overlap), gap_(gap) {}
  explicit LocalClock(TimeZone zone) : zone_(std::move(zone)) {}

  [[nodiscard]] bool is_utc() const noexcept { return zone_.is_utc(); }
  /// @brief Whether to_utc() needs a LocalOrder.
  [[nodiscard]] bool needs_order() const noexcept { return overlap_ == Overlap::order; }

  /// @brief Seconds since the epoch; nothing where there is no such time. @param order may be nullptr where it is not
  /// needed, or where each time stands alone: then Overlap::order is the first
  [[nodiscard]] std::optional<std::int64_t> to_utc(std::int64_t local_seconds, LocalOrder* order) const noexcept {
    const TimeZone::Resolved resolved = zone_.resolve(local_seconds);
    if (resolved.skipped && gap_ == Gap::refused) return std::nullopt;
    if (!resolved.twice() || overlap_ == Overlap::first) return resolved.utc;
    if (overlap_ == Overlap::second) return resolved.later;
    if (order == nullptr) return resolved.utc;
    // Another overlap is half a year away, or lies before.
    const bool same_hour = order->last != std::numeric_limits<std::int64_t>::min() &&
                           local_seconds - order->last < kAnotherDay && order->last - local_seconds < kAnotherDay;
    order->second = same_hour && (order->second || local_seconds < order->last);
    order->last = local_seconds;
    return order->second ? resolved.later : resolved.utc;
  }

 private:
  static constexpr std::int64_t kAnotherDay = 86'400;

  TimeZone zone_;
  Overlap overlap_ = Overlap::first;
  Gap gap_ = Gap::before;
};

}  // namespace weir
