#include "mqtt/broker_limits.hpp"

#include <algorithm>

namespace weir::mqtt {

BrokerLimits limits_of(const paho::token& connect) {
  BrokerLimits limits;
  const paho::connect_response response = connect.get_connect_response();
  const paho::properties& properties = response.get_properties();
  if (properties.contains(paho::property::RECEIVE_MAXIMUM)) {
    limits.receive_maximum =
        std::max<std::size_t>(paho::get<std::uint16_t>(properties, paho::property::RECEIVE_MAXIMUM), 1);
  }
  if (properties.contains(paho::property::MAXIMUM_PACKET_SIZE)) {
    limits.maximum_packet_size = paho::get<std::uint32_t>(properties, paho::property::MAXIMUM_PACKET_SIZE);
  }
  if (properties.contains(paho::property::MAXIMUM_QOS)) {
    limits.maximum_qos = paho::get<std::uint8_t>(properties, paho::property::MAXIMUM_QOS);
  }
  if (properties.contains(paho::property::RETAIN_AVAILABLE)) {
    limits.retain_available = paho::get<std::uint8_t>(properties, paho::property::RETAIN_AVAILABLE) != 0;
  }
  return limits;
}

std::uint64_t publish_packet_size(std::size_t topic_bytes, std::size_t payload_bytes, int qos,
                                  int mqtt_version) noexcept {
  const std::uint64_t rest =
      std::uint64_t{2} + topic_bytes + (qos > 0 ? 2U : 0U) + (mqtt_version >= 5 ? 1U : 0U) + payload_bytes;
  std::uint64_t size = rest + 2;  // the first byte, and the length in groups of 7 bits
  for (std::uint64_t groups = rest >> 7U; groups > 0; groups >>= 7U) ++size;
  return size;
}

}  // namespace weir::mqtt
