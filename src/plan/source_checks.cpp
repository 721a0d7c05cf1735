#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/spelling.hpp"
#include "core/topic_pattern.hpp"
#include "mqtt/broker_address.hpp"
#include "plan/compile.hpp"
#include "plan/mqtt_topic.hpp"
#include "plan/stream_checks.hpp"

namespace weir::plan {
namespace {

class SourceChecker {
 public:
  SourceChecker(const spec::Stream& stream, const spec::Source& source, const std::string& what,
                Diagnostics& diagnostics)
      : stream_(stream), source_(source), what_(what), diagnostics_(diagnostics) {}

  void run() {
    if (!known(source_, {"type"})) {
      return;
    }
    switch (source_.kind) {
      case spec::SourceKind::file:
      case spec::SourceKind::directory:
        if (source_.path.empty() && source_.paths.empty() && known(source_, {"path"})) {
          mistake("'path' is missing or empty");
        }
        for (const std::string& path : source_.paths) {
          if (path.empty() || path == "-") {
            mistake(fmt::format("'path' lists \"{}\"", path), "standard input can only be the single path");
          }
        }
        if (source_.kind == spec::SourceKind::directory) {
          directory();
        }
        break;
      case spec::SourceKind::mqtt:
        mqtt();
        break;
      case spec::SourceKind::tcp:
        if (!known(source_, {"host", "port", "address"})) {
          break;
        }
        if (source_.host.empty() || source_.port < 1 || source_.port > 65535) {
          mistake("'host' and 'port' are missing", "write address = \"host:port\"");
        }
        break;
      case spec::SourceKind::simulator:
        simulator();
        break;
      case spec::SourceKind::custom:
        if (source_.receiver == nullptr) {
          mistake("a custom source without a receiver");
        }
        break;
      case spec::SourceKind::standard_input:
        break;
    }
    format();
  }

 private:
  void mistake(const std::string& message, const std::string& suggestion = {}) {
    diagnostics_.add(source_.line != 0 ? source_.line : stream_.line, what_ + ": " + message, suggestion);
  }

  void directory() {
    if (source_.pattern.empty()) {
      mistake("'pattern' is empty", "\"*\" stands for every file");
    }
    if (source_.poll.count() <= 0) {
      mistake("'poll' must be longer than 0s");
    }
    if (source_.settle.count() < 0) {
      mistake("'settle' must not be negative");
    }
  }

  void simulator() {
    const spec::Simulator& simulator = source_.simulator;
    if (simulator.sensors == 0) {
      mistake("'sensors' must be at least 1");
    }
    if (!(simulator.rate_per_s > 0.0)) {
      mistake("'rate_per_s' must be above 0");
    }
    for (const double probability :
         {simulator.gap_probability, simulator.duplicate_probability, simulator.malformed_probability}) {
      if (!(probability >= 0.0 && probability <= 1.0)) {
        mistake("a probability must be between 0 and 1");
      }
    }
    if (!simulator.start.empty() && !TimeReader(TimeUnit::rfc3339).read(simulator.start)) {
      mistake(fmt::format("'start' = \"{}\" is no RFC 3339 time", simulator.start), "as in \"2026-01-31T12:00:00Z\"");
    }
  }

  void mqtt() {
    if (const std::string broker = mqtt::broker_mistake(source_.broker);
        !broker.empty() && known(source_, {"broker"})) {
      mistake(broker, "as in \"mqtt://host:1883\"; mqtts://, ws:// and wss:// are known too");
    }
    if (source_.qos < 0 || source_.qos > 2) {
      mistake(fmt::format("'qos' = {} is not between 0 and 2", source_.qos));
    }
    if (source_.mqtt_version != 4 && source_.mqtt_version != 5) {
      mistake(fmt::format("'mqtt_version' = {} is none that is spoken here", source_.mqtt_version), "4 is 3.1.1, or 5");
    }
    if (source_.mqtt_version == 4 && source_.username.empty() && !source_.password.empty() &&
        known(source_, {"username", "password", "mqtt_version"})) {
      mistake("'password' without 'username', which MQTT 3.1.1 does not have", "give both, or mqtt_version = \"5\"");
    }
    if (source_.cert_file.empty() != source_.key_file.empty() && known(source_, {"cert_file", "key_file"})) {
      mistake("'cert_file' and 'key_file' belong together");
    }
    const bool tls_files = !source_.ca_file.empty() || !source_.cert_file.empty() || !source_.key_file.empty();
    if (tls_files && !source_.broker.empty() && !mqtt::broker_uses_tls(source_.broker)) {
      mistake("TLS files are given, but the broker's address does not use TLS", "write mqtts:// or wss://");
    }
    if (source_.keep_alive.count() < 0 || source_.session_expiry.count() < 0) {
      mistake("'keep_alive' and 'session_expiry' must not be negative");
    }
    if (!known(source_, {"topics"}) || !known(stream_, {"keys"})) {
      return;
    }
    if (source_.topics.empty()) {
      mistake("'topics' is missing", R"(as in topics = ["plant/{line}/{machine}/state"])");
    }
    std::vector<std::string_view> keys;
    for (const spec::Key& key : stream_.schema.keys) {
      keys.emplace_back(key.name);
    }
    for (const std::string& topic : source_.topics) {
      const TopicFilter filter = parse_topic_filter(topic);
      if (!filter.mistake.empty()) {
        mistake(fmt::format("topic \"{}\": {}", topic, filter.mistake), filter.suggestion);
        continue;
      }
      for (const std::string& capture : filter.captures) {
        const auto key = stream_.schema.key_index(capture);
        if (!key.has_value()) {
          mistake(fmt::format("topic \"{}\" captures '{}', which is no key of the stream", topic, capture),
                  keys.empty() ? "write + for a level that is not needed" : suggest(capture, keys));
        } else if (!stream_.schema.keys[*key].path.empty()) {
          mistake(
              fmt::format("key '{}' is captured by topic \"{}\", but has a path in the payload too", capture, topic),
              "leave out its path, or write + in the topic");
        }
      }
      captured_.emplace_back(filter.captures.begin(), filter.captures.end());
      overlap(topic);
    }
  }

