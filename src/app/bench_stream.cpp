#include "app/bench_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <random>

#include "core/error.hpp"
#include "state/saved_keys.hpp"

namespace weir::app {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMillisecond;
// A whole number of any slide that is measured.
constexpr std::int64_t kEpoch = std::int64_t{1'400'000'000 / 3600 * 3600} * kSecond;

// Rows that go to the sinks at a time.
constexpr std::size_t kSpillRows = 4096;

plan::Plan make_plan(const StreamShape& shape) {
  spec::Pipeline pipeline;
  spec::Stream stream;
  stream.name = "sensors";
  stream.schema.keys = {{"sensor", ""}};
  stream.schema.fields = {{"v", 3, "", true}};
  stream.time.field = "t";
  stream.max_keys = shape.keys;
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
  query.window = std::chrono::seconds(shape.window_s);
  query.slide = std::chrono::seconds(shape.slide_s);
  query.sinks = {"none"};
  pipeline.queries = {query};
  spec::Sink sink;
  sink.name = "none";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [](const batch::ResultTable&) {};
  pipeline.sinks = {sink};
  return plan::compile(std::move(pipeline));
}

std::string key_text(std::uint32_t key) {
  return fmt::format("sensor-{:06}", key);
}

}  // namespace

std::vector<HandReading> make_readings(const StreamShape& shape) {
  std::mt19937 random(20'260'101);
  std::vector<std::uint32_t> order(shape.keys);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<std::int32_t> units(shape.keys);
  for (std::int32_t& value : units) {
    value = static_cast<std::int32_t>(random() % 40'000) - 20'000;
  }
  std::vector<HandReading> readings;
  readings.reserve(shape.readings());
  for (std::uint64_t round = 0; round < std::uint64_t{shape.seconds} * shape.hz; ++round) {
    for (std::uint64_t position = 0; position < shape.keys; ++position) {
      const std::uint32_t key = order[position];
      units[key] += static_cast<std::int32_t>(random() % 401) - 200;
      const std::uint64_t time_ms = (round * shape.keys + position) * 1'000 / (std::uint64_t{shape.hz} * shape.keys);
      readings.push_back({key, static_cast<std::uint32_t>(time_ms), units[key] / 1e3});
    }
  }
  return readings;
}

EngineBlock::EngineBlock(const StreamShape& shape, const std::vector<HandReading>& readings)
    : length_ns_(shape.seconds * kSecond) {
  const std::size_t rows = spec::Pipeline{}.batch_rows;
  for (std::size_t first = 0; first < readings.size(); first += rows) {
    const auto size = static_cast<std::uint32_t>(std::min(rows, readings.size() - first));
    auto batch = std::make_unique<batch::Batch>(1, static_cast<std::uint32_t>(rows));
    for (std::uint32_t row = 0; row < size; ++row) {
      const HandReading& reading = readings[first + row];
      batch->times()[row] = kEpoch + reading.time_ms * kMillisecond;
      batch->keys()[row] = reading.key;
      batch->field(0)[row] = static_cast<std::int64_t>(std::llround(reading.value * 1e3));
    }
    batch->set_size(size);
    batch->runs.push_back({0, 0});
    batch->key_count = shape.keys;
    batch->received = size;
    batches_.push_back(std::move(batch));
  }
}

void EngineBlock::repeat() {
  for (const auto& batch : batches_) {
    std::int64_t* const times = batch->times();
    for (std::uint32_t row = 0; row < batch->size(); ++row) {
      times[row] += length_ns_;
    }
  }
}

BenchEngine::BenchEngine(const StreamShape& shape, unsigned threads)
    : plan_(make_plan(shape)),
      keys_(1, shape.keys),
      backend_(execute::make_cpu_backend(threads)),
      tracker_(1, 0),
      table_(std::make_unique<batch::ResultTable>(plan_.queries[0].shape)) {
  runner_ = std::make_unique<execute::QueryRunner>(plan_, plan_.queries[0], *backend_, keys_);
  runner_->set_spill(kSpillRows, [this](batch::ResultTable& rows) { take(rows); });
  for (std::uint32_t key = 0; key < shape.keys; ++key) {
    const std::string text = key_text(key);
    const std::string_view tuple[] = {text};
    if (keys_.intern(tuple) != key) {
      throw Error("bench: key ids are not given in order");
    }
  }
}

BenchEngine::~BenchEngine() = default;

void BenchEngine::run(const EngineBlock& block) {
  for (const auto& batch : block.batches()) {
    std::uint64_t windows = 0;
    tracker_.advance(*batch, trace_, backend_.get());
    runner_->run(*batch, trace_, *table_, windows, late_);
    take(*table_);
  }
}

void BenchEngine::save(state::CheckpointDraft& draft) const {
  state::save_keys(keys_, keys_.size(), draft.section("keys"));
  tracker_.save(draft.section("watermark").out());
  runner_->save(draft.section("query"));
}

void BenchEngine::load(const state::Checkpoint& checkpoint) {
  state::Reader keys(*checkpoint.find("keys"));
  std::uint32_t id = 0;
  while (!keys.at_end()) {
    const std::string_view tuple[] = {keys.text()};
    if (keys_.intern(tuple) != id++) {
      throw Error("bench: the keys are not those of this engine");
    }
  }
  state::Reader watermark(*checkpoint.find("watermark"));
  tracker_.load(watermark);
  state::Reader query(*checkpoint.find("query"));
  runner_->load(query);
}

void BenchEngine::take(batch::ResultTable& rows) {
  rows_ += rows.size();
  if (on_rows != nullptr && !rows.empty()) {
    on_rows(context, rows);
  }
  rows.clear();
}

std::uint32_t BenchEngine::key_of(std::string_view group) {
  std::uint32_t key = 0;
  group.remove_prefix(std::string_view("sensor-").size());
  std::from_chars(group.data(), group.data() + group.size(), key);
  return key;
}

}  // namespace weir::app
