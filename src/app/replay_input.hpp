// Turns a configuration with live sources into one that reads recorded files.
#pragma once

#include <string>
#include <vector>

#include "spec/pipeline_spec.hpp"

namespace weir::app {

/// @brief Replaces the sources of the streams named in `inputs` ("FILE", or "STREAM=FILE" where there are several
/// streams) by files. A stream that is not named keeps its own files.
/// @throws ConfigError for a stream that has no file to read.
void read_from_files(spec::Pipeline& pipeline, const std::vector<std::string>& inputs);

}  // namespace weir::app
