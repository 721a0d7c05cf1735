// `weir bench gpu`: the interval step and the close of a window on a CUDA device, beside the CPU backend and beside
// what the link can copy.
//
// Timed from columns in page-locked memory to the totals of windows: encoding, copying, kernels, copying totals back. A
// reading is 20 bytes in its columns and 12 on the link: time, key and value with 32 bits each. Not timed: making rows
// of results, which is the host's work for either backend. The totals of both backends are compared before anything is
// measured.
#include "app/bench_gpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "app/command.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"

namespace weir::app {
namespace {

constexpr double kLinkBytes = 12.0;

struct Medians {
  double readings_per_s;
  double close_s;
};

Medians measure(Rounds& rounds, std::uint64_t readings, double seconds) {
  for (int i = 0; i < kWarmUpRounds; ++i) rounds.run();
  std::vector<double> rates;
  std::vector<double> closes;
  for (double spent = 0.0; spent < seconds || rates.size() < 5;) {
    const Rounds::Seconds took = rounds.run();
    rates.push_back(static_cast<double>(readings) / took.readings);
    closes.push_back(took.close);
    spent += took.readings + took.close;
  }
  return {median(rates), median(closes)};
}

class Case {
 public:
  Case(const BenchOptions& options, const GpuBenchBackends& backends, std::uint32_t groups, Keys keys, double link)
      : options_(options), backends_(backends), groups_(groups), keys_(keys), link_(link) {}

  [[nodiscard]] std::string name() const {
    return fmt::format("{} groups, {}", groups_, keys_ == Keys::uniform ? "uniform" : "zipf");
  }

  int run(const GpuBenchSizes& sizes) const {
    const GpuBenchWork work(groups_, keys_, sizes.batch_rows, sizes.batches, backends_.gpu.column_memory());
    // The rounds' panes, and beside them those whose close is measured alone.
    const std::uint64_t need = 2 * backends_.gpu.worst_case(work.query(), work.extent()).device_bytes;
    if (need > backends_.gpu.device_memory()) {
      fmt::print(stderr, "weir: bench gpu: left out: {} ({} on the device, which has {})\n", name(),
                 bytes_to_string(need), bytes_to_string(backends_.gpu.device_memory()));
      return kDone;
    }
    const double seconds = options_.seconds;
    Rounds on_gpu(backends_.gpu, work);
    Rounds on_cpu(backends_.cpu, work);
    if (!same_totals(on_gpu, on_cpu)) {
      fmt::print(stderr, "weir: bench gpu: wrong result: {}\n", name());
      return kFailed;
    }
    const Medians of_cpu = measure(on_cpu, work.readings(), seconds);
    const Medians of_gpu = measure(on_gpu, work.readings(), seconds);
    const double resident = execute::measure_resident(backends_.gpu, work.view(), std::min(0.2, seconds));
    const double close_s = median(execute::measure_close(backends_.gpu, work.view(), std::min(0.2, seconds)));
    print_line("CPU", of_cpu.readings_per_s, 0.0, "", 0.0);
    print_line("from pinned memory", of_gpu.readings_per_s, of_gpu.readings_per_s * kLinkBytes, "the link",
               link_ / kLinkBytes);
    print_line("GPU beside CPU", of_gpu.readings_per_s, 0.0, "the CPU", of_cpu.readings_per_s);
    print_line("resident", resident, 0.0, "the link", link_ / kLinkBytes);
    print_line(fmt::format("groups closed, {:.1f} us a window", of_gpu.close_s * 1e6), groups_ / of_gpu.close_s, 0.0,
               "the CPU", groups_ / of_cpu.close_s);
    print_line(fmt::format("groups closed on the device, {:.1f} us a window", close_s * 1e6), groups_ / close_s, 0.0,
               "the CPU", groups_ / of_cpu.close_s);
    return kDone;
  }

