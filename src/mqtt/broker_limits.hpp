// What a broker says of itself when a connection is made (CONNACK of MQTT 5, section 3.2.2.3). One of 3.1.1 says
// nothing: its limits show when it ends the connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mqtt/paho.hpp"

namespace weir::mqtt {

struct BrokerLimits {
  std::size_t receive_maximum = 65'535;                     ///< messages of QoS 1 and 2 before an acknowledgement
  std::uint64_t maximum_packet_size = (1U << 28U) - 1 + 5;  ///< bytes; the default is what MQTT can encode
  int maximum_qos = 2;
  bool retain_available = true;
};

/// @param connect a CONNECT that was accepted
BrokerLimits limits_of(const paho::token& connect);

/// @brief Bytes of a PUBLISH packet without properties.
std::uint64_t publish_packet_size(std::size_t topic_bytes, std::size_t payload_bytes, int qos,
                                  int mqtt_version) noexcept;
}  // namespace weir::mqtt
