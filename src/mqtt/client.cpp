#include "mqtt/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <random>
#include <utility>

#include "core/error.hpp"
#include "mqtt/broker_address.hpp"

namespace weir::mqtt {
namespace {

// A fixed header of 5 bytes, a topic of up to 65,535, and as much again for properties.
constexpr std::uint64_t kAroundPayload = 128U << 10U;
// MQTT encodes what follows the fixed header in 28 bits.
constexpr std::uint64_t kLargestPacket = (1U << 28U) - 1 + 5;

constexpr std::chrono::seconds kTlsPatience(3);

// MQTT properties of 32 bits; Paho takes them as signed numbers.
paho::property four_bytes(paho::property::code code, std::int64_t value) {
  const auto bits = std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::uint32_t>::max());
  return {code, static_cast<std::int32_t>(static_cast<std::uint32_t>(bits))};
}

paho::ssl_options make_ssl_options(const TlsFiles& files) {
  paho::ssl_options tls;
  if (!files.ca.empty()) {
    tls.set_trust_store(files.ca);  // otherwise the system's
  }
  if (!files.cert.empty()) {
    tls.set_key_store(files.cert);
  }
  if (!files.key.empty()) {
    tls.set_private_key(files.key);
  }
  tls.set_enable_server_cert_auth(true);
  tls.set_verify(true);  // the name in the certificate too
  return tls;
}

}  // namespace

std::string generated_client_id() {
  std::random_device entropy;
  return fmt::format("weir-{:08x}{:08x}", entropy(), entropy());
}

std::unique_ptr<paho::async_client> make_client(const Endpoint& endpoint, const std::string& persistence_dir) {
  const std::string uri = paho_uri(endpoint.broker);
  const std::string client_id = endpoint.client_id.empty() ? generated_client_id() : endpoint.client_id;
  const paho::create_options options(endpoint.mqtt_version);
  try {
    if (!persistence_dir.empty()) {
      std::filesystem::create_directories(persistence_dir);
      return std::make_unique<paho::async_client>(uri, client_id, options, persistence_dir);
    }
    return std::make_unique<paho::async_client>(uri, client_id, options);
  } catch (const std::exception& error) {
    throw Error(fmt::format("cannot use broker '{}': {}", endpoint.broker, error.what()));
  }
}

paho::connect_options make_connect_options(const Endpoint& endpoint, const ConnectionOptions& wanted) {
  paho::connect_options options;
  // Never Paho's default: with it, a reconnect can fall back to MQTT 3.1.
  options.set_mqtt_version(endpoint.mqtt_version);
  options.set_keep_alive_interval(std::clamp(std::chrono::ceil<std::chrono::seconds>(wanted.keep_alive),
                                             std::chrono::seconds(0), std::chrono::seconds(65'535)));
  options.set_connect_timeout(wanted.connect_timeout);
  options.set_automatic_reconnect(false);
  if (endpoint.mqtt_version >= 5) {
    paho::properties properties;
    if (wanted.receive_maximum > 0) {
      properties.add({paho::property::RECEIVE_MAXIMUM, wanted.receive_maximum});
    }
    if (wanted.max_message > 0) {
      properties.add(four_bytes(paho::property::MAXIMUM_PACKET_SIZE, packet_size_for(wanted.max_message)));
    }
    if (wanted.keep_session) {
      // 0xFFFFFFFF means for ever.
      properties.add(four_bytes(paho::property::SESSION_EXPIRY_INTERVAL,
                                std::chrono::ceil<std::chrono::seconds>(wanted.session_expiry).count()));
    }
    options.set_clean_start(!wanted.keep_session);
    options.set_properties(std::move(properties));
  } else {
    options.set_clean_session(!wanted.keep_session);
  }
  if (!endpoint.username.empty()) {
    options.set_user_name(endpoint.username);
  }
  if (!endpoint.password.empty()) {
    options.set_password(endpoint.password);
  }
  if (broker_uses_tls(endpoint.broker)) {
    options.set_ssl(make_ssl_options(endpoint.tls));
  }
  return options;
}

Outcome with_tls_reason(Outcome failed, const Endpoint& endpoint) {
  if (failed.ok || failed.reason != 0) return failed;
  if (!broker_uses_tls(endpoint.broker)) {
    if (speaks_tls(endpoint.broker, kTlsPatience)) failed.text = "it speaks TLS at this port; write mqtts:// or wss://";
  } else if (std::string problem = tls_problem(endpoint.broker, endpoint.tls, kTlsPatience); !problem.empty()) {
    failed.text = std::move(problem);
  }
  return failed;
}

std::uint32_t packet_size_for(std::uint64_t max_message) noexcept {
  return static_cast<std::uint32_t>(std::min(max_message, kLargestPacket - kAroundPayload) + kAroundPayload);
}

}  // namespace weir::mqtt
