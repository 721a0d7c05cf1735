// `weir bench recovery`: from the start of a pipeline that was killed to the moment when it has caught up: the newest
// checkpoint is loaded and the journal behind it read again.
//
// A pipeline takes in one reading of each group and stops, which writes a checkpoint; then the journal is continued, as
// by a run that was killed before its next checkpoint, with readings that arrive over ten seconds; when these are past,
// a pipeline starts on both. It has caught up when the last of the readings is counted, ten batches later.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/bench.hpp"
#include "app/bench_directory.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "core/time_text.hpp"
#include "journal/durable_journal.hpp"
#include "plan/plan.hpp"
#include "runtime/journals.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

constexpr std::uint64_t kGroups = 1'000'000;
constexpr std::uint64_t kReadingsPerSecond = 100'000;
constexpr std::uint64_t kSeconds = 10;
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::chrono::nanoseconds kBatchInterval = std::chrono::seconds(1);
constexpr std::int64_t kStartMs = 1'377'986'400'000;
constexpr std::size_t kTurns = 5;
constexpr std::size_t kBlockBytes = 64U << 10U;
constexpr std::chrono::seconds kDeadline{120};

using Clock = std::chrono::steady_clock;

/// Reading number `i` of the run, as a CSV line.
void append_line(std::string& text, std::uint64_t i) {
  fmt::format_to(std::back_inserter(text), "{},s{:06},{}.{:03}\n", kStartMs + static_cast<std::int64_t>(i / 1000),
                 i * 7919 % kGroups, i % 100, i % 1000);
}

spec::Pipeline pipeline_in(const std::string& directory, unsigned threads) {
  spec::Pipeline pipeline;
  pipeline.threads = threads;
  pipeline.device = "cpu";
  pipeline.state_dir = directory + "/state";
  pipeline.batch_interval = kBatchInterval;
  pipeline.checkpoint_interval = std::chrono::hours(1);
  spec::Stream stream;
  stream.name = "sensors";
  stream.schema.keys = {{"sensor", ""}};
  stream.schema.fields = {{"v", 3, "", true}};
  stream.time.field = "ts";
  stream.time.unit = TimeUnit::milliseconds;
  stream.out_of_order = std::chrono::minutes(1);
  stream.max_keys = kGroups;
  spec::Source source;
  source.kind = spec::SourceKind::directory;
  source.path = directory + "/in";
  source.format.kind = spec::FormatKind::csv;
  source.format.columns = {"ts", "sensor", "v"};
  stream.sources = {source};
  pipeline.streams = {stream};
  spec::Sink sink;
  sink.name = "none";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [](const batch::ResultTable&) {};
  pipeline.sinks = {sink};
  spec::Query query;
  query.name = "windows";
  query.from = "sensors";
  query.group_by = {"sensor"};
  query.select = {"count()", "sum(v)", "min(v)", "max(v)"};
  query.window = std::chrono::seconds(60);
  query.slide = std::chrono::seconds(10);
  query.max_groups = kGroups;
  query.sinks = {"none"};
  pipeline.queries = {query};
  return pipeline;
}

