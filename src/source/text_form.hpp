// How text is packed: what its first bytes say about compression and encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "spec/stream_spec.hpp"

namespace weir::source {

enum class Compression : std::uint8_t { none, gzip, zstd };

/// As many bytes decide every question here.
inline constexpr std::size_t kFormBytes = 4;

/// @brief By the magic bytes at the front. Nothing: more bytes are needed (never at the `end`).
std::optional<Compression> compression_of(std::string_view front, bool end) noexcept;

/// @brief UTF-16 by its byte order mark, or by the zero bytes of two characters of ASCII; else UTF-8. Nothing: more
/// bytes are needed (never at the `end`).
std::optional<spec::TextEncoding> encoding_of(std::string_view front, bool end) noexcept;

/// @brief What the bytes at the front of a file belong to that is no text, and that nothing here unpacks; else empty.
/// Nothing: more bytes are needed (never at the `end`).
std::optional<std::string_view> foreign_form(std::string_view front, bool end) noexcept;

/// @brief "gzip", "zstd", "UTF-16" for text that is not to be read as it is; else empty.
std::string_view name_of_form(std::string_view text) noexcept;

}  // namespace weir::source
