// An MQTT broker that answers as the test says: for what no real one can be brought to. Packets by hand, so that it
// shares no code with what it judges; one client at a time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir::test {

class FakeBroker {
 public:
  struct Publish {
    std::string topic, payload;
    int qos = 0;
    bool retain = false;
    int connection = 0;  ///< from 1
  };
  struct Answer {
    enum class Kind { acknowledge, close, disconnect } kind = Kind::acknowledge;
    int reason = 0;  ///< of PUBACK, PUBREC or DISCONNECT; MQTT 5
  };
  static Answer acknowledge(int reason = 0) { return {Answer::Kind::acknowledge, reason}; }
  static Answer close() { return {Answer::Kind::close, 0}; }
  static Answer disconnect(int reason) { return {Answer::Kind::disconnect, reason}; }

  /// @param answer for each PUBLISH, on the broker's thread
  FakeBroker(int mqtt_version, std::function<Answer(const Publish&)> answer)
      : version_(mqtt_version), answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<::sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no listener");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~FakeBroker() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  [[nodiscard]] std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int connections() const { return connections_; }
  /// @brief What was acknowledged with a reason below 0x80, in order.
  [[nodiscard]] std::vector<Publish> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  [[nodiscard]] std::vector<std::string> payloads() const {
    std::vector<std::string> payloads;
    for (const Publish& publish : taken()) payloads.push_back(publish.payload);
    return payloads;
  }

 private:
  bool readable(int socket) const {
    ::pollfd one{socket, POLLIN, 0};
    while (!stopping_) {
      if (::poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  void run() {
    while (readable(listener_)) {
      const int client = ::accept(listener_, nullptr, nullptr);
      ++connections_;
      while (serve(client)) {
      }
      ::close(client);
    }
  }

  bool exactly(int client, std::size_t size, std::string& bytes) const {
    bytes.clear();
    while (bytes.size() < size) {
      char buffer[65'536];
      if (!readable(client)) return false;
      const ::ssize_t got = ::recv(client, buffer, std::min(sizeof buffer, size - bytes.size()), 0);
      if (got <= 0) return false;
      bytes.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }

  static void send(int client, const std::string& bytes) {
    const ::ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    static_cast<void>(sent);  // a client that is gone shows when it is read from
  }

  // One packet; false at the end of the connection.
  bool serve(int client) {
    std::string bytes;
    if (!exactly(client, 1, bytes)) return false;
    const auto first = static_cast<unsigned char>(bytes[0]);
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (!exactly(client, 1, bytes)) return false;
      size |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]) & 0x7FU) << shift;
      if ((static_cast<unsigned char>(bytes[0]) & 0x80U) == 0) break;
    }
    if (!exactly(client, size, bytes)) return false;
    switch (first >> 4U) {
      case 1:  // CONNECT
        send(client, version_ >= 5 ? std::string("\x20\x03\x00\x00\x00", 5) : std::string("\x20\x02\x00\x00", 4));
        return true;
      case 3:
        return publish(client, first, bytes);
      case 6:  // PUBREL
        send(client, std::string("\x70\x02", 2) + bytes.substr(0, 2));
        return true;
      case 12:  // PINGREQ
        send(client, std::string("\xD0\x00", 2));
        return true;
      default:
        return (first >> 4U) != 14;
    }
  }

  bool publish(int client, unsigned first, const std::string& bytes) {
    const auto byte = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    Publish message;
    message.qos = static_cast<int>((first >> 1U) & 3U);
    message.retain = (first & 1U) != 0;
    message.connection = connections_;
    std::size_t at = 2 + (std::size_t{byte(0)} << 8U) + byte(1);
    message.topic = bytes.substr(2, at - 2);
    std::string id;
    if (message.qos > 0) {
      id = bytes.substr(at, 2);
      at += 2;
    }
    if (version_ >= 5) at += 1U + byte(at);  // properties, which are short here
    message.payload = bytes.substr(at);
    const Answer answer = answer_(message);
    if (answer.kind == Answer::Kind::close) return false;
    if (answer.kind == Answer::Kind::disconnect) {
      send(client, std::string("\xE0\x02", 2) + static_cast<char>(answer.reason) + '\0');
      return false;
    }
    if (answer.reason < 0x80) {
      const std::lock_guard lock(mutex_);
      taken_.push_back(message);
    }
    if (message.qos == 0) return true;
    const char kind = message.qos == 1 ? '\x40' : '\x50';
    send(client, answer.reason == 0
                     ? std::string{kind, '\x02'} + id
                     : std::string{kind, '\x04'} + id + static_cast<char>(answer.reason) + std::string(1, '\0'));
    return true;
  }

  const int version_;
  const std::function<Answer(const Publish&)> answer_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Publish> taken_;
  std::thread thread_;
};

}  // namespace weir::test
