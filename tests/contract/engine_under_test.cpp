#include "contract/engine_under_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/decimal.hpp"
#include "state/serial.hpp"

namespace weir::contract {
namespace {

std::string text_of(const batch::Value& value, batch::ValueType type) {
  if (value.null) return "null";
  if (type == batch::ValueType::real) return fmt::format("{:a}", value.real);
  return fmt::format("{}", value.units);
}

std::string text_of(const oracle::Value& value) {
  switch (value.kind) {
    case oracle::Value::Kind::null:
      return "null";
    case oracle::Value::Kind::exact:
      return fmt::format("{}", value.units);
    case oracle::Value::Kind::real:
      return fmt::format("{:a}", value.real);
    case oracle::Value::Kind::between:
      return fmt::format("[{} {}]", value.low, value.high);
  }
  return {};
}

std::string text_of(std::int64_t start, std::int64_t end, std::uint32_t revision,
                    const std::vector<std::string>& group) {
  return fmt::format("[{} {}) r{} ({})", start, end, revision, fmt::join(group, ", "));
}

bool same_value(const batch::Value& value, batch::ValueType type, const oracle::Value& expected) {
  using Kind = oracle::Value::Kind;
  if (value.null || expected.kind == Kind::null) return value.null && expected.kind == Kind::null;
  switch (expected.kind) {
    case Kind::exact:
      return type != batch::ValueType::real && value.units == expected.units;
    case Kind::real:
      return type == batch::ValueType::real && std::memcmp(&value.real, &expected.real, sizeof value.real) == 0;
    case Kind::between:
      return type != batch::ValueType::real && value.units >= expected.low && value.units <= expected.high;
    case Kind::null:
      break;
  }
  return false;
}

bool same_row(const EngineRow& row, const batch::ResultShape& shape, const oracle::Row& expected) {
  if (row.window.window_start_ns != expected.start || row.window.window_end_ns != expected.end ||
      row.window.revision != expected.revision || row.group != expected.group) {
    return false;
  }
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (!same_value(row.values[i], shape.columns[i].type, expected.values[i])) return false;
  }
  return true;
}

}  // namespace

std::string to_text(const EngineRow& row, const batch::ResultShape& shape) {
  std::string text = text_of(row.window.window_start_ns, row.window.window_end_ns, row.window.revision, row.group);
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    text += fmt::format(" {}={}", shape.columns[i].name, text_of(row.values[i], shape.columns[i].type));
  }
  return text;
}

std::string to_text(const oracle::Row& row) {
  std::string text = text_of(row.start, row.end, row.revision, row.group);
  for (const oracle::Value& value : row.values) {
    text += " " + text_of(value);
  }
  return text;
}

spec::Stream plugs_stream(std::size_t sources, std::int64_t out_of_order_ns) {
  spec::Stream stream;
  stream.name = "plugs";
  stream.schema.keys = {{"house", ""}, {"household", ""}, {"plug", ""}};
  stream.schema.fields = {{"load", 3, "", true}, {"temp", 2, "", false}};
  stream.time.field = "ts";
  stream.time.unit = TimeUnit::nanoseconds;
  stream.out_of_order = Duration(out_of_order_ns);
  // What a device's memory is planned for.
  stream.max_ahead = Duration(20'000'000'000);
  stream.max_keys = 512;
  for (std::size_t i = 0; i < sources; ++i) {
    spec::Source source;
    source.kind = spec::SourceKind::file;
    source.path = fmt::format("plugs_{}.csv", i);
    source.format.kind = spec::FormatKind::csv;
    source.format.columns = {"ts", "load", "temp", "plug", "household", "house"};
    stream.sources.push_back(source);
  }
  return stream;
}

plan::Plan plan_of(spec::Stream stream, spec::Query query, std::int64_t batch_interval_ns) {
  spec::Sink sink;
  sink.name = "console";
  query.from = stream.name;
  query.sinks = {sink.name};
  spec::Pipeline pipeline;
  pipeline.batch_interval = Duration(batch_interval_ns);
  pipeline.batch_rows = 4096;
  pipeline.dead_letter = "dead.jsonl";
  pipeline.dead_letter_limit = 1'000'000;
  pipeline.streams.push_back(std::move(stream));
  pipeline.queries.push_back(std::move(query));
  pipeline.sinks.push_back(std::move(sink));
  return plan::compile(std::move(pipeline));
}

EngineUnderTest::EngineUnderTest(const plan::Plan& plan, execute::Backend& backend)
    : plan_(plan),
      query_(plan.queries.at(0)),
      backend_(backend),
      keys_(plan.streams.at(0).spec.schema.keys.size(), plan.streams.at(0).spec.max_keys),
      tracker_(plan.streams[0].spec.sources.size(), plan.streams[0].spec.out_of_order.count()),
      runner_(plan, query_, backend, keys_),
      table_(query_.shape) {}

void EngineUnderTest::feed(std::span<const oracle::Event> events, bool end_of_input) {
  using Kind = oracle::Event::Kind;
  const std::size_t fields = plan_.streams[0].spec.schema.fields.size();
  const auto readings = static_cast<std::uint32_t>(
      std::count_if(events.begin(), events.end(), [](const oracle::Event& e) { return e.kind == Kind::reading; }));
  batch::Batch batch(fields, std::max<std::uint32_t>(readings, 1));
  std::uint32_t row = 0;
  std::vector<std::string_view> tuple;
  for (const oracle::Event& event : events) {
    switch (event.kind) {
      case Kind::reading: {
        const oracle::Reading& reading = event.reading;
        const auto source = static_cast<std::uint32_t>(reading.source);
        if (batch.runs.empty() || batch.runs.back().source != source) batch.runs.push_back({row, source});
        tuple.assign(reading.keys.begin(), reading.keys.end());
        batch.times()[row] = reading.time;
        batch.keys()[row] = keys_.intern(tuple).value();
        for (std::size_t field = 0; field < fields; ++field) {
          batch.field(field)[row] = reading.fields[field].value_or(kNullUnits);
          batch.may_have_nulls = batch.may_have_nulls || !reading.fields[field];
        }
        ++row;
        break;
      }
      case Kind::source_idle:
      case Kind::source_finished:
        batch.ticks.push_back(
            {row, event.kind == Kind::source_idle ? batch::Tick::Kind::source_idle : batch::Tick::Kind::source_finished,
             static_cast<std::uint32_t>(event.source), 0});
        break;
      case Kind::watermark:
        batch.ticks.push_back({row, batch::Tick::Kind::watermark, 0, event.instant});
        break;
      case Kind::interval_end:
        batch.interval_ends.push_back({row, event.instant});
        break;
    }
  }
  batch.set_size(row);
  batch.key_count = keys_.size();
  batch.end_of_input = end_of_input;
  batch.received = row;
  batch.clock_set_back_ns = std::exchange(clock_set_back_ns_, std::nullopt);

  tracker_.advance(batch, trace_, &backend_);
  std::vector<std::uint32_t> late_rows;
  table_.clear();
  runner_.run(batch, trace_, table_, windows_closed_, late_rows);
  for (const std::uint32_t late : late_rows) {
    late_readings_.push_back(delivered_ + late);
  }
  delivered_ += row;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    EngineRow& result = rows_.emplace_back();
    result.window = table_.row(i);
    for (std::size_t key = 0; key < query_.shape.group_keys.size(); ++key) {
      result.group.emplace_back(table_.group(i, key));
    }
    for (std::size_t column = 0; column < query_.shape.columns.size(); ++column) {
      result.values.push_back(table_.value(i, column));
    }
  }
}

