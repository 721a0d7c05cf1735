// `weir bench recovery`: from the start of a pipeline that was killed to the moment when it has caught up: the newest
// checkpoint is loaded and the journal behind it read again.
//
// A pipeline takes in one reading of each group and stops, which writes a checkpoint; then the journal is continued, as
// by a run that was killed before its next checkpoint, with ten seconds of readings; then a pipeline starts on both.
#include <fmt/format.h>

#include <algorithm>
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
#include "core/arrival_clock.hpp"
#include "core/error.hpp"
#include "journal/durable_journal.hpp"
#include "plan/plan.hpp"
#include "runtime/journals.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

constexpr std::uint64_t kGroups = 1'000'000;
constexpr std::uint64_t kReadingsPerSecond = 100'000;
constexpr std::uint64_t kSeconds = 10;
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

std::uint64_t continue_journal(const std::string& directory) {
  const spec::Pipeline spec = pipeline_in(directory, 1);
  journal::Recovered recovered;
  const auto journal = journal::open_durable_journal(runtime::journal_options(spec, spec.streams.front()),
                                                     journal::kJournalEnd, recovered);
  std::string text;
  std::uint64_t bytes = 0;
  for (std::uint64_t i = kGroups; i < kGroups + kReadingsPerSecond * kSeconds; ++i) {
    append_line(text, i);
    if (text.size() >= kBlockBytes || i + 1 == kGroups + kReadingsPerSecond * kSeconds) {
      batch::MessageView message;
      message.payload = text;
      message.arrival_ns = arrival_clock_ns();
      journal->offer(message);
      bytes += text.size();
      text.clear();
    }
  }
  return bytes;
}

}  // namespace

int bench_recovery(const BenchOptions& options) {
  for (const unsigned threads : options.threads) {
    std::vector<double> loaded_ms;
    std::vector<double> caught_up_ms;
    std::uint64_t bytes = 0;
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
      const BenchDirectory directory;
      std::filesystem::create_directory(directory.path() + "/in");
      write_state(directory.path(), threads);
      bytes = continue_journal(directory.path());
      plan::Plan plan = plan::compile(pipeline_in(directory.path(), threads));
      const auto begin = Clock::now();
      runtime::Pipeline pipeline(std::move(plan), {});
      pipeline.start();
      const auto loaded = Clock::now();
      wait_received(pipeline, kGroups + kReadingsPerSecond * kSeconds);
      const auto caught_up = Clock::now();
      loaded_ms.push_back(std::chrono::duration<double, std::milli>(loaded - begin).count());
      caught_up_ms.push_back(std::chrono::duration<double, std::milli>(caught_up - begin).count());
      pipeline.request_stop();
      pipeline.wait();
    }
    const double all = median(caught_up_ms);
    const double load = median(loaded_ms);
    if (options.json) {
      fmt::print(
          R"({{"benchmark":"recovery","case":"{} groups, {} readings","threads":{},"ms":{:.4g},"load_ms":{:.4g}}})",
          kGroups, kReadingsPerSecond * kSeconds, threads, all, load);
      fmt::print("\n");
    } else {
      fmt::print(
          "recovery {} groups, {} s of journal at {} readings/s ({:.1f} MB), {} thread{}: {:.0f} ms, {:.0f} of them "
          "until the state is loaded and the journal verified\n",
          kGroups, kSeconds, kReadingsPerSecond, static_cast<double>(bytes) / 1e6, threads, threads == 1 ? "" : "s",
          all, load);
    }
    std::fflush(stdout);
  }
  return kDone;
}

/// What it costs to lose nothing: all three in one run.
int bench_durability(const BenchOptions& options) {
  return std::max({bench_checkpoint(options), bench_journal(options), bench_recovery(options)});
}

}  // namespace weir::app
