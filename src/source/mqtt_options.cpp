#include "source/mqtt_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <random>

#include "core/error.hpp"

namespace weir::source {
namespace {

// How many messages the broker may send before it waits for our acknowledgements. Brokers assume 20 or so where the
// client does not say, which a round trip of a millisecond makes a limit of 20,000 messages/s.
constexpr int kReceiveMaximum = 1000;
constexpr std::chrono::seconds kConnectTimeout{5};

std::string generated_client_id() {
  std::random_device entropy;
  // 3.1.1 obliges brokers to take 23 characters and no more.
  return fmt::format("weir-{:08x}{:08x}", entropy(), entropy());
}

std::string reason_text(int reason) {
  switch (reason) {
    case MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION:
      return "it does not speak this version of MQTT; set mqtt_version";
    case MQTTREASONCODE_CLIENT_IDENTIFIER_NOT_VALID:
      return "it does not take this client_id";
    case MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD:
      return "wrong username or password";
    case MQTTREASONCODE_NOT_AUTHORIZED:
      return "not authorised; check username, password and the broker's access list";
    case MQTTREASONCODE_BANNED:
      return "this client is banned";
    case MQTTREASONCODE_BAD_AUTHENTICATION_METHOD:
      return "it wants another method of authentication";
    default:
      return {};
  }
}

/// MQTT 3.1.1's CONNACK return codes 1 to 5 in the terms of MQTT 5.
int reason_of_return_code(int code) noexcept {
  switch (code) {
    case 1:
      return MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION;
    case 2:
      return MQTTREASONCODE_CLIENT_IDENTIFIER_NOT_VALID;
    case 3:
      return MQTTREASONCODE_SERVER_UNAVAILABLE;
    case 4:
      return MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD;
    case 5:
      return MQTTREASONCODE_NOT_AUTHORIZED;
    default:
      return 0;
  }
}

}  // namespace

std::string subscription_filter(std::string_view pattern) {
  std::string filter;
  while (!pattern.empty()) {
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view level = pattern.substr(0, slash);
    filter += level.starts_with('{') && level.ends_with('}') ? std::string_view("+") : level;
    if (slash < pattern.size()) {
      filter += '/';
    }
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return filter;
}

bool keeps_session(const spec::Source& spec) noexcept {
  return !spec.client_id.empty() && !spec.clean_session;
}

std::unique_ptr<mqtt::async_client> make_mqtt_client(const spec::Source& spec, const std::string& stream) {
  const std::string client_id = spec.client_id.empty() ? generated_client_id() : spec.client_id;
  const mqtt::create_options options(spec.mqtt_version);
  try {
    if (!spec.persistence_dir.empty()) {
      std::filesystem::create_directories(spec.persistence_dir);
      return std::make_unique<mqtt::async_client>(spec.broker, client_id, options, spec.persistence_dir);
    }
    return std::make_unique<mqtt::async_client>(spec.broker, client_id, options);
  } catch (const std::exception& error) {
    throw Error(fmt::format("stream '{}': cannot use broker '{}': {}", stream, spec.broker, error.what()));
  }
}

mqtt::connect_options make_connect_options(const spec::Source& spec) {
  mqtt::connect_options options;
  // Never Paho's default: with it, a reconnect can fall back to MQTT 3.1.
  options.set_mqtt_version(spec.mqtt_version);
  options.set_keep_alive_interval(std::clamp(std::chrono::ceil<std::chrono::seconds>(spec.keep_alive),
                                             std::chrono::seconds(0), std::chrono::seconds(65'535)));
  options.set_connect_timeout(kConnectTimeout);
  options.set_automatic_reconnect(false);  // the source does that: Paho would retry only after a first success
  if (spec.mqtt_version >= 5) {
    mqtt::properties properties;
    properties.add({mqtt::property::RECEIVE_MAXIMUM, kReceiveMaximum});
    if (keeps_session(spec)) {
      // 0xFFFFFFFF means for ever; Paho takes the 32 bits as a signed number.
      const auto seconds =
          std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(spec.session_expiry).count(), 0,
                                   std::numeric_limits<std::uint32_t>::max());
      properties.add(
          {mqtt::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(static_cast<std::uint32_t>(seconds))});
    }
    options.set_clean_start(!keeps_session(spec));
    options.set_properties(std::move(properties));
  } else {
    options.set_clean_session(!keeps_session(spec));
  }
  if (!spec.username.empty()) {
    options.set_user_name(spec.username);
  }
  if (!spec.password.empty()) {
    options.set_password(spec.password);
  }
  if (spec.broker.starts_with("mqtts:") || spec.broker.starts_with("ssl:") || spec.broker.starts_with("wss:")) {
    mqtt::ssl_options tls;
    if (!spec.ca_file.empty()) {
      tls.set_trust_store(spec.ca_file);  // otherwise the system's
    }
    if (!spec.cert_file.empty()) {
      tls.set_key_store(spec.cert_file);
    }
    if (!spec.key_file.empty()) {
      tls.set_private_key(spec.key_file);
    }
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);  // the name in the certificate too
    options.set_ssl(std::move(tls));
  }
  return options;
}

mqtt::subscribe_options make_subscribe_options(const spec::Source& spec) {
  if (spec.mqtt_version < 5) {
    return {};
  }
  // Even when wanted, retained messages come once: a resumed subscription does not send them again.
  return mqtt::subscribe_options(
      false, false,
      spec.retained ? mqtt::subscribe_options::SEND_RETAINED_ON_NEW : mqtt::subscribe_options::DONT_SEND_RETAINED);
}

Outcome outcome_of(const mqtt::exception& error, int mqtt_version) {
  // Paho gives the reason of an MQTT 5 CONNACK and of a 3.1.1 SUBACK as the return code, others as the reason code.
  const int code = error.get_return_code();
  const int given = mqtt_version >= 5 && error.get_reason_code() >= 0x80 ? error.get_reason_code() : code;
  const int reason = given >= 0x80 ? given : reason_of_return_code(code);
  Outcome outcome;
  outcome.reason = reason;
  outcome.text = reason_text(reason);
  outcome.refused = !outcome.text.empty();
  if (!outcome.refused) {
    outcome.text = reason >= 0x80 ? mqtt::exception::reason_code_str(reason) : error.get_message();
    if (outcome.text.empty()) {
      outcome.text = "it cannot be reached; check host and port";  // of a host that nobody knows Paho says nothing
    }
  }
  return outcome;
}

Outcome outcome_of_subscribe(const Outcome& performed, const mqtt::token* token, const std::string& topic) {
  int reason = performed.reason;
  if (performed.ok && token != nullptr) {
    const mqtt::subscribe_response response = token->get_subscribe_response();
    for (const mqtt::ReasonCode code : response.get_reason_codes()) {
      reason = std::max(reason, static_cast<int>(code));
    }
  }
  if (reason < 0x80) {
    return performed;
  }
  return {false, true, fmt::format("the subscription to '{}'; check the broker's access list", topic), reason};
}

}  // namespace weir::source
