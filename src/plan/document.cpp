#include "plan/document.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace weir::plan {
namespace {

/// Converts the library's tree; the library bounds the nesting of what it parses.
class Converter {
 public:
  Converter(const Environment& environment, Diagnostics& diagnostics)
      : environment_(environment), diagnostics_(diagnostics) {}

  Document convert(const toml::node& node) {
    Document result;
    result.line = static_cast<int>(node.source().begin.line);
    switch (node.type()) {
      case toml::node_type::table:
        result.kind = Document::Kind::table;
        convert_members(*node.as_table(), result);
        break;
      case toml::node_type::array:
        result.kind = Document::Kind::array;
        for (const toml::node& element : *node.as_array()) {
          result.elements.push_back(convert(element));
          result.unreadable = result.unreadable || result.elements.back().unreadable;
        }
        break;
      case toml::node_type::string:
        result.kind = Document::Kind::string;
        convert_string(node.as_string()->get(), result);
        break;
      case toml::node_type::integer:
        result.kind = Document::Kind::integer;
        result.integer = node.as_integer()->get();
        break;
      case toml::node_type::floating_point:
        result.kind = Document::Kind::real;
        result.real = node.as_floating_point()->get();
        break;
      case toml::node_type::boolean:
        result.kind = Document::Kind::boolean;
        result.boolean = node.as_boolean()->get();
        break;
      default:
        result.kind = Document::Kind::date;
        break;
    }
    return result;
  }

 private:
  void convert_members(const toml::table& table, Document& result) {
    struct Placed {
      toml::source_position position;
      DocumentMember member;
    };
    std::vector<Placed> placed;
    for (const auto& [key, value] : table) {
      Document member = convert(value);
      // A table that only its sub-tables name, as `streams` in [streams.plugs], has no line of its own.
      const toml::source_position position = key.source().begin;
      if (member.line == 0) {
        member.line = static_cast<int>(position.line);
      }
      placed.push_back({position, {std::string(key.str()), std::move(member)}});
    }
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
      return std::pair(a.position.line, a.position.column) < std::pair(b.position.line, b.position.column);
    });
    for (Placed& entry : placed) {
      result.unreadable = result.unreadable || entry.member.value.unreadable;
      result.members.push_back(std::move(entry.member));
    }
  }

  void convert_string(const std::string& text, Document& result) {
    Substitution substitution = substitute(text, environment_);
    if (!substitution.mistake.empty()) {
      diagnostics_.add(result.line, std::move(substitution.mistake), std::move(substitution.suggestion));
      result.unreadable = true;
    }
    result.text = std::move(substitution.text);
    result.substituted = substitution.substituted;
  }

  const Environment& environment_;
  Diagnostics& diagnostics_;
};

/// The parser speaks of its grammar; these are the mistakes that are behind it most often.
std::string advice_for(std::string_view description) {
  constexpr std::pair<std::string_view, const char*> kAdvice[] = {
      {"cannot redefine", "a name can be given once: give one another name"},
      {"control characters", "is a quote missing at the end of the line?"},
      {"could not determine value type", "write text in quotes, as in unit = \"s\""},
      {"parsing boolean", "write text in quotes, as in unit = \"s\""},
      {"parsing table header", "write [pipeline], [streams.NAME], [[query]] or [[sink]]"},
      {"'\\u0000'", "this is no text file"}};
  for (const auto& [part, advice] : kAdvice) {
    if (description.find(part) != std::string_view::npos) {
      return advice;
    }
  }
  return {};
}

}  // namespace

std::string_view kind_name(Document::Kind kind) noexcept {
  switch (kind) {
    case Document::Kind::table:
      return "a table";
    case Document::Kind::array:
      return "an array";
    case Document::Kind::string:
      return "a string";
    case Document::Kind::integer:
      return "an integer";
    case Document::Kind::real:
      return "a real number";
    case Document::Kind::boolean:
      return "a boolean";
    case Document::Kind::date:
      return "a date";
  }
  return "a value";
}

Document parse_document(std::string_view toml, const std::string& name, const Environment& environment,
                        Diagnostics& diagnostics) {
  try {
    const toml::table table = toml::parse(toml, name);
    return Converter(environment, diagnostics).convert(table);
  } catch (const toml::parse_error& error) {
    throw ConfigError({{name, static_cast<int>(error.source().begin.line),
                        "not valid TOML: " + std::string(error.description()), advice_for(error.description())}});
  }
}

}  // namespace weir::plan
