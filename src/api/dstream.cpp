#include <weir/dstream.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "api/graph.hpp"
#include "core/error.hpp"

namespace weir {
namespace {

std::shared_ptr<StreamNode> copy(const StreamNode& node) {
  return std::make_shared<StreamNode>(node);
}

const spec::Stream& input(const StreamNode& node, std::size_t i) {
  const std::shared_ptr<Graph> graph = node.graph.lock();
  if (!graph) {
    throw std::logic_error("the StreamingContext of this stream is gone");
  }
  return graph->pipeline.streams[node.streams[i]];
}

/// A node to add to: behind a reduction, one that reads its rows.
std::shared_ptr<StreamNode> behind(const std::shared_ptr<const StreamNode>& node) {
  if (node->aggregates.empty()) {
    return copy(*node);
  }
  auto next = std::make_shared<StreamNode>();
  next->graph = node->graph;
  next->parent = node;
  return next;
}

bool plain(const StreamNode& node) {
  return !node.parent && node.where.empty() && node.lets.empty() && node.aggregates.empty() &&
         node.window.count() == 0 && !node.grouped_explicitly;
}

bool same_shape(const spec::Schema& a, const spec::Schema& b) {
  if (a.keys.size() != b.keys.size() || a.fields.size() != b.fields.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.keys.size(); ++i) {
    if (a.keys[i].name != b.keys[i].name) {
      return false;
    }
  }
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || a.fields[i].places != b.fields[i].places) {
      return false;
    }
  }
  return true;
}

}  // namespace

DStream DStream::filter(const Expression& condition) const {
  auto node = copy(*node_);
  if (!node->aggregates.empty()) {
    return having(condition);
  }
  node->where = node->where.empty() ? condition.text : "(" + node->where + ") and (" + condition.text + ")";
  return DStream(std::move(node));
}

DStream DStream::map(const Expression& expression, const std::string& name, int places) const {
  auto node = behind(node_);
  spec::Let let;
  let.name = name;
  let.expression = expression.text;
  let.places = places;
  node->lets.push_back(std::move(let));
  return DStream(std::move(node));
}

DStream DStream::key_by(const std::vector<std::string>& keys) const {
  auto node = behind(node_);
  node->group_by = keys;
  node->grouped_explicitly = true;
  return DStream(std::move(node));
}

DStream DStream::union_with(const DStream& other) const {
  if (!plain(*node_) || !plain(*other.node_)) {
    throw ConfigError("union_with needs input streams without filter, map or window", "apply them to the union");
  }
  if (!same_shape(input(*node_, 0).schema, input(*other.node_, 0).schema)) {
    throw ConfigError("union_with needs streams with the same keys and fields");
  }
  auto node = copy(*node_);
  node->streams.insert(node->streams.end(), other.node_->streams.begin(), other.node_->streams.end());
  return DStream(std::move(node));
}

DStream DStream::window(Duration window, Duration slide) const {
  auto node = behind(node_);
  if (node->window.count() != 0) {
    throw ConfigError("the stream has a window already", "give each result a window of its own");
  }
  node->window = window;
  node->slide = slide;
  return DStream(std::move(node));
}

DStream DStream::reduced(const std::vector<Aggregate>& aggregates, bool grouped) const {
  auto node = behind(node_);
  node->aggregates = aggregates;
  if (!grouped) {
    node->group_by.clear();
    node->emit_empty = true;
  } else if (!node->grouped_explicitly) {
    const std::shared_ptr<Graph> graph = node->graph.lock();
    if (!graph) {
      throw std::logic_error("the StreamingContext of this stream is gone");
    }
    node->group_by = key_names(*graph, *node);
  }
  return DStream(std::move(node));
}

DStream DStream::reduce_by_key(const std::vector<Aggregate>& aggregates) const {
  return reduced(aggregates, true);
}
DStream DStream::reduce_by_key(const Aggregate& aggregate) const {
  return reduced({aggregate}, true);
}
DStream DStream::reduce_by_key_and_window(const std::vector<Aggregate>& aggregates, Duration window,
                                          Duration slide) const {
  return this->window(window, slide).reduced(aggregates, true);
}
DStream DStream::reduce_by_key_and_window(const Aggregate& aggregate, Duration window, Duration slide) const {
  return this->window(window, slide).reduced({aggregate}, true);
}
DStream DStream::count() const {
  return reduced({weir::count()}, false);
}
DStream DStream::count_by_window(Duration window, Duration slide) const {
  return this->window(window, slide).reduced({weir::count()}, false);
}

DStream DStream::having(const Expression& condition) const {
  auto node = copy(*node_);
  node->having = node->having.empty() ? condition.text : "(" + node->having + ") and (" + condition.text + ")";
  return DStream(std::move(node));
}

DStream DStream::named(const std::string& name) const {
  auto node = copy(*node_);
  node->name = name;
  return DStream(std::move(node));
}

DStream DStream::allow_lateness(Duration lateness) const {
  auto node = copy(*node_);
  node->lateness = lateness;
  return DStream(std::move(node));
}

void DStream::print(std::size_t rows) const {
  spec::Sink sink;
  sink.kind = spec::SinkKind::console;
  sink.rows = rows;
  add_output(node_, std::move(sink));
}

void DStream::for_each_batch(std::function<void(const Rows&)> function) const {
  spec::Sink sink;
  sink.kind = spec::SinkKind::callback;
  sink.callback = [function = std::move(function)](const batch::ResultTable& table) {
    const EngineCall call;
    function(Rows(table));
  };
  add_output(node_, std::move(sink));
}

void DStream::save_as_text_files(const std::string& path) const {
  spec::Sink sink;
  sink.kind = spec::SinkKind::file;
  sink.path = path;
  add_output(node_, std::move(sink));
}

void DStream::publish(const std::string& broker, const std::string& topic) const {
  spec::Sink sink;
  sink.kind = spec::SinkKind::mqtt;
  sink.broker = broker;
  sink.topic = topic;
  add_output(node_, std::move(sink));
}

}  // namespace weir
