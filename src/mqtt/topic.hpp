// Topics that a message can be published to. Text only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::mqtt {

/// The most bytes of a topic: MQTT writes its length in 16 bits.
inline constexpr std::size_t kLongestTopic = 65'535;

/// @brief Whether brokers may end the connection for this character in a topic (MQTT 5, section 1.5.4): control
/// characters and what Unicode sets aside as no character. @param character one well-formed sequence of UTF-8
bool is_forbidden_in_topic(std::string_view character) noexcept;

/// @brief Why no message can be published to this topic; empty: one can.
std::string topic_mistake(std::string_view topic);

}  // namespace weir::mqtt
