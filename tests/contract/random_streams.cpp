#include "contract/random_streams.hpp"

#include <algorithm>
#include <random>
#include <string>

namespace weir::contract {
namespace {

/// std distributions differ between standard libraries; the streams must not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(std::max<std::int64_t>(bound, 1)));
  }
  bool chance(double share) { return static_cast<double>(engine_() >> 11U) < share * 9007199254740992.0; }

 private:
  std::mt19937_64 engine_;
};

std::string numbered(char letter, std::int64_t number) {
  return letter + std::to_string(number);
}

}  // namespace

std::vector<oracle::Event> random_stream(const StreamShape& shape) {
  Random random(shape.seed);
  std::vector<oracle::Event> events;
  std::int64_t now = shape.start;
  for (std::size_t i = 0; i < shape.readings; ++i) {
    if (random.chance(shape.jump_share)) now += 1000 * shape.mean_step;
    if (random.chance(shape.idle_share)) {
      oracle::Event idle;
      idle.kind = random.chance(0.8) ? oracle::Event::Kind::source_idle : oracle::Event::Kind::source_finished;
      idle.source = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(shape.sources)));
      events.push_back(idle);
    }
    if (random.chance(shape.tick_share)) {
      oracle::Event tick;
      tick.kind = oracle::Event::Kind::watermark;
      tick.instant = now + random.below(20 * shape.mean_step) - 10 * shape.mean_step;
      events.push_back(tick);
    }
    // Every fourth reading has the time of the one before it.
    if (random.below(4) != 0) now += random.below(8 * shape.mean_step / 3);
    std::int64_t behind = random.below(shape.disorder + 1);
    if (random.chance(shape.straggler_share)) behind += random.below(20 * (shape.disorder + shape.mean_step));

    const auto oldest_plug = static_cast<std::int64_t>(shape.new_plug_every == 0 ? 0 : i / shape.new_plug_every);
    oracle::Event event;
    event.reading.time = now - behind;
    event.reading.source = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(shape.sources)));
    event.reading.keys = {numbered('h', random.below(static_cast<std::int64_t>(shape.houses))),
                          numbered('a', random.below(static_cast<std::int64_t>(shape.households))),
                          numbered('p', oldest_plug + random.below(static_cast<std::int64_t>(shape.plugs)))};
    // Mostly small values, some near the limits of 64 bits, where sums and squares need their whole width.
    std::int64_t load = 0;
    if (random.chance(0.02)) {
      const std::int64_t distance = random.below(9'000'000'000'000'000'000);
      load = 9'000'000'000'000'000'000 - distance - distance;
    } else {
      load = random.below(2'000'000) - 700'000;
    }
    event.reading.fields = {load, random.chance(0.3) ? std::nullopt : std::optional(random.below(9000) - 1000)};
    events.push_back(std::move(event));
  }
  return events;
}

std::vector<std::size_t> random_split(std::size_t total, std::uint64_t seed) {
  constexpr std::size_t kEdges[] = {0, 1, 31, 32, 33, 1023, 1024, 1025};
  Random random(seed);
  std::vector<std::size_t> sizes;
  while (total > 0) {
    const std::size_t size = random.chance(0.5) ? kEdges[static_cast<std::size_t>(random.below(8))]
                                                : static_cast<std::size_t>(random.below(400));
    sizes.push_back(std::min(size, total));
    total -= sizes.back();
  }
  return sizes;
}

std::vector<std::size_t> coarse_split(std::size_t total, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::size_t> sizes;
  while (total > 0) {
    sizes.push_back(std::min(total, static_cast<std::size_t>(1 + random.below(40'000))));
    total -= sizes.back();
  }
  return sizes;
}

}  // namespace weir::contract
