#include "sink/mqtt_topic.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "mqtt/topic.hpp"

namespace weir::sink {
namespace {

void append_percent(std::string& out, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4U]);
    out.push_back(kHex[byte & 0xFU]);
  }
}

}  // namespace

void append_topic_level(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Utf8Sequence sequence = front_utf8(text);
    const std::string_view character = text.substr(0, sequence.length);
    text.remove_prefix(sequence.length);
    const bool reserved = character.size() == 1 && std::string_view("/+#%").find(character) != std::string_view::npos;
    if (!sequence.valid || reserved || mqtt::is_forbidden_in_topic(character) || (out.empty() && character == "$")) {
      append_percent(out, character);
    } else {
      out.append(character);
    }
  }
}

MqttTopic::MqttTopic(const NameTemplate& topic, const batch::ResultShape& shape) {
  if (topic.parts().empty()) throw ConfigError("an mqtt sink needs a topic", "topic = \"weir/{query}\"");
  for (const NameTemplate::Part& part : topic.parts()) {
    if (!part.placeholder) {
      if (part.text.find_first_of("+#") != std::string::npos) {
        throw ConfigError(
            fmt::format("topic part '{}' has a wildcard: rows are published to one topic each", part.text));
      }
      parts_.push_back({false, 0, part.text});
      continue;
    }
    const auto key = std::find(shape.group_keys.begin(), shape.group_keys.end(), part.text);
    if (key != shape.group_keys.end()) {
      parts_.push_back({true, static_cast<std::size_t>(key - shape.group_keys.begin()), {}});
    } else if (part.text == "query") {
      std::string level = parts_.empty() ? "" : "x";  // not at the topic's front
      append_topic_level(level, shape.query);
      parts_.push_back({false, 0, parts_.empty() ? level : level.substr(1)});
    } else {
      throw ConfigError(fmt::format("topic has {{{}}}, which is no group key of query '{}'", part.text, shape.query),
                        "use {query} or a name of group_by");
    }
  }
}

void MqttTopic::append(std::string& out, const batch::ResultTable& table, std::size_t row) const {
  for (const Part& part : parts_) {
    if (part.is_key) {
      append_topic_level(out, table.group(row, part.key));
    } else {
      out.append(part.text);
    }
  }
}

}  // namespace weir::sink
