// `weir bench memory`: what `weir check` calls the worst case, beside the measured peak of a process that fills it.
// Each case runs in a process of its own, since a peak cannot be reset.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "app/bench.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "plan/plan.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

struct Case {
  const char* name;
  std::uint32_t keys;
  std::uint32_t per_key_and_window;
};

constexpr std::array<Case, 4> kCases{{{"10000 keys x 1 Hz", 10'000, 60},
                                      {"10000 keys x 10 Hz", 10'000, 600},
                                      {"100 keys x 100 Hz", 100, 6'000},
                                      {"100000 keys x 1 Hz", 100'000, 60}}};

// Writes two windows' worth of readings through a pipe as CSV, in the order of event time.
[[noreturn]] void write_readings(int pipe, const Case& c) {
  std::string text;
  const std::int64_t rounds = std::int64_t{c.per_key_and_window} * 2;
  for (std::int64_t round = 0; round < rounds; ++round) {
    const std::int64_t ms = 1'377'986'400'000 + round * 60'000 / c.per_key_and_window;
    for (std::uint32_t key = 0; key < c.keys; ++key) {
      fmt::format_to(std::back_inserter(text), "{},sensor-{:06},{}\n", ms, key, key % 1000);
      if (text.size() > (1U << 18U)) {
        if (write(pipe, text.data(), text.size()) < 0) {
          _exit(1);
        }
        text.clear();
      }
    }
  }
  _exit(write(pipe, text.data(), text.size()) < 0 ? 1 : 0);
}

spec::Pipeline pipeline_of(const Case& c) {
  spec::Pipeline pipeline;
  pipeline.threads = 1;
  pipeline.device = "cpu";
  spec::Stream stream;
  stream.name = "sensors";
  stream.schema.keys = {{"sensor", ""}};
  stream.schema.fields = {{"v", 3, "", true}};
  stream.time.field = "t";
  stream.time.unit = TimeUnit::milliseconds;
  stream.max_keys = c.keys;
  spec::Source source;
  source.kind = spec::SourceKind::standard_input;
  source.path = "-";
  source.format.kind = spec::FormatKind::csv;
  source.format.columns = {"t", "sensor", "v"};
  stream.sources = {source};
  pipeline.streams = {stream};
  spec::Query query;
  query.name = "q";
  query.from = "sensors";
  query.group_by = {"sensor"};
  query.select = {"count()", "sum(v)", "min(v)", "max(v)"};
  query.window = std::chrono::seconds(60);
  query.slide = std::chrono::seconds(10);
  query.sinks = {"none"};
  pipeline.queries = {query};
  spec::Sink sink;
  sink.name = "none";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [](const batch::ResultTable&) {};
  pipeline.sinks = {sink};
  return pipeline;
}

// In the child: standard input is the pipe. Reports what was planned through `report`.
[[noreturn]] void measure(const Case& c, int report) {
  int code = 1;
  try {
    runtime::Options options;
    options.replay = true;
    runtime::Pipeline running(plan::compile(pipeline_of(c)), options);
    const std::uint64_t planned = runtime::estimate_memory(running.plan(), running.backend()).host_bytes;
    running.start();
    running.wait();
    code = running.report().balances() && write(report, &planned, sizeof planned) == sizeof planned ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "weir: bench memory: {}\n", error.what());
  }
  std::fflush(nullptr);
  _exit(code);
}

bool run_case(const BenchOptions& options, const Case& c) {
  std::array<int, 2> data{};
  std::array<int, 2> report{};
  if (pipe2(data.data(), O_CLOEXEC) != 0 || pipe2(report.data(), O_CLOEXEC) != 0) {
    throw Error("cannot make a pipe");
  }
  const pid_t writer = fork();
  if (writer == 0) {
    close(data[0]);
    write_readings(data[1], c);
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(data[0], STDIN_FILENO);
    close(data[1]);
    measure(c, report[1]);
  }
  close(data[0]);
  close(data[1]);
  close(report[1]);
  std::uint64_t planned = 0;
  const bool reported = read(report[0], &planned, sizeof planned) == sizeof planned;
  close(report[0]);
  int status = 0;
  rusage usage{};
  waitpid(writer, &status, 0);
  if (wait4(child, &status, 0, &usage) != child || !reported || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fmt::print(stderr, "weir: bench memory: {} failed\n", c.name);
    return false;
  }
  const double peak = static_cast<double>(usage.ru_maxrss) * 1024.0;
  const double ratio = static_cast<double>(planned) / peak;
  if (options.json) {
    fmt::print(R"({{"benchmark":"memory","case":"{}","planned_bytes":{},"peak_bytes":{:.0f},"ratio":{:.4g}}})"
               "\n",
               c.name, planned, peak, ratio);
  } else {
    fmt::print("memory   {:<24} planned {:>9.1f} MiB   peak {:>9.1f} MiB   planned / peak {:.3f}\n", c.name,
               static_cast<double>(planned) / 1048576.0, peak / 1048576.0, ratio);
  }
  std::fflush(stdout);
  return true;
}

}  // namespace

int bench_memory(const BenchOptions& options) {
  bool good = true;
  for (const Case& c : kCases) {
    if (std::string(c.name).find(options.case_filter) != std::string::npos) {
      good = run_case(options, c) && good;
    }
  }
  return good ? kDone : kFailed;
}

}  // namespace weir::app
