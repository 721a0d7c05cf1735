// `weir bench csv` and `weir bench json`: from a file in the page cache to window rows, through the whole pipeline. The
// reference is the least that any reader of lines must do: read() the file and find the line breaks.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/bench.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "plan/plan.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

constexpr std::int64_t kStart = 1'377'986'400;  // a multiple of the window
constexpr std::int64_t kWindow = 60;
constexpr std::uint64_t kRows = 4'000'000;
constexpr std::uint32_t kHouses = 40, kHouseholds = 10, kPlugs = 5;
constexpr std::uint32_t kPlugsInAll = kHouses * kHouseholds * kPlugs;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// What the rows must say, kept while the file is written: count and sum of every window and plug.
struct Expected {
  std::uint64_t windows = 0;  ///< rows
  std::uint64_t count = 0;
  std::int64_t sum = 0;  ///< thousandths, over all rows
};

class InputFile {
 public:
  InputFile(bool json, Expected& expected) {
    path_ = (std::filesystem::temp_directory_path() / fmt::format("weir-bench-{}.{}", getpid(), json ? "jsonl" : "csv"))
                .string();
    std::FILE* const file = std::fopen(path_.c_str(), "wb");
    if (file == nullptr) {
      throw Error(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
    }
    fmt::memory_buffer text;
    std::vector<std::int64_t> newest(kPlugsInAll, -1);
    std::uint64_t state = 42;
    for (std::uint64_t row = 0; row < kRows; ++row) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX generator
      const auto plug = static_cast<std::uint32_t>((state >> 33U) % kPlugsInAll);
      const auto milliwatts = static_cast<std::int64_t>((state >> 20U) % 3'000'000);
      const std::int64_t second = static_cast<std::int64_t>(row / 20'000);
      const std::uint32_t house = plug / (kHouseholds * kPlugs), household = plug / kPlugs % kHouseholds,
                          number = plug % kPlugs;
      if (json) {
        fmt::format_to(std::back_inserter(text),
                       "{{\"ts\":{},\"load\":{}.{:03},\"house\":\"{}\",\"household\":\"{}\",\"plug\":\"{}\"}}\n",
                       kStart + second, milliwatts / 1000, milliwatts % 1000, house, household, number);
      } else {
        fmt::format_to(std::back_inserter(text), "{},{}.{:03},{},{},{}\n", kStart + second, milliwatts / 1000,
                       milliwatts % 1000, house, household, number);
      }
      if (newest[plug] != second / kWindow) {
        newest[plug] = second / kWindow;
        ++expected.windows;
      }
      ++expected.count;
      expected.sum += milliwatts;
      if (text.size() > (1U << 20U) || row + 1 == kRows) {
        bytes_ += text.size();
        if (std::fwrite(text.data(), 1, text.size(), file) != text.size()) {
          std::fclose(file);
          throw Error(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
        }
        text.clear();
      }
    }
    std::fclose(file);
  }
  ~InputFile() { unlink(path_.c_str()); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::string path_;
  std::uint64_t bytes_ = 0;
};

spec::Pipeline pipeline_of(const std::string& path, bool json, unsigned threads, const std::string& device) {
  spec::Pipeline pipeline;
  pipeline.threads = threads;
  pipeline.device = device;
  spec::Stream stream;
  stream.name = "plugs";
  stream.schema.keys = {{"house", ""}, {"household", ""}, {"plug", ""}};
  stream.schema.fields = {{"load", 3, "", true}};
  stream.time.field = "ts";
  stream.time.unit = TimeUnit::seconds;
  stream.max_keys = kPlugsInAll;
  spec::Source source;
  source.path = path;
  source.format.kind = json ? spec::FormatKind::json : spec::FormatKind::csv;
  if (!json) {
    source.format.columns = {"ts", "load", "house", "household", "plug"};
  }
  stream.sources = {source};
  pipeline.streams = {stream};
  spec::Query query;
  query.name = "load";
  query.from = "plugs";
  query.group_by = {"house", "household", "plug"};
  query.select = {"count()", "sum(load)", "min(load)", "max(load)"};
  query.window = std::chrono::seconds(kWindow);
  query.sinks = {"check"};
  pipeline.queries = {query};
  return pipeline;
}

struct Run {
  double wall = 0.0;
  double cpu = 0.0;
  bool right = false;
};

Run replay(const InputFile& file, bool json, unsigned threads, const std::string& device, const Expected& expected) {
  Expected seen;
  spec::Pipeline pipeline = pipeline_of(file.path(), json, threads, device);
  spec::Sink sink;
  sink.name = "check";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [&seen](const batch::ResultTable& table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      ++seen.windows;
      seen.count += static_cast<std::uint64_t>(table.value(i, 0).units);
      seen.sum += static_cast<std::int64_t>(table.value(i, 1).units);
    }
  };
  pipeline.sinks = {sink};
  runtime::Options options;
  options.replay = true;
  runtime::Pipeline running(plan::compile(std::move(pipeline)), options);
  const double cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  running.start();
  running.wait();
  Run run;
  run.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  run.cpu = cpu_seconds() - cpu;
  run.right = seen.windows == expected.windows && seen.count == expected.count && seen.sum == expected.sum;
  return run;
}

// Reads the file in blocks and counts the line breaks.
double read_lines(const InputFile& file) {
  const auto begin = std::chrono::steady_clock::now();
  const int descriptor = open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<char> block(256U * 1024U);
  std::uint64_t lines = 0;
  for (ssize_t bytes = 0; (bytes = read(descriptor, block.data(), block.size())) > 0;) {
    const char* at = block.data();
    const char* const end = at + bytes;
    while ((at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr) {
      ++lines;
      ++at;
    }
  }
  close(descriptor);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return lines == kRows ? seconds : 0.0;
}

int bench_file(const BenchOptions& options, bool json) {
  const std::string name = json ? "json" : "csv";
  Expected expected;
  const InputFile file(json, expected);
  for (const unsigned threads : options.threads) {
    std::vector<double> wall;
    std::vector<double> per_core;
    std::vector<double> reference;
    std::vector<double> ratios;
    double spent = 0.0;
    while (wall.size() < 3 || (spent < options.seconds * 3 && wall.size() < 15)) {
      const Run run = replay(file, json, threads, options.device, expected);
      const double lines = read_lines(file);
      if (!run.right || lines == 0.0) {
        fmt::print(stderr, "weir: bench {}: the rows are wrong\n", name);
        return kFailed;
      }
      wall.push_back(static_cast<double>(kRows) / run.wall);
      per_core.push_back(static_cast<double>(file.bytes()) / run.cpu);
      reference.push_back(static_cast<double>(kRows) / lines);
      ratios.push_back(lines / run.wall);
      spent += run.wall + lines;
    }
    const double bytes_a_row = static_cast<double>(file.bytes()) / static_cast<double>(kRows);
    Measurement measurement;
    measurement.benchmark = name;
    measurement.name = fmt::format("{:.1f} B a row, {} keys, {}, wall clock", bytes_a_row, kPlugsInAll, options.device);
    measurement.threads = threads;
    measurement.readings_per_s = median(wall);
    measurement.bytes_per_s = median(wall) * bytes_a_row;
    measurement.reference = "reading lines";
    measurement.reference_per_s = median(reference);
    measurement.ratio = median(ratios);
    print(options, measurement);
    // All threads' processor time together: what one core would do alone.
    measurement.name = fmt::format("{:.1f} B a row, {} keys, {}, per core", bytes_a_row, kPlugsInAll, options.device);
    measurement.readings_per_s = median(per_core) / bytes_a_row;
    measurement.bytes_per_s = median(per_core);
    measurement.reference.clear();
    print(options, measurement);
  }
  return kDone;
}

}  // namespace

int bench_csv(const BenchOptions& options) {
  return bench_file(options, false);
}
int bench_json(const BenchOptions& options) {
  return bench_file(options, true);
}

}  // namespace weir::app
