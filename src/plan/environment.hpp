// Environment variables in the strings of a configuration: `${NAME}` and `${NAME:-default}`; `$${` is a literal `${`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weir::plan {

/// Value of an environment variable, nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// @brief The process's environment. Must not run beside setenv().
std::optional<std::string> process_environment(const std::string& name);

/// @brief Whether a variable of that name is taken to hold a secret, as MQTT_PASSWORD or API_TOKEN.
bool names_secret(std::string_view name);

struct Substitution {
  std::string text;
  bool substituted = false;  ///< at least one variable was replaced
  std::string mistake;       ///< empty: none. Names the variable, never a value
  std::string suggestion;
};

/// @brief Replaces every variable once; the inserted values are not looked at again. An empty variable counts as unset
/// only for `:-`, as in the shell. The value of a variable that names a secret is kept out of what is shown.
Substitution substitute(std::string_view text, const Environment& environment);

}  // namespace weir::plan
