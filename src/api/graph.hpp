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
  /// The node that each of pipeline.queries computes.
  std::vector<std::shared_ptr<const StreamNode>> outputs;
  bool started = false;

  /// @throws std::logic_error after start()
  void require_open() const;
  std::size_t add_stream(spec::Stream stream);
};

/// One node is a chain of transformations from an input to here.
struct StreamNode {
  std::weak_ptr<Graph> graph;
  std::shared_ptr<const StreamNode> parent;  ///< whose rows it reads; nullptr: the streams' readings
  std::vector<std::size_t> streams;          ///< indices in pipeline.streams; more than one: a union
  std::string where;
  std::vector<spec::Let> lets;
  std::vector<std::string> group_by;
  bool grouped_explicitly = false;
  std::vector<Aggregate> aggregates;  ///< empty: the readings themselves
  DStream::Duration window{0};
  DStream::Duration slide{0};
  DStream::Duration lateness{0};
  std::string having;
  bool emit_empty = false;
  std::string name;
};

/// @brief What can be grouped by.
std::vector<std::string> key_names(const Graph& graph, const StreamNode& node);

/// @brief Adds the sink to the query of `node` in its graph; the first one adds the query.
void add_output(const std::shared_ptr<const StreamNode>& node, spec::Sink sink);

/// A function of the user runs on the engine's thread, which must not wait for itself meanwhile.
class EngineCall {
 public:
  EngineCall() noexcept { ++depth_; }
  ~EngineCall() { --depth_; }
  EngineCall(const EngineCall&) = delete;
  EngineCall& operator=(const EngineCall&) = delete;
  /// @brief Whether this thread is in one.
  [[nodiscard]] static bool running() noexcept { return depth_ > 0; }

 private:
  static inline thread_local int depth_ = 0;
};

}  // namespace weir
