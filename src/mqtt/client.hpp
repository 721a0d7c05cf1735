// What sources and sinks ask of their client in the same way: a spec's entries in the terms of Eclipse Paho.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/duration.hpp"
#include "mqtt/outcome.hpp"
#include "mqtt/paho.hpp"
#include "mqtt/tls.hpp"

namespace weir::mqtt {

/// A broker, and who we are there.
struct Endpoint {
  std::string broker;     ///< "mqtt://host:1883", "mqtts://host:8883", "ws://host/path", "wss://host/path"
  std::string client_id;  ///< empty: generated
  std::string username;   ///< empty: none
  std::string password;   ///< never logged
  TlsFiles tls;
  int mqtt_version = 5;  ///< 4 is 3.1.1
};

/// What a connection is to be like.
struct ConnectionOptions {
  Duration keep_alive{std::chrono::seconds(30)};
  std::chrono::seconds connect_timeout{5};
  bool keep_session = false;  ///< the broker keeps it while we are away, and an earlier one goes on
  Duration session_expiry{0};
  std::uint16_t receive_maximum = 0;  ///< messages that the broker may send before our acknowledgement; 0: its choice
  std::uint64_t max_message = 0;      ///< bytes of the largest payload that is to be sent to us; 0: any
};

/// @brief A client identifier that is nobody else's, of 21 characters: 3.1.1 obliges brokers to take 23 and no more.
std::string generated_client_id();

/// @brief A client that is not connected yet. @param persistence_dir where MQTT 3.1.1 keeps QoS 2 messages in flight;
/// empty: nowhere. @throws Error when the address is refused.
std::unique_ptr<paho::async_client> make_client(const Endpoint& endpoint, const std::string& persistence_dir = {});

/// @brief Never Paho's automatic reconnect: it would try again only after a first success.
paho::connect_options make_connect_options(const Endpoint& endpoint, const ConnectionOptions& wanted);

/// @brief A failed connect with its reason in the text where TLS is why, which Paho does not say. May take some
/// seconds.
Outcome with_tls_reason(Outcome failed, const Endpoint& endpoint);

/// @brief The Maximum Packet Size that lets a payload of so many bytes in, with its topic and properties.
std::uint32_t packet_size_for(std::uint64_t max_message) noexcept;

}  // namespace weir::mqtt
