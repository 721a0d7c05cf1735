#include "mqtt/broker_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace weir::mqtt {
namespace {

constexpr std::string_view kSchemeEnd = "://";

std::string_view scheme_of(std::string_view broker) noexcept {
  const std::size_t end = broker.find(kSchemeEnd);
  return end == std::string_view::npos ? std::string_view() : broker.substr(0, end);
}

bool is_web_socket(std::string_view scheme) noexcept {
  return scheme == "ws" || scheme == "wss";
}

// Without the path of a web socket.
std::string_view authority_of(std::string_view broker) noexcept {
  const std::string_view rest = broker.substr(scheme_of(broker).size() + kSchemeEnd.size());
  return is_web_socket(scheme_of(broker)) ? rest.substr(0, rest.find('/')) : rest;
}

struct HostAndPort {
  std::string_view host;
  std::string_view port;
  bool has_port = false;
};

HostAndPort split(std::string_view authority) noexcept {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return {authority, {}, false};
  }
  return {authority.substr(0, colon), authority.substr(colon + 1), true};
}

std::string_view default_port(std::string_view scheme) noexcept {
  if (scheme == "ws") return "80";
  if (scheme == "wss") return "443";
  return scheme == "mqtts" || scheme == "ssl" ? "8883" : "1883";
}

/// An address has several spellings, "::1" and "0:0:0:0:0:0:0:1"; the loopback interface has a name too.
std::string one_spelling(const std::string& host) {
  std::array<unsigned char, sizeof(::in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) {
    ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    const std::string six(text.data());
    constexpr std::string_view kFourInSix = "::ffff:";
    return six == "::1" ? "localhost" : six.starts_with(kFourInSix) ? one_spelling(six.substr(kFourInSix.size())) : six;
  }
  return host == "127.0.0.1" ? "localhost" : host;
}

}  // namespace

std::string broker_mistake(std::string_view broker) {
  if (broker.empty()) {
    return "'broker' is missing";
  }
  constexpr std::array<std::string_view, 6> kSchemes{"mqtt", "mqtts", "tcp", "ssl", "ws", "wss"};
  if (std::find(kSchemes.begin(), kSchemes.end(), scheme_of(broker)) == kSchemes.end()) {
    return "'broker' has no known scheme";
  }
  if (broker.find('@') != std::string_view::npos) {
    return "'broker' must not hold a user and password: they have entries of their own";
  }
  const HostAndPort parts = split(authority_of(broker));
  if (parts.has_port) {
    int number = 0;
    for (const char c : parts.port) {
      number = c >= '0' && c <= '9' && number <= 65535 ? number * 10 + (c - '0') : 65536;
    }
    if (parts.port.empty() || number < 1 || number > 65535) {
      return "'broker' has a port that is not between 1 and 65535";
    }
  }
  if (parts.host.empty() || parts.host.find_first_of(" \t/") != std::string_view::npos) {
    return "'broker' names no host";
  }
  return {};
}

Listener listener_of(std::string_view broker) {
  const HostAndPort parts = split(authority_of(broker));
  std::string_view host = parts.host;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {std::string(host), std::string(parts.has_port ? parts.port : default_port(scheme_of(broker)))};
}

std::string broker_listener(std::string_view broker) {
  Listener listener = listener_of(broker);
  for (char& c : listener.host) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (listener.host.size() > 1 && listener.host.back() == '.') {
    listener.host.pop_back();  // the root of the names
  }
  unsigned port = 0;  // 08883 is 8883
  std::from_chars(listener.port.data(), listener.port.data() + listener.port.size(), port);
  return one_spelling(listener.host) + ':' + std::to_string(port);
}

bool broker_uses_tls(std::string_view broker) noexcept {
  const std::string_view scheme = scheme_of(broker);
  return scheme == "mqtts" || scheme == "ssl" || scheme == "wss";
}

std::string paho_uri(std::string_view broker) {
  const std::string_view scheme = scheme_of(broker);
  const std::string rest(broker.substr(scheme.size()));
  if (scheme == "mqtt") return "tcp" + rest;
  if (scheme == "mqtts") return "ssl" + rest;
  return std::string(broker);
}

}  // namespace weir::mqtt
