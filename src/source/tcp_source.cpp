#include "source/tcp_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/duration.hpp"
#include "core/log.hpp"

namespace weir::source {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kFirstWait = 100ms;
constexpr std::chrono::nanoseconds kLongestWait = 5s;
constexpr std::chrono::nanoseconds kConnectTimeout = 10s;

// A peer that vanished without a word (power, cable, a firewall that forgot the connection) is noticed after this time:
// half of it silent, then probes.
constexpr int kSilenceSeconds = 30;
constexpr int kProbeSeconds = 10;
constexpr int kProbes = 3;

void keep_alive(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, kSilenceSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, (kSilenceSeconds + kProbes * kProbeSeconds) * 1000);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

}  // namespace

TcpSource::TcpSource(const spec::Source& spec, std::string stream, std::uint32_t index,
                     batch::MessageConsumer& consumer)
    : ThreadSource(index, consumer),
      spec_(spec),
      stream_(std::move(stream)),
      buffer_(spec.max_message, LineBuffer::LongLine::at_once) {}

bool TcpSource::run() {
  std::chrono::nanoseconds wait = kFirstWait;
  for (;;) {
    if (const FileDescriptor peer = connect()) {
      // A peer that closed without a word the last time may do so again: it is back when something comes.
      if (!fruitless_) {
        report(true, "connected");
      }
      if (read_lines(peer.get()) == End::stopped) {
        return false;
      }
      fruitless_ = !received_;
      wait = received_ ? kFirstWait : wait;
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
  keep_alive(peer.get());
  return peer;
}

TcpSource::End TcpSource::read_lines(int fd) {
  buffer_.clear();
  begun_ = received_ = false;
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
      const std::string_view reason = std::strerror(errno);
      const Lines piece = buffer_.rest();
      why_ =
          piece ? fmt::format("{}, {} bytes of an unfinished line dropped", reason, piece.bytes) : std::string(reason);
      return End::peer;
    }
    if (bytes == 0) {
      why_ = "closed by the peer";
      return offer(buffer_.rest()) ? End::peer : End::stopped;
    }
    buffer_.filled(static_cast<std::size_t>(bytes));
    received_ = true;
    report(true, "connected");
    while (const Lines lines = buffer_.lines()) {
      if (!offer(lines)) {
        return End::stopped;
      }
    }
  }
}

bool TcpSource::offer(const Lines& lines) {
  if (!lines) {
    return true;
  }
  batch::MessageView message;
  message.payload = lines.text;
  message.source = index();
  if (lines.too_long) {
    message.refused = batch::Malformed::too_large;
    if (!std::exchange(told_of_long_line_, true)) {
      log::warn("stream '{}': tcp {}:{}: a line is longer than max_message = {} and is refused (too_large)", stream_,
                spec_.host, spec_.port, bytes_to_string(spec_.max_message));
    }
  } else {
    message.starts_file = !std::exchange(begun_, true);
  }
  return consumer().offer(message) != batch::Accepted::stopped;
}

void TcpSource::report(bool connected, const std::string& what) {
  const Known now = connected ? Known::connected : Known::away;
  if (known_ == now) {
    return;
  }
  known_ = now;
  if (connected) {
    log::info("stream '{}': tcp {}:{}: connected", stream_, spec_.host, spec_.port);
  } else {
    log::warn("stream '{}': tcp {}:{}: {}; trying again", stream_, spec_.host, spec_.port, what);
  }
}

}  // namespace weir::source
