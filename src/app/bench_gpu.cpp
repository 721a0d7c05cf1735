// `weir bench gpu`: the interval step and the close of a window on a CUDA device, beside the CPU backend and beside
// what the link can copy.
//
// Timed from columns in page-locked memory to the totals of windows: encoding, copying, kernels, copying totals back. A
// reading is 20 bytes in its columns and 12 on the link: time, key and value with 32 bits each. Not timed: making rows
// of results, which is the host's work for either backend. The totals of both backends are compared before anything is
// measured.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <thread>

#include "app/bench.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "execute/backend.hpp"
#include "execute/device_bench.hpp"
#include "plan/plan.hpp"

namespace weir::app {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSlide = 10 * kSecond;
constexpr std::uint32_t kBatchRows = 1U << 20U;
constexpr std::uint32_t kBatches = 4;
constexpr std::int64_t kStep = kSlide / (std::int64_t{kBatches} * kBatchRows);
constexpr double kLinkBytes = 12.0;

enum class Keys : std::uint8_t { uniform, zipf };

struct Case {
  std::uint32_t groups;
  Keys keys;
  [[nodiscard]] std::string name() const {
    return fmt::format("{} groups, {}", groups, keys == Keys::uniform ? "uniform" : "zipf");
  }
};

constexpr std::array<Case, 10> kCases{{{1, Keys::uniform},
                                       {100, Keys::uniform},
                                       {100, Keys::zipf},
                                       {10'000, Keys::uniform},
                                       {10'000, Keys::zipf},
                                       {100'000, Keys::uniform},
                                       {1'000'000, Keys::uniform},
                                       {1'000'000, Keys::zipf},
                                       {10'000'000, Keys::uniform},
                                       {10'000'000, Keys::zipf}}};

plan::Plan make_plan(const Case& c) {
  spec::Pipeline pipeline;
  spec::Stream stream;
  stream.name = "sensors";
  stream.schema.keys = {{"sensor", ""}};
  stream.schema.fields = {{"v", 3, "", true}};
  stream.time.field = "t";
  stream.max_keys = c.groups;
  spec::Source source;
  source.path = "-";
  source.format.kind = spec::FormatKind::csv;
  source.format.columns = {"t", "sensor", "v"};
  stream.sources = {source};
  pipeline.streams = {stream};
  spec::Query query;
  query.name = "bench";
  query.from = "sensors";
  query.group_by = {"sensor"};
  query.select = {"count()", "sum(v)", "min(v)", "max(v)"};
  query.window = Duration(6 * kSlide);
  query.slide = Duration(kSlide);
  query.sinks = {"none"};
  pipeline.queries = {query};
  spec::Sink sink;
  sink.name = "none";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [](const batch::ResultTable&) {};
  pipeline.sinks = {sink};
  return plan::compile(std::move(pipeline));
}

using Batches = std::vector<std::unique_ptr<batch::Batch>>;

Batches make_batches(const Case& c, batch::ColumnMemory& memory) {
  std::mt19937_64 random(20'260'101);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  Batches batches;
  for (std::uint32_t b = 0; b < kBatches; ++b) {
    auto batch = std::make_unique<batch::Batch>(1, kBatchRows, memory);
    for (std::uint32_t row = 0; row < kBatchRows; ++row) {
      const double u = unit(random);
      // The inverse of ln(1 + k) / ln(1 + groups): Zipf's law with exponent 1, as far as a benchmark cares.
      const double key = c.keys == Keys::uniform ? u * c.groups : std::exp(u * std::log1p(c.groups)) - 1.0;
      batch->times()[row] = (std::int64_t{b} * kBatchRows + row) * kStep;
      batch->keys()[row] = std::min(c.groups - 1, static_cast<std::uint32_t>(key));
      batch->field(0)[row] = static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000;
    }
    batch->set_size(kBatchRows);
    batch->key_count = c.groups;
    batches.push_back(std::move(batch));
  }
  return batches;
}

/// A sum over everything that windows hold, in which order does not matter.
class Digest final : public execute::WindowConsumer {
 public:
  void window(const execute::WindowTotals& totals) override {
    if (!wanted) return;
    for (std::size_t i = 0; i < totals.groups.size(); ++i) {
      std::uint64_t hash = totals.groups[i] + 0x9E37'79B9'7F4A'7C15U;
      const execute::ArgumentTotal& v = totals.arguments[i];
      for (const auto part : {totals.counts[i], static_cast<std::uint64_t>(v.sum), static_cast<std::uint64_t>(v.min),
                              static_cast<std::uint64_t>(v.max), static_cast<std::uint64_t>(totals.end_ns)}) {
        hash = (hash ^ part) * 0xBF58'476D'1CE4'E5B9U;
        hash ^= hash >> 31U;
      }
      sum += hash;
    }
  }
  bool wanted = true;
  std::uint64_t sum = 0;
};

/// One backend over the block of batches, again and again; each round is a pane.
class Rounds {
 public:
  Rounds(execute::Backend& backend, const plan::Plan& plan, const Batches& batches, const execute::GroupView& view)
      : batches_(batches), view_(view), panes_(backend.make_panes(plan.queries[0], digest, extent(plan))) {}

  /// @return seconds of the readings, seconds of the close
  std::pair<double, double> run() {
    const auto begin = std::chrono::steady_clock::now();
    execute::StepCounts counts;
    for (const auto& batch : batches_) {
      execute::Horizon horizon;
      horizon.closed_end = round_ * kSlide;
      horizon.single_pane = true;
      horizon.single_pane_start = round_ * kSlide;
      panes_->begin(*batch, view_);
      panes_->accumulate({0, batch->size()}, horizon);
      panes_->finish(counts, late_, 0);
    }
    const auto middle = std::chrono::steady_clock::now();
    ++round_;
    panes_->begin(*batches_.back(), view_);
    panes_->close(round_ * kSlide, (round_ - 5) * kSlide);
    panes_->finish(counts, late_, 0);
    const auto end = std::chrono::steady_clock::now();
    return {std::chrono::duration<double>(middle - begin).count(), std::chrono::duration<double>(end - middle).count()};
  }
  Digest digest;

 private:
  static execute::Extent extent(const plan::Plan& plan) {
    execute::Extent extent = execute::extent_of(plan, plan.queries[0]);
    extent.batch_rows = kBatchRows;
    return extent;
  }

  const Batches& batches_;
  const execute::GroupView& view_;
  std::unique_ptr<execute::QueryPanes> panes_;
  std::vector<std::uint32_t> late_;
  std::int64_t round_ = 0;
};

struct Medians {
  double readings_per_s;
  double close_s;
};

Medians measure(Rounds& rounds, double seconds) {
  // Until as many panes are there as ever will be.
  for (int i = 0; i < 8; ++i) rounds.run();
  std::vector<double> rates;
  std::vector<double> closes;
  for (double spent = 0.0; spent < seconds || rates.size() < 5;) {
    const auto [step, close] = rounds.run();
    rates.push_back(1.0 * kBatches * kBatchRows / step);
    closes.push_back(close);
    spent += step + close;
  }
  return {median(rates), median(closes)};
}

void print_case(const BenchOptions& options, const Case& c, const char* what, unsigned threads, double per_s,
                double bytes, const std::string& reference, double reference_per_s) {
  Measurement m;
  m.benchmark = "gpu";
  m.name = c.name() + ", " + what;
  m.threads = threads;
  m.readings_per_s = per_s;
  m.bytes_per_s = bytes;
  m.reference = reference;
  m.reference_per_s = reference_per_s;
  m.ratio = reference_per_s > 0 ? per_s / reference_per_s : 0.0;
  print(options, m);
}

int run_case(const BenchOptions& options, const Case& c, execute::Backend& gpu, execute::Backend& cpu, unsigned threads,
             double link) {
  const plan::Plan plan = make_plan(c);
  const Batches batches = make_batches(c, gpu.column_memory());
  std::vector<std::uint32_t> group_of(c.groups);
  std::iota(group_of.begin(), group_of.end(), 0U);
  execute::GroupView view;
  view.group_of = group_of.data();
  view.keys = view.groups = c.groups;

  Rounds on_gpu(gpu, plan, batches, view);
  Rounds on_cpu(cpu, plan, batches, view);
  for (int i = 0; i < 3; ++i) {
    on_gpu.run();
    on_cpu.run();
  }
  if (on_gpu.digest.sum != on_cpu.digest.sum) {
    fmt::print(stderr, "weir: bench gpu: wrong result: {}\n", c.name());
    return kFailed;
  }
  on_gpu.digest.wanted = on_cpu.digest.wanted = false;
  const Medians of_cpu = measure(on_cpu, options.seconds);
  const Medians of_gpu = measure(on_gpu, options.seconds);
  const double resident =
      execute::measure_resident(gpu, plan.queries[0], *batches[0], view, std::min(0.2, options.seconds));
  print_case(options, c, "CPU", threads, of_cpu.readings_per_s, 0.0, "", 0.0);
  print_case(options, c, "from pinned memory", threads, of_gpu.readings_per_s, of_gpu.readings_per_s * kLinkBytes,
             "the link", link / kLinkBytes);
  print_case(options, c, "GPU beside CPU", threads, of_gpu.readings_per_s, 0.0, "the CPU", of_cpu.readings_per_s);
  print_case(options, c, "resident", threads, resident, 0.0, "the link", link / kLinkBytes);
  print_case(options, c, fmt::format("groups closed, {:.1f} us a window", of_gpu.close_s * 1e6).c_str(), threads,
             c.groups / of_gpu.close_s, 0.0, "the CPU", c.groups / of_cpu.close_s);
  return kDone;
}

}  // namespace

int bench_gpu(const BenchOptions& options) {
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::string why;
  const std::unique_ptr<execute::Backend> gpu = execute::make_backend("cuda", threads, why);
  const std::unique_ptr<execute::Backend> cpu = execute::make_backend("cpu", threads, why);
  const double link = execute::measure_link(*gpu, std::min(0.5, options.seconds));
  if (!options.json) fmt::print("{}; the link copies {:.1f} GB/s to it\n", gpu->description(), link / 1e9);
  int code = kDone;
  for (const Case& c : kCases) {
    if (c.name().find(options.case_filter) == std::string::npos) continue;
    code = std::max(code, run_case(options, c, *gpu, *cpu, threads, link));
  }
  return code;
}

}  // namespace weir::app
