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
#include "core/log.hpp"
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
    case Format::line:
      format.kind = spec::FormatKind::line;
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
  stream.key_ttl = schema.key_ttl;
  stream.max_key_bytes = schema.max_key_bytes;
  source.format = format_of(schema);
  stream.sources.push_back(std::move(source));
  return stream;
}

std::shared_ptr<runtime::Pipeline> make_pipeline(const Graph& graph) {
  if (graph.pipeline.queries.empty()) {
    throw std::logic_error("no output operation: add print(), for_each_batch(), save_as_text_files() or publish()");
  }
  // Streams that only serve as parts of a union, or that nothing was asked of, need no source.
  spec::Pipeline pipeline = graph.pipeline;
  std::erase_if(pipeline.streams, [&pipeline](const spec::Stream& stream) {
    return std::none_of(pipeline.queries.begin(), pipeline.queries.end(),
                        [&stream](const spec::Query& query) { return query.from == stream.name; });
  });
  plan::Plan plan = plan::compile(std::move(pipeline));
  plan::require_files(plan, plan::Inputs::leave_out);
  runtime::Options options;
  // Whoever never waits for the end hears of it here.
  options.on_failure = [](const std::string& what) { log::error("the run has failed: {}", what); };
  return std::make_shared<runtime::Pipeline>(std::move(plan), std::move(options));
}

// Waits for the end. A source that gave up is no reason for the others to stop, but the run is none that went well.
void require_success(runtime::Pipeline& pipeline) {
  pipeline.wait();
  const std::vector<std::string> failures = pipeline.failed_sources();
  if (!failures.empty()) throw Error(failures.front());
}

}  // namespace

struct StreamingContext::State {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  std::mutex mutex;  // guards the three
  std::shared_ptr<runtime::Pipeline> pipeline;
  bool starting = false;
  bool stopped = false;
  std::optional<runtime::ShutdownSignals> signals;  // last: its thread uses the others until it is gone

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    signals.reset();
    if (const auto running = current()) {
      request_stop();
      while (!running->wait_for(std::chrono::seconds(1))) {
      }
    }
  }

  DStream add(spec::Stream stream) {
    auto node = std::make_shared<StreamNode>();
    node->streams = {graph->add_stream(std::move(stream))};
    node->graph = graph;
    return DStream(std::move(node));
  }
  // The pipeline that runs or has run; nothing before the start.
  std::shared_ptr<runtime::Pipeline> current() {
    const std::scoped_lock lock(mutex);
    return pipeline;
  }
  std::shared_ptr<runtime::Pipeline> require_started() {
    if (EngineCall::running()) {
      throw std::logic_error("a function of for_each_batch cannot wait for the end: it is a part of the run");
    }
    auto running = current();
    if (!running) throw std::logic_error("the StreamingContext was not started");
    return running;
  }
  void request_stop() {
    const std::scoped_lock lock(mutex);
    stopped = true;
    if (pipeline) {
      pipeline->request_stop();
    }
  }
  void begin_start() {
    const std::scoped_lock lock(mutex);
    if (graph->started || starting || stopped) {
      throw std::logic_error(stopped ? "a stopped StreamingContext cannot start again"
                                     : "the StreamingContext was started already");
    }
    starting = true;
  }
  void end_start(std::shared_ptr<runtime::Pipeline> running) {
    const std::scoped_lock lock(mutex);
    starting = false;
    if (!running) return;
    graph->started = true;
    pipeline = std::move(running);
    if (stopped) pipeline->request_stop();
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
    state_->signals.emplace([state = state_.get()] { state->request_stop(); });
  }
}

StreamingContext::StreamingContext(StreamingContext&&) noexcept = default;
StreamingContext& StreamingContext::operator=(StreamingContext&&) noexcept = default;
StreamingContext::~StreamingContext() = default;

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
  state_->begin_start();
  std::shared_ptr<runtime::Pipeline> running;
  try {
    running = make_pipeline(*state_->graph);
    running->start();
  } catch (...) {
    state_->end_start(nullptr);
    throw;
  }
  state_->end_start(std::move(running));
}

void StreamingContext::await_termination() {
  require_success(*state_->require_started());
}

bool StreamingContext::await_termination_or_timeout(std::chrono::nanoseconds limit) {
  const auto running = state_->require_started();
  if (!running->wait_for(limit)) {
    return false;
  }
  require_success(*running);
  return true;
}

void StreamingContext::stop() {
  state_->request_stop();
  if (EngineCall::running() || !state_->current()) {
    return;
  }
  require_success(*state_->require_started());
}

std::string StreamingContext::summary() const {
  const auto running = state_->current();
  return running ? runtime::summary(running->report(), 0.0) : std::string();
}

bool StreamingContext::ledger_balances() const {
  const auto running = state_->current();
  return !running || running->report().balances();
}

}  // namespace weir
