#include "runtime/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/decimal.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"
#include "sink/dead_letter.hpp"

namespace weir::runtime {
namespace {

std::string time_text(std::int64_t ns) {
  std::string text;
  if (ns == execute::kNoWatermark) {
    return "nothing";
  }
  append_rfc3339(text, ns);
  return text;
}

}  // namespace

bool Report::balances() const noexcept {
  return std::all_of(streams.begin(), streams.end(), [](const Stream& s) { return s.ledger.balances(); }) &&
         std::all_of(queries.begin(), queries.end(), [](const Query& q) { return q.ledger.balances(); });
}

Engine::Engine(const plan::Plan& plan, execute::Backend& backend, sink::DeadLetters* dead_letters,
               const std::map<std::string, std::string>& journals, FileSystem& files)
    : plan_(plan), backend_(backend), dead_letters_(dead_letters) {
  for (const plan::StreamPlan& stream : plan.streams) {
    auto state = std::make_unique<Stream>();
    const auto journal = journals.find(stream.spec.name);
    state->identity = identity_of(stream.spec, journal == journals.end() ? std::string() : journal->second);
    state->keys = std::make_unique<batch::KeyDictionary>(stream.spec.schema.keys.size(), stream.spec.max_keys);
    state->tracker =
        std::make_unique<execute::WatermarkTracker>(stream.spec.sources.size(), stream.spec.out_of_order.count());
    if (stream.spec.dedupe) {
      const auto field = stream.spec.schema.field_index(stream.spec.sequence);
      state->dedupe = std::make_unique<Dedupe>(field ? static_cast<int>(*field) : -1, stream.spec.max_remembered);
    }
    if (stream.spec.key_ttl.count() > 0) {
      state->ages = std::make_unique<KeyAges>(stream.spec.key_ttl.count());
    }
    streams_.push_back(std::move(state));
    Report::Stream& published = report_.streams.emplace_back();
    published.name = stream.spec.name;
    published.arrival_time = stream.arrival_time;
  }
  queries_.resize(plan.queries.size());
  for (const std::size_t index : plan.order) {
    const plan::QueryPlan& query = plan.queries[index];
    Query& state = queries_[index];
    if (!query.readers.empty()) {
      state.rows = std::make_unique<execute::RowStream>(query, backend.column_memory());
    }
    state.runs = execute::make_operator(plan, query, backend, keys_of(query));
    state.table = std::make_unique<batch::ResultTable>(query.shape);
    state.runs->set_spill(kRowsAtOnce, [this, index](batch::ResultTable& table) {
      hand_rows_on(index, false);
      table.clear();
      table.continues = true;
    });
  }
  for (std::size_t index = 0; index < queries_.size(); ++index) {
    report_.queries.push_back({plan.queries[index].spec.name, {}});
    if (!queries_[index].rows) {
      continue;
    }
    std::vector<execute::Operator*> readers;
    for (const std::size_t reader : plan.queries[index].readers) {
      readers.push_back(queries_[reader].runs.get());
    }
    queries_[index].rows->set_readers(std::move(readers),
                                      [this, index](const batch::Batch& batch, const execute::WatermarkTrace& trace) {
                                        for (const std::size_t reader : plan_.queries[index].readers) {
                                          run_query(reader, batch, trace);
                                        }
                                        report_late(plan_.queries[index].readers, batch);
                                      });
  }
  sink_ledgers_.resize(plan.spec.sinks.size());
  for (std::size_t i = 0; i < plan.spec.sinks.size(); ++i) {
    const spec::Sink& sink = plan.spec.sinks[i];
    report_.sinks.emplace_back().name = sink.name;
    sinks_.push_back(sink::make_sink(
        sink,
        [this, i, &sink](std::string_view reason, std::string_view row) {
          ++sink_ledgers_[i].refused.try_emplace(std::string(reason), 0).first->second;
          if (dead_letters_ != nullptr) {
            dead_letters_->refused(sink.name, reason, row);
          }
        },
        files));
  }
}

Engine::~Engine() = default;

std::vector<const batch::ResultShape*> Engine::shapes_of(std::size_t sink) const {
  std::vector<const batch::ResultShape*> shapes;
  for (const plan::QueryPlan& query : plan_.queries) {
    if (std::find(query.sinks.begin(), query.sinks.end(), sink) != query.sinks.end()) {
      shapes.push_back(&query.shape);
    }
  }
  return shapes;
}

void Engine::open_sinks() {
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    sinks_[i]->open(shapes_of(i));
  }
}

