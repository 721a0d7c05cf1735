#include "plan/compile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/instant.hpp"
#include "core/spelling.hpp"
#include "plan/conflicts.hpp"
#include "plan/query_compiler.hpp"
#include "plan/sink_checks.hpp"
#include "plan/stream_checks.hpp"
#include "plan/topic_cycles.hpp"

namespace weir::plan {
namespace {

/// Names become parts of file names, topics and metrics.
bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name.front() != '.' && name.size() <= 100 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '.';
         });
}

template <typename Entry>
void check_names(const std::vector<Entry>& entries, std::string_view kind, Diagnostics& diagnostics) {
  std::set<std::string_view> seen;
  for (const Entry& entry : entries) {
    if (entry.name.empty() && !known(entry, {"name"})) {
      continue;
    }
    if (entry.name.empty()) {
      diagnostics.add(entry.line, fmt::format("a {} without a name", kind), "add name = \"…\"");
    } else if (!is_plain_name(entry.name)) {
      diagnostics.add(entry.line, fmt::format("{} '{}' is no name", kind, entry.name),
                      "use letters, digits, '_', '-' and '.', not beginning with '.'");
    } else if (!seen.insert(entry.name).second) {
      diagnostics.add(
          entry.line,
          fmt::format("two {} are named '{}'", kind == "query" ? "queries" : std::string(kind) + "s", entry.name),
          "give one another name");
    }
  }
}

void check_pipeline(const spec::Pipeline& pipeline, Diagnostics& diagnostics) {
  if (pipeline.batch_interval.count() <= 0) {
    diagnostics.add(0, "'batch_interval' must be longer than 0s");
  }
  if (pipeline.checkpoint_interval.count() <= 0) {
    diagnostics.add(0, "'checkpoint_interval' must be longer than 0s");
  }
  if (pipeline.batch_rows == 0) {
    diagnostics.add(0, "'batch_rows' must be at least 1");
  }
  if (pipeline.journal_memory == 0) {
    diagnostics.add(0, "'journal_memory' must be above 0");
  }
  if (pipeline.max_message < 1U << 10U || pipeline.max_message > 256U << 20U) {
    diagnostics.add(0, "'max_message' must be between 1KiB and 256MiB");
  }
  constexpr std::uint64_t kSmallestSegment = 64U << 10U;
  constexpr std::uint64_t kLargestSegment = 1ULL << 32U;
  if (pipeline.journal_segment < kSmallestSegment || pipeline.journal_segment > kLargestSegment) {
    diagnostics.add(0, "'journal_segment' must be between 64KiB and 4GiB");
  }
  if (known(pipeline, {"journal_backlog", "journal_segment"}) && pipeline.journal_backlog < pipeline.journal_segment) {
    diagnostics.add(0, "'journal_backlog' must be at least 'journal_segment'");
  }
  const std::string& device = pipeline.device;
  constexpr std::string_view kNumbered = "cuda:";
  const bool numbered = device.size() > kNumbered.size() && device.size() <= kNumbered.size() + 4 &&
                        device.compare(0, kNumbered.size(), kNumbered) == 0 &&
                        device.find_first_not_of("0123456789", kNumbered.size()) == std::string::npos;
  if (!numbered && device != "auto" && device != "cpu" && device != "cuda") {
    constexpr std::string_view kDevices[] = {"auto", "cpu", "cuda", "cuda:0"};
    diagnostics.add(0, fmt::format("[pipeline]: 'device' cannot be \"{}\"", device), suggest(device, kDevices));
  }
}

/// A query without `sinks` prints; "console" need not be declared.
void add_implicit_console(spec::Pipeline& pipeline, Diagnostics& diagnostics) {
  const auto console = std::find_if(pipeline.sinks.begin(), pipeline.sinks.end(),
                                    [](const spec::Sink& sink) { return sink.name == "console"; });
  if (console != pipeline.sinks.end()) {
    if (console->kind != spec::SinkKind::console) {
      diagnostics.add(console->line, "the sink 'console' must be of type = \"console\"", "give it another name");
    }
    return;
  }
  const bool needed = std::any_of(pipeline.queries.begin(), pipeline.queries.end(), [&](const spec::Query& query) {
    const std::vector<std::string> sinks = sinks_of(pipeline, query);
    return std::find(sinks.begin(), sinks.end(), "console") != sinks.end();
  });
  if (needed) {
    spec::Sink sink;
    sink.name = "console";
    sink.kind = spec::SinkKind::console;
    pipeline.sinks.push_back(std::move(sink));
  }
}

/// Readings may come until then, the beginning of 2070, whatever a query asks for.
constexpr std::int64_t kLatestYear = 3'155'760'000'000'000'000;

/// What a query and those that read its rows compute beyond an event time, one behind the other.
std::int64_t room_of(const Plan& plan, const QueryPlan& query) {
  std::int64_t of_readers = 0;
  for (const std::size_t reader : query.readers) {
    of_readers = std::max(of_readers, room_of(plan, plan.queries[reader]));
  }
  const std::int64_t own = saturating_add(saturating_add(query.window_ns, query.slide_ns),
                                          std::max<std::int64_t>(query.allowed_lateness_ns, 0));
  return saturating_add(own, of_readers);
}

