// A real mosquitto for one test: on a free port of the loopback interface, with its files in a temporary directory.
//
// It keeps sessions on disk, so that a subscriber with a session of its own misses nothing when the broker is stopped
// and started again.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir::test {

class Broker {
 public:
  struct Login {
    std::string user, password;
  };

  /// @brief Starts it and waits until it answers. @param login who may connect; no user: everybody
  /// @param more lines for its configuration, such as "acl_file …\n"
  explicit Broker(const Login& login = {}, const std::string& more = {}) : port_(free_port()) {
    std::string configuration = "listener " + std::to_string(port_) +
                                " 127.0.0.1\n"
                                "user root\n"
                                "persistence true\n"
                                "persistence_location " +
                                files_.path() +
                                "/\n"
                                "max_queued_messages 0\n"
                                "set_tcp_nodelay true\n"
                                "log_dest stderr\n";
    if (login.user.empty()) {
      configuration += "allow_anonymous true\n";
    } else {
      change_password(login);
      configuration += "allow_anonymous false\npassword_file " + (files_ / "passwords") + "\n";
    }
    write_bytes(files_ / "mosquitto.conf", configuration + more);
    start();
  }

  static bool available() {
    for (const char* program : {"/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"}) {
      if (std::filesystem::exists(program)) return true;
    }
    return false;
  }

  void start() {
    process_ = Process({program(), "-c", files_ / "mosquitto.conf"}, files_ / "log");
    if (!eventually([this] { return answers(); })) throw std::runtime_error("no broker: " + read_bytes(files_ / "log"));
  }
  /// @brief SIGTERM: it saves its sessions. SIGKILL: it does not.
  void stop(int signal = SIGTERM) { process_.stop(signal); }

  /// @brief From the next start() on.
  void change_password(const Login& login) {
    Process({"mosquitto_passwd", "-b", "-c", files_ / "passwords", login.user, login.password}, files_ / "log").wait();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// @brief "mqtt://127.0.0.1:port"
  [[nodiscard]] std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

 private:
  static ::sockaddr_in loopback(std::uint16_t port) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    ::sockaddr_in address = loopback(0);
    ::socklen_t size = sizeof address;
    const bool bound = ::bind(socket, reinterpret_cast<::sockaddr*>(&address), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<::sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
  }
  [[nodiscard]] bool answers() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    ::sockaddr_in address = loopback(port_);
    const bool connected = ::connect(socket, reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return connected;
  }
  static std::string program() {
    return std::filesystem::exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
  }

  TemporaryDirectory files_;
  std::uint16_t port_;
  Process process_;
};

/// mosquitto_sub with a persistent session, from QoS 1 messages to lines "topic payload".
class Subscriber {
 public:
  Subscriber(const Broker& broker, const std::string& topic, const Broker::Login& login = {}) {
    std::vector<std::string> command = {"mosquitto_sub", "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-q",
                                        "1", "-c", "-i", "weir-test-subscriber", "-F", "%t %p", "-t", topic,
                                        // a message to itself tells when the subscription stands
                                        "-t", "weir-test/ready"};
    std::vector<std::string> ready = {"mosquitto_pub",   "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-t",
                                      "weir-test/ready", "-m", "yes"};
    if (!login.user.empty()) {
      for (auto* words : {&command, &ready}) words->insert(words->end(), {"-u", login.user, "-P", login.password});
    }
    process_ = Process(command, files_ / "received");
    const bool stands = eventually([&] {
      Process(ready, files_ / "log").wait();
      return !lines(true).empty();
    });
    if (!stands) throw std::runtime_error("no subscription");
  }

  /// @brief The whole lines received so far.
  [[nodiscard]] std::vector<std::string> lines(bool with_ready = false) const {
    std::vector<std::string> lines;
    const std::string bytes = std::filesystem::exists(files_ / "received") ? read_bytes(files_ / "received") : "";
    for (std::size_t begin = 0, end = 0; (end = bytes.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string line = bytes.substr(begin, end - begin);
      if (with_ready || !line.starts_with("weir-test/ready ")) lines.push_back(line);
    }
    return lines;
  }

 private:
  TemporaryDirectory files_;
  Process process_;
};

}  // namespace weir::test
