// Publishes to a broker with MQTT 3.1.1 written by hand: quick, and none of the client that is being tested.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "support/broker.hpp"

namespace weir::source {

class MqttPublisher {
 public:
  explicit MqttPublisher(const test::Broker& broker, const test::Broker::Login& login = {})
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(broker.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const bool connected = ::connect(socket_, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0;
    const bool with_login = !login.user.empty();
    std::string body = text("MQTT") + '\x04' + (with_login ? '\xc2' : '\x02') + std::string("\x00\x3c", 2) + text("");
    if (with_login) {
      body += text(login.user) + text(login.password);
    }
    if (connected) {
      send(packet('\x10', body));
    }
    if (!connected || receive(4) != std::string("\x20\x02\x00\x00", 4)) {
      ::close(socket_);
      throw std::runtime_error("the broker refuses the publisher");
    }
  }
  ~MqttPublisher() { ::close(socket_); }
  MqttPublisher(const MqttPublisher&) = delete;
  MqttPublisher& operator=(const MqttPublisher&) = delete;

  /// @brief "<prefix>0" to "<prefix>n-1", in order; returns when the broker has them.
  void publish(const std::string& topic, const std::string& prefix, int n, int qos, bool retain = false) {
    constexpr int kTogether = 10;  // below every broker's window
    for (int begin = 0; begin < n; begin += kTogether) {
      const int end = std::min(begin + kTogether, n);
      std::string messages;
      std::string releases;
      for (int i = begin; i < end; ++i) {
        const std::string id = number(static_cast<std::size_t>(i - begin + 1));
        messages += packet(static_cast<char>(0x30 | qos << 1 | (retain ? 1 : 0)),
                           text(topic) + (qos > 0 ? id : "") + prefix + std::to_string(i));
        releases += packet('\x62', id);
      }
      const std::size_t answers = 4 * static_cast<std::size_t>(end - begin);
      send(messages);
      if (qos > 0) {
        receive(answers);  // PUBACK or PUBREC
      }
      if (qos == 2) {
        send(releases);
        receive(answers);  // PUBCOMP
      }
    }
    send(std::string("\xc0\x00", 2));  // the answer to a ping comes after all that was sent before
    receive(2);
  }

 private:
  static std::string number(std::size_t value) {
    return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
  }
  static std::string text(const std::string& bytes) { return number(bytes.size()) + bytes; }
  static std::string packet(char type, const std::string& body) {
    std::string whole(1, type);
    std::size_t left = body.size();
    do {
      whole += static_cast<char>((left & 0x7fU) | (left > 0x7fU ? 0x80U : 0U));
      left >>= 7U;
    } while (left > 0);
    return whole + body;
  }
  void send(const std::string& bytes) {
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<::ssize_t>(bytes.size())) {
      throw std::runtime_error("the broker went away");
    }
  }
  std::string receive(std::size_t bytes) {
    std::string got(bytes, '\0');
    if (::recv(socket_, got.data(), bytes, MSG_WAITALL) != static_cast<::ssize_t>(bytes)) {
      throw std::runtime_error("the broker went away");
    }
    return got;
  }

  int socket_;
};

}  // namespace weir::source
