// `weir bench gpu` over any CUDA backend, so that tests run it over a device on the host, and what its parts share.
//
//   bench_gpu.cpp          the cases: readings per second, closes
//   bench_gpu_latency.cpp  one batch from its columns to the totals of its window, and from which size the GPU pays
//   bench_gpu_work.cpp     the query, the readings, the rounds
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/bench.hpp"
#include "execute/backend.hpp"
#include "execute/device_bench.hpp"
#include "plan/plan.hpp"

namespace weir::app {

/// How much work: tests take little.
struct GpuBenchSizes {
  std::uint32_t batch_rows = 1U << 20U;
  std::uint32_t batches = 4;
  std::vector<std::uint32_t> groups{1, 100, 10'000, 100'000, 1'000'000, 10'000'000};
  std::vector<std::uint32_t> latency_rows{1'000, 3'000, 10'000, 30'000, 100'000, 300'000, 1'000'000};
  std::vector<std::uint32_t> latency_groups{100, 10'000};
};

/// What runs beside what.
struct GpuBenchBackends {
  execute::Backend& gpu;
  execute::Backend& cpu;
  unsigned threads;  ///< of the CPU
};

enum class Keys : std::uint8_t { uniform, zipf };

/// The inverse of Zipf's law with exponent 1.2, as far as a benchmark cares: u in [0, 1) to a key below `keys`.
std::uint32_t zipf_key(double u, std::uint32_t keys);

/// A query and a pane of readings, its columns in the GPU's page-locked memory.
class GpuBenchWork {
 public:
  GpuBenchWork(std::uint32_t groups, Keys keys, std::uint32_t rows, std::uint32_t batches, batch::ColumnMemory& memory);
  GpuBenchWork(const GpuBenchWork&) = delete;
  GpuBenchWork& operator=(const GpuBenchWork&) = delete;
  ~GpuBenchWork() = default;

  [[nodiscard]] execute::BenchWork view() const { return {query(), batches_, groups_, extent()}; }
  [[nodiscard]] const plan::QueryPlan& query() const { return plan_.queries[0]; }
  [[nodiscard]] execute::Extent extent() const;
  [[nodiscard]] std::uint64_t readings() const;

 private:
  plan::Plan plan_;
  std::vector<std::unique_ptr<batch::Batch>> batches_;
  std::vector<std::uint32_t> group_of_;
  execute::GroupView groups_;
};

/// A sum over everything that windows hold, in which order does not matter.
class Digest final : public execute::WindowConsumer {
 public:
  void window(const execute::WindowTotals& totals) override;
  bool wanted = true;
  std::uint64_t sum = 0;
};

/// One backend over the same readings, again and again; each round is the next pane.
class Rounds {
 public:
  /// Both outlive it.
  Rounds(execute::Backend& backend, const GpuBenchWork& work);

  struct Seconds {
    double readings;
    double close;
  };
  /// @brief The readings, then the window that ends with them, until the consumer has its totals.
  Seconds run();
  /// @brief The first batch and its window, with one wait, as when an interval has one batch. @return seconds
  double run_batch();
  Digest digest;

 private:
  void accumulate(const batch::Batch& batch);
  void close();
  const execute::BenchWork work_;
  std::unique_ptr<execute::QueryPanes> panes_;
  std::vector<std::uint32_t> late_;
  std::int64_t round_ = 0;
};

/// Rounds until as many panes are there as ever will be.
inline constexpr int kWarmUpRounds = 8;

/// @brief Three rounds of each give the same totals. Afterwards totals are no longer looked at.
bool same_totals(Rounds& one, Rounds& other);

/// @brief Every case. @return an exit code
int bench_gpu_on(const BenchOptions& options, const GpuBenchBackends& backends, const GpuBenchSizes& sizes);
int bench_gpu_latency(const BenchOptions& options, const GpuBenchBackends& backends, const GpuBenchSizes& sizes);

}  // namespace weir::app