 private:
  void print_line(const std::string& what, double per_s, double bytes, const std::string& reference,
                  double reference_per_s) const {
    Measurement m;
    m.benchmark = "gpu";
    m.name = name() + ", " + what;
    m.threads = backends_.threads;
    m.readings_per_s = per_s;
    m.bytes_per_s = bytes;
    m.reference = reference;
    m.reference_per_s = reference_per_s;
    m.ratio = reference_per_s > 0 ? per_s / reference_per_s : 0.0;
    print(options_, m);
  }

  const BenchOptions& options_;
  const GpuBenchBackends& backends_;
  std::uint32_t groups_;
  Keys keys_;
  double link_;
};

/// What host and device did, for a browser's trace viewer and for scripts/timeline-picture.
void write_timeline(const BenchOptions& options, const GpuBenchBackends& backends, const GpuBenchSizes& sizes) {
  constexpr std::uint32_t kGroups = 10'000;
  constexpr std::uint32_t kRounds = 2;
  const GpuBenchWork work(kGroups, Keys::uniform, sizes.batch_rows, sizes.batches, backends.gpu.column_memory());
  std::vector<std::string> lanes;
  std::string events;
  for (const execute::TimelineSpan& span : execute::trace_timeline(backends.gpu, work.view(), kRounds)) {
    const auto lane = std::find(lanes.begin(), lanes.end(), span.lane);
    const auto number = lane - lanes.begin();
    if (lane == lanes.end()) {
      lanes.push_back(span.lane);
      events += fmt::format(R"({{"ph":"M","name":"thread_name","pid":1,"tid":{},"args":{{"name":"{}"}}}},)"
                            "\n",
                            number, span.lane);
    }
    events += fmt::format(R"({{"ph":"X","name":"{}","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f},"args":{{"bytes":{}}}}},)"
                          "\n",
                          span.name, number, span.begin_ms * 1e3, (span.end_ms - span.begin_ms) * 1e3, span.bytes);
  }
  if (!events.empty()) events.erase(events.size() - 2, 1);
  const std::string text =
      fmt::format(R"({{"otherData":{{"device":"{}","readings":{}}},"displayTimeUnit":"ms","traceEvents":[)"
                  "\n{}]}}\n",
                  backends.gpu.description(), work.readings() * kRounds, events);
  std::FILE* const file = std::fopen(options.timeline.c_str(), "wb");
  const bool good = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if ((file != nullptr && std::fclose(file) != 0) || !good) throw Error("cannot write " + options.timeline);
}

}  // namespace

int bench_gpu_on(const BenchOptions& options, const GpuBenchBackends& backends, const GpuBenchSizes& sizes) {
  const double link = execute::measure_link(backends.gpu, std::min(0.5, options.seconds));
  if (options.json) {
    fmt::print(R"({{"benchmark":"gpu","case":"link","bytes_per_s":{:.6g},"device":"{}"}})"
               "\n",
               link, backends.gpu.description());
  } else {
    fmt::print("{}; the link copies {:.1f} GB/s to it\n", backends.gpu.description(), link / 1e9);
  }
  if (!options.timeline.empty()) write_timeline(options, backends, sizes);
  int code = kDone;
  if (options.case_filter.empty() || options.case_filter.starts_with("latency")) {
    code = bench_gpu_latency(options, backends, sizes);
  }
  for (const std::uint32_t groups : sizes.groups) {
    for (const Keys keys : {Keys::uniform, Keys::zipf}) {
      if (groups == 1 && keys == Keys::zipf) continue;
      const Case c(options, backends, groups, keys, link);
      if (c.name().find(options.case_filter) != std::string::npos) code = std::max(code, c.run(sizes));
    }
  }
  return code;
}

int bench_gpu(const BenchOptions& options) {
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::string why;
  const std::unique_ptr<execute::Backend> gpu = execute::make_backend("cuda", threads, why);
  const std::unique_ptr<execute::Backend> cpu = execute::make_backend("cpu", threads, why);
  return bench_gpu_on(options, {*gpu, *cpu, threads}, {});
}

}  // namespace weir::app
