// OpenSSL's objects with an owner. Only this room's sources include it.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "mqtt/tls.hpp"

namespace weir::mqtt {

struct FreeTls {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* connection) const noexcept { SSL_free(connection); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;
using TlsConnection = std::unique_ptr<SSL, FreeTls>;
using Certificate = std::unique_ptr<X509, FreeTls>;

/// @brief A client's context with the files loaded; `wrong` tells which of them cannot be.
TlsContext make_tls_context(const TlsFiles& files, TlsFileMistake& wrong);

/// @brief The reason at the root of this thread's last failure of OpenSSL; empty: it gives none.
inline std::string tls_error() {
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  return reason != nullptr ? reason : "";
}

}  // namespace weir::mqtt
