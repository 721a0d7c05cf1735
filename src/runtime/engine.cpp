#include "runtime/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/decimal.hpp"
#include "core/error.hpp"
#include "core/time_text.hpp"
#include "runtime/saved_keys.hpp"
#include "sink/dead_letter.hpp"

namespace weir::runtime {
namespace {

constexpr std::uint32_t kStreamSectionVersion = 2;  // 1 has no journal

// Result rows handed to the sinks at once: few enough to stay in the nearest caches, and to bound the table.
constexpr std::size_t kRowsAtOnce = 4096;

// Everything that decides whether saved readings still mean the same.
std::string schema_fingerprint(const spec::Stream& stream) {
  std::string text = stream.name + "\nkeys";
  for (const spec::Key& key : stream.schema.keys) {
    text += " " + key.name;
  }
  text += "\nfields";
  for (const spec::Field& field : stream.schema.fields) {
    text += fmt::format(" {}:{}", field.name, field.places);
  }
  text += fmt::format("\nout_of_order {}\nsources {}", stream.out_of_order.count(), stream.sources.size());
  return text;
}

void save_feed(const batch::FeedState& feed, state::Writer& out) {
  out.u64(feed.next_record);
  out.i64(feed.clock_ns);
  out.u64(feed.sources.size());
  for (const batch::FeedState::Source& source : feed.sources) {
    out.i64(source.last_arrival_ns);
    out.u8(source.idle ? 1 : 0);
    out.u8(source.finished ? 1 : 0);
    out.text(source.decoder);
  }
}

batch::FeedState read_feed(state::Reader& in) {
  batch::FeedState feed;
  feed.next_record = in.u64();
  feed.clock_ns = in.i64();
  for (std::uint64_t left = in.count(1); left > 0; --left) {
    batch::FeedState::Source& source = feed.sources.emplace_back();
    source.last_arrival_ns = in.i64();
    source.idle = in.u8() != 0;
    source.finished = in.u8() != 0;
    source.decoder = in.text();
  }
  return feed;
}

}  // namespace

bool Report::balances() const noexcept {
  return std::all_of(streams.begin(), streams.end(), [](const Stream& s) { return s.ledger.balances(); }) &&
         std::all_of(queries.begin(), queries.end(), [](const Query& q) { return q.ledger.balances(); });
}

Engine::Engine(const plan::Plan& plan, execute::Backend& backend, sink::DeadLetters* dead_letters)
    : plan_(plan), backend_(backend), dead_letters_(dead_letters) {
  for (const plan::StreamPlan& stream : plan.streams) {
    auto state = std::make_unique<Stream>();
    state->keys = std::make_unique<batch::KeyDictionary>(stream.spec.schema.keys.size(), stream.spec.max_keys);
    state->tracker =
        std::make_unique<execute::WatermarkTracker>(stream.spec.sources.size(), stream.spec.out_of_order.count());
    if (stream.spec.dedupe) {
      const auto field = stream.spec.schema.field_index(stream.spec.sequence);
      state->dedupe = std::make_unique<Dedupe>(field ? static_cast<int>(*field) : -1);
    }
    streams_.push_back(std::move(state));
    report_.streams.push_back({stream.spec.name, {}, 0, execute::kNoWatermark});
  }
  for (const plan::QueryPlan& query : plan.queries) {
    Query state;
    const batch::KeyDictionary& keys = *streams_[query.stream]->keys;
    if (query.readings) {
      state.readings = std::make_unique<execute::ReadingRunner>(plan, query, keys);
    } else {
      state.runner = std::make_unique<execute::QueryRunner>(plan, query, backend, keys);
    }
    state.table = std::make_unique<batch::ResultTable>(query.shape);
    if (state.runner) {
      state.runner->set_spill(kRowsAtOnce, [this, index = queries_.size()](batch::ResultTable& table) {
        write_rows(plan_.queries[index], table);
        table.clear();
        table.continues = true;
      });
    }
    queries_.push_back(std::move(state));
    report_.queries.push_back({query.spec.name, {}});
  }
  sink_ledgers_.resize(plan.spec.sinks.size());
  for (std::size_t i = 0; i < plan.spec.sinks.size(); ++i) {
    const spec::Sink& sink = plan.spec.sinks[i];
    report_.sinks.push_back({sink.name, {}});
    sinks_.push_back(sink::make_sink(sink, [this, i, &sink](std::string_view reason, std::string_view row) {
      ++sink_ledgers_[i].refused.try_emplace(std::string(reason), 0).first->second;
      if (dead_letters_ != nullptr) {
        dead_letters_->refused(sink.name, reason, row);
      }
    }));
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

void Engine::open() {
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    sinks_[i]->prepare(shapes_of(i));
  }
  // None has anything against it: only now is what lies on a disk changed.
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
  }
  ledger.delivered += batch.size();

  stream.tracker->advance(batch, stream.trace, &backend_);
  late_rows_all_.clear();
  std::int64_t late_before = std::numeric_limits<std::int64_t>::max();
  for (const std::size_t index : plan_.streams[stream_index].queries) {
    Query& query = queries_[index];
    std::uint64_t closed = 0;
    query.table->clear();
    query.table->continues = false;
    query.table->batch_end_ns = batch.interval_ends.empty() ? 0 : batch.interval_ends.back().end_ns;
    late_rows_.clear();
    if (query.readings) {
      query.readings->run(batch, *query.table);
      closed = batch.interval_ends.size();
    } else {
      query.runner->run(batch, stream.trace, *query.table, closed, late_rows_);
      late_before = std::min(late_before, query.runner->late_before());
    }
    if ((closed > 0 && !query.table->continues) || !query.table->empty()) {
      write_rows(plan_.queries[index], *query.table);
    }
    late_rows_all_.insert(late_rows_all_.end(), late_rows_.begin(), late_rows_.end());
  }
  if (stream.dedupe) {
    // Without a window nothing is ever late; then the watermark bounds what is remembered.
    stream.dedupe->forget_before(std::min(late_before, stream.tracker->watermark()));
  }
  if (dead_letters_ != nullptr && !late_rows_all_.empty()) {
    report_late(stream_index, batch);
  }
  for (const auto& sink : sinks_) {
    sink->flush();
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
  for (const std::size_t index : plan_.streams[stream_index].queries) {
    report_.queries[index].ledger = queries_[index].ledger();
  }
}

void Engine::write_rows(const plan::QueryPlan& plan, batch::ResultTable& table) {
  for (const std::size_t sink : plan.sinks) {
    sink_ledgers_[sink].rows += table.size();
    sinks_[sink]->write(table);
  }
}

void Engine::report_late(std::size_t stream_index, const batch::Batch& batch) {
  // A reading can be late in several queries; it is offered once.
  std::sort(late_rows_all_.begin(), late_rows_all_.end());
  late_rows_all_.erase(std::unique(late_rows_all_.begin(), late_rows_all_.end()), late_rows_all_.end());
  const spec::Stream& stream = plan_.streams[stream_index].spec;
  const batch::KeyDictionary& keys = *streams_[stream_index]->keys;
  const std::int64_t arrival = batch.newest_arrival_ns > 0 ? batch.newest_arrival_ns : wall_clock_ns();
  for (const std::uint32_t row : late_rows_all_) {
    text_.assign("time=");
    append_rfc3339(text_, batch.times()[row]);
    for (std::size_t i = 0; i < stream.schema.keys.size(); ++i) {
      text_.append(" ").append(stream.schema.keys[i].name).append("=").append(keys.value(batch.keys()[row], i));
    }
    for (std::size_t i = 0; i < stream.schema.fields.size(); ++i) {
      const std::int64_t units = batch.field(i)[row];
      text_.append(" ").append(stream.schema.fields[i].name).append("=");
      if (units == kNullUnits) {
        text_.append("null");
      } else {
        append_decimal(text_, units, stream.schema.fields[i].places);
      }
    }
    dead_letters_->late(stream.name, arrival, text_);
  }
}

bool Engine::at_boundary() const noexcept {
  return std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->at_boundary; });
}

