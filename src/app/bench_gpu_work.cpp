#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "app/bench_gpu.hpp"

namespace weir::app {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSlide = 10 * kSecond;

plan::Plan make_plan(std::uint32_t groups) {
  spec::Pipeline pipeline;
  spec::Stream stream;
  stream.name = "sensors";
  stream.schema.keys = {{"sensor", ""}};
  stream.schema.fields = {{"v", 3, "", true}};
  stream.time.field = "t";
  stream.max_keys = groups;
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

}  // namespace

std::uint32_t zipf_key(double u, std::uint32_t keys) {
  // The integral of x^-1.2 from 1 to k, as a share of that to keys + 1, solved for k.
  constexpr double kPower = 1.0 - 1.2;
  const double all = 1.0 - std::pow(static_cast<double>(keys) + 1.0, kPower);
  const double key = std::pow(1.0 - u * all, 1.0 / kPower) - 1.0;
  return std::min(keys - 1, static_cast<std::uint32_t>(key));
}

GpuBenchWork::GpuBenchWork(std::uint32_t groups, Keys keys, std::uint32_t rows, std::uint32_t batches,
                           batch::ColumnMemory& memory)
    : plan_(make_plan(groups)), group_of_(groups) {
  std::mt19937_64 random(20'260'101);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  const std::int64_t step = kSlide / (std::int64_t{batches} * rows);
  for (std::uint32_t b = 0; b < batches; ++b) {
    auto batch = std::make_unique<batch::Batch>(1, rows, memory);
    for (std::uint32_t row = 0; row < rows; ++row) {
      const double u = unit(random);
      batch->times()[row] = (std::int64_t{b} * rows + row) * step;
      batch->keys()[row] =
          keys == Keys::zipf ? zipf_key(u, groups) : std::min(groups - 1, static_cast<std::uint32_t>(u * groups));
      batch->field(0)[row] = static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000;
    }
    batch->set_size(rows);
    batch->key_count = groups;
    batches_.push_back(std::move(batch));
  }
  std::iota(group_of_.begin(), group_of_.end(), 0U);
  groups_.group_of = group_of_.data();
  groups_.keys = groups_.groups = groups;
}

std::uint64_t GpuBenchWork::readings() const {
  std::uint64_t readings = 0;
  for (const auto& batch : batches_) readings += batch->size();
  return readings;
}

execute::Extent GpuBenchWork::extent() const {
  execute::Extent extent = execute::extent_of(plan_, query());
  extent.batch_rows = static_cast<std::uint32_t>(readings());
  return extent;
}

void Digest::window(const execute::WindowTotals& totals) {
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

Rounds::Rounds(execute::Backend& backend, const GpuBenchWork& work)
    : work_(work.view()), panes_(backend.make_panes(work.query(), digest, work.extent())) {}

Rounds::Seconds Rounds::run() {
  const auto begin = std::chrono::steady_clock::now();
  execute::StepCounts counts;
  for (const auto& batch : work_.batches) {
    accumulate(*batch);
    panes_->finish(counts, late_, 0);
  }
  const auto middle = std::chrono::steady_clock::now();
  panes_->begin(*work_.batches.back(), work_.groups);
  close();
  const auto end = std::chrono::steady_clock::now();
  return {std::chrono::duration<double>(middle - begin).count(), std::chrono::duration<double>(end - middle).count()};
}

double Rounds::run_batch() {
  const auto begin = std::chrono::steady_clock::now();
  accumulate(*work_.batches.front());
  close();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Rounds::accumulate(const batch::Batch& batch) {
  execute::Horizon horizon;
  horizon.closed_end = round_ * kSlide;
  horizon.single_pane = true;
  horizon.single_pane_start = round_ * kSlide;
  panes_->begin(batch, work_.groups);
  panes_->accumulate({0, batch.size()}, horizon);
}

void Rounds::close() {
  execute::StepCounts counts;
  ++round_;
  panes_->close(round_ * kSlide, (round_ - 5) * kSlide);
  panes_->finish(counts, late_, 0);
}

bool same_totals(Rounds& one, Rounds& other) {
  for (int i = 0; i < 3; ++i) {
    one.run();
    other.run();
  }
  one.digest.wanted = other.digest.wanted = false;
  return one.digest.sum == other.digest.sum;
}

}  // namespace weir::app
