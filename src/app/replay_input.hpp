// Turns a configuration with live sources into one that reads recorded files.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "spec/pipeline_spec.hpp"

namespace weir::app {

/// @brief Replaces the sources of the streams named in `inputs` ("FILE", or "STREAM=FILE" where there are several
/// streams) by files. A stream that is not named keeps its own files. An input that is a journal (of `weir record`, or
/// in a state directory) leaves the sources as they are, for its messages are decoded as theirs.
/// @return the journals, by the name of their stream
/// @throws ConfigError for a stream that has no file to read, or several journals.
std::map<std::string, std::string> read_from_files(spec::Pipeline& pipeline, const std::vector<std::string>& inputs);

}  // namespace weir::app
