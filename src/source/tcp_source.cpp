#include "source/tcp_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/arrival_clock.hpp"

namespace weir::source {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kFirstWait = 100ms;
constexpr std::chrono::nanoseconds kLongestWait = 5s;
constexpr std::chrono::nanoseconds kConnectTimeout = 10s;

}  // namespace

TcpSource::TcpSource(const spec::Source& spec, std::string stream, std::uint32_t index,
                     batch::MessageConsumer& consumer)
    : ThreadSource(index, consumer),
      spec_(spec),
      stream_(std::move(stream)),
      buffer_(fmt::format("tcp {}:{}", spec.host, spec.port)) {}

bool TcpSource::run() {
  std::chrono::nanoseconds wait = kFirstWait;
  for (;;) {
    if (const FileDescriptor peer = connect()) {
      report(true, "connected");
      if (read_lines(peer.get()) == End::stopped) {
        return false;
      }
      wait = kFirstWait;
    }
    if (stopping().is_set()) {
      return false;
    }
    report(false, why_);
    if (stopping().wait_for(wait)) {
      return false;
    }
    wait = std::min(2 * wait, kLongestWait);
  }
}

FileDescriptor TcpSource::connect() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(spec_.host.c_str(), std::to_string(spec_.port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(list, [](addrinfo* all) {
    if (all != nullptr) {
      ::freeaddrinfo(all);
    }
  });
  if (error != 0) {
    why_ = ::gai_strerror(error);
    return {};
  }
  FileDescriptor peer;
  for (const addrinfo* address = list; address != nullptr && !peer && !stopping().is_set();
       address = address->ai_next) {
    peer = connect_to(*address);
  }
  return peer;
}

FileDescriptor TcpSource::connect_to(const addrinfo& address) {
  FileDescriptor peer(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  int error = peer && ::connect(peer.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (peer && error == EINPROGRESS) {
    if (stopping().wait_with(peer.get(), POLLOUT, kConnectTimeout) == StopEvent::Ready::descriptor) {
      socklen_t size = sizeof error;
      ::getsockopt(peer.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    } else {
      error = ETIMEDOUT;
    }
  }
  if (error != 0) {
    why_ = std::strerror(error);
    return {};
  }
  // Notices a peer that vanished without a word.
  const int on = 1;
  ::setsockopt(peer.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  return peer;
}

TcpSource::End TcpSource::read_lines(int fd) {
  buffer_.clear();
  begun_ = false;
  for (;;) {
    if (stopping().wait_with(fd, POLLIN, -1ns) == StopEvent::Ready::stop) {
      return End::stopped;
    }
    const std::span<char> space = buffer_.space();
    const ssize_t bytes = ::read(fd, space.data(), space.size());
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) {
      continue;
    }
    if (bytes < 0) {
      const std::string_view piece = buffer_.rest();
      why_ = piece.empty()
                 ? std::string(std::strerror(errno))
                 : fmt::format("{}, {} bytes of an unfinished line dropped", std::strerror(errno), piece.size());
      return End::peer;
    }
    if (bytes == 0) {
      why_ = "closed by the peer";
      return offer(buffer_.rest()) ? End::peer : End::stopped;
    }
    buffer_.filled(static_cast<std::size_t>(bytes));
    if (!offer(buffer_.lines())) {
      return End::stopped;
    }
  }
}

bool TcpSource::offer(std::string_view lines) {
  if (lines.empty()) {
    return true;
  }
  batch::MessageView message;
  message.payload = lines;
  message.arrival_ns = arrival_clock_ns();
  message.source = index();
  message.starts_file = !std::exchange(begun_, true);
  return consumer().offer(message) != batch::Accepted::stopped;
}

void TcpSource::report(bool connected, const std::string& what) {
  const Known now = connected ? Known::connected : Known::away;
  if (known_ == now) {
    return;
  }
  known_ = now;
  if (connected) {
    spdlog::info("stream '{}': tcp {}:{}: connected", stream_, spec_.host, spec_.port);
  } else {
    spdlog::warn("stream '{}': tcp {}:{}: {}; trying again", stream_, spec_.host, spec_.port, what);
  }
}

}  // namespace weir::source