  /// A broker may send what two subscriptions of a client match once or twice (MQTT 5, 3.3.4), and nobody can tell a
  /// copy from a second message of the same text.
  void overlap(const std::string& topic) {
    const TopicPattern pattern(topic);
    for (const auto& [earlier, text] : topics_) {
      if (earlier.overlaps(pattern)) {
        mistake(text == topic ? fmt::format("topic \"{}\" is listed twice", topic)
                              : fmt::format("topics \"{}\" and \"{}\" can match one message, which the broker may then "
                                            "send twice",
                                            text, topic),
                text == topic ? "leave one out" : "leave one out, or narrow it");
        break;
      }
    }
    topics_.emplace_back(pattern, topic);
  }

  /// The key comes from every topic of the source.
  [[nodiscard]] bool is_captured(const std::string& key) const {
    return !captured_.empty() && std::all_of(captured_.begin(), captured_.end(),
                                             [&](const auto& captures) { return captures.contains(key); });
  }

  /// Both what the topics capture and the keys that they may stand for could be read.
  [[nodiscard]] bool keys_are_known() const { return known(source_, {"topics"}) && known(stream_, {"keys"}); }

  void format() {
    if (!known(source_, {"format"})) {
      return;
    }
    numbers();
    switch (source_.format.kind) {
      case spec::FormatKind::csv:
        csv();
        break;
      case spec::FormatKind::json:
        json();
        break;
      case spec::FormatKind::raw:
        raw();
        break;
      case spec::FormatKind::line:
        line();
        break;
      case spec::FormatKind::senml:
        break;
    }
  }

  /// The signs in numbers must not be what numbers are made of.
  void numbers() {
    const spec::Format& format = source_.format;
    constexpr std::string_view kOfNumbers = "0123456789+-eE\t\"";
    const std::string decimal(1, format.decimal);
    for (const auto& [entry, sign] : {std::pair("decimal", decimal), std::pair("thousands", format.thousands)}) {
      if (sign.find_first_of(kOfNumbers) != std::string::npos || (sign == " " && sign == decimal)) {
        mistake(fmt::format("'{}' cannot be \"{}\"", entry, sign), R"(as in decimal = ",", thousands = ".")");
      }
    }
    if (decimal == format.thousands) {
      mistake(fmt::format("'decimal' and 'thousands' are both \"{}\"", decimal),
              decimal == "." ? R"(add decimal = ",")" : "");
    }
  }

  void json() {
    const std::string& array_path = source_.format.array_path;
    if (!array_path.empty() && array_path.front() != '/') {
      mistake(fmt::format("'array_path' = \"{}\" is no JSON pointer", array_path),
              fmt::format("write \"/{}\"", array_path));
    }
    if (chooses(array_path)) {
      mistake(fmt::format("'array_path' = \"{}\" cannot choose an element", array_path),
              "write its number, as in \"/data/0\"");
    }
    if (!stream_.time.arrival) {
      json_path("time field", stream_.time.field);
      for (const std::string& field : stream_.time.more_fields) {
        json_path("time field", field);
      }
    }
    for (const spec::Key& key : stream_.schema.keys) {
      json_path(fmt::format("key '{}'", key.name), key.path);
    }
    for (const spec::Field& field : stream_.schema.fields) {
      json_path(fmt::format("field '{}'", field.name), field.path);
    }
  }

  static bool chooses(std::string_view path) { return path.find("/[") != std::string_view::npos; }