void Engine::process(std::size_t stream_index, batch::Batch& batch) {
  Stream& stream = *streams_[stream_index];
  stream.key_count = batch.key_count;
  stream.at_boundary = batch.at_message_boundary;
  for (auto& [source, position] : batch.positions) {
    const auto known = std::find_if(stream.resume.positions.begin(), stream.resume.positions.end(),
                                    [source = source](const auto& entry) { return entry.first == source; });
    if (known == stream.resume.positions.end()) {
      stream.resume.positions.emplace_back(source, position);
    } else {
      known->second.advance(position.offset, position.detail);
    }
  }
  if (batch.clock_set_back_ns) {
    stream.resume.newest_arrival_ns = batch.newest_arrival_ns;
    stream.resume.interval_end_ns = batch.open_interval_end_ns;
  }
  stream.resume.newest_arrival_ns = std::max(stream.resume.newest_arrival_ns, batch.newest_arrival_ns);
  stream.resume.interval_end_ns = std::max(stream.resume.interval_end_ns, batch.open_interval_end_ns);
  stream.resume.ended |= batch.end_of_input;
  if (!batch.feed.sources.empty()) {
    stream.resume.feed = batch.feed;
  }

  state::StreamLedger& ledger = stream.ledger;
  ledger.received += batch.received;
  ledger.shed += batch.shed;
  ledger.rounded += batch.rounded;
  for (std::size_t i = 0; i < batch.malformed.size(); ++i) {
    ledger.malformed[i] += batch.malformed[i];
  }
  if (stream.dedupe) {
    ledger.duplicate += stream.dedupe->remove(batch);
    warn_of_forgotten(stream_index);
  }
  ledger.delivered += batch.size();
  if (stream.ages) {
    stream.ages->note(batch);
  }

  const std::int64_t watermark = stream.tracker->watermark();
  stream.tracker->advance(batch, stream.trace, &backend_);
  if (stream.trace.new_beginning()) {
    log::warn(
        "stream '{}': the arrival clock was set back to {}, and the watermark from {} to {}: windows that no reading "
        "came into open again",
        plan_.streams[stream_index].spec.name, time_text(*batch.clock_set_back_ns), time_text(watermark),
        time_text(stream.trace.new_beginning()->watermark));
  }
  stream.standstill.look(plan_.streams[stream_index].spec, *stream.tracker, batch.feed);
  for (const std::size_t index : plan_.streams[stream_index].queries) {
    run_query(index, batch, stream.trace);
  }
  if (stream.dedupe) {
    stream.dedupe->forget_before(late_before(stream_index));
  }
  report_late(plan_.streams[stream_index].queries, batch);
  for (const auto& sink : sinks_) {
    sink->flush();
  }
  stream.resume.key_clock_ns = std::max(stream.resume.key_clock_ns, batch.newest_time_ns);
  if (batch.release_keys) {
    stream.resume.next_key_release_ns = batch.next_key_release_ns;
    release_keys(stream_index);
  }
  if (dead_letters_ != nullptr && !batch.interval_ends.empty()) {
    for (const spec::Sink& sink : plan_.spec.sinks) {
      dead_letters_->next_interval(sink.name);
    }
  }
  const std::scoped_lock lock(report_mutex_);
  publish_sinks();
  report_.payload_bytes += batch.payload_bytes;
  ++report_.batches;
  Report::Stream& published = report_.streams[stream_index];
  published.ledger = ledger;
  published.keys = stream.key_count;
  published.watermark_ns = stream.tracker->watermark();
  published.times.add(batch.times_read);
  for (std::size_t index = 0; index < queries_.size(); ++index) {
    if (plan_.queries[index].stream == stream_index) {
      report_.queries[index].ledger = queries_[index].runs->ledger();
    }
  }
}

void Engine::warn_of_forgotten(std::size_t stream_index) {
  Stream& stream = *streams_[stream_index];
  if (stream.dedupe->forgotten_early() == 0 || stream.forgotten_logged) {
    return;
  }
  stream.forgotten_logged = true;
  const spec::Stream& spec = plan_.streams[stream_index].spec;
  log::warn(
      "stream '{}': more readings than max_remembered = {} have windows that are open; a repeat of one that is further "
      "back counts again: raise max_remembered",
      spec.name, spec.max_remembered);
}

