#include <weir/streaming_context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "api/graph.hpp"
#include "core/error.hpp"
#include "core/spelling.hpp"
#include "plan/plan.hpp"
#include "plan/required_files.hpp"
#include "runtime/pipeline.hpp"
#include "runtime/shutdown.hpp"
#include "runtime/summary.hpp"

namespace weir {
namespace {

TimeUnit time_unit(const std::string& text) {
  constexpr std::array<std::string_view, 6> names{"auto", "s", "ms", "us", "ns", "rfc3339"};
  constexpr std::array<TimeUnit, 6> units{TimeUnit::automatic,    TimeUnit::seconds,     TimeUnit::milliseconds,
                                          TimeUnit::microseconds, TimeUnit::nanoseconds, TimeUnit::rfc3339};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) {
      return units[i];
    }
  }
  throw ConfigError(fmt::format("unknown time unit '{}'", text), suggest(text, names));
}

spec::Format format_of(const Schema& schema) {
  spec::Format format;
  switch (schema.format) {
    case Format::json:
      format.kind = spec::FormatKind::json;
      break;
    case Format::csv:
      format.kind = spec::FormatKind::csv;
      break;
    case Format::senml:
      format.kind = spec::FormatKind::senml;
      break;
    case Format::raw:
      format.kind = spec::FormatKind::raw;
      break;
  }
  format.columns = schema.columns;
  format.separator = schema.separator;
  return format;
}

spec::Stream stream_of(const Schema& schema, spec::Source source, const std::string& name) {
  spec::Stream stream;
  stream.name = name;
  for (const std::string& key : schema.keys) {
    stream.schema.keys.push_back({key, {}});
  }
  for (const Field& field : schema.fields) {
    stream.schema.fields.push_back({field.name, field.places, field.path, field.required});
  }
  stream.time.arrival = schema.time.empty();
  stream.time.field = schema.time;
  stream.time.unit = time_unit(schema.time_unit);
  stream.time.zone = schema.zone;
  stream.out_of_order = schema.out_of_order;
  stream.idle_timeout = schema.idle_timeout;
  stream.dedupe = schema.dedupe;
  stream.max_remembered = schema.max_remembered;
  stream.max_keys = schema.max_keys;
  stream.max_key_bytes = schema.max_key_bytes;
  source.format = format_of(schema);
  stream.sources.push_back(std::move(source));
  return stream;
}

}  // namespace

struct StreamingContext::State {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  std::mutex mutex;
  std::unique_ptr<runtime::Pipeline> pipeline;
  bool stopped = false;
  std::optional<runtime::ShutdownSignals> signals;

  DStream add(spec::Stream stream) {
    auto node = std::make_shared<DStream::Node>();
    node->streams = {graph->add_stream(std::move(stream))};
    node->graph = graph;
    return DStream(std::move(node));
  }
  void request_stop() {
    const std::scoped_lock lock(mutex);
    stopped = true;
    if (pipeline) {
      pipeline->request_stop();
    }
  }
};

StreamingContext::StreamingContext(const ContextOptions& options) : state_(std::make_shared<State>()) {
  spec::Pipeline& pipeline = state_->graph->pipeline;
  pipeline.batch_interval = options.batch_interval;
  pipeline.state_dir = options.state_dir;
  pipeline.checkpoint_interval = options.checkpoint_interval;
  pipeline.device = options.device;
  pipeline.threads = options.threads;
  if (options.stop_on_signals) {
    state_->signals.emplace([state = std::weak_ptr<State>(state_)] {
      if (const auto alive = state.lock()) {
        alive->request_stop();
      }
    });
  }
}

StreamingContext::StreamingContext(StreamingContext&&) noexcept = default;
StreamingContext& StreamingContext::operator=(StreamingContext&&) noexcept = default;

StreamingContext::~StreamingContext() {
  if (state_ && state_->pipeline) {
    state_->request_stop();
    while (!state_->pipeline->wait_for(std::chrono::seconds(1))) {
    }
  }
}

