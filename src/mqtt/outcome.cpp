#include "mqtt/outcome.hpp"

#include <algorithm>
#include <array>

namespace weir::mqtt {
namespace {

struct Reason {
  int code;
  std::string_view name;
  std::string_view text;
  bool passes = false;  // another try may do
};

// MQTT 5, section 2.4: those that a broker gives to a CONNECT, SUBSCRIBE or PUBLISH, or disconnects with.
constexpr std::array kReasons{
    Reason{0x80, "unspecified_error", "the broker gives no reason"},
    Reason{0x81, "malformed_packet", "the broker takes the packet for malformed"},
    Reason{0x82, "protocol_error", "the broker takes the packet for a mistake of the protocol"},
    Reason{0x83, "implementation_error", "the broker does not take it, for a reason of its own"},
    Reason{0x84, "unsupported_protocol_version", "it does not speak this version of MQTT; set mqtt_version"},
    Reason{0x85, "client_identifier_not_valid", "it does not take this client_id"},
    Reason{0x86, "bad_user_name_or_password", "wrong username or password"},
    Reason{0x87, "not_authorized", "not authorised; check username, password and the broker's access list"},
    Reason{0x88, "server_unavailable", "the broker is not available", true},
    Reason{0x89, "server_busy", "the broker is busy", true},
    Reason{0x8A, "banned", "this client is banned"},
    Reason{0x8B, "server_shutting_down", "the broker is shutting down", true},
    Reason{0x8C, "bad_authentication_method", "it wants another method of authentication"},
    Reason{0x8D, "keep_alive_timeout", "the broker heard nothing for the time of keep_alive", true},
    Reason{0x8E, "session_taken_over", "another client took the session over; give each a client_id of its own", true},
    Reason{0x8F, "topic_filter_invalid", "the broker does not take this topic filter"},
    Reason{0x90, "topic_name_invalid", "the broker does not take this topic"},
    Reason{0x91, "packet_identifier_in_use", "the broker has a packet of this number already"},
    Reason{0x93, "receive_maximum_exceeded", "more messages than the broker takes at a time", true},
    Reason{0x95, "too_large", "larger than the broker takes"},
    Reason{0x96, "message_rate_too_high", "more messages a second than the broker takes", true},
    Reason{0x97, "quota_exceeded", "a quota of the broker is used up", true},
    Reason{0x98, "administrative_action", "the broker's administrator ended it", true},
    Reason{0x99, "payload_format_invalid", "the broker does not take this payload"},
    Reason{0x9A, "retain_not_supported", "the broker has no retained messages"},
    Reason{0x9B, "qos_not_supported", "the broker does not have this QoS"},
    Reason{0x9C, "use_another_server", "the broker points to another one for now", true},
    Reason{0x9D, "server_moved", "the broker has moved; set broker to its new address"},
    Reason{0x9E, "shared_subscriptions_not_supported", "the broker has no shared subscriptions"},
    Reason{0x9F, "connection_rate_exceeded", "more connections than the broker takes", true},
    Reason{0xA0, "maximum_connect_time", "the broker ended the connection, as it does after some time", true},
    Reason{0xA1, "subscription_identifiers_not_supported", "the broker has no subscription identifiers"},
    Reason{0xA2, "wildcard_subscriptions_not_supported", "the broker has no wildcards in subscriptions"},
};

const Reason* find(int code) noexcept {
  const auto* const reason = std::find_if(kReasons.begin(), kReasons.end(),
                                          [code](const Reason& candidate) { return candidate.code == code; });
  return reason == kReasons.end() ? nullptr : reason;
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

bool is_refusal(int reason) noexcept {
  if (reason < 0x80 || reason > 0xFF) return false;
  const Reason* const known = find(reason);
  return known == nullptr || !known->passes;
}

bool says_nothing(int reason) noexcept {
  return reason == MQTTREASONCODE_UNSPECIFIED_ERROR || reason == MQTTREASONCODE_IMPLEMENTATION_SPECIFIC_ERROR;
}

std::string_view reason_name(int reason) noexcept {
  const Reason* const known = find(reason);
  return known != nullptr ? known->name : "refused";
}

std::string reason_text(int reason) {
  if (const Reason* const known = find(reason)) return std::string(known->text);
  return "reason code " + std::to_string(reason);
}

Outcome outcome_of(const paho::exception& error, int mqtt_version) {
  // Paho gives the reason of an MQTT 5 CONNACK and of a 3.1.1 SUBACK as the return code, others as the reason code.
  const int code = error.get_return_code();
  const int given = mqtt_version >= 5 && error.get_reason_code() >= 0x80 ? error.get_reason_code() : code;
  Outcome outcome;
  outcome.reason = given >= 0x80 ? given : reason_of_return_code(code);
  // Another try may do where the broker does not say what it minds.
  outcome.refused = is_refusal(outcome.reason) && !says_nothing(outcome.reason);
  outcome.text = outcome.reason != 0 ? reason_text(outcome.reason) : error.get_message();
  if (outcome.text.empty()) {
    outcome.text = "it cannot be reached; check host and port";  // of a host that nobody knows Paho says nothing
  }
  return outcome;
}

}  // namespace weir::mqtt
