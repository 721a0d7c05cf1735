// Text of foreign origin (payloads, keys, topics, names of files, errors of libraries) as the log and terminals may
// show it: on one line, and without a byte that a terminal obeys.
#pragma once

#include <string>
#include <string_view>

namespace weir {

/// @brief `text` with what is no printable character escaped: control characters as \x1b (C0, DEL) and \u009b (C1),
/// line separators and the marks that turn the direction of writing as \u202e, bytes that are no UTF-8 as \xff. A
/// backslash stays as it is, so that escaped text is not escaped again.
std::string printable(std::string_view text);

/// @brief The same, appended; stops where `out` would get longer than `most` bytes more. @return whether all of it fits
bool append_printable(std::string& out, std::string_view text, std::size_t most = std::string_view::npos);

}  // namespace weir
