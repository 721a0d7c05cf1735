#include "plan/mqtt_topic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plan/lexer.hpp"

namespace weir::plan {
namespace {

// MQTT encodes a topic's length in 16 bits.
constexpr std::size_t kMaxTopicBytes = 65535;

bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

/// Reads one level; returns what is wrong with it.
std::string read_level(std::string_view level, bool last, std::vector<std::string>& captures) {
  if (level == "#") {
    return last ? "" : "'#' must be the last level";
  }
  if (level == "+") {
    return {};
  }
  if (level.size() >= 2 && level.front() == '{' && level.back() == '}') {
    const std::string_view name = level.substr(1, level.size() - 2);
    if (!is_name(name)) {
      return fmt::format("'{}' captures no name", level);
    }
    if (std::find(captures.begin(), captures.end(), name) != captures.end()) {
      return fmt::format("'{}' is captured twice", level);
    }
    captures.emplace_back(name);
    return {};
  }
  if (level.find_first_of("+#") != std::string_view::npos) {
    return fmt::format("the wildcard in '{}' must be a whole level", level);
  }
  if (level.find_first_of("{}") != std::string_view::npos) {
    return fmt::format("a capture must be a whole level, unlike '{}'", level);
  }
  return {};
}

}  // namespace

TopicFilter parse_topic_filter(std::string_view filter) {
  TopicFilter result;
  if (filter.empty()) {
    result.mistake = "the topic is empty";
    return result;
  }
  if (filter.size() > kMaxTopicBytes || filter.find('\0') != std::string_view::npos) {
    result.mistake = "the topic is longer than 65535 bytes or holds a null character";
    return result;
  }
  constexpr std::string_view kShare = "$share/";
  std::string_view rest = filter;
  if (begins_with(rest, kShare)) {
    const std::size_t slash = rest.find('/', kShare.size());
    const std::string_view group = rest.substr(kShare.size(), slash - kShare.size());
    if (slash == std::string_view::npos || slash + 1 == rest.size() || group.empty() ||
        group.find_first_of("+#{}") != std::string_view::npos) {
      result.mistake = "a shared subscription must be $share/group/filter";
      return result;
    }
    rest = rest.substr(slash + 1);
  }
  while (true) {
    const std::size_t slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    result.mistake = read_level(rest.substr(0, slash), last, result.captures);
    if (!result.mistake.empty()) {
      result.suggestion = "as in \"plant/{line}/+/state\" or \"plant/#\"";
      return result;
    }
    if (last) {
      return result;
    }
    rest = rest.substr(slash + 1);
  }
}

std::string broker_mistake(std::string_view broker) {
  if (broker.empty()) {
    return "'broker' is missing";
  }
  constexpr std::array<std::string_view, 6> kSchemes{"mqtt://", "mqtts://", "tcp://", "ssl://", "ws://", "wss://"};
  const auto* const scheme = std::find_if(kSchemes.begin(), kSchemes.end(),
                                          [&](std::string_view candidate) { return begins_with(broker, candidate); });
  if (scheme == kSchemes.end()) {
    return "'broker' has no known scheme";
  }
  if (broker.find('@') != std::string_view::npos) {
    return "'broker' must not hold a user and password: they have entries of their own";
  }
  std::string_view host = broker.substr(scheme->size());
  const bool web_socket = begins_with(*scheme, "ws");
  host = web_socket ? host.substr(0, host.find('/')) : host;
  std::string_view port;
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    int number = 0;
    for (const char c : port) {
      number = c >= '0' && c <= '9' && number <= 65535 ? number * 10 + (c - '0') : 65536;
    }
    if (port.empty() || number < 1 || number > 65535) {
      return "'broker' has a port that is not between 1 and 65535";
    }
  }
  if (host.empty() || host.find_first_of(" \t/") != std::string_view::npos) {
    return "'broker' names no host";
  }
  return {};
}

std::string broker_listener(std::string_view broker) {
  const std::size_t end_of_scheme = broker.find("://");
  const std::string_view scheme = broker.substr(0, end_of_scheme);
  std::string listener;
  for (const char c : broker.substr(end_of_scheme + 3)) {
    if (c == '/') {
      break;  // the path of a web socket
    }
    listener += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const std::size_t colon = listener.rfind(':');
  const bool has_port = colon != std::string::npos && listener.find(']', colon) == std::string::npos;
  const std::string host = has_port ? listener.substr(0, colon) : listener;
  const std::string port = has_port                  ? listener.substr(colon)
                           : scheme == "ws"          ? ":80"
                           : scheme == "wss"         ? ":443"
                           : broker_uses_tls(broker) ? ":8883"
                                                     : ":1883";
  return (host == "127.0.0.1" || host == "[::1]" ? std::string("localhost") : host) + port;
}

bool broker_uses_tls(std::string_view broker) noexcept {
  return begins_with(broker, "mqtts://") || begins_with(broker, "ssl://") || begins_with(broker, "wss://");
}

}  // namespace weir::plan
