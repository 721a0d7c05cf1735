// The parts of a configuration, one reading function each. Mistakes of form go to the diagnostics; what the entries
// mean together is checked by compile().
#pragma once

#include <string>
#include <string_view>

#include "plan/diagnostics.hpp"
#include "plan/document.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::plan {

class TableReader;

/// @brief A whole configuration. What cannot be read is named in the `unread` of its part. @throws ConfigError on a
/// syntax error: then nothing else is known
spec::Pipeline read_form(std::string_view toml, const std::string& name, Diagnostics& diagnostics);

/// @brief `[streams.NAME]`
spec::Stream read_stream(const std::string& name, const Document& table, Diagnostics& diagnostics);

/// @brief `source = {…}` of a stream. @param what names it in messages
spec::Source read_source(const std::string& what, const Document& table, Diagnostics& diagnostics);

/// @brief `[[query]]`
spec::Query read_query(const Document& table, Diagnostics& diagnostics);

/// @brief `[[sink]]`
spec::Sink read_sink(const Document& table, Diagnostics& diagnostics);

/// @brief `mqtt_version`, of a source and of a sink: "3.1.1" (4) or "5".
void read_mqtt_version(TableReader& reader, Diagnostics& diagnostics, int& version);

}  // namespace weir::plan
