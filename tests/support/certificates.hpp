// Certificates made for one test, by openssl: an authority, what it signs, and strangers. Files in PEM.
#pragma once

#include <stdexcept>
#include <string>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir::test {

class Certificates {
 public:
  Certificates() { self_signed("ca"); }

  /// @brief Makes NAME.crt and NAME.key, signed by the authority. @param names as "IP:127.0.0.1,DNS:localhost"
  /// @param days from now until it expires; -1: it has expired
  void sign(const std::string& name, const std::string& names, int days = 2) {
    shell("openssl req -subj /CN=" + name + " -keyout " + name + ".key -out " + name + ".csr" + kKey +
          " && printf subjectAltName=" + names + " > names && openssl x509 -req -in " + name +
          ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -days " + std::to_string(days) + " -out " +
          name + ".crt");
  }
  /// @brief Makes NAME.crt and NAME.key that nobody else signed.
  void self_signed(const std::string& name) {
    shell("openssl req -x509 -days 2 -subj /CN=" + name + " -keyout " + name + ".key -out " + name + ".crt" + kKey);
  }
  [[nodiscard]] std::string crt(const std::string& name) const { return files_ / (name + ".crt"); }
  [[nodiscard]] std::string key(const std::string& name) const { return files_ / (name + ".key"); }

  /// @brief Lines for a Broker whose listener uses NAME's certificate.
  [[nodiscard]] std::string listener(const std::string& name) const {
    return "certfile " + crt(name) + "\nkeyfile " + key(name) + "\n";
  }

 private:
  void shell(const std::string& command) {
    // Readable to the broker, which may run as another user.
    Process({"sh", "-c", "cd " + files_.path() + " && " + command + " && chmod -R a+rX ."}, files_ / "log").wait();
  }

  static constexpr const char* kKey = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  TemporaryDirectory files_;
};

}  // namespace weir::test
