// `weir bench gpu` over the device on the host: that it measures what it says, and says so when an answer is wrong. Its
// times mean nothing here.
#include "app/bench_gpu.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "app/command.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "kernels/host_device.hpp"
#include "support/temporary_directory.hpp"

namespace weir::app {
namespace {

GpuBenchSizes small() {
  GpuBenchSizes sizes;
  sizes.batch_rows = 500;
  sizes.batches = 2;
  sizes.groups = {1, 40};
  sizes.latency_rows = {100, 300};
  sizes.latency_groups = {10};
  return sizes;
}

class GpuBench : public ::testing::Test {
 protected:
  GpuBench() {
    execute::cuda::Tuning tuning;
    tuning.chunk_rows = 200;
    auto made = kernels::host::make_host_device();
    device_ = made.get();
    gpu_ = std::make_unique<execute::cuda::CudaBackend>(std::move(made), 1, tuning);
    cpu_ = execute::make_cpu_backend(1);
    options_.json = true;
    options_.seconds = 0.0;
  }
  /// What the benchmark printed.
  std::string run(execute::Backend& cpu, int expected) {
    ::testing::internal::CaptureStdout();
    const int code = bench_gpu_on(options_, {*gpu_, cpu, 1}, small());
    std::fflush(stdout);
    std::string out = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, expected) << out;
    return out;
  }

  kernels::host::HostDevice* device_;
  std::unique_ptr<execute::Backend> gpu_;
  std::unique_ptr<execute::Backend> cpu_;
  BenchOptions options_;
};

TEST_F(GpuBench, PrintsEveryCaseOnce) {
  const std::string out = run(*cpu_, kDone);
  for (const char* name :
       {R"("case":"link")", R"("case":"latency, 10 groups, 100 readings, CPU")",
        R"("case":"latency, 10 groups, 300 readings, GPU")", R"("pays_from_readings":)",
        R"("case":"1 groups, uniform, resident")", R"("case":"40 groups, uniform, from pinned memory")",
        R"("case":"40 groups, zipf, GPU beside CPU")", R"("case":"40 groups, zipf, groups closed on the device, )"}) {
    const std::size_t at = out.find(name);
    EXPECT_NE(at, std::string::npos) << name << " in\n" << out;
    EXPECT_EQ(out.find(name, at + 1), std::string::npos) << name << " twice in\n" << out;
  }
}

TEST_F(GpuBench, Case_ChoosesWhatIsMeasured) {
  options_.case_filter = "40 groups, zipf";
  const std::string out = run(*cpu_, kDone);
  EXPECT_EQ(out.find("latency"), std::string::npos) << out;
  EXPECT_EQ(out.find("1 groups, uniform"), std::string::npos) << out;
  EXPECT_NE(out.find("40 groups, zipf, resident"), std::string::npos) << out;
}

/// A CPU backend whose windows are handed on without their first group.
class Wrong final : public execute::Backend {
 public:
  explicit Wrong(execute::Backend& right) : right_(right) {}
  [[nodiscard]] std::string name() const override { return right_.name(); }
  [[nodiscard]] std::string description() const override { return right_.description(); }
  batch::ColumnMemory& column_memory() override { return right_.column_memory(); }
  [[nodiscard]] execute::MemoryNeed worst_case(const plan::QueryPlan& query,
                                               const execute::Extent& extent) const override {
    return right_.worst_case(query, extent);
  }
  std::unique_ptr<execute::QueryPanes> make_panes(const plan::QueryPlan& query, execute::WindowConsumer& consumer,
                                                  const execute::Extent& extent) override {
    consumers_.push_back(std::make_unique<Less>(consumer));
    return right_.make_panes(query, *consumers_.back(), extent);
  }

 private:
  class Less final : public execute::WindowConsumer {
   public:
    explicit Less(execute::WindowConsumer& consumer) : consumer_(consumer) {}
    void window(const execute::WindowTotals& totals) override {
      execute::WindowTotals less = totals;
      if (!less.counts.empty()) --less.counts.front();
      consumer_.window(less);
    }

   private:
    execute::WindowConsumer& consumer_;
  };
  execute::Backend& right_;
  std::vector<std::unique_ptr<Less>> consumers_;
};

TEST_F(GpuBench, MeasuresNothingWhenTheTotalsDiffer) {
  Wrong wrong(*cpu_);
  EXPECT_EQ(run(wrong, kFailed).find("readings_per_s"), std::string::npos);
}

TEST_F(GpuBench, Timeline_HasCopiesKernelsAndTheHost) {
  const test::TemporaryDirectory directory;
  options_.timeline = directory.path() + "/timeline.json";
  options_.case_filter = "none";
  run(*cpu_, kDone);
  std::ifstream file(options_.timeline);
  std::stringstream text;
  text << file.rdbuf();
  for (const char* name : {R"("name":"host")", R"("name":"copies to the device")", R"("name":"kernels")",
                           R"("name":"results")", R"("name":"narrow and queue")", R"("name":"GlobalStep")",
                           R"("name":"CloseWindow")", R"("name":"copy to host")"}) {
    EXPECT_NE(text.str().find(name), std::string::npos) << name << " in\n" << text.str();
  }
}

TEST(GpuBenchTimeline, Spans_OfAStreamFollowEachOther) {
  auto made = kernels::host::make_host_device();
  execute::cuda::CudaBackend gpu(std::move(made), 1);
  const GpuBenchWork work(20, Keys::uniform, 300, 2, gpu.column_memory());
  const auto spans = execute::trace_timeline(gpu, work.view(), 2);
  std::map<std::string, double> ends;
  std::uint64_t copied = 0;
  for (const execute::TimelineSpan& span : spans) {
    if (span.lane == "host") continue;
    EXPECT_LT(span.begin_ms, span.end_ms) << span.name;
    EXPECT_GE(span.begin_ms, ends[span.lane]) << span.name;
    ends[span.lane] = span.end_ms;
    if (span.lane == "copies to the device") copied += span.bytes;
  }
  EXPECT_EQ(ends.size(), 3U);
  // Time, key and value of each reading, 32 bits each, in two rounds of two batches; and small tables.
  EXPECT_GE(copied, 2U * 600U * 12U);
  EXPECT_LT(copied, 2U * 600U * 12U + 2U * 2U * 2048U);
}

TEST(GpuBenchKeys, Zipf_GivesTheFirstKeysMost) {
  std::map<std::uint32_t, int> seen;
  for (int i = 0; i < 10'000; ++i) ++seen[zipf_key(i / 10'000.0, 100)];
  EXPECT_EQ(seen.begin()->first, 0U);
  EXPECT_EQ(seen.rbegin()->first, 99U);
  // The integral of x^-1.2 from 1 to 2 over that from 1 to 101, and of 2 to 3.
  EXPECT_NEAR(seen[0], 2148, 5);
  EXPECT_NEAR(seen[1], 1125, 5);
}

TEST(GpuBenchLatency, Quantile_IsTheNearestRank) {
  const std::vector<double> values{5, 1, 4, 2, 3};
  EXPECT_EQ(quantile(values, 0.5), 3);
  EXPECT_EQ(quantile(values, 0.99), 5);
  EXPECT_EQ(quantile(values, 0.0), 1);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

}  // namespace
}  // namespace weir::app
