#include "api/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
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

/// What the rows of a node call their values, those that have a name.
std::vector<std::string> value_names(const Graph& graph, const StreamNode& node) {
  std::vector<std::string> names;
  if (!node.aggregates.empty()) {
    for (const Aggregate& aggregate : node.aggregates) {
      if (!aggregate.alias.empty()) {
        names.push_back(aggregate.alias);
      }
    }
    return names;
  }
  if (node.parent) {
    names = value_names(graph, *node.parent);
  } else {
    for (const spec::Field& field : graph.pipeline.streams[node.streams.front()].schema.fields) {
      names.push_back(field.name);
    }
  }
  for (const spec::Let& let : node.lets) {
    names.push_back(let.name);
  }
  return names;
}

std::size_t add_query(Graph& graph, const std::shared_ptr<const StreamNode>& node);

/// The name of what a node reads, which is there then.
std::string input_of(Graph& graph, const StreamNode& node) {
  if (node.parent) {
    return graph.pipeline.queries[add_query(graph, node.parent)].name;
  }
  const std::size_t stream = node.streams.size() == 1 ? node.streams.front() : union_stream(graph, node.streams);
  return graph.pipeline.streams[stream].name;
}

spec::Query query_of(Graph& graph, const StreamNode& node) {
  spec::Query query;
  query.from = input_of(graph, node);
  query.name = node.name.empty() ? fmt::format("output{}", graph.pipeline.queries.size() + 1) : node.name;
  query.where = node.where;
  query.let = node.lets;
  if (node.aggregates.empty()) {
    if (node.window.count() != 0 || node.grouped_explicitly) {
      throw ConfigError(fmt::format("'{}' has a window or key_by but no aggregate", query.name),
                        "add reduce_by_key(…), count() or count_by_window(…)");
    }
    query.readings = true;
    query.select = value_names(graph, node);
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
  return query;
}

bool same_values(const std::vector<spec::Let>& a, const std::vector<spec::Let>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const spec::Let& x, const spec::Let& y) {
    return x.name == y.name && x.expression == y.expression && x.places == y.places;
  });
}

bool same_aggregates(const std::vector<Aggregate>& a, const std::vector<Aggregate>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Aggregate& x, const Aggregate& y) { return x.text == y.text && x.alias == y.alias; });
}

// Names are the user's word that two handles stand for one result; they have to be defined alike too.
bool same_result(const StreamNode& a, const StreamNode& b) {
  const bool same_input = a.parent && b.parent ? a.parent == b.parent || same_result(*a.parent, *b.parent)
                                               : !a.parent && !b.parent && a.streams == b.streams;
  return !a.name.empty() && a.name == b.name && same_input && a.where == b.where && a.having == b.having &&
         same_values(a.lets, b.lets) && a.group_by == b.group_by && a.grouped_explicitly == b.grouped_explicitly &&
         same_aggregates(a.aggregates, b.aggregates) && a.window == b.window && a.slide == b.slide &&
         a.lateness == b.lateness && a.emit_empty == b.emit_empty;
}

/// The query that computes the node, which is added where there is none yet.
std::size_t add_query(Graph& graph, const std::shared_ptr<const StreamNode>& node) {
  const auto known = std::find_if(graph.outputs.begin(), graph.outputs.end(),
                                  [&](const auto& other) { return other == node || same_result(*other, *node); });
  if (known != graph.outputs.end()) {
    return static_cast<std::size_t>(known - graph.outputs.begin());
  }
  spec::Query query = query_of(graph, *node);
  query.sinks.clear();
  graph.pipeline.queries.push_back(std::move(query));
  graph.outputs.push_back(node);
  return graph.outputs.size() - 1;
}

}  // namespace

std::vector<std::string> key_names(const Graph& graph, const StreamNode& node) {
  if (node.parent) {
    return node.parent->aggregates.empty() ? key_names(graph, *node.parent) : node.parent->group_by;
  }
  std::vector<std::string> names;
  for (const spec::Key& key : graph.pipeline.streams[node.streams.front()].schema.keys) {
    names.push_back(key.name);
  }
  return names;
}

void add_output(const std::shared_ptr<const StreamNode>& node, spec::Sink sink) {
  const std::shared_ptr<Graph> graph = node->graph.lock();
  if (!graph) {
    throw std::logic_error("the StreamingContext of this stream is gone");
  }
  graph->require_open();
  spec::Query& query = graph->pipeline.queries[add_query(*graph, node)];
  sink.name = fmt::format("{}-{}", query.name, graph->pipeline.sinks.size() + 1);
  query.sinks.push_back(sink.name);
  graph->pipeline.sinks.push_back(std::move(sink));
}

}  // namespace weir
