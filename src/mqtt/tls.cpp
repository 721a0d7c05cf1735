#include "mqtt/tls.hpp"

#include <fmt/format.h>

#include "mqtt/tls_context.hpp"

namespace weir::mqtt {
namespace {

using File = TlsFileMistake::File;

// Instead of a question at the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*context*/) {
  return 0;
}

TlsFileMistake mistake(File file, std::string_view wanted) {
  const std::string reason = tls_error();
  return {file, fmt::format("it holds no {}{}", wanted, reason.empty() ? "" : fmt::format(" ({})", reason))};
}

}  // namespace

TlsContext make_tls_context(const TlsFiles& files, TlsFileMistake& wrong) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(context.get(), 1);  // as Paho does
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (files.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), files.ca.c_str(), nullptr) != 1) {
    wrong = mistake(File::ca, "certificate in PEM");
  }
  if (files.cert.empty() || wrong.file != File::none) return context;
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.cert.c_str()) != 1) {
    wrong = mistake(File::cert, "certificate in PEM");
    return context;
  }
  const std::string& key = files.key.empty() ? files.cert : files.key;
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1) return context;
  wrong =
      ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH && ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_X509
          ? TlsFileMistake{File::key, "it is not the key of the certificate"}
          : mistake(File::key, "private key in PEM without a passphrase");
  return context;
}

TlsFileMistake tls_file_mistake(const TlsFiles& files) {
  TlsFileMistake wrong;
  make_tls_context(files, wrong);
  return wrong;
}

}  // namespace weir::mqtt
