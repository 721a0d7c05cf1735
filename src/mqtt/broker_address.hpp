// The address of an MQTT broker: mqtt://host:port, mqtts:// (TLS), ws:// and wss:// (web sockets); tcp:// and ssl://
// are other spellings of the first two. Text only, nothing is looked up.
#pragma once

#include <string>
#include <string_view>

namespace weir::mqtt {

/// @brief What is wrong with a broker's address, empty: nothing. The address is not repeated in the text: it may
/// hold a password.
std::string broker_mistake(std::string_view broker);

/// Where a broker listens.
struct Listener {
  std::string host;  ///< a name or an address, that of IPv6 without brackets
  std::string port;  ///< the scheme's where the address has none
};
/// @param broker a valid address
Listener listener_of(std::string_view broker);

/// @brief "host:port" of a valid address, the same text for the same listener: two spellings of the loopback interface
/// are one, and a port that is left out is the scheme's.
std::string broker_listener(std::string_view broker);

/// @brief The address uses TLS: mqtts://, ssl:// or wss://.
bool broker_uses_tls(std::string_view broker) noexcept;

/// @brief The address as Paho takes it in every version.
std::string paho_uri(std::string_view broker);

}  // namespace weir::mqtt
