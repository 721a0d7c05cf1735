#include "plan/sink_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/spelling.hpp"
#include "mqtt/broker_address.hpp"
#include "mqtt/topic.hpp"
#include "plan/compile.hpp"

namespace weir::plan {
namespace {

struct Placeholders {
  std::vector<std::string> names;
  bool balanced = true;
};

Placeholders placeholders(std::string_view text) {
  Placeholders result;
  std::size_t at = 0;
  while ((at = text.find_first_of("{}", at)) != std::string_view::npos) {
    const std::size_t close = text.find_first_of("{}", at + 1);
    if (text[at] == '}' || close == std::string_view::npos || text[close] == '{') {
      result.balanced = false;
      return result;
    }
    result.names.emplace_back(text.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  return result;
}

class SinkChecker {
 public:
  SinkChecker(const Plan& plan, std::size_t index, Diagnostics& diagnostics)
      : sink_(plan.spec.sinks[index]), what_(fmt::format("sink '{}'", sink_.name)), diagnostics_(diagnostics) {
    for (const QueryPlan& query : plan.queries) {
      if (std::find(query.sinks.begin(), query.sinks.end(), index) != query.sinks.end()) {
        queries_.push_back(&query);
      }
    }
  }

  void run() {
    if (!known(sink_, {"type"})) {
      return;
    }
    switch (sink_.kind) {
      case spec::SinkKind::file:
        file();
        break;
      case spec::SinkKind::mqtt:
        mqtt();
        break;
      case spec::SinkKind::callback:
        if (!sink_.callback) {
          mistake("a callback sink without a function");
        }
        break;
      case spec::SinkKind::console:
        break;
    }
  }

 private:
  void mistake(const std::string& message, const std::string& suggestion = {}) {
    diagnostics_.add(sink_.line, what_ + ": " + message, suggestion);
  }

  void file() {
    if (!known(sink_, {"path"})) {
      return;
    }
    if (sink_.path.empty()) {
      mistake("'path' is missing or empty", "as in \"out/{query}.jsonl\"");
      return;
    }
    if (sink_.to_standard_output() && (sink_.append || sink_.rotate_bytes != 0 || sink_.rotate_every.count() != 0)) {
      mistake("'append', 'rotate_bytes' and 'rotate_every' are for files, not for standard output");
    }
    if (sink_.rotate_every.count() < 0) {
      mistake("'rotate_every' is negative");
    }
    const Placeholders found = placeholders(sink_.path);
    bool per_query = false;
    for (const std::string& name : found.names) {
      per_query = per_query || name == "query";
      if (name != "query") {
        mistake(fmt::format("'path' cannot hold {{{}}}", name), "only {query} is known here");
      }
    }
    if (!found.balanced) {
      mistake("'path' has a brace without its partner");
    }
    if (sink_.format == spec::RowFormat::csv && !per_query && queries_.size() > 1) {
      mistake(fmt::format("{} queries would write rows of different columns into one CSV file", queries_.size()),
              sink_.to_standard_output() ? "write JSON lines, or a file each with {query} in the path"
                                         : "put {query} into the path");
    }
  }

  void mqtt() {
    if (const std::string broker = mqtt::broker_mistake(sink_.broker); !broker.empty() && known(sink_, {"broker"})) {
      mistake(broker, "as in \"mqtt://host:1883\"; mqtts://, ws:// and wss:// are known too");
    }
    if (sink_.cert_file.empty() != sink_.key_file.empty() && known(sink_, {"cert_file", "key_file"})) {
      mistake("'cert_file' and 'key_file' belong together");
    }
    const bool tls_files = !sink_.ca_file.empty() || !sink_.cert_file.empty() || !sink_.key_file.empty();
    if (tls_files && !sink_.broker.empty() && !mqtt::broker_uses_tls(sink_.broker)) {
      mistake("TLS files are given, but the broker's address does not use TLS", "write mqtts:// or wss://");
    }
    if (sink_.mqtt_version == 4 && sink_.username.empty() && !sink_.password.empty() &&
        known(sink_, {"username", "password", "mqtt_version"})) {
      mistake("'password' without 'username', which MQTT 3.1.1 does not have", "give both, or mqtt_version = \"5\"");
    }
    if (sink_.qos < 0 || sink_.qos > 2) {
      mistake(fmt::format("'qos' = {} is not between 0 and 2", sink_.qos));
    }
    if (sink_.mqtt_version != 4 && sink_.mqtt_version != 5) {
      mistake(fmt::format("'mqtt_version' = {} is none that is spoken here", sink_.mqtt_version), "4 is 3.1.1, or 5");
    }
    if (sink_.format == spec::RowFormat::csv && known(sink_, {"format"})) {
      mistake("'format' = \"csv\" is for files: at an mqtt sink each row is a JSON object, with its id",
              "leave 'format' out");
    }
    if (!known(sink_, {"topic"})) {
      return;
    }
    if (sink_.topic.empty()) {
      mistake("'topic' is missing or empty", "as in \"weir/{query}\"");
      return;
    }
    if (sink_.topic.find_first_of("+#") != std::string::npos) {
      mistake("'topic' must not hold the wildcards + and #");
    } else if (const std::string wrong = mqtt::topic_mistake(sink_.topic); !wrong.empty()) {
      mistake(fmt::format("'topic': {}", wrong));
    }
    const Placeholders found = placeholders(sink_.topic);
    if (!found.balanced) {
      mistake("'topic' has a brace without its partner");
    }
    for (const QueryPlan* query : queries_) {
      if (query->stream_text.empty() || !known(query->spec, {"group_by"})) {
        continue;  // its groups are not known
      }
      std::vector<std::string_view> names{"query"};
      names.insert(names.end(), query->shape.group_keys.begin(), query->shape.group_keys.end());
      for (const std::string& name : found.names) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          mistake(fmt::format("'topic' holds {{{}}}, but query '{}' does not group by it", name, query->spec.name),
                  suggest(name, names));
        }
      }
    }
  }

  const spec::Sink& sink_;
  std::string what_;
  Diagnostics& diagnostics_;
  std::vector<const QueryPlan*> queries_;
};

}  // namespace

void check_sinks(const Plan& plan, Diagnostics& diagnostics) {
  const auto& sinks = plan.spec.sinks;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    SinkChecker(plan, i, diagnostics).run();
  }
}

}  // namespace weir::plan
