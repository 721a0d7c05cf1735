// A TCP server on a free port of the loopback interface, driven by the test step by step.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weir::test {

class TcpServer {
 public:
  class Connection {
   public:
    explicit Connection(int socket) : socket_(socket) {}
    Connection(Connection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    Connection& operator=(Connection&&) = delete;
    ~Connection() { close(); }

    void send(std::string_view bytes) {
      while (!bytes.empty()) {
        const ::ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("the peer went away");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
    /// @brief At least so many bytes, fewer only at the end.
    std::string receive(std::size_t at_least) {
      std::string bytes;
      char buffer[4096];
      while (bytes.size() < at_least) {
        const ::ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        bytes.append(buffer, static_cast<std::size_t>(got));
      }
      return bytes;
    }
    /// @brief Whether something can be read right now (the end included).
    [[nodiscard]] bool readable() const {
      ::pollfd ready{socket_, POLLIN, 0};
      return ::poll(&ready, 1, 0) > 0;
    }
    /// @brief In order: the peer reads everything, then the end.
    void close() {
      if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }
    /// @brief The connection breaks: the peer reads an error.
    void reset() {
      const ::linger abort{1, 0};
      ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
      close();
    }

   private:
    int socket_;
  };

  /// @param family AF_INET or AF_INET6 @param port 0: a free one
  explicit TcpServer(int family = AF_INET, std::uint16_t port = 0) : socket_(::socket(family, SOCK_STREAM, 0)) {
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    ::sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = family == AF_INET6 ? reinterpret_cast<::sockaddr*>(&six) : reinterpret_cast<::sockaddr*>(&four);
    ::socklen_t size = family == AF_INET6 ? sizeof six : sizeof four;
    if (::bind(socket_, address, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, address, &size) != 0) {
      ::close(socket_);
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(family == AF_INET6 ? six.sin6_port : four.sin_port);
  }
  ~TcpServer() { ::close(socket_); }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// @brief The next connection; throws when none comes within 30 s.
  Connection accept() {
    ::pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 30'000) <= 0) throw std::runtime_error("nobody connected");
    return Connection(::accept(socket_, nullptr, nullptr));
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

}  // namespace weir::test
