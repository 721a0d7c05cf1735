#include "decode/csv_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/decimal.hpp"
#include "core/spelling.hpp"
#include "core/time_text.hpp"

namespace weir::decode {
namespace {

constexpr std::size_t kShown = 20;  // names

std::string_view without_quotes(std::string_view cell) {
  constexpr std::string_view kAround = " \t\r\"";
  const std::size_t begin = cell.find_first_not_of(kAround);
  return begin == std::string_view::npos ? std::string_view()
                                         : cell.substr(begin, cell.find_last_not_of(kAround) - begin + 1);
}

/// How many of `wanted` are cells of the line between such separators.
std::size_t found_between(std::string_view line, char separator, const std::vector<std::string>& wanted) {
  std::size_t found = 0;
  while (true) {
    const std::size_t end = line.find(separator);
    const std::string_view cell = without_quotes(line.substr(0, end));
    found += std::find(wanted.begin(), wanted.end(), cell) != wanted.end() ? 1U : 0U;
    if (end == std::string_view::npos) {
      return found;
    }
    line.remove_prefix(end + 1);
  }
}

/// A number or a time, which no column is called.
bool is_value(std::string_view cell) {
  return parse_decimal(cell, 0).status != DecimalStatus::not_a_number ||
         TimeReader(TimeUnit::rfc3339).read(cell).has_value();
}

struct Separator {
  char character;
  const char* text;  // in a configuration
};

/// Another separator that the header seems to have; empty: none.
std::string other_separator(std::string_view header, const std::vector<std::string>& missing, std::size_t names,
                            const spec::Format& format) {
  constexpr std::array<Separator, 5> kSeparators{{{';', ";"}, {'\t', "\\t"}, {',', ","}, {'|', "|"}, {' ', " "}}};
  const Separator* best = nullptr;
  std::size_t most = 0;
  for (const Separator& each : kSeparators) {
    if (format.separator == std::string_view(&each.character, 1)) {
      continue;
    }
    const std::size_t found = found_between(header, each.character, missing);
    if (found > most) {
      most = found;
      best = &each;
    }
  }
  if (best == nullptr && names == 1) {  // nothing was separated, whatever the names are
    const auto* const any = std::find_if(kSeparators.begin(), kSeparators.end() - 1, [&](const Separator& each) {
      return header.find(each.character) != std::string_view::npos;
    });
    best = any == kSeparators.end() - 1 ? nullptr : any;
  }
  return best == nullptr ? std::string() : best->text;
}

}  // namespace

CsvMistake missing_columns(const std::vector<std::string>& missing, std::span<const std::string_view> names,
                           std::string_view header, const spec::Format& format) {
  std::string lacking;
  const bool is_row = format.columns.empty() && std::any_of(names.begin(), names.end(), is_value);
  for (const std::string& name : missing) {
    const std::string near = is_row ? std::string() : nearest_spelling(name, names);
    lacking += fmt::format("{}'{}'{}", lacking.empty() ? "" : ", ", name,
                           near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near));
  }
  const std::span<const std::string_view> shown = names.first(std::min(names.size(), kShown));
  CsvMistake mistake;
  mistake.text = fmt::format("the {} lacks {}; it has {}{}", format.columns.empty() ? "header" : "list of columns",
                             lacking, fmt::join(shown, ", "),
                             names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
  if (header.find('\r') != std::string_view::npos) {
    mistake.hint = "the lines end with a carriage return alone: convert them to line feeds";
  } else if (const std::string separator = other_separator(header, missing, names.size(), format); !separator.empty()) {
    mistake.hint = fmt::format("the separator seems to be another: separator = \"{}\"", separator);
  } else if (is_row) {
    mistake.hint = "the first line seems to be a row already: name the columns with columns = [...]";
  }
  return mistake;
}

std::string columns_with_row_name(std::span<const std::string_view> names) {
  const std::span<const std::string_view> shown = names.first(std::min(names.size(), kShown));
  std::string columns = R"(["row")";
  for (const std::string_view name : shown) {
    columns += fmt::format(", \"{}\"", name);
  }
  return columns + (names.size() > kShown ? ", …]" : "]");
}

}  // namespace weir::decode
