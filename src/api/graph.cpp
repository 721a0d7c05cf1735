#include "api/graph.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "core/error.hpp"

namespace weir {

void Graph::require_open() const {
  if (started) {
    throw std::logic_error("the graph cannot change after StreamingContext::start()");
  }
}

std::size_t Graph::add_stream(spec::Stream stream) {
  require_open();
  if (stream.name.empty()) {
    stream.name = fmt::format("input{}", pipeline.streams.size() + 1);
  }
  pipeline.streams.push_back(std::move(stream));
  return pipeline.streams.size() - 1;
}

namespace {

std::string select_text(const Aggregate& aggregate) {
  return aggregate.alias.empty() ? aggregate.text : aggregate.text + " as " + aggregate.alias;
}

// A union is a stream of its own with the sources of all its parts, so that it has one watermark and one ledger.
std::size_t union_stream(Graph& graph, const std::vector<std::size_t>& parts) {
  std::string name;
  for (const std::size_t part : parts) {
    name += (name.empty() ? "" : "-") + graph.pipeline.streams[part].name;
  }
  for (std::size_t i = 0; i < graph.pipeline.streams.size(); ++i) {
    if (graph.pipeline.streams[i].name == name) {
      return i;
    }
  }
  spec::Stream stream = graph.pipeline.streams[parts.front()];
  stream.name = name;
  stream.sources.clear();
  for (const std::size_t part : parts) {
    const auto& sources = graph.pipeline.streams[part].sources;
    stream.sources.insert(stream.sources.end(), sources.begin(), sources.end());
  }
  return graph.add_stream(std::move(stream));
}

}  // namespace

void add_output(const DStream::Node& node, spec::Sink sink) {
  const std::shared_ptr<Graph> graph = node.graph.lock();
  if (!graph) {
    throw std::logic_error("the StreamingContext of this stream is gone");
  }
  graph->require_open();
  const std::size_t stream = node.streams.size() == 1 ? node.streams.front() : union_stream(*graph, node.streams);
  const spec::Stream& from = graph->pipeline.streams[stream];

  spec::Query query;
  query.name = node.name.empty() ? fmt::format("output{}", graph->pipeline.queries.size() + 1) : node.name;
  query.from = from.name;
  query.where = node.where;
  query.let = node.lets;
  if (node.aggregates.empty()) {
    if (node.window.count() != 0 || node.grouped_explicitly) {
      throw ConfigError(fmt::format("'{}' has a window or key_by but no aggregate", query.name),
                        "add reduce_by_key(…), count() or count_by_window(…)");
    }
    query.readings = true;
    for (const spec::Field& field : from.schema.fields) {
      query.select.push_back(field.name);
    }
    for (const spec::Let& let : node.lets) {
      query.select.push_back(let.name);
    }
  } else {
    query.group_by = node.group_by;
    for (const Aggregate& aggregate : node.aggregates) {
      query.select.push_back(select_text(aggregate));
    }
  }
  query.window = node.window;
  query.slide = node.slide;
  query.allowed_lateness = node.lateness;
  query.having = node.having;
  query.emit_empty = node.emit_empty;
  sink.name = fmt::format("{}-{}", query.name, graph->pipeline.sinks.size() + 1);
  query.sinks = {sink.name};
  graph->pipeline.sinks.push_back(std::move(sink));
  graph->pipeline.queries.push_back(std::move(query));
}

}  // namespace weir
