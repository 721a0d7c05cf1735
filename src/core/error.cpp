#include "core/error.hpp"

#include <utility>

namespace weir {
namespace {

// A message may quote a file's content; it stays one line all the same.
void append_line(std::string& out, const std::string& text) {
  for (const char c : text) {
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
}

std::string all_lines(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!out.empty()) {
      out += '\n';
    }
    out += to_string(diagnostic);
  }
  return out;
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  std::string out;
  if (!diagnostic.file.empty()) {
    append_line(out, diagnostic.file);
    out += ':';
  }
  if (diagnostic.line > 0) {
    if (out.empty()) {
      out += "line ";
    }
    out += std::to_string(diagnostic.line);
    out += ':';
  }
  if (!out.empty()) {
    out += ' ';
  }
  append_line(out, diagnostic.message);
  if (!diagnostic.suggestion.empty()) {
    out += " (";
    append_line(out, diagnostic.suggestion);
    out += ')';
  }
  return out;
}

ConfigError::ConfigError(std::vector<Diagnostic> diagnostics)
    : Error(all_lines(diagnostics)), diagnostics_(std::move(diagnostics)) {}

ConfigError::ConfigError(std::string message, std::string suggestion)
    : ConfigError(std::vector<Diagnostic>{
          Diagnostic{.file = {}, .line = 0, .message = std::move(message), .suggestion = std::move(suggestion)}}) {}

}  // namespace weir
