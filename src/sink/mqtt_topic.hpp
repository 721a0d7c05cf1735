// The topic of a row: a template with the query's name and group keys as levels. Engine's thread only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "batch/result_table.hpp"
#include "sink/name_template.hpp"

namespace weir::sink {

/// A topic template bound to one query.
class MqttTopic {
 public:
  /// @throws ConfigError when the template names something that is neither `query` nor a group key, has a wildcard, or
  /// is empty.
  MqttTopic(const NameTemplate& topic, const batch::ResultShape& shape);

  /// @brief Appends the topic of a row. Keys are levels of their own: '/', '+', '#', '%', control characters, what
  /// Unicode sets aside as no character, bytes that are not UTF-8 and a '$' at the topic's front are written %XX.
  void append(std::string& out, const batch::ResultTable& table, std::size_t row) const;

 private:
  struct Part {
    bool is_key = false;
    std::size_t key = 0;
    std::string text;
  };
  std::vector<Part> parts_;
};

/// @brief Appends `text` as (part of) a topic level.
void append_topic_level(std::string& out, std::string_view text);

}  // namespace weir::sink
