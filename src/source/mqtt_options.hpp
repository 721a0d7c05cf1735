// A spec::Source in the terms of Eclipse Paho: client, connect options, subscriptions, and what its errors mean.
#pragma once

#include <mqtt/async_client.h>

#include <memory>
#include <string>
#include <string_view>

#include "spec/stream_spec.hpp"

namespace weir::source {

/// @brief The filter that is subscribed for a topic pattern: "plant/{line}/+/#" gives "plant/+/+/#".
std::string subscription_filter(std::string_view pattern);

/// @brief Whether the broker keeps the session while we are away.
bool keeps_session(const spec::Source& spec) noexcept;

/// @brief A client that is not connected yet. @throws Error when the address is refused.
std::unique_ptr<mqtt::async_client> make_mqtt_client(const spec::Source& spec, const std::string& stream);

mqtt::connect_options make_connect_options(const spec::Source& spec);

/// @brief How a topic is subscribed with MQTT 5; defaults for 3.1.1.
mqtt::subscribe_options make_subscribe_options(const spec::Source& spec);

/// What a connect or subscribe came to.
struct Outcome {
  bool ok = false;
  bool refused = false;  ///< by the broker, for a reason that trying again does not cure
  std::string text;      ///< why it failed, in a few words
  int reason = 0;        ///< 0x80 and above: the broker's, in the terms of MQTT 5
};
Outcome outcome_of(const mqtt::exception& error, int mqtt_version);
/// @brief The outcome of subscribing to a topic, which the SUBACK can refuse: as a failure or in its list of answers.
Outcome outcome_of_subscribe(const Outcome& performed, const mqtt::token* token, const std::string& topic);

}  // namespace weir::source
