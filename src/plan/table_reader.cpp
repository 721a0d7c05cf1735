#include "plan/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/spelling.hpp"

namespace weir::plan {
namespace {

/// A number that came through an environment variable is still a number.
template <typename Number>
bool from_substituted(const Document& entry, Number& out) {
  if (entry.kind != Document::Kind::string || !entry.substituted) {
    return false;
  }
  const char* const end = entry.text.data() + entry.text.size();
  const auto [rest, error] = std::from_chars(entry.text.data(), end, out);
  return error == std::errc() && rest == end;
}

}  // namespace

TableReader::TableReader(const Document& table, std::string what, Diagnostics& diagnostics)
    : table_(table), what_(std::move(what)), diagnostics_(diagnostics) {}

const Document* TableReader::find(std::string_view name) {
  if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
    asked_.push_back(name);
  }
  for (const auto& [key, value] : table_.members) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

const Document* TableReader::take(std::string_view name) {
  const Document* entry = find(name);
  if (entry != nullptr && entry->unreadable) {
    unreadable(name);
    return nullptr;
  }
  return entry;
}

int TableReader::line_of(std::string_view name) const {
  for (const auto& [key, value] : table_.members) {
    if (key == name) {
      return value.line;
    }
  }
  return 0;
}

void TableReader::wrong_type(const Document& entry, std::string_view name, std::string_view expected) {
  unreadable(name);
  diagnostics_.add(entry.line,
                   fmt::format("{}: '{}' must be {}, not {}", what_, name, expected, kind_name(entry.kind)));
}

bool TableReader::string(std::string_view name, std::string& out) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  if (entry->kind != Document::Kind::string) {
    wrong_type(*entry, name, "a string");
    return false;
  }
  out = entry->text;
  return true;
}

bool TableReader::boolean(std::string_view name, bool& out) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  if (entry->kind == Document::Kind::boolean) {
    out = entry->boolean;
    return true;
  }
  if (entry->substituted && (entry->text == "true" || entry->text == "false")) {
    out = entry->text == "true";
    return true;
  }
  wrong_type(*entry, name, "true or false");
  return false;
}

bool TableReader::duration(std::string_view name, Duration& out) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  if (entry->kind != Document::Kind::string) {
    std::string suggestion;
    if (entry->kind == Document::Kind::integer) {
      suggestion = fmt::format("write \"{}s\" for seconds", entry->integer);
    }
    unreadable(name);
    diagnostics_.add(
        entry->line,
        fmt::format("{}: '{}' must be a duration in quotes with its unit, not {}", what_, name, kind_name(entry->kind)),
        suggestion);
    return false;
  }
  const std::optional<Duration> value = parse_duration(entry->text);
  if (!value.has_value()) {
    unreadable(name);
    diagnostics_.add(entry->line, fmt::format("{}: '{}' = \"{}\" is no duration", what_, name, entry->text),
                     "write a number with its unit: ns, us, ms, s, m, h, d or w, as in \"1.5s\" or \"1h30m\"");
    return false;
  }
  out = *value;
  return true;
}

bool TableReader::bytes(std::string_view name, std::uint64_t& out) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  if (entry->kind == Document::Kind::integer && entry->integer >= 0) {
    out = static_cast<std::uint64_t>(entry->integer);
    return true;
  }
  if (entry->kind == Document::Kind::string) {
    if (const std::optional<std::uint64_t> value = parse_bytes(entry->text)) {
      out = *value;
      return true;
    }
    unreadable(name);
    diagnostics_.add(entry->line, fmt::format("{}: '{}' = \"{}\" is no size", what_, name, entry->text),
                     "write bytes, or a number with its unit, as in \"64MiB\"");
    return false;
  }
  wrong_type(*entry, name, "a size such as \"64MiB\"");
  return false;
}

bool TableReader::real(std::string_view name, double& out, double least, double most) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  double value = 0.0;
  if (entry->kind == Document::Kind::real) {
    value = entry->real;
  } else if (entry->kind == Document::Kind::integer) {
    value = static_cast<double>(entry->integer);
  } else if (!from_substituted(*entry, value)) {
    wrong_type(*entry, name, "a number");
    return false;
  }
  // Written so that NaN is refused.
  if (!(value >= least && value <= most)) {
    unreadable(name);
    diagnostics_.add(entry->line,
                     fmt::format("{}: '{}' = {} is not between {} and {}", what_, name, value, least, most));
    return false;
  }
  out = value;
  return true;
}

bool TableReader::strings(std::string_view name, std::vector<std::string>& out) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  if (entry->kind == Document::Kind::string) {
    out = {entry->text};
    return true;
  }
  if (entry->kind != Document::Kind::array) {
    wrong_type(*entry, name, "an array of strings");
    return false;
  }
  std::vector<std::string> result;
  for (const Document& element : entry->elements) {
    if (element.kind != Document::Kind::string) {
      unreadable(name);
      diagnostics_.add(element.line,
                       fmt::format("{}: '{}' must hold strings only, not {}", what_, name, kind_name(element.kind)));
      return false;
    }
    result.push_back(element.text);
  }
  out = std::move(result);
  return true;
}

bool TableReader::integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most) {
  const Document* entry = take(name);
  if (entry == nullptr) {
    return false;
  }
  std::int64_t value = 0;
  if (entry->kind == Document::Kind::integer) {
    value = entry->integer;
  } else if (!from_substituted(*entry, value)) {
    wrong_type(*entry, name, "an integer");
    return false;
  }
  if (value < least || value > most) {
    unreadable(name);
    diagnostics_.add(entry->line,
                     fmt::format("{}: '{}' = {} is not between {} and {}", what_, name, value, least, most),
                     fmt::format("the nearest valid value is {}", value < least ? least : most));
    return false;
  }
  out = value;
  return true;
}

void TableReader::bad_choice(std::string_view name, const std::string& word, std::span<const std::string_view> words) {
  unreadable(name);
  diagnostics_.add(line_of(name), fmt::format("{}: '{}' cannot be \"{}\"", what_, name, word), suggest(word, words));
}

void TableReader::foreign(std::string_view name, std::string explanation) {
  foreign_.emplace_back(name, std::move(explanation));
}

bool TableReader::finish() {
  bool good = true;
  for (const auto& [key, value] : table_.members) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) {
      continue;
    }
    good = false;
    const std::string_view name = key;
    const auto known =
        std::find_if(foreign_.begin(), foreign_.end(), [name](const auto& entry) { return entry.first == name; });
    diagnostics_.add(value.line, fmt::format("{}: unknown entry '{}'", what_, key),
                     known != foreign_.end() ? known->second : suggest(key, asked_));
    if (std::string meant = nearest_spelling(key, asked_); known == foreign_.end() && !meant.empty()) {
      unread_.push_back(std::move(meant));
    }
  }
  return good;
}

}  // namespace weir::plan
