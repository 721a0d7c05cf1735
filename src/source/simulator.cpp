#include "source/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "core/time_text.hpp"

namespace weir::source {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

// Salts that keep the independent properties of a sensor or a reading apart.
constexpr std::uint64_t kSensorSalt = 0x53656e736f72;
constexpr std::uint64_t kHourSalt = 0x486f7572;
constexpr std::uint64_t kFateSalt = 0x46617465;

constexpr std::int64_t kHalfDay = 43'200;  // seconds

/// sin(2π·seconds/86400)·10^6 by Bhaskara's rational approximation (7th century; error below 0.2 %), in integers.
std::int64_t daily_wave(std::int64_t seconds) noexcept {
  std::int64_t phase = seconds % (2 * kHalfDay);
  phase += phase < 0 ? 2 * kHalfDay : 0;
  const std::int64_t x = phase % kHalfDay;
  const std::int64_t p = x * (kHalfDay - x);
  const std::int64_t wave = 16 * p * 1'000'000 / (5 * kHalfDay * kHalfDay - 4 * p);
  return phase < kHalfDay ? wave : -wave;
}

std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) noexcept {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

/// A probability as a threshold for a uniform 64-bit number; multiplying by a power of two is exact.
std::uint64_t threshold(double probability, const char* name) {
  if (!(probability >= 0.0 && probability <= 1.0)) {
    throw ConfigError(fmt::format("simulator: {} = {} is not between 0 and 1", name, probability));
  }
  return probability >= 1.0 ? std::numeric_limits<std::uint64_t>::max()
                            : static_cast<std::uint64_t>(probability * 18446744073709551616.0);
}

}  // namespace

std::uint64_t Simulator::Random::mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

std::uint64_t Simulator::Random::below(std::uint64_t bound) noexcept {
  return static_cast<std::uint64_t>((UInt128{(*this)()} * bound) >> 64U);
}

Simulator::Simulator(const spec::Simulator& options, std::int64_t start_ns)
    : options_(options),
      start_ns_(start_ns),
      gap_(threshold(options.gap_probability, "gap_probability")),
      duplicate_(threshold(options.duplicate_probability, "duplicate_probability")),
      malformed_(threshold(options.malformed_probability, "malformed_probability")) {
  if (!options.start.empty()) {
    const std::optional<std::int64_t> start = TimeReader(TimeUnit::rfc3339).read(options.start);
    if (!start) {
      throw ConfigError(fmt::format("simulator: start = \"{}\" is not a time", options.start),
                        "write it as in \"2013-08-31T22:00:00Z\"");
    }
    start_ns_ = *start;
  }
  if (options.sensors == 0) {
    throw ConfigError("simulator: sensors = 0", "at least 1");
  }
  if (!(options.rate_per_s >= 1e-6 && options.rate_per_s <= 1e9)) {
    throw ConfigError(
        fmt::format("simulator: rate_per_s = {} is not between 0.000001 and 1000000000", options.rate_per_s));
  }
  micro_rate_ = static_cast<std::uint64_t>(std::llround(options.rate_per_s * 1e6));
  // Two readings of a sensor never share a time.
  const std::uint64_t per_sensor = micro_rate_ / options.sensors;
  resolution_ns_ = per_sensor <= 500'000'000 ? 1'000'000 : per_sensor <= 500'000'000'000 ? 1'000 : 1;
}

std::int64_t Simulator::time_of(std::uint64_t reading) const noexcept {
  const auto since_start = static_cast<std::int64_t>(UInt128{reading} * 1'000'000'000'000'000 / micro_rate_);
  return floor_divide(start_ns_ + since_start, resolution_ns_) * resolution_ns_;
}

bool Simulator::next(SimulatedReading& reading) {
  for (;;) {
    const std::int64_t time = time_of(drawn_);
    const bool more = (options_.count == 0 || drawn_ < options_.count) &&
                      (options_.duration.count() == 0 || time - time_of(0) < options_.duration.count());
    // Whatever is drawn later is due later, or at the same time with a larger number.
    if (!waiting_.empty() && (!more || waiting_.top().reading.due_ns <= time)) {
      break;
    }
    if (!more) {
      return false;
    }
    draw();
  }
  reading = waiting_.top().reading;
  waiting_.pop();
  ++(reading.defect != Defect::none ? totals_.malformed : reading.duplicate ? totals_.duplicates : totals_.readings);
  return true;
}

void Simulator::draw() {
  // Every reading has generators of its own, so that asking for gaps or disorder does not change what is measured.
  SimulatedReading reading;
  reading.time_ns = time_of(drawn_);
  reading.sensor = static_cast<std::uint32_t>(drawn_ % options_.sensors);
  measure(reading);
  Random fate(Random::mix(options_.seed ^ kFateSalt) ^ Random::mix(drawn_ * kGolden));
  ++drawn_;
  const auto hand_on = [&] {
    reading.due_ns = reading.time_ns +
                     static_cast<std::int64_t>(fate.below(static_cast<std::uint64_t>(options_.disorder.count()) + 1));
    waiting_.push({reading, waiting_number_++});
  };
  const bool gap = fate.chance(gap_);
  const bool duplicate = fate.chance(duplicate_);
  const bool malformed = fate.chance(malformed_);
  if (gap) {
    ++totals_.gaps;
  } else {
    hand_on();
    if (duplicate) {
      reading.duplicate = true;
      hand_on();
      reading.duplicate = false;
    }
  }
  if (malformed) {
    reading.defect = static_cast<Defect>(1 + fate.below(kDefects));
    hand_on();
  }
}

void Simulator::measure(SimulatedReading& reading) {
  Random random(Random::mix(options_.seed) ^ Random::mix((drawn_ + 1) * kGolden));
  const auto noise = [&](std::uint64_t amplitude) {  // the mean of four uniform values: nearly a bell
    std::uint64_t sum = 0;
    for (int i = 0; i < 4; ++i) {
      sum += random.below(2 * amplitude + 1);
    }
    return static_cast<std::int64_t>(sum / 4) - static_cast<std::int64_t>(amplitude);
  };
  const std::uint64_t sensor = Random::mix(options_.seed ^ kSensorSalt ^ (reading.sensor + 1) * kGolden);
  const std::int64_t seconds = floor_divide(reading.time_ns, 1'000'000'000);
  const std::int64_t wave = daily_wave(seconds - 9 * 3600);  // highest at 15:00
  const auto hour = static_cast<std::uint64_t>(floor_divide(seconds, 3600));
  reading.warning = Random::mix(sensor ^ kHourSalt ^ hour * kGolden) % 97 == 0;
  reading.temperature = 20'000 + static_cast<std::int64_t>(sensor % 8'001) + 4'000 * wave / 1'000'000 + noise(500);
  const auto skewed = static_cast<std::int64_t>(random.below(2'001));
  reading.vibration = (2'000 + skewed * skewed / 1'000) * (reading.warning ? 10 : 1);
  reading.power =
      150'000 + static_cast<std::int64_t>(sensor >> 32U) % 20'001 + 30'000 * wave / 1'000'000 + noise(5'000);
}

}  // namespace weir::source
