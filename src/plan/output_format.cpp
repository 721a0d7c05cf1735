#include "plan/output_format.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace weir::plan {

std::optional<spec::RowFormat> format_of_path(std::string_view path) {
  constexpr std::array<std::string_view, 7> kLines{"jsonl", "ndjson", "json", "txt", "log", "out", "dat"};
  if (path.substr(0, 5) == "/dev/") {
    return spec::RowFormat::jsonl;
  }
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) {
    return spec::RowFormat::jsonl;
  }
  std::string ending(name.substr(dot + 1));
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (ending == "csv") {
    return spec::RowFormat::csv;
  }
  // A name that ends in the query's, "rows.{query}", says nothing.
  const bool lines = ending.empty() || ending.find_first_of("{}") != std::string::npos ||
                     std::find(kLines.begin(), kLines.end(), ending) != kLines.end();
  return lines ? std::optional(spec::RowFormat::jsonl) : std::nullopt;
}

}  // namespace weir::plan
