// What a user asked of a stream: where its bytes come from and how they become readings. Plain data, filled by the
// TOML reader or the C++ API, read by source, decode and runtime.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/duration.hpp"
#include "core/time_text.hpp"
#include "spec/schema.hpp"

namespace weir {
class Receiver;  // include/weir/receiver.hpp
}

namespace weir::spec {

/// Entries of a table that a configuration file has in a form that cannot be read. What they would say is unknown, so a
/// check leaves out what depends on them; a pipeline that has any never runs.
using Unread = std::vector<std::string>;

struct Time {
  bool arrival = false;  ///< event time is the arrival instant
  std::string field;     ///< column, or JSON member / pointer; for SenML and line empty means the record's own time
  std::vector<std::string> more_fields;  ///< joined to its text by a blank each
  TimeUnit unit = TimeUnit::automatic;
  std::string format;                     ///< for TimeUnit::format
  std::vector<std::string> more_formats;  ///< tried where it does not fit
  std::string zone = "UTC";
  Overlap overlap = Overlap::first;  ///< a local time that occurs twice
  Gap gap = Gap::before;             ///< one that never occurs

  [[nodiscard]] TimeForm form() const {
    TimeForm form{unit, {format}, zone, overlap, gap};
    form.formats.insert(form.formats.end(), more_formats.begin(), more_formats.end());
    return form;
  }
};

enum class FormatKind : std::uint8_t { json, csv, senml, raw, line };

struct Format {
  FormatKind kind = FormatKind::json;
  // csv
  std::vector<std::string> columns;     ///< empty: the first line of the file is the header
  std::string separator = ",";          ///< one character; " " stands for any run of blanks and tabs
  bool header = false;                  ///< with `columns`: skip the first line of each file
  char comment = '\0';                  ///< lines that begin with it are skipped; '\0': none
  std::uint32_t skip = 0;               ///< lines in front of the header, or of the first row
  std::uint32_t skip_after_header = 0;  ///< lines behind it
  // How texts write numbers, csv and json.
  char decimal = '.';
  std::string thousands;  ///< between groups of three digits, one character of UTF-8; empty: nothing
  // json
  std::string array_path;  ///< JSON pointer to an array of readings inside the message; empty: the message itself is a
                           ///< reading or an array of readings
  // line
  std::vector<std::string> measurements;  ///< lines of others are no readings of the stream; empty: all are
};

/// Options of the seeded simulator, as a source and for `weir simulate`.
struct Simulator {
  std::uint64_t seed = 1;
  std::uint32_t sensors = 10;
  double rate_per_s = 10.0;            ///< readings per second over all sensors
  std::uint64_t count = 0;             ///< readings in all; 0: no end
  Duration duration{0};                ///< 0: no end
  std::string start;                   ///< RFC 3339 event time of the first reading; empty: now
  Duration disorder{0};                ///< readings are handed on up to this much late in event time
  double gap_probability = 0.0;        ///< a reading is left out
  double duplicate_probability = 0.0;  ///< a reading is handed on twice
  double malformed_probability = 0.0;  ///< a malformed payload is handed on in addition
  bool realtime = true;                ///< paced by the clock; false: as fast as taken
};

/// How the text of a file is encoded. latin1 is read as Windows-1252.
enum class TextEncoding : std::uint8_t { automatic, utf8, utf16le, utf16be, latin1 };

enum class SourceKind : std::uint8_t { mqtt, file, directory, standard_input, tcp, simulator, custom };

struct Source {
  SourceKind kind = SourceKind::file;
  Format format;
  int line = 0;                            ///< where in the configuration, for messages; 0: unknown
  std::uint64_t max_message = 16U << 20U;  ///< the pipeline's

  // file, directory
  std::string path;                ///< "-" is standard input
  std::vector<std::string> paths;  ///< file, in place of `path`: files, globs and directories, read one after the other
  TextEncoding encoding = TextEncoding::automatic;  ///< file, directory, standard input
  std::string pattern =
      "*";  ///< directory: which names (glob); names beginning with '.' or ending in ".tmp"/".part" are never read
  Duration poll{std::chrono::seconds(1)};    ///< directory: how often to look
  Duration settle{std::chrono::seconds(2)};  ///< directory: a file that did not change for so long is complete
  bool follow_growing = false;  ///< directory: what is appended to a file that was read is read on; else it is refused
  bool follow_links = false;    ///< directory: what symbolic links name is read too

  // mqtt
  std::string broker;               ///< mqtt://host:port, mqtts://, ws://, wss://
  std::vector<std::string> topics;  ///< filters with + and #; "{name}" is + and captures that level as a key
  int qos = 1;
  std::string client_id;  ///< empty: generated, and then no persistent session
  bool clean_session = false;
  int mqtt_version = 5;  ///< 4 is 3.1.1
  std::string username;
  std::string password;                      ///< never logged
  std::string ca_file, cert_file, key_file;  ///< TLS
  Duration keep_alive{std::chrono::seconds(30)};
  Duration session_expiry{std::chrono::hours(24)};
  bool retained = false;        ///< take retained messages (snapshots) too
  std::string persistence_dir;  ///< where mqtt_version 4 keeps QoS 2 messages in flight; empty: nowhere

  // tcp: connects to host:port and reads lines, as Spark's socketTextStream
  std::string host;
  int port = 0;

  Simulator simulator;
  std::shared_ptr<Receiver> receiver;  ///< custom
  Unread unread;
};

struct Stream {
  std::string name;
  Schema schema;
  Time time;
  std::vector<Source> sources;
  std::vector<std::string> missing;                  ///< whole values that stand for none
  bool lenient = false;                              ///< what is no number leaves a field null that is not required
  std::vector<std::string> true_words, false_words;  ///< of switches, beside true and false
  Duration out_of_order{0};
  Duration idle_timeout{0};  ///< 0: a source is never idle
  Duration max_ahead{std::chrono::hours(1)};
  bool dedupe = false;
  std::string sequence;  ///< with dedupe: a field whose value takes the place of event time; empty: event time
  std::uint32_t max_remembered = 1'000'000;  ///< with dedupe: readings that a repeat is looked for among
  std::uint32_t max_keys = 100'000;          ///< distinct key tuples; more are malformed (reason too_many_keys)
  Duration key_ttl{0};  ///< a tuple silent for so long gives its place to a new one when all are taken; 0: never
  std::uint32_t max_key_bytes = 256;  ///< of the texts of a tuple together; longer ones are malformed (key_too_long)
  int line = 0;
  Unread unread;
};

}  // namespace weir::spec
