// A spec::Source in the terms of Eclipse Paho: client, connect options, subscriptions, and what its errors mean.
#pragma once

#include <mqtt/async_client.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spec/stream_spec.hpp"

namespace weir::source {

/// @brief The filter that is subscribed for a topic pattern: "plant/{line}/+/#" gives "plant/+/+/#".
std::string subscription_filter(std::string_view pattern);

/// @brief Whether the broker keeps the session while we are away.
bool keeps_session(const spec::Source& spec) noexcept;

/// @brief A client that is not connected yet. @throws Error when the address is refused.
std::unique_ptr<mqtt::async_client> make_mqtt_client(const spec::Source& spec, const std::string& stream);

mqtt::connect_options make_connect_options(const spec::Source& spec);

struct Subscription {
  std::shared_ptr<mqtt::string_collection> filters;
  std::vector<int> qos;
  std::vector<mqtt::subscribe_options> options;  ///< empty for MQTT 3.1.1
};
Subscription make_subscription(const spec::Source& spec);

/// What a connect or subscribe came to.
struct Outcome {
  bool ok = false;
  bool refused = false;  ///< by the broker, for a reason that trying again does not cure
  std::string text;      ///< why it failed, in a few words
};
Outcome outcome_of(const mqtt::exception& error, int mqtt_version);
/// @brief The outcome of a SUBACK, which can refuse single topics.
Outcome outcome_of_subscribe(const mqtt::token& token, const std::vector<std::string>& topics);

}  // namespace weir::source
