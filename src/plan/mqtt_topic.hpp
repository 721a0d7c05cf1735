// MQTT topic filters, with "{name}" for a level that is captured as a key, and broker addresses.
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

/// @brief What is wrong with a broker's address, empty: nothing. The address is not repeated in the text: it may
/// hold a password.
std::string broker_mistake(std::string_view broker);

/// @brief "host:port" of a valid address, the same text for the same listener: two spellings of the loopback interface
/// are one, and a port that is left out is the scheme's.
std::string broker_listener(std::string_view broker);

/// @brief The address uses TLS: mqtts:// or wss:// (ssl:// is another spelling).
bool broker_uses_tls(std::string_view broker) noexcept;

}  // namespace weir::plan
