#include "plan/environment.hpp"

#include <cctype>
#include <cstdlib>

#include "core/secrets.hpp"

namespace weir::plan {
namespace {

bool is_variable_name(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
    return false;
  }
  for (const char c : name) {
    if (c != '_' && std::isalnum(static_cast<unsigned char>(c)) == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool names_secret(std::string_view name) {
  std::string upper;
  for (const char c : name) upper.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  for (const std::string_view word :
       {"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "API_KEY", "APIKEY"}) {
    if (upper.find(word) != std::string::npos) return true;
  }
  return upper.ends_with("_KEY") || upper.ends_with("_PASS") || upper.ends_with("_PW");
}

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Substitution substitute(std::string_view text, const Environment& environment) {
  Substitution result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find("${", at);
    if (dollar == std::string_view::npos) {
      result.text += text.substr(at);
      break;
    }
    if (dollar > at && text[dollar - 1] == '$') {
      result.text += text.substr(at, dollar - 1 - at);
      result.text += "${";
      at = dollar + 2;
      continue;
    }
    result.text += text.substr(at, dollar - at);
    const std::size_t close = text.find('}', dollar);
    if (close == std::string_view::npos) {
      result.mistake = "'${' without its '}'";
      result.suggestion = "write ${NAME} or ${NAME:-default}; a literal '${' is '$${'";
      return result;
    }
    const std::string_view inside = text.substr(dollar + 2, close - dollar - 2);
    const std::size_t dash = inside.find(":-");
    const std::string name(inside.substr(0, dash));
    if (!is_variable_name(name)) {
      result.mistake = "'" + name + "' is no name of an environment variable";
      result.suggestion = "write ${NAME} or ${NAME:-default}; a literal '${' is '$${'";
      return result;
    }
    const std::optional<std::string> value = environment(name);
    if (value.has_value() && (!value->empty() || dash == std::string_view::npos)) {
      if (names_secret(name)) keep_secret(*value);
      result.text += *value;
    } else if (dash != std::string_view::npos) {
      result.text += inside.substr(dash + 2);
    } else {
      result.mistake = "the environment variable " + name + " is not set";
      result.suggestion = "set it, or give a default: ${" + name + ":-default}";
      return result;
    }
    result.substituted = true;
    at = close + 1;
  }
  return result;
}

}  // namespace weir::plan
