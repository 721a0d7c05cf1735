// What the entries of a stream and of its sources mean together.
#pragma once

#include <cstddef>
#include <string>

#include "plan/diagnostics.hpp"
#include "spec/stream_spec.hpp"

namespace weir::plan {

/// @brief Source `index` of the stream in messages: "stream 'plugs', source", numbered from 1 where there are several.
std::string source_name(const spec::Stream& stream, std::size_t index);

/// @brief Names, schema, time, durations, dedupe; then each source.
void check_stream(const spec::Stream& stream, Diagnostics& diagnostics);

/// @brief One source against its stream's schema and time. @param what its source_name()
void check_source(const spec::Stream& stream, const spec::Source& source, const std::string& what,
                  Diagnostics& diagnostics);

}  // namespace weir::plan
