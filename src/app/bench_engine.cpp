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
#include <memory>

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

// The slide stays, the window grows. A slide has 10 readings of each of 100 keys: as many windows are closed for each
// reading as in the first case above. The longest window keeps 86,400 panes, 420 MB.
constexpr StreamShape kSlidingShape{100, 10, 4'000, 6, 1};
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
    hand.on_rows = [](void* self, std::span<const HandRow> rows) {
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
      if (compared_ >= expected_.size()) {
        good_ = false;
        return;
      }
      const HandRow& expected = expected_[compared_];
      const auto number = [&](std::size_t column) { return exact_decimal_to_double(rows.value(i, column).units, 3); };
      const bool same = BenchEngine::key_of(rows.group(i, 0)) == expected.key &&
                        static_cast<std::uint64_t>(rows.value(i, 0).units) == expected.count &&
                        std::fabs(number(1) - expected.sum) <= 1e-9 * (std::fabs(expected.sum) + 1e3) &&
                        number(2) == expected.min && number(3) == expected.max;
      good_ = good_ && same;
    }
  }
  std::vector<HandRow> expected_;
  std::size_t compared_ = 0;
  bool good_ = true;
};

bool check(const Case& c, const std::vector<HandReading>& readings, unsigned threads) {
  EngineBlock columns(c.shape, readings);
  BenchEngine engine(c.shape, threads);
  HandCoded hand(c.shape.keys, c.shape.slide_s * 1'000, c.shape.window_s / c.shape.slide_s, threads);
  Check both(engine, hand);
  for (int block = 0; block < 3; ++block) {
    hand.run(readings, c.shape.seconds * 1'000);
    engine.run(columns);
    columns.repeat();
  }
  return both.good();
}

Measurement measure(const BenchOptions& options, const Case& c, const std::vector<HandReading>& readings,
                    unsigned threads) {
  EngineBlock columns(c.shape, readings);
  BenchEngine engine(c.shape, threads);
  HandCoded hand(c.shape.keys, c.shape.slide_s * 1'000, c.shape.window_s / c.shape.slide_s, threads);
  const auto run_hand = [&] { hand.run(readings, c.shape.seconds * 1'000); };
  // Until the ring of panes is full and the caches are warm.
  for (int block = 0; block < 3; ++block) {
    engine.run(columns);
    run_hand();
    columns.repeat();
  }
  std::vector<double> engine_rates;
  std::vector<double> hand_rates;
  std::vector<double> ratios;
  const auto count = static_cast<double>(readings.size());
  double spent = 0.0;
  while (spent < options.seconds || ratios.size() < 5) {
    double engine_s = 0.0;
    double hand_s = 0.0;
    // Who goes first takes turns, for the second one finds the machine as the first one left it.
    if (ratios.size() % 2 == 0) {
      engine_s = seconds_of([&] { engine.run(columns); });
      hand_s = seconds_of(run_hand);
    } else {
      hand_s = seconds_of(run_hand);
      engine_s = seconds_of([&] { engine.run(columns); });
    }
    engine_rates.push_back(count / engine_s);
    hand_rates.push_back(count / hand_s);
    ratios.push_back(hand_s / engine_s);
    columns.repeat();
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
  StreamShape shape = kSlidingShape;
  const std::vector<HandReading> readings = make_readings(shape);
  for (const unsigned threads : options.threads) {
    EngineBlock columns(shape, readings);
    std::vector<std::unique_ptr<BenchEngine>> engines;
    for (const std::uint32_t slides : kWindowSlides) {
      shape.window_s = slides * shape.slide_s;
      engines.push_back(std::make_unique<BenchEngine>(shape, threads));
    }
    // The longest window's front stack is built anew once in as many slides as it has: only over a whole such cycle
    // does a mean mean anything. One cycle fills the windows, the others are measured, all windows side by side.
    const std::uint32_t cycle = (kWindowSlides.back() * shape.slide_s + shape.seconds - 1) / shape.seconds;
    std::array<std::vector<double>, kWindowSlides.size()> rates;
    double spent = 0.0;
    for (int round = 0; round < 4 || spent < options.seconds * kWindowSlides.size(); ++round) {
      std::array<double, kWindowSlides.size()> took{};
      for (std::uint32_t block = 0; block < cycle; ++block) {
        for (std::size_t i = 0; i < engines.size(); ++i) {
          took[i] += seconds_of([&] { engines[i]->run(columns); });
        }
        columns.repeat();
      }
      for (std::size_t i = 0; i < engines.size() && round > 0; ++i) {
        rates[i].push_back(static_cast<double>(readings.size()) * cycle / took[i]);
        spent += took[i];
      }
    }
    for (std::size_t i = 0; i < engines.size(); ++i) {
      std::vector<double> ratios;
      for (std::size_t round = 0; round < rates[i].size(); ++round) {
        ratios.push_back(rates[i][round] / rates[0][round]);
      }
      Measurement result;
      result.benchmark = "sliding";
      result.name = fmt::format("window / slide = {}", kWindowSlides[i]);
      result.threads = threads;
      result.readings_per_s = median(rates[i]);
      result.reference = fmt::format("window / slide = {}", kWindowSlides[0]);
      result.reference_per_s = median(rates[0]);
      result.ratio = median(ratios);
      if (result.name.find(options.case_filter) != std::string::npos) {
        print(options, result);
      }
    }
  }
  return kDone;
}

}  // namespace weir::app
