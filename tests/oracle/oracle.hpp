// What a query must answer, computed the slow and obvious way: every reading is kept, every window is computed from
// scratch with integers of any size. Written from docs/semantics.md alone; includes nothing of the product, so that
// an error cannot be in both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::oracle {

__extension__ using Int = __int128;

struct Reading {
  std::int64_t time = 0;
  std::vector<std::string> keys;
  std::vector<std::optional<std::int64_t>> fields;  ///< units; nothing: null
  std::size_t source = 0;
};

/// What arrives at a stream, in order.
struct Event {
  enum class Kind { reading, source_idle, source_finished, watermark, interval_end };
  Kind kind = Kind::reading;
  Reading reading;           ///< reading
  std::size_t source = 0;    ///< source_idle, source_finished
  std::int64_t instant = 0;  ///< watermark, interval_end
};

enum class Function {
  count,
  sum,
  avg,
  min,
  max,
  first,
  last,
  stddev,
  stddev_pop,
  variance,
  variance_pop,
  range,
  quantile,
  distinct
};

struct Aggregate {
  Function function = Function::count;
  std::function<std::optional<std::int64_t>(const Reading&)> argument;  ///< units; none for distinct and count()
  int places = 0;
  double quantile = 0.0;
  std::size_t key = 0;  ///< distinct
};

struct Value {
  enum class Kind { null, exact, real, between };
  Kind kind = Kind::null;
  Int units = 0;  ///< exact: an integer, or units of the argument
  double real = 0.0;
  Int low = 0, high = 0;       ///< between: what a sketch may answer
  double approximately = 0.0;  ///< as a number, for having
};

struct Row {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::uint32_t revision = 0;
  std::vector<std::string> group;
  std::vector<Value> values;
};

struct Query {
  std::int64_t window = 0;
  std::int64_t slide = 0;
  std::int64_t allowed_lateness = 0;
  bool per_batch = false;  ///< window and slide are the batch interval
  bool emit_empty = false;
  std::function<bool(const Reading&)> where;  ///< empty: all
  std::vector<std::size_t> group_keys;
  std::vector<Aggregate> aggregates;
  std::function<bool(const Row&)> having;  ///< empty: all
};

struct Answer {
  std::vector<Row> rows;
  std::uint64_t counted = 0;
  std::uint64_t filtered = 0;
  std::uint64_t late = 0;
  std::vector<std::size_t> late_readings;  ///< which readings, numbered by arrival
};

/// @brief Runs one query over a stream. @param end_of_input all windows close after the last event
Answer run(const Query& query, std::size_t sources, std::int64_t out_of_order, const std::vector<Event>& events,
           bool end_of_input);

}  // namespace weir::oracle
