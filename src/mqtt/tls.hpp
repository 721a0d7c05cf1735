// The files of a TLS connection, and why one does not come about.
//
// Paho tells no more of a handshake that failed than that it did. tls_problem() goes the same way once more with
// OpenSSL alone, with the same files and checks, and comes back with the reason.
#pragma once

#include <chrono>
#include <string>

namespace weir::mqtt {

struct TlsFiles {
  std::string ca;    ///< whom to trust, PEM; empty: whom the system trusts
  std::string cert;  ///< our certificate and those above it, PEM; empty: none
  std::string key;   ///< its private key, PEM, without a passphrase
  [[nodiscard]] bool empty() const noexcept { return ca.empty() && cert.empty() && key.empty(); }
};

/// What is wrong with one of the files.
struct TlsFileMistake {
  enum class File { none, ca, cert, key };
  File file = File::none;
  std::string text;
};

/// @brief Loads the files: whether they are what they should be, and the key that of the certificate.
TlsFileMistake tls_file_mistake(const TlsFiles& files);

/// @brief Why no TLS connection to the broker comes about: "certificate has expired", "the broker wants a certificate",
/// "it does not speak TLS"; empty: it does, or the host cannot be reached at all. Any thread, not its own lock.
/// @param broker a valid address
/// @param patience for all of it, but for the host's name, whose look-up has the system's limit
std::string tls_problem(const std::string& broker, const TlsFiles& files, std::chrono::milliseconds patience);

/// @brief Whether TLS is spoken where the broker listens, whatever its scheme says.
bool speaks_tls(const std::string& broker, std::chrono::milliseconds patience);

}  // namespace weir::mqtt
