// `weir bench checkpoint`: the engine at full speed with a checkpoint every second of wall clock, beside the same
// engine without, alternately; and how long the state takes to load.
//
// A turn with checkpoints begins one, runs for a second and goes on until that checkpoint is on the disk, so that the
// background's work is never somebody else's time. The other engine then runs over as many readings. The two change
// places, as one's memory may lie better than the other's. Both must emit the same rows, and so must a third one that
// goes on from the last checkpoint.
#include <fmt/format.h>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/bench.hpp"
#include "app/bench_directory.hpp"
#include "app/bench_stream.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "state/checkpoint_store.hpp"

namespace weir::app {
namespace {

struct Case {
  const char* name;
  StreamShape shape;
};

constexpr std::array<Case, 2> kCases{{{"10000 groups", {10'000, 1, 400}}, {"1000000 groups", {1'000'000, 1, 10}}}};

constexpr double kInterval = 1.0;
// A machine that others share drifts by a tenth from one turn to the next, and what is looked for is three hundredths.
constexpr std::size_t kTurns = 24;
// Until the ring of panes is full and the caches are warm.
constexpr std::uint32_t kWarmSeconds = 80;

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// An engine, where it stands in the stream, and its rows as one number.
struct Runner {
  Runner(const StreamShape& shape, const std::vector<HandReading>& readings, unsigned threads)
      : engine(shape, threads), block(shape, readings) {
    engine.context = this;
    engine.on_rows = [](void* self, const batch::ResultTable& rows) { static_cast<Runner*>(self)->take(rows); };
  }
  void run(std::uint64_t blocks) {
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const double begin = now_s();
      engine.run(block);
      seconds += now_s() - begin;
      block.repeat();
    }
  }
  void take(const batch::ResultTable& rows) {
    // Every 16th row is enough to notice a difference, and costs little beside making them.
    for (std::size_t i = 0; i < rows.size(); i += 16) {
      for (std::size_t column = 0; column < 4; ++column) {
        digest = digest * 0x9E37'79B9'7F4A'7C15ULL + static_cast<std::uint64_t>(rows.value(i, column).units);
      }
    }
    digest += rows.size();
  }
  BenchEngine engine;
  EngineBlock block;
  double seconds = 0.0;  ///< spent in the engine since it was set to 0
  std::uint64_t digest = 0;
};

struct Outcome {
  Measurement measurement;
  double engine_thread_s = 0.0;  ///< median of what a checkpoint took of the engine's thread
  double interval_s = 0.0;       ///< from one to the next, mean
  double load_s = 0.0;
  std::uint64_t written = 0;  ///< bytes of chunks in all checkpoints but the first
  std::uint64_t loaded = 0;   ///< bytes of the sections
  bool good = true;
};

Outcome measure(const BenchOptions& options, const Case& c, const std::vector<HandReading>& readings,
                unsigned threads) {
  const BenchDirectory directory;
  state::CheckpointStore store(directory.path());
  std::array<Runner, 2> runners{Runner(c.shape, readings, threads), Runner(c.shape, readings, threads)};
  Runner* with = runners.data();
  Runner* without = runners.data() + 1;

  Outcome outcome;
  std::vector<double> drafting;
  std::vector<double> rates;
  std::vector<double> reference;
  std::vector<double> ratios;
  const auto count = static_cast<double>(readings.size());
  const auto checkpoint = [&] {
    const double begin = now_s();
    state::CheckpointDraft draft = store.draft();
    with->engine.save(draft);
    store.start_write(std::move(draft));
    drafting.push_back(now_s() - begin);
    with->seconds += drafting.back();
  };
  const auto finish = [&] {
    store.wait();
    const state::WriteResult result = store.poll().value();
    outcome.good = outcome.good && result.error.empty();
    return result.new_bytes + result.copied_bytes;
  };
  // The first one writes everything; that is no interval's cost.
  for (int i = 0; i < 2; ++i) {
    without->run(kWarmSeconds / c.shape.seconds + 1);
    std::swap(with, without);
    checkpoint();
    finish();
  }
  drafting.clear();
  std::uint64_t blocks = 1;
  double spent = 0.0;
  while (spent < options.seconds * 2 || ratios.size() < kTurns) {
    const auto run_with = [&] {
      with->seconds = 0.0;
      checkpoint();
      blocks = 0;
      do {
        with->run(1);
        ++blocks;
      } while (with->seconds < kInterval || store.busy());
      outcome.written += finish();
    };
    const auto run_without = [&] {
      without->seconds = 0.0;
      without->run(blocks);
    };
    // Who goes first takes turns; both go over the same readings in the end.
    const std::uint64_t before = blocks;
    const bool with_first = ratios.size() % 2 == 0;
    if (with_first) {
      run_with();
      run_without();
    } else {
      run_without();
      run_with();
    }
    const std::uint64_t blocks_without = with_first ? blocks : before;
    rates.push_back(count * static_cast<double>(blocks) / with->seconds);
    reference.push_back(count * static_cast<double>(blocks_without) / without->seconds);
    ratios.push_back(rates.back() / reference.back());
    spent += with->seconds + without->seconds;
    outcome.interval_s += with->seconds;
    without->run(blocks - std::min(blocks, blocks_without));
    with->run(blocks_without - std::min(blocks, blocks_without));
    // They stand at the same place, with the same state, so the next checkpoint may be the other's.
    if (!with_first) std::swap(with, without);
  }
  outcome.good = outcome.good && with->digest == without->digest && with->engine.rows() == without->engine.rows();
  outcome.engine_thread_s = median(drafting);

  checkpoint();
  finish();
  Runner again(c.shape, readings, threads);
  const double begin = now_s();
  std::vector<std::string> warnings;
  const auto loaded = store.load(warnings);
  again.engine.load(*loaded);
  outcome.load_s = now_s() - begin;
  for (const state::Section& section : loaded->sections) outcome.loaded += section.bytes.size();
  again.digest = with->digest;
  const std::uint64_t rows = with->engine.rows();
  const std::uint64_t more = 20 / c.shape.seconds + 1;
  while (again.block.batches()[0]->times()[0] < with->block.batches()[0]->times()[0]) again.block.repeat();
  with->run(more);
  again.run(more);
  outcome.good = outcome.good && with->digest == again.digest && with->engine.rows() - rows == again.engine.rows();

  outcome.measurement.benchmark = "checkpoint";
  outcome.measurement.name = c.name;
  outcome.measurement.threads = threads;
  outcome.measurement.readings_per_s = median(rates);
  outcome.measurement.reference = "no checkpoints";
  outcome.measurement.reference_per_s = median(reference);
  outcome.measurement.ratio = median(ratios);
  outcome.written /= drafting.size() - 1;
  outcome.interval_s /= static_cast<double>(ratios.size());
  return outcome;
}

void print_details(const BenchOptions& options, const Case& c, const Outcome& outcome) {
  if (options.json) {
    fmt::print(
        R"({{"benchmark":"checkpoint","case":"{}","threads":{},"engine_thread_s":{:.4g},"interval_s":{:.4g},"written_bytes":{},)"
        R"("state_bytes":{},"load_s":{:.4g}}})"
        "\n",
        c.name, outcome.measurement.threads, outcome.engine_thread_s, outcome.interval_s, outcome.written,
        outcome.loaded, outcome.load_s);
  } else {
    fmt::print("{:<10} {:.1f} ms of the engine's thread and {:.1f} MB every {:.2f} s; {:.1f} MB load in {:.3f} s\n", "",
               outcome.engine_thread_s * 1e3, static_cast<double>(outcome.written) / 1e6, outcome.interval_s,
               static_cast<double>(outcome.loaded) / 1e6, outcome.load_s);
  }
  std::fflush(stdout);
}

}  // namespace

int bench_checkpoint(const BenchOptions& options) {
  int code = kDone;
  for (const Case& c : kCases) {
    if (std::string(c.name).find(options.case_filter) == std::string::npos) {
      continue;
    }
    const std::vector<HandReading> readings = make_readings(c.shape);
    for (const unsigned threads : options.threads) {
      const Outcome outcome = measure(options, c, readings, threads);
      if (!outcome.good) {
        fmt::print(stderr, "weir: bench checkpoint: wrong result: {}, {} threads\n", c.name, threads);
        code = kFailed;
        continue;
      }
      print(options, outcome.measurement);
      print_details(options, c, outcome);
    }
  }
  return code;
}

}  // namespace weir::app