void Engine::save_stream(std::size_t index, state::SectionWriter& section) const {
  const Stream& stream = *streams_[index];
  state::Writer& out = section.out();
  out.u32(kStreamSectionVersion);
  out.text(schema_fingerprint(plan_.streams[index].spec));
  stream.ledger.save(out);
  out.i64(stream.tracker->watermark());
  out.i64(stream.resume.interval_end_ns);
  out.i64(stream.resume.newest_arrival_ns);
  out.u8(stream.resume.ended ? 1 : 0);
  out.u64(stream.resume.positions.size());
  for (const auto& [source, position] : stream.resume.positions) {
    out.u32(source);
    out.u64(position.offset);
    out.text(position.detail);
  }
  save_feed(stream.resume.feed, out);
  // Ids above key_count were given to readings that the engine has not seen; they are given again, in the same order.
  out.u32(stream.key_count);
  save_keys(*stream.keys, stream.key_count, section);
  stream.tracker->save(out);
  out.u8(stream.dedupe ? 1 : 0);
  if (stream.dedupe) {
    stream.dedupe->save(section);
  }
}

SavedStream read_saved_stream(state::Reader& in) {
  SavedStream saved;
  const std::uint32_t version = in.u32();
  if (version < 1 || version > kStreamSectionVersion) {
    throw Error(fmt::format("the state of a stream has version {}, this program reads up to {}", version,
                            kStreamSectionVersion));
  }
  saved.fingerprint = in.text();
  saved.ledger.load(in);
  saved.watermark_ns = in.i64();
  saved.resume.interval_end_ns = in.i64();
  saved.resume.newest_arrival_ns = in.i64();
  saved.resume.ended = in.u8() != 0;
  for (std::uint64_t left = in.u64(); left > 0; --left) {
    const std::uint32_t source = in.u32();
    const std::uint64_t offset = in.u64();
    saved.resume.positions.emplace_back(source, batch::SourcePosition{offset, std::string(in.text())});
  }
  if (version >= 2) {
    saved.resume.feed = read_feed(in);
  }
  saved.keys = in.u32();
  return saved;
}

