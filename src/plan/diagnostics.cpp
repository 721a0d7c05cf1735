#include "plan/diagnostics.hpp"

#include <algorithm>

namespace weir::plan {

void Diagnostics::add(int line, const std::string& where, const ConfigError& error) {
  for (const Diagnostic& diagnostic : error.diagnostics()) {
    add(line, where + ": " + diagnostic.message, diagnostic.suggestion);
  }
}

void Diagnostics::throw_if_any() {
  if (found_.empty()) {
    return;
  }
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
  throw ConfigError(std::move(found_));
}

}  // namespace weir::plan
