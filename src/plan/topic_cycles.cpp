#include "plan/topic_cycles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/topic_pattern.hpp"
#include "mqtt/broker_address.hpp"
#include "plan/compile.hpp"
#include "plan/mqtt_topic.hpp"
#include "plan/stream_checks.hpp"

namespace weir::plan {
namespace {

/// Whether a text with places in braces can become `text`: "line-{k}" becomes "line-7".
bool can_become(std::string_view with_places, std::string_view text) {
  const std::size_t open = with_places.find('{');
  if (open == std::string_view::npos) {
    return with_places == text;
  }
  if (!text.starts_with(with_places.substr(0, open))) {
    return false;
  }
  text.remove_prefix(open);
  with_places.remove_prefix(std::min(with_places.find('}', open), with_places.size() - 1) + 1);
  for (std::size_t skipped = 0; skipped <= text.size(); ++skipped) {
    if (can_become(with_places, text.substr(skipped))) {
      return true;
    }
  }
  return false;
}

/// Some topic that a sink's topic with places can become is matched.
bool can_match(const TopicPattern& filter, std::string_view topic) {
  if (filter.begins_wild() && topic.starts_with('$')) {
    return false;
  }
  std::size_t at = 0;
  for (const TopicPattern::Level& level : filter.levels()) {
    if (at == std::string_view::npos) {
      return false;
    }
    const std::string_view text = next_topic_level(topic, at);
    if (!level.any && !can_become(text, level.text)) {
      return false;
    }
  }
  return at == std::string_view::npos || filter.ends_in_hash();
}

std::string with_query(std::string topic, const std::string& query) {
  constexpr std::string_view kPlace = "{query}";
  for (std::size_t at = topic.find(kPlace); at != std::string::npos; at = topic.find(kPlace, at + query.size())) {
    topic.replace(at, kPlace.size(), query);
  }
  return topic;
}

/// Rows of one stream go through a sink to a source of another one, or of the same.
struct Feed {
  std::size_t from, to;
  std::size_t sink;
  std::string topic, filter, source;
};

class CycleChecker {
 public:
  CycleChecker(const Plan& plan, Diagnostics& diagnostics) : plan_(plan), diagnostics_(diagnostics) {}

  void run() {
    for (const QueryPlan& query : plan_.queries) {
      if (query.stream_text.empty()) {
        continue;  // of a stream that is not there
      }
      for (const std::size_t sink : query.sinks) {
        find_feeds(query, sink);
      }
    }
    std::vector<std::size_t> told;
    for (const Feed& feed : feeds_) {
      if (std::find(told.begin(), told.end(), feed.sink) == told.end() && reaches(feed.to, feed.from)) {
        told.push_back(feed.sink);
        const bool direct = feed.from == feed.to;
        diagnostics_.add(
            plan_.spec.sinks[feed.sink].line,
            fmt::format(
                "sink '{}' publishes to \"{}\", which topic \"{}\" of {} takes in{}: one message would go round "
                "and round",
                plan_.spec.sinks[feed.sink].name, feed.topic, feed.filter, feed.source,
                direct ? "" : fmt::format(", and from there it comes back to stream '{}'", name(feed.from))),
            "give it a topic that the stream does not read");
      }
    }
  }

 private:
  [[nodiscard]] const std::string& name(std::size_t stream) const { return plan_.streams[stream].spec.name; }

  void find_feeds(const QueryPlan& query, std::size_t index) {
    const spec::Sink& sink = plan_.spec.sinks[index];
    if (sink.kind != spec::SinkKind::mqtt || !known(sink, {"type", "broker", "topic"}) ||
        !mqtt::broker_mistake(sink.broker).empty()) {
      return;
    }
    const std::string topic = with_query(sink.topic, query.spec.name);
    for (std::size_t to = 0; to < plan_.streams.size(); ++to) {
      const spec::Stream& stream = plan_.streams[to].spec;
      for (std::size_t i = 0; i < stream.sources.size(); ++i) {
        const spec::Source& source = stream.sources[i];
        if (source.kind != spec::SourceKind::mqtt || !known(source, {"type", "broker", "topics"}) ||
            !mqtt::broker_mistake(source.broker).empty() ||
            mqtt::broker_listener(source.broker) != mqtt::broker_listener(sink.broker)) {
          continue;
        }
        for (const std::string& filter : source.topics) {
          if (parse_topic_filter(filter).mistake.empty() && can_match(TopicPattern(filter), topic)) {
            feeds_.push_back({query.stream, to, index, sink.topic, filter, source_name(stream, i)});
          }
        }
      }
    }
  }

  [[nodiscard]] bool reaches(std::size_t from, std::size_t to) const {
    std::vector<std::size_t> reached{from};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      if (reached[i] == to) {
        return true;
      }
      for (const Feed& feed : feeds_) {
        if (feed.from == reached[i] && std::find(reached.begin(), reached.end(), feed.to) == reached.end()) {
          reached.push_back(feed.to);
        }
      }
    }
    return false;
  }

  const Plan& plan_;
  Diagnostics& diagnostics_;
  std::vector<Feed> feeds_;
};

}  // namespace

void check_topic_cycles(const Plan& plan, Diagnostics& diagnostics) {
  CycleChecker(plan, diagnostics).run();
}

}  // namespace weir::plan
