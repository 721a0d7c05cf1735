#include "runtime/standstill_watch.hpp"

#include <string>

#include "core/duration.hpp"
#include "core/instant.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"

namespace weir::runtime {

void StandstillWatch::look(const spec::Stream& stream, const execute::WatermarkTracker& tracker,
                           const batch::FeedState& feed) {
  if (feed.sources.size() < 2 || told_ == tracker.watermark()) {
    return;
  }
  const std::optional<std::size_t> holder = tracker.holder();
  if (!holder) {
    return;
  }
  const std::int64_t silent = saturating_subtract(feed.clock_ns, feed.sources.at(*holder).last_arrival_ns);
  if (silent < kPatience) {
    return;
  }
  told_ = tracker.watermark();
  std::string at = "before everything";
  if (tracker.watermark() != execute::kNoWatermark) {
    at.clear();
    append_rfc3339(at, tracker.watermark());
  }
  log::warn(
      "stream '{}': the watermark stands at {} and no window closes, because source {} of {} has sent no reading for "
      "{}; {}",
      stream.name, at, *holder + 1, feed.sources.size(), to_string(Duration(floor_multiple(silent, 1'000'000'000))),
      stream.idle_timeout.count() == 0 ? "set idle_timeout to go on without it" : "idle_timeout will let it go");
}

}  // namespace weir::runtime