  /// The parts of a path that stand for elements of arrays.
  void json_path(const std::string& what, std::string_view path) {
    if (!path.starts_with('/')) {
      return;
    }
    if (path.starts_with("/[") && !source_.format.array_path.empty()) {
      mistake(fmt::format("{}: \"{}\" chooses among the elements of the message, of which 'array_path' makes readings",
                          what, path),
              "leave out 'array_path'");
    }
    for (std::size_t begin = 1; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string_view part = path.substr(begin, end - begin);
      const bool chooses_one = part.starts_with('[');
      const std::size_t equals = part.find('=');
      if (chooses_one && (equals == std::string_view::npos || equals == 1 || !part.ends_with(']'))) {
        mistake(fmt::format("{}: \"{}\" in \"{}\" chooses no element", what, part, path),
                "as in \"/values/[type=P1]/value\"; '/' is written ~1 in it");
        return;
      }
      const bool numbers = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
      if (chooses_one || numbers) {
        const auto [found, is_new] = chosen_at_.try_emplace(std::string(path.substr(0, begin)), chooses_one);
        if (!is_new && found->second != chooses_one) {
          mistake(fmt::format("{}: the elements of \"{}\" are named by number in one path and chosen in another", what,
                              path.substr(0, begin - 1)),
                  "choose all of them, as in \"[type=P1]\"");
          return;
        }
      }
      begin = end + 1;
    }
  }

  void csv() {
    const spec::Format& format = source_.format;
    if (!known(source_, {"columns"})) {
      return;
    }
    if (format.separator.size() != 1 || format.separator == "\"" || format.separator == "\n" ||
        format.separator == "\r") {
      mistake("'separator' must be one character that is neither a quote nor a line end",
              R"(as in "," or ";"; " " stands for any run of blanks)");
    }
    const bool has_first_line = source_.kind == spec::SourceKind::file || source_.kind == spec::SourceKind::directory ||
                                source_.kind == spec::SourceKind::standard_input;
    if (format.columns.empty()) {
      // A message has no header line; what a custom receiver or the simulator sends is known to them alone.
      if (source_.kind == spec::SourceKind::mqtt || source_.kind == spec::SourceKind::tcp) {
        mistake("format = \"csv\" without 'columns': messages have no header line",
                R"(name them in order, as in columns = ["t", "temperature"])");
      }
      return;
    }
    if (format.header && !has_first_line) {
      mistake("'header' is for files: messages have no header line");
    }
    std::vector<std::string_view> columns(format.columns.begin(), format.columns.end());
    std::set<std::string_view> seen;
    for (const std::string_view column : columns) {
      if (!column.empty() && !seen.insert(column).second) {
        mistake(fmt::format("two columns are named '{}'", column));
      }
    }
    const auto need = [&](std::string_view kind, const std::string& name, const std::string& path) {
      const std::string& column = path.empty() ? name : path;
      if (!seen.contains(column)) {
        mistake(fmt::format("{} '{}' is no column", kind, column), suggest(column, columns));
      }
    };
    for (const spec::Key& key : stream_.schema.keys) {
      if (keys_are_known() && !is_captured(key.name)) {
        need("key", key.name, key.path);
      }
    }
    for (const spec::Field& field : stream_.schema.fields) {
      need("field", field.name, field.path);
    }
    if (!stream_.time.arrival && !stream_.time.field.empty()) {
      need("time field", stream_.time.field, {});
      for (const std::string& field : stream_.time.more_fields) {
        need("time field", field, {});
      }
    }
  }

  void line() {
    const spec::Time& time = stream_.time;
    if (!time.arrival && time.field.empty() && (time.unit == TimeUnit::rfc3339 || time.unit == TimeUnit::format) &&
        known(stream_, {"time"})) {
      mistake("the timestamps of format = \"line\" are integers",
              R"(write unit = "s", "ms", "us" or "ns", or the name of a tag or field: field = "…")");
    }
    for (const std::string& measurement : source_.format.measurements) {
      if (measurement.empty()) {
        mistake("'measurement' is empty", "leave it out to read the lines of all measurements");
      }
    }
  }

  void raw() {
    if (stream_.schema.fields.size() != 1 && known(stream_, {"fields"})) {
      mistake(fmt::format("format = \"raw\" is one number a message, but the stream has {} fields",
                          stream_.schema.fields.size()),
              "declare one field");
    }
    if (!stream_.time.arrival && known(stream_, {"time"})) {
      mistake("format = \"raw\" carries no time", "write time = \"arrival\" for the stream");
    }
    for (const spec::Key& key : stream_.schema.keys) {
      if (keys_are_known() && !is_captured(key.name)) {
        mistake(fmt::format("format = \"raw\" carries no keys, and not every topic captures '{}'", key.name),
                fmt::format("write {{{}}} as a level of the topic", key.name));
      }
    }
  }

  const spec::Stream& stream_;
  const spec::Source& source_;
  const std::string& what_;
  Diagnostics& diagnostics_;
  std::map<std::string, bool> chosen_at_;                     ///< array: its elements are chosen, not numbered
  std::vector<std::set<std::string>> captured_;               ///< per valid topic
  std::vector<std::pair<TopicPattern, std::string>> topics_;  ///< the valid ones
};

}  // namespace

void check_source(const spec::Stream& stream, const spec::Source& source, const std::string& what,
                  Diagnostics& diagnostics) {
  SourceChecker(stream, source, what, diagnostics).run();
}

}  // namespace weir::plan
