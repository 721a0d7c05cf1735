// A plant of simulated sensors: the same options give the same readings, to the byte, on every machine. Only integers
// are used, and a generator of its own, since the distributions of <random> differ between libraries.
//
// Sensor i of n is named "s" and its number in at least four digits, and stands in line A, B, C or D (i mod 4). The
// sensors report in turn, evenly spaced, so that each has rate_per_s / sensors readings a second. A reading:
//   t            event time, epoch milliseconds (with a fraction where one sensor reports more than 500 times a second)
//   temperature  °C, 3 decimal places: 20 plus up to 8 by sensor, a daily wave of 4 (warmest at 15:00 UTC), noise of
//   0.5 vibration    m/s, 6 places: about 0.003, skewed, ten times that in the occasional bad hour of a sensor power W,
//   2 places: 1500 to 1700 by sensor, a daily wave of 300, noise of 50 status       "ok", or "warn" in a bad hour
//
// A malformed payload, handed on in addition, is one of: a payload cut off in the middle, a number that is a word, a
// number that no 64-bit decimal holds, a payload without time, and plain noise.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "core/int128.hpp"
#include "spec/stream_spec.hpp"

namespace weir::source {

enum class Defect : std::uint8_t { none, cut_off, word_for_number, number_too_large, no_time, noise };
inline constexpr std::uint32_t kDefects = 5;

struct SimulatedReading {
  std::int64_t time_ns = 0;  ///< event time
  std::int64_t due_ns = 0;   ///< when it is handed on, on the clock of event time: time_ns plus its delay
  std::uint32_t sensor = 0;
  std::int64_t temperature = 0;  ///< units of 10^-3
  std::int64_t vibration = 0;    ///< units of 10^-6
  std::int64_t power = 0;        ///< units of 10^-2
  bool warning = false;
  bool duplicate = false;  ///< handed on before
  Defect defect = Defect::none;
};

/// One thread.
class Simulator {
 public:
  /// @param start_ns event time of the first reading where the options leave `start` empty
  /// @throws ConfigError on a start that is no time, no sensors, a rate that is not positive, a probability outside 0…1
  Simulator(const spec::Simulator& options, std::int64_t start_ns);

  /// @brief The next reading in the order in which they are handed on (that of due_ns); false at the end.
  /// `count` and `duration` bound the readings that the sensors take, before gaps, duplicates and malformed ones.
  bool next(SimulatedReading& reading);

  /// What was handed on so far, and what was left out.
  struct Totals {
    std::uint64_t readings = 0;  ///< well-formed ones, first copies
    std::uint64_t duplicates = 0;
    std::uint64_t malformed = 0;
    std::uint64_t gaps = 0;  ///< drawn so far, not handed on
    friend bool operator==(const Totals&, const Totals&) = default;
  };
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
  [[nodiscard]] std::int64_t start_ns() const noexcept { return start_ns_; }

 private:
  /// splitmix64 (Steele, Lea, Flood 2014; constants of Vigna's public-domain version).
  class Random {
   public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() noexcept { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
    /// @brief Uniform in [0, bound); bias below bound/2^64.
    std::uint64_t below(std::uint64_t bound) noexcept;
    /// @brief True with the probability threshold/2^64.
    bool chance(std::uint64_t threshold) noexcept { return (*this)() < threshold; }
    static std::uint64_t mix(std::uint64_t z) noexcept;

   private:
    std::uint64_t state_;
  };
  struct Waiting {
    SimulatedReading reading;
    std::uint64_t number;  // equal due times keep the order in which they were drawn
    friend bool operator>(const Waiting& a, const Waiting& b) {
      return a.reading.due_ns != b.reading.due_ns ? a.reading.due_ns > b.reading.due_ns : a.number > b.number;
    }
  };

  void draw();
  void measure(SimulatedReading& reading);
  [[nodiscard]] std::int64_t time_of(std::uint64_t reading) const noexcept;

  spec::Simulator options_;
  std::int64_t start_ns_ = 0;
  std::uint64_t micro_rate_ = 0;  // readings in a million seconds
  std::int64_t resolution_ns_ = 0;
  std::uint64_t gap_ = 0, duplicate_ = 0, malformed_ = 0;  // thresholds
  std::uint64_t drawn_ = 0;
  std::uint64_t waiting_number_ = 0;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
  Totals totals_;
};

}  // namespace weir::source
