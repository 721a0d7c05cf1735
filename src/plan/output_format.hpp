// The format of result rows that the name of their file asks for.
#pragma once

#include <optional>
#include <string_view>

#include "spec/pipeline_spec.hpp"

namespace weir::plan {

/// @brief What to do about a path of which format_of_path() knows nothing.
inline constexpr std::string_view kWritableFormats =
    "JSON lines and CSV can be: end it in .jsonl or .csv, or say format = \"jsonl\" or \"csv\"";

/// @brief The format for a path without one: ".csv" is CSV; ".jsonl", ".ndjson", ".json", the endings of plain text, no
/// ending, and standard output are JSON lines. Nothing: the ending is that of another format.
std::optional<spec::RowFormat> format_of_path(std::string_view path);

}  // namespace weir::plan
