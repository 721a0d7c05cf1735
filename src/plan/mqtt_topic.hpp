// MQTT topic filters, with "{name}" for a level that is captured as a key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::plan {

struct TopicFilter {
  std::vector<std::string> captures;  ///< names in braces, in order
  std::string mistake;                ///< empty: valid
  std::string suggestion;
};

/// @brief Checks a filter: '+' and "{name}" fill a whole level, '#' is the whole last level (MQTT 5 section 4.7).
/// "$share/group/filter" is a shared subscription.
TopicFilter parse_topic_filter(std::string_view filter);

}  // namespace weir::plan