std::uint32_t EngineUnderTest::release_keys() {
  std::vector<std::uint8_t> kept(keys_.size());
  runner_.pin_keys(kept);
  std::vector<std::uint32_t> ids(kept.size(), execute::kNoKey);
  std::uint32_t next = 0;
  for (std::size_t key = 0; key < kept.size(); ++key) {
    if (kept[key] != 0) ids[key] = next++;
  }
  keys_.keep(kept);
  runner_.renumber(ids);
  return static_cast<std::uint32_t>(kept.size()) - next;
}

void EngineUnderTest::save(state::SectionWriter& section) const {
  tracker_.save(section.out());
  runner_.save(section);
}

std::string EngineUnderTest::save() const {
  state::SectionWriter section;
  save(section);
  section.resolve();
  return section.gather();
}

void EngineUnderTest::load(const std::string& state, const EngineUnderTest& saved_by) {
  std::vector<std::string_view> tuple(keys_.arity());
  for (std::uint32_t id = 0; id < saved_by.keys_.size(); ++id) {
    for (std::size_t key = 0; key < tuple.size(); ++key) {
      tuple[key] = saved_by.keys_.value(id, key);
    }
    keys_.intern(tuple);
  }
  state::Reader in(state);
  tracker_.load(in);
  runner_.load(in);
  if (!in.at_end()) throw std::runtime_error("the state holds more than was read");
  delivered_ = saved_by.delivered_;
}

std::vector<std::string> EngineUnderTest::texts() const {
  std::vector<std::string> texts;
  for (const EngineRow& row : rows_) {
    texts.push_back(to_text(row, query_.shape));
  }
  return texts;
}

std::string EngineUnderTest::differences(const oracle::Answer& answer) const {
  std::string text;
  const std::size_t common = std::min(rows_.size(), answer.rows.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (same_row(rows_[i], query_.shape, answer.rows[i])) continue;
    text += fmt::format("row {}:\n  is        {}\n  should be {}\n", i, to_text(rows_[i], query_.shape),
                        to_text(answer.rows[i]));
    break;
  }
  if (rows_.size() != answer.rows.size()) {
    text += fmt::format("{} rows, should be {}", rows_.size(), answer.rows.size());
    if (rows_.size() > common) text += "; first too many: " + to_text(rows_[common], query_.shape);
    if (answer.rows.size() > common) text += "; first missing: " + to_text(answer.rows[common]);
    text += "\n";
  }
  const state::QueryLedger& is = ledger();
  if (is.counted != answer.counted || is.filtered != answer.filtered || is.late != answer.late) {
    text += fmt::format("ledger: counted {} filtered {} late {}, should be {} {} {}\n", is.counted, is.filtered,
                        is.late, answer.counted, answer.filtered, answer.late);
  }
  if (!is.balances()) text += "the ledger does not balance\n";
  if (late_readings_ != answer.late_readings) {
    text += fmt::format("late readings {}, should be {}\n", fmt::join(late_readings_, " "),
                        fmt::join(answer.late_readings, " "));
  }
  return text;
}

}  // namespace weir::contract
