// `weir bench engine`: the engine beside a hand-coded loop over the same readings in memory, alternately, with the same
// number of threads. `weir bench sliding`: what a reading costs while the window grows and the slide stays.
//
// Timed for the engine: watermark, cutting at window ends, panes, closing windows, exact result rows sorted by key.
// Timed for the loop: panes, closing windows, rows of doubles in key order. Not timed, for either: filling its columns
// or its structs. Results are compared before anything is measured.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>

#include "app/bench.hpp"
#include "app/bench_stream.hpp"
#include "app/command.hpp"
#include "core/exact.hpp"

namespace weir::app {
namespace {

struct Case {
  const char* name;
  StreamShape shape;
};

// Blocks of four million readings: 80 MB in columns, far more than any cache holds.
constexpr std::array<Case, 4> kCases{{{"10000 keys x 1 Hz", {10'000, 1, 400}},
                                      {"10000 keys x 10 Hz", {10'000, 10, 40}},
                                      {"100 keys x 100 Hz", {100, 100, 400}},
                                      {"100000 keys x 1 Hz", {100'000, 1, 40}}}};

// The slide stays, the window grows. A slide has 10 readings of each key.
constexpr std::array<std::uint32_t, 4> kWindowSlides{6, 60, 3'600, 86'400};

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Compares the windows of both, one after the other.
class Check {
 public:
  Check(BenchEngine& engine, HandCoded& hand) {
    hand.context = this;
    hand.on_window = [](void* self, std::span<const HandRow> rows) {
      auto& expected = static_cast<Check*>(self)->expected_;
      expected.insert(expected.end(), rows.begin(), rows.end());
    };
    engine.context = this;
    engine.on_rows = [](void* self, const batch::ResultTable& rows) { static_cast<Check*>(self)->compare(rows); };
  }
  /// @brief Whether every row of the engine is the hand-coded one, as far as a double can tell.
  [[nodiscard]] bool good() const noexcept { return good_ && compared_ > 0; }

 private:
  void compare(const batch::ResultTable& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i, ++compared_) {
      const HandRow& expected = expected_[compared_];
      const auto number = [&](std::size_t column) { return exact_decimal_to_double(rows.value(i, column).units, 3); };
      const bool same = BenchEngine::key_of(rows.group(i, 0)) == expected.key &&
                        static_cast<std::uint64_t>(rows.value(i, 0).units) == expected.count &&
                        std::fabs(number(1) - expected.sum) <= 1e-9 * (std::fabs(expected.sum) + 1e3) &&
                        number(2) == expected.min && number(3) == expected.max;
      good_ = good_ && compared_ < expected_.size() && same;
    }
  }
  std::vector<HandRow> expected_;
  std::size_t compared_ = 0;
  bool good_ = true;
};

bool check(const Case& c, const std::vector<HandReading>& readings, unsigned threads) {
  BenchEngine engine(c.shape, readings, threads);
  HandCoded hand(c.shape.keys, c.shape.slide_s * 1'000, c.shape.window_s / c.shape.slide_s, threads);
  Check both(engine, hand);
  for (int block = 0; block < 3; ++block) {
    hand.run(readings, c.shape.seconds * 1'000);
    engine.prepare();
    engine.run();
  }
  return both.good();
}

Measurement measure(const BenchOptions& options, const Case& c, const std::vector<HandReading>& readings,
                    unsigned threads) {
  BenchEngine engine(c.shape, readings, threads);
  HandCoded hand(c.shape.keys, c.shape.slide_s * 1'000, c.shape.window_s / c.shape.slide_s, threads);
  const auto run_hand = [&] { hand.run(readings, c.shape.seconds * 1'000); };
  // Until the ring of panes is full and the caches are warm.
  for (int block = 0; block < 3; ++block) {
    engine.prepare();
    engine.run();
    run_hand();
  }
  std::vector<double> engine_rates;
  std::vector<double> hand_rates;
  std::vector<double> ratios;
  const auto count = static_cast<double>(readings.size());
  double spent = 0.0;
  while (spent < options.seconds || ratios.size() < 5) {
    engine.prepare();
    double engine_s = 0.0;
    double hand_s = 0.0;
    // Who goes first takes turns, for the second one finds the machine as the first one left it.
    if (ratios.size() % 2 == 0) {
      engine_s = seconds_of([&] { engine.run(); });
      hand_s = seconds_of(run_hand);
    } else {
      hand_s = seconds_of(run_hand);
      engine_s = seconds_of([&] { engine.run(); });
    }
    engine_rates.push_back(count / engine_s);
    hand_rates.push_back(count / hand_s);
    ratios.push_back(hand_s / engine_s);
    spent += engine_s + hand_s;
  }
  Measurement result;
  result.benchmark = "engine";
  result.name = c.name;
  result.threads = threads;
  result.readings_per_s = median(engine_rates);
  result.bytes_per_s = result.readings_per_s * sizeof(HandReading);
  result.reference = "hand-coded loop";
  result.reference_per_s = median(hand_rates);
  result.ratio = median(ratios);
  return result;
}

}  // namespace

int bench_engine(const BenchOptions& options) {
  int code = kDone;
  for (const Case& c : kCases) {
    if (std::strstr(c.name, options.case_filter.c_str()) == nullptr) {
      continue;
    }
    const std::vector<HandReading> readings = make_readings(c.shape);
    for (const unsigned threads : options.threads) {
      if (!check(c, readings, threads)) {
        fmt::print(stderr, "weir: bench engine: wrong result: {}, {} threads\n", c.name, threads);
        code = kFailed;
        continue;
      }
      print(options, measure(options, c, readings, threads));
    }
  }
  return code;
}

int bench_sliding(const BenchOptions& options) {
  return kDone;
}

}  // namespace weir::app
