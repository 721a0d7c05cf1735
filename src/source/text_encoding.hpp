// Turns UTF-16 and Latin-1 into UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "spec/stream_spec.hpp"

namespace weir::source {

/// @brief Appends the characters at the front of `text` to `utf8`, but not one that is cut in two at its end. UTF-16:
/// without the byte order mark at the beginning if `starts`; half of a surrogate pair becomes U+FFFD and is counted in
/// `replaced`. Latin-1 is read as Windows-1252, as browsers do; its five unused bytes become the control characters of
/// Latin-1. `encoding` is one of utf16le, utf16be, latin1.
/// @return bytes taken of `text`
std::size_t append_as_utf8(spec::TextEncoding encoding, std::string_view text, bool starts, std::string& utf8,
                           std::size_t& replaced);

}  // namespace weir::source