InstantRange times_with_room(const Plan& plan, const StreamPlan& stream) {
  std::int64_t room = 0;
  for (const std::size_t query : stream.queries) {
    room = std::max(room, room_of(plan, plan.queries[query]));
  }
  room = saturating_add(room, stream.spec.out_of_order.count());
  room = saturating_add(room, plan.spec.batch_interval.count());
  return {kEarliest + room, kLatest - room};
}

/// The queries, each behind the one whose rows it reads. Those that read each other in a circle are named, and left
/// out.
std::vector<std::size_t> order_of(const spec::Pipeline& pipeline, Diagnostics& diagnostics) {
  const auto parent_of = [&](std::size_t index) {
    const std::string& from = pipeline.queries[index].from;
    const bool reads_stream = from.empty() || std::any_of(pipeline.streams.begin(), pipeline.streams.end(),
                                                          [&](const spec::Stream& one) { return one.name == from; });
    std::size_t parent = 0;
    while (!reads_stream && parent < pipeline.queries.size() && pipeline.queries[parent].name != from) ++parent;
    return reads_stream ? pipeline.queries.size() : parent;
  };
  enum class State : std::uint8_t { waits, begun, done, in_circle };
  std::vector<State> states(pipeline.queries.size(), State::waits);
  std::vector<std::size_t> order;
  for (std::size_t first = 0; first < states.size(); ++first) {
    std::vector<std::size_t> path;
    std::size_t at = first;
    for (; at < states.size() && states[at] == State::waits; at = parent_of(at)) {
      states[at] = State::begun;
      path.push_back(at);
    }
    if (at < states.size() && states[at] == State::begun) {
      const auto begin = std::find(path.begin(), path.end(), at);
      std::string names;
      for (auto member = begin; member != path.end(); ++member) {
        names += fmt::format("'{}' from ", pipeline.queries[*member].name);
        states[*member] = State::in_circle;
      }
      diagnostics.add(pipeline.queries[at].line,
                      fmt::format("queries read each other in a circle: {}'{}'", names, pipeline.queries[at].name),
                      "one of them has to read a stream");
      path.erase(begin, path.end());
    }
    const bool hangs_on_circle = at < states.size() && states[at] == State::in_circle;
    for (auto query = path.rbegin(); query != path.rend(); ++query) {
      states[*query] = hangs_on_circle ? State::in_circle : State::done;
      if (!hangs_on_circle) order.push_back(*query);
    }
  }
  return order;
}

}  // namespace

Plan compile(spec::Pipeline pipeline) {
  Diagnostics diagnostics(pipeline.file);
  Plan plan = compile(std::move(pipeline), diagnostics);
  diagnostics.throw_if_any();
  return plan;
}

Plan compile(spec::Pipeline pipeline, Diagnostics& diagnostics) {
  check_pipeline(pipeline, diagnostics);
  add_implicit_console(pipeline, diagnostics);
  check_names(pipeline.streams, "stream", diagnostics);
  check_names(pipeline.queries, "query", diagnostics);
  check_names(pipeline.sinks, "sink", diagnostics);
  if (pipeline.streams.empty() && known(pipeline, {"streams"})) {
    diagnostics.add(0, "no stream", "declare one with [streams.NAME]");
  }
  if (pipeline.queries.empty() && known(pipeline, {"query"})) {
    diagnostics.add(0, "no query: there is no output operation", "declare one with [[query]]");
  }

  Plan plan;
  plan.spec = std::move(pipeline);
  for (spec::Stream& stream : plan.spec.streams) {
    for (spec::Source& source : stream.sources) {
      source.max_message = plan.spec.max_message;
    }
    check_stream(stream, diagnostics);
    StreamPlan stream_plan;
    stream_plan.spec = stream;
    stream_plan.arrival_time = stream.time.arrival;
    plan.streams.push_back(std::move(stream_plan));
  }
  plan.order = order_of(plan.spec, diagnostics);
  plan.queries.resize(plan.spec.queries.size());
  for (const std::size_t query : plan.order) {
    plan.queries[query] = compile_query(plan, query, diagnostics);
  }
  check_sinks(plan, diagnostics);
  check_conflicts(plan, diagnostics);
  check_topic_cycles(plan, diagnostics);
  if (!diagnostics.empty()) {
    return plan;
  }

  for (std::size_t i = 0; i < plan.queries.size(); ++i) {
    if (const std::optional<std::size_t> parent = plan.queries[i].parent) {
      plan.queries[*parent].readers.push_back(i);
      continue;
    }
    StreamPlan& stream = plan.streams[plan.queries[i].stream];
    stream.queries.push_back(i);
    stream.has_per_batch_query = stream.has_per_batch_query || plan.queries[i].per_batch;
  }
  for (StreamPlan& stream : plan.streams) {
    stream.times = times_with_room(plan, stream);
    if (!stream.times.contains(kLatestYear)) {
      diagnostics.add(stream.spec.line,
                      fmt::format("stream '{}': its longest window and slide, with allowed_lateness, out_of_order and "
                                  "batch_interval, reach beyond the instants that there are",
                                  stream.spec.name),
                      "together they must stay below 190 years");
    }
  }
  return plan;
}

}  // namespace weir::plan
