// `weir bench gpu`, latency: a batch of one interval, from its filled columns to the totals of the window that ends
// with it, on the device and on the CPU. What a user wants to know is from which rate on the device pays, so the sizes
// go from where it cannot to where it must.
#include <fmt/format.h>

#include "app/bench_gpu.hpp"
#include "app/command.hpp"

namespace weir::app {
namespace {

/// For a 99th percentile that is not simply the largest.
constexpr std::size_t kFewest = 100;

std::vector<double> latencies(Rounds& rounds, double seconds) {
  for (int i = 0; i < kWarmUpRounds; ++i) rounds.run_batch();
  std::vector<double> all;
  for (double spent = 0.0; spent < seconds || all.size() < kFewest;) {
    all.push_back(rounds.run_batch());
    spent += all.back();
  }
  return all;
}

void print_latency(const BenchOptions& options, const std::string& name, unsigned threads, std::uint32_t rows,
                   const std::vector<double>& all, double reference_s) {
  Measurement m;
  m.benchmark = "gpu";
  m.name = name;
  m.threads = threads;
  m.p50_s = median(all);
  m.p99_s = quantile(all, 0.99);
  m.readings_per_s = rows / m.p50_s;
  if (reference_s > 0) {
    m.reference = "the CPU";
    m.reference_per_s = rows / reference_s;
    m.ratio = reference_s / m.p50_s;
  }
  print(options, m);
}

}  // namespace

int bench_gpu_latency(const BenchOptions& options, const GpuBenchBackends& backends, const GpuBenchSizes& sizes) {
  for (const std::uint32_t groups : sizes.latency_groups) {
    std::uint32_t pays = 0;  // this size and all larger ones; 0: none
    for (const std::uint32_t rows : sizes.latency_rows) {
      const GpuBenchWork work(groups, Keys::uniform, rows, 1, backends.gpu.column_memory());
      Rounds on_gpu(backends.gpu, work);
      Rounds on_cpu(backends.cpu, work);
      const std::string name = fmt::format("latency, {} groups, {} readings", groups, rows);
      if (!same_totals(on_gpu, on_cpu)) {
        fmt::print(stderr, "weir: bench gpu: wrong result: {}\n", name);
        return kFailed;
      }
      const std::vector<double> of_cpu = latencies(on_cpu, options.seconds / 4);
      const std::vector<double> of_gpu = latencies(on_gpu, options.seconds / 4);
      print_latency(options, name + ", CPU", backends.threads, rows, of_cpu, 0.0);
      print_latency(options, name + ", GPU", backends.threads, rows, of_gpu, median(of_cpu));
      if (median(of_gpu) > median(of_cpu)) {
        pays = 0;
      } else if (pays == 0) {
        pays = rows;
      }
    }
    if (options.json) {
      fmt::print(R"({{"benchmark":"gpu","case":"latency, {} groups","pays_from_readings":{}}})"
                 "\n",
                 groups, pays > 0 ? std::to_string(pays) : "null");
    } else {
      fmt::print("gpu      latency, {} groups: the GPU pays {}\n", groups,
                 pays > 0 ? fmt::format("from {} readings a batch", pays) : "at none of these sizes");
    }
  }
  return kDone;
}

}  // namespace weir::app
