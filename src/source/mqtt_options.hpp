// A spec::Source in the terms of room mqtt and of Eclipse Paho: endpoint, connection, subscriptions.
#pragma once

#include <string>
#include <string_view>

#include "mqtt/client.hpp"
#include "mqtt/outcome.hpp"
#include "spec/stream_spec.hpp"

namespace weir::source {

/// @brief The filter that is subscribed for a topic pattern: "plant/{line}/+/#" gives "plant/+/+/#".
std::string subscription_filter(std::string_view pattern);

/// @brief Whether the broker keeps the session while we are away.
bool keeps_session(const spec::Source& spec) noexcept;

mqtt::Endpoint endpoint_of(const spec::Source& spec);
mqtt::ConnectionOptions connection_of(const spec::Source& spec);

/// @brief How a topic is subscribed with MQTT 5; defaults for 3.1.1.
paho::subscribe_options make_subscribe_options(const spec::Source& spec);

/// @brief The outcome of subscribing to a topic, which the SUBACK can refuse: as a failure or in its list of answers.
/// @param granted the QoS that the broker gives, where it gives one
mqtt::Outcome outcome_of_subscribe(const mqtt::Outcome& performed, const paho::token* token, const std::string& topic,
                                   int& granted);

}  // namespace weir::source
