// Collects the mistakes of a configuration, so that all of them are reported at once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace weir::plan {

/// Used by one thread while a configuration is read or compiled.
class Diagnostics {
 public:
  /// @param file the configuration's name in messages; empty: not from a file
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  /// @param line 1-based; 0: unknown
  void add(int line, std::string message, std::string suggestion = {}) {
    found_.push_back({file_, line, std::move(message), std::move(suggestion)});
  }
  /// @brief Takes over the mistakes that another room found, for the entry at `line`.
  void add(int line, const std::string& where, const ConfigError& error);

  [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return found_.size(); }

  /// @brief Throws every mistake as one ConfigError, in the order of their lines; returns when there is none.
  void throw_if_any();

 private:
  std::string file_;
  std::vector<Diagnostic> found_;
};

}  // namespace weir::plan
