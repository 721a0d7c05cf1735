// A discretized stream: readings as they come, batch by batch. Names follow Spark's DStream API.
//
// A DStream is a cheap handle on its context's graph: every transformation returns a new one. Nothing runs before
// StreamingContext::start(); afterwards the graph cannot change (std::logic_error). All transformations of a stream are
// fused: filter and map are evaluated in the same pass over the batch that accumulates. Behind a reduction they read
// its rows, whose values go by their aliases: seconds to minutes to hours. What several read is computed once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <weir/aggregate.hpp>
#include <weir/expression.hpp>
#include <weir/rows.hpp>

namespace weir {

class StreamingContext;
struct StreamNode;  // of the graph; what is in it is Weir's own business

class DStream {
 public:
  using Duration = std::chrono::nanoseconds;

  /// @brief Keeps the readings for which `condition` is true (null is not). Right behind a reduction it is having().
  [[nodiscard]] DStream filter(const Expression& condition) const;
  /// @brief Adds a derived value. @param places decimal places when it is aggregated or printed
  [[nodiscard]] DStream map(const Expression& expression, const std::string& name, int places = 6) const;
  /// @brief Groups by these keys instead of all keys of the schema; none: one group.
  [[nodiscard]] DStream key_by(const std::vector<std::string>& keys) const;
  /// @brief The readings of both; they need the same keys and fields, and no filter, map or window yet.
  [[nodiscard]] DStream union_with(const DStream& other) const;
  /// @brief Evaluates what follows over the last `window`, every `slide` (default: tumbling).
  [[nodiscard]] DStream window(Duration window, Duration slide = Duration{0}) const;

  /// @brief Aggregates per key: over each batch interval, or over the window.
  [[nodiscard]] DStream reduce_by_key(const std::vector<Aggregate>& aggregates) const;
  [[nodiscard]] DStream reduce_by_key(const Aggregate& aggregate) const;
  [[nodiscard]] DStream reduce_by_key_and_window(const std::vector<Aggregate>& aggregates, Duration window,
                                                 Duration slide = Duration{0}) const;
  [[nodiscard]] DStream reduce_by_key_and_window(const Aggregate& aggregate, Duration window,
                                                 Duration slide = Duration{0}) const;
  /// @brief How many readings in each batch interval, 0 on an empty one.
  [[nodiscard]] DStream count() const;
  /// @brief How many readings in each window, 0 on an empty one.
  [[nodiscard]] DStream count_by_window(Duration window, Duration slide = Duration{0}) const;
  /// @brief Keeps result rows for which `condition` over the aggregates is true.
  [[nodiscard]] DStream having(const Expression& condition) const;
  /// @brief Name of the result in rows, files and state. Give one to every result that has state to recover.
  [[nodiscard]] DStream named(const std::string& name) const;
  /// @brief Re-emits changed windows for that long after they closed.
  [[nodiscard]] DStream allow_lateness(Duration lateness) const;

  // Output operations. On a stream that was not reduced they give the readings themselves. Several of one stream share
  // what it computes: the same DStream, or one that is named() and defined the same.
  /// @brief Prints a header and the first `rows` rows of each batch to standard output.
  void print(std::size_t rows = 10) const;
  /// @brief Calls `function` with the rows of each batch, on the engine's thread; many rows come in several calls.
  void for_each_batch(std::function<void(const Rows&)> function) const;
  /// @brief JSON lines in one file; "{query}" in the path is the result's name.
  void save_as_text_files(const std::string& path) const;
  /// @brief Publishes each row; "{query}" and "{<key>}" in the topic.
  void publish(const std::string& broker, const std::string& topic) const;

 private:
  friend class StreamingContext;
  explicit DStream(std::shared_ptr<const StreamNode> node) : node_(std::move(node)) {}
  [[nodiscard]] DStream reduced(const std::vector<Aggregate>& aggregates, bool grouped) const;
  std::shared_ptr<const StreamNode> node_;
};

}  // namespace weir
