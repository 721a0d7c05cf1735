// What Weir throws. Every message is one line: what, where, what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace weir {

/// Something failed while running: a file that cannot be read, a broker that refuses. Exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One mistake in a configuration or on the command line.
struct Diagnostic {
  std::string file;        ///< empty: not from a file
  int line = 0;            ///< 1-based; 0: unknown
  std::string message;     ///< what is wrong, without a final full stop
  std::string suggestion;  ///< what to do, e.g. "did you mean 'slide'?"; may be empty
};

/// @brief "file:line: message (suggestion)", on one line.
std::string to_string(const Diagnostic& diagnostic);

/// One or more mistakes in what the user asked for. Exit code 2.
class ConfigError : public Error {
 public:
  explicit ConfigError(std::vector<Diagnostic> diagnostics);
  explicit ConfigError(std::string message, std::string suggestion = {});
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace weir
