// Everything that a configuration says, as the user wrote it: the TOML reader and the C++ API fill it, plan compiles
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/duration.hpp"
#include "spec/stream_spec.hpp"

namespace weir::batch {
class ResultTable;
}

namespace weir::spec {

enum class SinkKind : std::uint8_t { console, file, mqtt, callback };
enum class RowFormat : std::uint8_t { jsonl, csv };
/// How a row names the columns that have no alias: as `select` has them, "max(power)", or as one word, "max_power".
enum class ColumnNames : std::uint8_t { verbatim, plain };

struct Sink {
  std::string name;
  SinkKind kind = SinkKind::console;
  int line = 0;
  Unread unread;
  ColumnNames names = ColumnNames::verbatim;  ///< not for a callback

  // console
  std::size_t rows = 10;  ///< how many rows of a batch are shown before "..."; 0: all

  // file: "{query}" in the path is the query's name
  std::string path;  ///< "-" or "/dev/stdout" is standard output
  RowFormat format = RowFormat::jsonl;
  std::uint64_t rotate_bytes = 0;  ///< 0: never
  Duration rotate_every{0};        ///< by window end; 0: never
  unsigned mode = 0640;            ///< of files that are created, whatever the umask is

  bool append = false;  ///< a start without state goes on behind what the file holds; false: it is overwritten

  // mqtt: "{query}" and "{<group key>}" in the topic
  std::string broker, topic, username, password, client_id;
  std::string ca_file, cert_file, key_file;  ///< TLS
  int qos = 1;
  int mqtt_version = 5;
  bool retain = false;

  [[nodiscard]] bool to_standard_output() const noexcept {
    return kind == SinkKind::file && (path == "-" || path == "/dev/stdout");
  }

  // callback: called once a batch of the query in which windows closed (or, for per-batch queries, each interval)
  std::function<void(const batch::ResultTable&)> callback;
};

/// A `let`: a named derived value.
struct Let {
  std::string name;
  std::string expression;
  int places = 6;  ///< where the value is aggregated: units of 10^-places
  int line = 0;
};

struct Query {
  std::string name;
  std::string from;
  std::string where;  ///< empty: all
  std::vector<Let> let;
  std::vector<std::string> group_by;
  std::vector<std::string> select;  ///< "avg(load)", "max(kw) as peak"
  /// The rows are the readings themselves, filtered and mapped: `select` names values ("load", "load / 1000 as kw") and
  /// there is no aggregate, group_by, window or having.
  bool readings = false;
  Duration window{0};  ///< 0: no window, evaluated per batch interval
  Duration slide{0};   ///< 0: the window
  Duration allowed_lateness{0};
  std::string having;
  bool emit_empty = false;
  std::uint32_t max_groups = 0;  ///< 0: the stream's max_keys
  std::vector<std::string> sinks;
  int line = 0;
  // lines of the single entries, for messages; 0: the query's line
  int where_line = 0, having_line = 0, select_line = 0, group_by_line = 0, window_line = 0, slide_line = 0,
      sinks_line = 0;
  Unread unread;
};

enum class JournalSync : std::uint8_t { batch, always };

struct Pipeline {
  std::string file;  ///< the configuration's name in messages; empty for the C++ API
  Duration batch_interval{std::chrono::seconds(1)};
  std::string state_dir;  ///< empty: nothing survives a restart
  Duration checkpoint_interval{std::chrono::seconds(10)};
  JournalSync journal_sync = JournalSync::batch;
  std::string device = "auto";  ///< auto | cpu | cuda | cuda:N
  unsigned threads = 0;         ///< 0: all cores
  std::uint64_t journal_memory =
      64U << 20U;                          ///< bytes of the in-memory queue between receivers and workers, per stream
  std::uint64_t max_message = 16U << 20U;  ///< bytes of one message or line; a larger one is refused (too_large)
  std::uint64_t journal_segment = 64U << 20U;    ///< bytes of one file of the durable journal
  std::uint64_t journal_backlog = 1ULL << 30U;   ///< bytes of it that may wait for the engine, per stream
  bool skip_damage = false;                      ///< start although records of the journal are damaged
  std::uint64_t memory_limit = 0;                ///< bytes; 0: the machine's memory
  std::uint32_t batch_rows = 65'536;             ///< rows of one column buffer
  std::string dead_letter;                       ///< file for malformed and late readings; empty: only counted
  std::uint64_t dead_letter_bytes = 64U << 20U;  ///< of the file and the one before it together; 0: no limit
  std::uint32_t dead_letter_limit = 100;  ///< at most so many a stream and batch interval are written; all are counted

  std::vector<Stream> streams;
  std::vector<Query> queries;
  std::vector<Sink> sinks;
  Unread unread;  ///< of [pipeline], and "streams", "query", "sink" where one of these is missing here
};

}  // namespace weir::spec