StreamingContext StreamingContext::get_or_create(const std::string& state_dir,
                                                 const std::function<StreamingContext()>& create) {
  StreamingContext context = create();
  context.state_->graph->pipeline.state_dir = state_dir;
  return context;
}

DStream StreamingContext::mqtt_stream(const std::string& broker, const std::string& topic, const Schema& schema,
                                      const std::string& name) {
  spec::Source source;
  source.kind = spec::SourceKind::mqtt;
  source.broker = broker;
  source.topics = {topic};
  return state_->add(stream_of(schema, std::move(source), name));
}

DStream StreamingContext::socket_text_stream(const std::string& host, int port, const Schema& schema,
                                             const std::string& name) {
  spec::Source source;
  source.kind = spec::SourceKind::tcp;
  source.host = host;
  source.port = port;
  return state_->add(stream_of(schema, std::move(source), name));
}

DStream StreamingContext::text_file_stream(const std::string& directory, const Schema& schema,
                                           const std::string& name) {
  spec::Source source;
  source.kind = spec::SourceKind::directory;
  source.path = directory;
  return state_->add(stream_of(schema, std::move(source), name));
}

DStream StreamingContext::file_stream(const std::string& path, const Schema& schema, const std::string& name) {
  spec::Source source;
  source.kind = spec::SourceKind::file;
  source.path = path;
  return state_->add(stream_of(schema, std::move(source), name));
}

DStream StreamingContext::receiver_stream(std::shared_ptr<Receiver> receiver, const Schema& schema,
                                          const std::string& name) {
  spec::Source source;
  source.kind = spec::SourceKind::custom;
  source.receiver = std::move(receiver);
  return state_->add(stream_of(schema, std::move(source), name));
}

void StreamingContext::start() {
  const std::scoped_lock lock(state_->mutex);
  if (state_->graph->started) {
    throw std::logic_error(state_->stopped ? "a stopped StreamingContext cannot start again"
                                           : "the StreamingContext was started already");
  }
  if (state_->graph->pipeline.queries.empty()) {
    throw std::logic_error("no output operation: add print(), for_each_batch(), save_as_text_files() or publish()");
  }
  // Streams that only serve as parts of a union, or that nothing was asked of, need no source.
  spec::Pipeline pipeline = state_->graph->pipeline;
  std::erase_if(pipeline.streams, [&pipeline](const spec::Stream& stream) {
    return std::none_of(pipeline.queries.begin(), pipeline.queries.end(),
                        [&stream](const spec::Query& query) { return query.from == stream.name; });
  });
  plan::Plan plan = plan::compile(std::move(pipeline));
  plan::require_files(plan, plan::Inputs::leave_out);
  auto running = std::make_unique<runtime::Pipeline>(std::move(plan), runtime::Options{});
  running->start();
  state_->graph->started = true;
  state_->pipeline = std::move(running);
  if (state_->stopped) {
    state_->pipeline->request_stop();
  }
}

void StreamingContext::await_termination() {
  if (!state_->pipeline) {
    throw std::logic_error("the StreamingContext was not started");
  }
  state_->pipeline->wait();
}

bool StreamingContext::await_termination_or_timeout(std::chrono::nanoseconds limit) {
  if (!state_->pipeline) {
    throw std::logic_error("the StreamingContext was not started");
  }
  if (!state_->pipeline->wait_for(limit)) {
    return false;
  }
  state_->pipeline->wait();
  return true;
}

void StreamingContext::stop() {
  state_->request_stop();
  if (state_->pipeline) {
    state_->pipeline->wait();
  }
}

std::string StreamingContext::summary() const {
  return state_->pipeline ? runtime::summary(state_->pipeline->report(), 0.0) : std::string();
}

bool StreamingContext::ledger_balances() const {
  return !state_->pipeline || state_->pipeline->report().balances();
}

}  // namespace weir
