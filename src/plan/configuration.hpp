// Reads the TOML configuration into a spec::Pipeline. docs/configuration.md describes the format.
#pragma once

#include <string>
#include <string_view>

#include "spec/pipeline_spec.hpp"

namespace weir::plan {

/// @brief Reads a configuration file ("-" is standard input). `${NAME}` and `${NAME:-default}` in strings take
/// environment variables.
/// @throws ConfigError on a syntax error; on mistakes of form (unknown or misspelt keys, wrong types, bad durations)
/// with all of these and with what compile() finds wrong in the rest.
spec::Pipeline read_configuration(const std::string& path);

/// @brief The same from text; `name` stands for the file in messages.
spec::Pipeline parse_configuration(std::string_view toml, const std::string& name);

}  // namespace weir::plan