void wait_received(const runtime::Pipeline& pipeline, std::uint64_t readings) {
  const auto deadline = Clock::now() + kDeadline;
  while (pipeline.report().streams.front().ledger.received < readings) {
    if (Clock::now() > deadline) {
      throw Error("bench: the readings did not come through");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

void write_state(const std::string& directory, unsigned threads) {
  const std::string input = directory + "/in/first.csv";
  {
    std::string text;
    for (std::uint64_t i = 0; i < kGroups; ++i) {
      append_line(text, i);
    }
    std::ofstream(directory + "/first.csv", std::ios::binary) << text;
    std::filesystem::rename(directory + "/first.csv", input);
  }
  runtime::Pipeline pipeline(plan::compile(pipeline_in(directory, threads)), {});
  pipeline.start();
  wait_received(pipeline, kGroups);
  pipeline.request_stop();
  pipeline.wait();
  std::filesystem::remove(input);
}

struct Continued {
  std::uint64_t bytes = 0;
  std::int64_t end_ns = 0;  ///< instant of arrival before which all of it came
};

Continued continue_journal(const std::string& directory) {
  const spec::Pipeline spec = pipeline_in(directory, 1);
  journal::Recovered recovered;
  const auto journal = journal::open_durable_journal(runtime::journal_options(spec, spec.streams.front()),
                                                     journal::kJournalEnd, recovered);
  const std::int64_t begin_ns = wall_clock_ns();
  std::string text;
  Continued continued;
  for (std::uint64_t i = 0; i < kReadingsPerSecond * kSeconds; ++i) {
    append_line(text, kGroups + i);
    if (text.size() >= kBlockBytes || i + 1 == kReadingsPerSecond * kSeconds) {
      batch::MessageView message;
      message.payload = text;
      message.arrival_ns = begin_ns + static_cast<std::int64_t>(i * (kNanosecondsPerSecond / kReadingsPerSecond));
      journal->offer(message);
      continued.bytes += text.size();
      text.clear();
    }
  }
  continued.end_ns = begin_ns + static_cast<std::int64_t>(kSeconds * kNanosecondsPerSecond);
  return continued;
}

/// What a killed run left behind.
struct Killed {
  BenchDirectory directory;
  Continued journal;
};

struct Turn {
  double loaded_ms = 0;
  double caught_up_ms = 0;
};

Turn recover(const Killed& killed, unsigned threads) {
  plan::Plan plan = plan::compile(pipeline_in(killed.directory.path(), threads));
  const auto begin = Clock::now();
  runtime::Pipeline pipeline(std::move(plan), {});
  pipeline.start();
  const auto loaded = Clock::now();
  wait_received(pipeline, kGroups + kReadingsPerSecond * kSeconds);
  const auto caught_up = Clock::now();
  pipeline.request_stop();
  pipeline.wait();
  const auto ms = [begin](Clock::time_point at) {
    return std::chrono::duration<double, std::milli>(at - begin).count();
  };
  return {ms(loaded), ms(caught_up)};
}

void print_recovery(const BenchOptions& options, unsigned threads, std::uint64_t bytes,
                    const std::vector<Turn>& turns) {
  std::vector<double> loaded_ms;
  std::vector<double> caught_up_ms;
  for (const Turn& turn : turns) {
    loaded_ms.push_back(turn.loaded_ms);
    caught_up_ms.push_back(turn.caught_up_ms);
  }
  const auto [least, most] = std::minmax_element(caught_up_ms.begin(), caught_up_ms.end());
  if (options.json) {
    fmt::print(
        R"({{"benchmark":"recovery","case":"{} groups, {} readings","threads":{},"ms":{:.4g},"least_ms":{:.4g},"most_ms":{:.4g},"load_ms":{:.4g}}})",
        kGroups, kReadingsPerSecond * kSeconds, threads, median(caught_up_ms), *least, *most, median(loaded_ms));
    fmt::print("\n");
  } else {
    fmt::print(
        "recovery {} groups, {} s of journal at {} readings/s ({:.1f} MB), {} thread{}: {:.0f} ms ({:.0f} to {:.0f}), "
        "{:.0f} of them until the state is loaded and the journal verified\n",
        kGroups, kSeconds, kReadingsPerSecond, static_cast<double>(bytes) / 1e6, threads, threads == 1 ? "" : "s",
        median(caught_up_ms), *least, *most, median(loaded_ms));
  }
  std::fflush(stdout);
}

}  // namespace

int bench_recovery(const BenchOptions& options) {
  for (const unsigned threads : options.threads) {
    std::array<Killed, kTurns> all;
    for (Killed& killed : all) {
      std::filesystem::create_directory(killed.directory.path() + "/in");
      write_state(killed.directory.path(), threads);
      killed.journal = continue_journal(killed.directory.path());
    }
    // A message is not from the future, and the restart's own instant ends the last batch.
    while (wall_clock_ns() < all.back().journal.end_ns + kBatchInterval.count()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::vector<Turn> turns;
    turns.reserve(all.size());
    for (const Killed& killed : all) {
      turns.push_back(recover(killed, threads));
    }
    print_recovery(options, threads, all.front().journal.bytes, turns);
  }
  return kDone;
}

/// What it costs to lose nothing: all three in one run.
int bench_durability(const BenchOptions& options) {
  return std::max({bench_checkpoint(options), bench_journal(options), bench_recovery(options)});
}

}  // namespace weir::app
