#include "runtime/ahead_watch.hpp"

#include <string>
#include <utility>

#include "core/instant.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "core/time_text.hpp"

namespace weir::runtime {

AheadWatch::AheadWatch(const spec::Stream& stream, const batch::KeyDictionary& keys)
    : stream_(stream), keys_(keys), tolerated_ns_(saturating_add(stream.out_of_order.count(), kTolerated)) {}

void AheadWatch::take(std::uint32_t key, std::int64_t time_ns, std::int64_t arrival_ns) {
  const std::int64_t ahead = saturating_subtract(time_ns, arrival_ns);
  if (ahead <= tolerated_ns_) {
    return;
  }
  if (keys_.generation() != generation_) {
    generation_ = keys_.generation();  // ids mean other sensors
    told_.clear();
  }
  if (const auto known = told_.find(key); known != told_.end()) {
    const bool was_right = saturating_subtract(arrival_ns, std::exchange(known->second, arrival_ns)) > kForgotten;
    if (was_right) {
      tell(key, time_ns, ahead);
    }
    return;
  }
  if (told_.size() == kMostSensors) {
    std::erase_if(told_, [arrival_ns](const auto& sensor) {
      return saturating_subtract(arrival_ns, sensor.second) > kForgotten;
    });
    if (told_.size() == kMostSensors) {
      if (!told_of_more_) {
        log::warn("stream '{}': more sensors than these {} have clocks that are ahead", stream_.name, kMostSensors);
      }
      told_of_more_ = true;
      return;
    }
    told_of_more_ = false;
  }
  told_.emplace(key, arrival_ns);
  tell(key, time_ns, ahead);
}

void AheadWatch::tell(std::uint32_t key, std::int64_t time_ns, std::int64_t ahead_ns) const {
  std::string sensor;
  for (std::size_t i = 0; i < stream_.schema.keys.size(); ++i) {
    sensor += (i == 0 ? " of " : ", ") + stream_.schema.keys[i].name + " = " + printable(keys_.value(key, i));
  }
  std::string time;
  append_rfc3339(time, time_ns);
  log::warn(
      "stream '{}': a reading{} is {} ahead of its arrival ({}): its clock is wrong. Its readings count, and windows "
      "close as the arrival clock passes them; set its clock",
      stream_.name, sensor, to_string(Duration(floor_multiple(ahead_ns, 1'000'000))), time);
}

}  // namespace weir::runtime
