#include "source/mqtt_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::source {
namespace {

// How many messages the broker may send before it waits for our acknowledgements. Brokers assume 20 or so where the
// client does not say, which a round trip of a millisecond makes a limit of 20,000 messages/s.
constexpr int kReceiveMaximum = 1000;

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

mqtt::Endpoint endpoint_of(const spec::Source& spec) {
  return {spec.broker,
          spec.client_id,
          spec.username,
          spec.password,
          {.ca = spec.ca_file, .cert = spec.cert_file, .key = spec.key_file},
          spec.mqtt_version};
}

mqtt::ConnectionOptions connection_of(const spec::Source& spec) {
  mqtt::ConnectionOptions options;
  options.keep_alive = spec.keep_alive;
  options.keep_session = keeps_session(spec);
  options.session_expiry = spec.session_expiry;
  options.receive_maximum = kReceiveMaximum;
  options.max_message = spec.max_message;
  return options;
}

paho::subscribe_options make_subscribe_options(const spec::Source& spec) {
  if (spec.mqtt_version < 5) {
    return {};
  }
  // Even when wanted, retained messages come once: a resumed subscription does not send them again.
  return paho::subscribe_options(
      false, false,
      spec.retained ? paho::subscribe_options::SEND_RETAINED_ON_NEW : paho::subscribe_options::DONT_SEND_RETAINED);
}

mqtt::Outcome outcome_of_subscribe(const mqtt::Outcome& performed, const paho::token* token, const std::string& topic,
                                   int& granted) {
  int reason = performed.reason;
  if (performed.ok && token != nullptr) {
    const paho::subscribe_response response = token->get_subscribe_response();
    for (const paho::ReasonCode code : response.get_reason_codes()) {
      reason = std::max(reason, static_cast<int>(code));
      granted = static_cast<int>(code);
    }
  }
  if (reason < 0x80) {
    return performed;
  }
  return {false, true, fmt::format("the subscription to '{}'; check the broker's access list", topic), reason};
}

}  // namespace weir::source