void Engine::load_stream(std::size_t index, state::Reader& in) {
  Stream& stream = *streams_[index];
  const spec::Stream& spec = plan_.streams[index].spec;
  SavedStream saved = read_saved_stream(in);
  if (saved.fingerprint != schema_fingerprint(spec)) {
    throw ConfigError({Diagnostic{
        plan_.spec.file, spec.line,
        fmt::format("stream '{}' changed its keys, fields, sources or out_of_order since its state was saved",
                    spec.name),
        "undo the change, or start with another state_dir"}});
  }
  stream.ledger = saved.ledger;
  stream.resume = std::move(saved.resume);
  stream.key_count = saved.keys;
  if (!load_keys(in, stream.key_count, *stream.keys)) {
    throw ConfigError({Diagnostic{plan_.spec.file, spec.line,
                                  fmt::format("the state of stream '{}' holds {} key tuples, more than max_keys = {}",
                                              spec.name, stream.key_count, spec.max_keys),
                                  "raise max_keys"}});
  }
  stream.tracker->load(in);
  if (in.u8() != 0) {
    Dedupe saved_dedupe(-1);
    (stream.dedupe ? *stream.dedupe : saved_dedupe).load(in);
  }
  Report::Stream& published = report_.streams[index];
  published.ledger = stream.ledger;
  published.keys = stream.key_count;
  published.watermark_ns = stream.tracker->watermark();
}

void Engine::checkpoint(state::CheckpointDraft& draft) {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    save_stream(i, draft.section("stream/" + plan_.streams[i].spec.name));
  }
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    state::SectionWriter& section = draft.section("query/" + plan_.queries[i].spec.name);
    section.out().text(plan_.queries[i].fingerprint());
    if (queries_[i].runner) {
      queries_[i].runner->save(section);
    } else {
      queries_[i].readings->save(section.out());
    }
  }
  std::vector<FileToSync> to_sync;
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    const std::string position = sinks_[i]->checkpoint(to_sync);
    draft.section("sink/" + plan_.spec.sinks[i].name).out().raw(position.data(), position.size());
    sink_ledgers_[i].save(draft.section("rows/" + plan_.spec.sinks[i].name).out());
  }
  draft.sync(std::move(to_sync));
}

void Engine::restore(const state::Checkpoint& checkpoint, const std::vector<std::string>& discard) {
  std::vector<Diagnostic> refused;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (const auto bytes = checkpoint.find("stream/" + plan_.streams[i].spec.name)) {
      state::Reader in(*bytes);
      load_stream(i, in);
    }
  }
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    const plan::QueryPlan& query = plan_.queries[i];
    const std::optional<std::string_view> bytes = checkpoint.find("query/" + query.spec.name);
    if (!bytes || std::find(discard.begin(), discard.end(), query.spec.name) != discard.end()) {
      continue;
    }
    state::Reader in(*bytes);
    if (in.text() != query.fingerprint()) {
      refused.push_back({plan_.spec.file, query.spec.line,
                         fmt::format("query '{}' changed since its state was saved", query.spec.name),
                         fmt::format("undo the change, or start with --discard-state {}", query.spec.name)});
      continue;
    }
    if (queries_[i].runner) {
      queries_[i].runner->load(in);
    } else {
      queries_[i].readings->load(in);
    }
    report_.queries[i].ledger = queries_[i].ledger();
  }
  if (!refused.empty()) {
    throw ConfigError(std::move(refused));
  }
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    if (const auto position = checkpoint.find("sink/" + plan_.spec.sinks[i].name)) {
      sinks_[i]->resume(std::string(*position));
    }
    if (const auto bytes = checkpoint.find("rows/" + plan_.spec.sinks[i].name)) {
      state::Reader in(*bytes);
      sink_ledgers_[i].load(in);
    }
  }
  open();
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

std::uint64_t Engine::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& stream : streams_) {
    bytes += stream->keys->bytes() + (stream->dedupe ? stream->dedupe->bytes() : 0);
  }
  for (const Query& query : queries_) {
    bytes += query.runner ? query.runner->bytes() : query.readings->bytes();
  }
  return bytes;
}

}  // namespace weir::runtime
