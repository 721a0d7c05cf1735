// What the command line of a replay says of its rows: where they go instead, in which format, with which names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spec/pipeline_spec.hpp"

namespace weir::app {

struct ReplayOutput {
  std::string file;                   ///< "-" is standard output; empty: the configuration's sinks
  std::string format;                 ///< "jsonl", "csv"; empty: by the ending of `file`
  std::string names;                  ///< "verbatim", "plain"; empty: as each sink has it
  std::optional<std::uint64_t> rows;  ///< of console sinks
};

/// @brief Changes the sinks: with `file` that is the only one, for every query, and no other is opened.
/// @param inputs what is read, the configuration too, which the output must not be
/// @throws ConfigError
void set_output(spec::Pipeline& pipeline, const ReplayOutput& output, const std::vector<std::string>& inputs);

}  // namespace weir::app
