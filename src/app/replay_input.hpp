// Turns a configuration with live sources into one that reads recorded files.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "spec/pipeline_spec.hpp"

namespace CLI {
class App;
}

namespace weir::app {

/// @brief Replaces the sources of the streams named in `inputs` ("FILE", or "STREAM=FILE" where there are several
/// streams) by one that reads them one after the other: files, globs, directories, or "-" alone for standard input. A
/// stream that is not named keeps its own files. An input that is a journal (of `weir record`, or
/// in a state directory) leaves the sources as they are, for its messages are decoded as theirs.
/// @return the journals, by the name of their stream
/// @throws ConfigError for a stream that has no file to read, for an input of no stream, or several journals.
std::map<std::string, std::string> read_from_files(spec::Pipeline& pipeline, const std::vector<std::string>& inputs);

/// @brief Adds --input to a subcommand. @return after parsing: the inputs, in the order in which they were given
std::function<std::vector<std::string>()> add_inputs(CLI::App& command, const std::string& help);

}  // namespace weir::app
