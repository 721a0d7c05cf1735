// What the entries of a stream and of its sources mean together.
#pragma once

#include "plan/diagnostics.hpp"
#include "spec/stream_spec.hpp"

namespace weir::plan {

/// @brief Names, schema, time, durations, dedupe; then each source.
void check_stream(const spec::Stream& stream, Diagnostics& diagnostics);

/// @brief One source against its stream's schema and time. @param what "stream 'plugs', source"
void check_source(const spec::Stream& stream, const spec::Source& source, const std::string& what,
                  Diagnostics& diagnostics);

}  // namespace weir::plan
