#include <fmt/format.h>
#include <netdb.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/posix_file.hpp"
#include "mqtt/broker_address.hpp"
#include "mqtt/tls.hpp"
#include "mqtt/tls_context.hpp"

namespace weir::mqtt {
namespace {

using Clock = std::chrono::steady_clock;

// A broker that refuses our certificate says so when its own handshake is over, which is after ours with TLS 1.3.
constexpr std::chrono::milliseconds kLastWord(500);

bool wait_for(int socket, short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  ::pollfd one{socket, events, 0};
  return ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) > 0;
}

FileDescriptor connect_to(const Listener& listener, Clock::time_point deadline) {
  ::addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  ::addrinfo* found = nullptr;
  if (::getaddrinfo(listener.host.c_str(), listener.port.c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<::addrinfo, void (*)(::addrinfo*)> addresses(found, ::freeaddrinfo);
  for (const ::addrinfo* address = found; address != nullptr; address = address->ai_next) {
    FileDescriptor socket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) continue;
    int error = ::connect(socket.get(), address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS && wait_for(socket.get(), POLLOUT, deadline)) {
      ::socklen_t size = sizeof error;
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) return socket;
  }
  return {};
}

/// Repeats a step of OpenSSL that wants to read or write until it is done, fails, or time is up.
/// @return 1: done; 0: time is up; below 0: it failed
template <class Step>
int perform(SSL* connection, int socket, Clock::time_point deadline, Step step) {
  for (;;) {
    ERR_clear_error();
    const int result = step(connection);
    if (result > 0) return 1;
    const int error = SSL_get_error(connection, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
    if (!wait_for(socket, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) return 0;
  }
}

TlsConnection make_connection(SSL_CTX* context, int socket, const std::string& host) {
  TlsConnection connection(SSL_new(context));
  SSL_set_fd(connection.get(), socket);
  // What SSL_set_tlsext_host_name() stands for, which is a macro with a cast of C.
  SSL_ctrl(connection.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
  return connection;
}

std::string handshake_error(SSL* connection) {
  if (const long verified = SSL_get_verify_result(connection); verified != X509_V_OK) {
    return fmt::format("its certificate is not trusted: {}; check ca_file and the certificate",
                       X509_verify_cert_error_string(verified));
  }
  const std::string reason = tls_error();
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER) {
    return fmt::format("it does not speak TLS at this port ({}); check scheme and port", reason);
  }
  if (reason.empty()) return "it ended the connection during the TLS handshake; check scheme and port";
  return fmt::format("the TLS handshake failed: {}", reason);
}

bool certificate_is_for(const X509* certificate, const std::string& host) {
  X509* const subject = const_cast<X509*>(certificate);  // OpenSSL's older functions change nothing all the same
  return X509_check_host(subject, host.data(), host.size(), 0, nullptr) == 1 ||
         X509_check_ip_asc(subject, host.c_str(), 0) == 1;
}

}  // namespace

std::string tls_problem(const std::string& broker, const TlsFiles& files, std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  TlsFileMistake wrong;
  const TlsContext context = make_tls_context(files, wrong);
  if (wrong.file != TlsFileMistake::File::none) {
    using File = TlsFileMistake::File;
    const char* const entry = wrong.file == File::ca ? "ca_file" : wrong.file == File::cert ? "cert_file" : "key_file";
    return fmt::format("'{}' cannot be used: {}", entry, wrong.text);
  }
  const Listener listener = listener_of(broker);
  const FileDescriptor socket = connect_to(listener, deadline);
  if (!socket) return {};
  const TlsConnection connection = make_connection(context.get(), socket.get(), listener.host);
  SSL_set_verify(connection.get(), SSL_VERIFY_PEER, nullptr);
  const int shaken = perform(connection.get(), socket.get(), deadline, SSL_connect);
  if (shaken == 0) return "it does not answer the TLS handshake; check scheme and port";
  if (shaken < 0) return handshake_error(connection.get());
  const Certificate certificate(SSL_get1_peer_certificate(connection.get()));
  if (!certificate || !certificate_is_for(certificate.get(), listener.host)) {
    return fmt::format("hostname mismatch: its certificate is not for '{}'", listener.host);
  }
  const auto last_word = [](SSL* ssl) {
    char byte = 0;
    return SSL_peek(ssl, &byte, 1);
  };
  if (perform(connection.get(), socket.get(), std::min(deadline, Clock::now() + kLastWord), last_word) < 0 &&
      !tls_error().empty()) {
    return fmt::format("it refuses us: {}; check cert_file and key_file", tls_error());
  }
  return {};
}

bool speaks_tls(const std::string& broker, std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  const Listener listener = listener_of(broker);
  const FileDescriptor socket = connect_to(listener, deadline);
  if (!socket) return false;
  TlsFileMistake none;
  const TlsContext context = make_tls_context({}, none);
  const TlsConnection connection = make_connection(context.get(), socket.get(), listener.host);
  SSL_set_verify(connection.get(), SSL_VERIFY_NONE, nullptr);
  const int shaken = perform(connection.get(), socket.get(), deadline, SSL_connect);
  // An alert is an answer in TLS too.
  return shaken > 0 || (shaken < 0 && ERR_GET_REASON(ERR_peek_error()) > SSL_AD_REASON_OFFSET);
}

}  // namespace weir::mqtt
