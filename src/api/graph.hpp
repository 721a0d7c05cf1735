// The graph that DStream handles point into, and its translation into the specification that the TOML configuration
// also builds. Used by the program's thread before start().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weir/dstream.hpp>

#include "spec/pipeline_spec.hpp"

namespace weir {

struct Graph {
  spec::Pipeline pipeline;
  bool started = false;

  /// @throws std::logic_error after start()
  void require_open() const;
  std::size_t add_stream(spec::Stream stream);
};

/// One node is a chain of transformations from an input to here.
struct DStream::Node {
  std::weak_ptr<Graph> graph;
  std::vector<std::size_t> streams;  ///< indices in pipeline.streams; more than one: a union
  std::string where;
  std::vector<spec::Let> lets;
  std::vector<std::string> group_by;
  bool grouped_explicitly = false;
  std::vector<Aggregate> aggregates;  ///< empty: the readings themselves
  Duration window{0};
  Duration slide{0};
  Duration lateness{0};
  std::string having;
  bool emit_empty = false;
  std::string name;
};

/// @brief Adds a query for `node` with this sink to its graph.
void add_output(const DStream::Node& node, spec::Sink sink);

}  // namespace weir