const batch::KeyDictionary& Engine::keys_of(const plan::QueryPlan& query) const {
  return query.parent ? queries_[*query.parent].rows->keys() : *streams_[query.stream]->keys;
}

/// A batch of what the query reads, and what comes of it for the queries that read its rows.
void Engine::run_query(std::size_t index, const batch::Batch& batch, const execute::WatermarkTrace& trace) {
  Query& query = queries_[index];
  std::uint64_t closed = 0;
  query.table->clear();
  query.table->continues = false;
  query.table->batch_end_ns = batch.interval_ends.empty() ? 0 : batch.interval_ends.back().end_ns;
  query.late_rows.clear();
  query.runs->run(batch, trace, *query.table, closed, query.late_rows);
  if (closed > 0 && !query.table->continues && query.table->empty()) {
    write_rows(index);  // which tells that there were none
  }
  hand_rows_on(index, batch.end_of_input);
}

void Engine::write_rows(std::size_t index) {
  for (const std::size_t sink : plan_.queries[index].sinks) {
    sink_ledgers_[sink].rows += queries_[index].table->size();
    sinks_[sink]->write(*queries_[index].table);
  }
}

void Engine::hand_rows_on(std::size_t index, bool end_of_input) {
  Query& query = queries_[index];
  if (!query.table->empty()) {
    write_rows(index);
  }
  if (query.rows) {
    query.rows->add(*query.table, end_of_input);
  }
}

/// A reading can be late in several queries; it is offered once.
void Engine::report_late(const std::vector<std::size_t>& queries, const batch::Batch& batch) {
  if (dead_letters_ == nullptr || queries.empty()) {
    return;
  }
  late_rows_all_.clear();
  for (const std::size_t query : queries) {
    late_rows_all_.insert(late_rows_all_.end(), queries_[query].late_rows.begin(), queries_[query].late_rows.end());
  }
  std::sort(late_rows_all_.begin(), late_rows_all_.end());
  late_rows_all_.erase(std::unique(late_rows_all_.begin(), late_rows_all_.end()), late_rows_all_.end());
  const plan::Input& input = plan_.queries[queries.front()].input;
  const batch::KeyDictionary& keys = keys_of(plan_.queries[queries.front()]);
  const std::int64_t arrival = batch.newest_arrival_ns > 0 ? batch.newest_arrival_ns : wall_clock_ns();
  for (const std::uint32_t row : late_rows_all_) {
    text_.assign("time=");
    append_rfc3339(text_, batch.times()[row]);
    for (std::size_t i = 0; i < input.schema.keys.size(); ++i) {
      text_.append(" ").append(input.schema.keys[i].name).append("=").append(keys.value(batch.keys()[row], i));
    }
    for (std::size_t i = 0; i < input.schema.fields.size(); ++i) {
      const std::int64_t units = batch.field(i)[row];
      text_.append(" ").append(input.schema.fields[i].name).append("=");
      if (units == kNullUnits) {
        text_.append("null");
      } else {
        append_decimal(text_, units, input.schema.fields[i].places);
      }
    }
    dead_letters_->late(plan_.streams[plan_.queries[queries.front()].stream].spec.name, arrival, text_);
  }
}

bool Engine::at_boundary() const noexcept {
  return std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->at_boundary; });
}

void Engine::count_checkpoint() {
  const std::scoped_lock lock(report_mutex_);
  ++report_.checkpoints;
}

void Engine::close() {
  for (const auto& sink : sinks_) {
    sink->close();
  }
  const std::scoped_lock lock(report_mutex_);
  publish_sinks();
}

void Engine::publish_sinks() {
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    report_.sinks[i].ledger = sink_ledgers_[i];
    report_.sinks[i].not_shown = sinks_[i]->rows_not_shown();
  }
}

void Engine::interrupt() {
  for (const auto& sink : sinks_) {
    sink->interrupt();
  }
}

Report Engine::report() const {
  const std::scoped_lock lock(report_mutex_);
  return report_;
}

}  // namespace weir::runtime
