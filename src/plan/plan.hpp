// The validated plan of a pipeline: what the engine runs. Built by compile() from a spec::Pipeline (TOML or C++ API),
// immutable afterwards, shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/result_table.hpp"
#include "core/instant.hpp"
#include "ops/program.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::plan {

/// `key op "literal"`: true or false for each key id, looked up in a table instead of compared for each reading.
struct KeyTest {
  enum class Compare : std::uint8_t { eq, ne, lt, le, gt, ge };  // bytewise
  std::size_t key;  ///< index in the schema's keys (in `having`: in the query's group_keys)
  Compare compare;
  std::string literal;
  [[nodiscard]] bool matches(std::string_view value) const noexcept;
};

/// What has to be accumulated for an argument, as bits.
enum Part : std::uint16_t {
  kPartCount = 1,     ///< non-null values (only kept when the argument can be null)
  kPartSum = 2,       ///< Int128
  kPartSquares = 4,   ///< UInt192
  kPartMinMax = 8,    ///< int64 each
  kPartFirst = 16,    ///< (time, value): smallest time, then smaller value
  kPartLast = 32,     ///< (time, value): largest time, then larger value
  kPartQuantile = 64  ///< log-linear histogram
};

/// A value that aggregates are made of: a field as it is (exact), or a derived double rounded into units.
struct Argument {
  std::string text;
  int field = -1;        ///< index of the field, or -1: `program`
  ops::Program program;  ///< only when field < 0
  int places = 0;
  bool nullable = true;     ///< a required field never is null
  std::uint16_t parts = 0;  ///< Part bits
};

enum class AggregateKind : std::uint8_t {
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
  AggregateKind kind = AggregateKind::count;
  int argument = -1;      ///< index in QueryPlan::arguments; -1: count() and distinct(key)
  int key = -1;           ///< distinct: index in the schema's keys
  double quantile = 0.0;  ///< 0 … 1
};

/// Decimal places of a computed value (avg, stddev) for queries that read it as a field.
inline constexpr int kRealPlaces = 6;

/// What a query reads: a stream's readings, or the rows of another query, which are a stream for it.
struct Input {
  std::string name;
  spec::Schema schema;
  std::uint32_t max_keys = 1;       ///< distinct key tuples
  std::uint32_t max_key_bytes = 0;  ///< of the texts of one
};

struct QueryPlan {
  std::size_t stream = 0;             ///< index in Plan::streams: whose readings it is made of in the end
  std::optional<std::size_t> parent;  ///< index in Plan::queries: whose rows it reads; nothing: the stream's readings
  std::vector<std::size_t> readers;   ///< queries whose parent it is
  Input input;
  spec::Query spec;                     ///< as the user wrote it
  std::string stream_text;              ///< the input's name, keys, fields and time, as fingerprint() has them
  std::vector<int> field_places;        ///< decimal places of each of the input's fields, in the schema's order
  ops::Program where;                   ///< empty: all readings
  std::vector<KeyTest> key_tests;       ///< of where and of the arguments' programs
  std::vector<std::size_t> group_keys;  ///< indices in the input's keys, in group_by order
  std::vector<Argument> arguments;
  std::vector<Aggregate> aggregates;  ///< the first shape.columns.size() are selected, the rest serve only `having`
  ops::Program having;                ///< over the aggregates (Op::field index = aggregate) and having_key_tests
  std::vector<KeyTest> having_key_tests;
  std::vector<batch::ResultColumn> hidden_columns;  ///< types of the aggregates after shape.columns
  batch::ResultShape shape;
  std::vector<std::size_t> sinks;  ///< indices in Plan::spec.sinks

  bool readings = false;             ///< no aggregation: a row for each reading that passes `where`; see `columns`
  std::vector<std::size_t> columns;  ///< readings: the argument in each selected column
  std::int64_t row_window_ns = 0;    ///< readings that are rows of windows: how long those are; 0: they are instants
  bool per_batch = false;            ///< no window: window = slide = pane = the batch interval, in arrival time
  std::int64_t window_ns = 0;
  std::int64_t slide_ns = 0;
  std::int64_t pane_ns = 0;  ///< gcd(window, slide)
  std::int64_t allowed_lateness_ns = 0;
  std::uint32_t max_groups = 0;

  [[nodiscard]] std::int64_t panes_per_window() const noexcept { return window_ns / pane_ns; }
  /// @brief A short, stable text of everything that decides the meaning of the query's state: state written under
  /// another one cannot be used.
  [[nodiscard]] std::string fingerprint() const;
};

struct StreamPlan {
  spec::Stream spec;
  std::vector<std::size_t> queries;  ///< that read it themselves
  bool arrival_time = false;         ///< event time is arrival: the watermark follows the interval clock
  bool has_per_batch_query = false;
  /// Event times that leave room, on both sides, for everything that is ever computed from one: windows, disorder,
  /// lateness, batch intervals. Others are refused, the same for every query, so no instant wraps or sticks at a limit.
  InstantRange times;
};

struct Plan {
  spec::Pipeline spec;
  std::vector<StreamPlan> streams;
  std::vector<QueryPlan> queries;
  std::vector<std::size_t> order;  ///< of the queries: each behind its parent
};

/// @brief Checks the whole specification and compiles it.
/// @throws ConfigError with every mistake found, not only the first.
Plan compile(spec::Pipeline pipeline);

/// @brief The plan in readable form, for `weir check`: streams, queries, panes, register programs, aggregates.
std::string explain(const Plan& plan);

}  // namespace weir::plan
