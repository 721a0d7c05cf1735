#include "plan/row_scope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/decimal.hpp"
#include "core/spelling.hpp"
#include "plan/lexer.hpp"

namespace weir::plan {

RowScope::RowScope(const spec::Schema& schema, const spec::Query& query, ValueGraph& graph,
                   std::vector<KeyTest>& key_tests, Diagnostics& diagnostics, const std::string& what)
    : schema_(schema),
      graph_(graph),
      key_tests_(key_tests),
      diagnostics_(diagnostics),
      what_(what),
      query_line_(query.line) {
  for (const spec::Let& let : query.let) {
    const int line = let.line != 0 ? let.line : query.line;
    if (!is_name(let.name) || is_reserved_word(let.name)) {
      diagnostics.add(line, fmt::format("{}: let '{}' is no name", what, let.name),
                      "use letters, digits and '_', not beginning with a digit");
    } else if (schema.field_index(let.name) || schema.key_index(let.name)) {
      diagnostics.add(line,
                      fmt::format("{}: let '{}' has the name of a {} of the stream", what, let.name,
                                  schema.field_index(let.name) ? "field" : "key"),
                      "give it another name");
    } else if (this->let(let.name) != nullptr) {
      diagnostics.add(line, fmt::format("{}: let '{}' is defined twice", what, let.name), "give one another name");
    } else if (let.places < 0 || let.places > kMaxPlaces) {
      diagnostics.add(line, fmt::format("{}: let '{}': 'places' = {} is not between 0 and {}", what, let.name,
                                        let.places, kMaxPlaces));
    }
    lets_.push_back({&let, State::untouched, {}});
  }
}

void RowScope::aggregates_are_refused_because(std::string reason, std::string suggestion) {
  refusal_ = std::move(reason);
  refusal_suggestion_ = std::move(suggestion);
}

const spec::Let* RowScope::let(std::string_view name) const {
  const auto found =
      std::find_if(lets_.begin(), lets_.end(), [name](const Entry& entry) { return entry.let->name == name; });
  return found == lets_.end() ? nullptr : found->let;
}

std::vector<std::string_view> RowScope::names() const {
  std::vector<std::string_view> names;
  for (const spec::Field& field : schema_.fields) {
    names.emplace_back(field.name);
  }
  for (const Entry& entry : lets_) {
    names.emplace_back(entry.let->name);
  }
  for (const spec::Key& key : schema_.keys) {
    names.emplace_back(key.name);
  }
  return names;
}

Operand RowScope::name(const std::string& name, std::size_t column, const Site& site) {
  if (const auto field = schema_.field_index(name)) {
    return {Type::number, graph_.field(*field)};
  }
  if (const auto key = schema_.key_index(name)) {
    return {Type::key, -1, *key};
  }
  for (std::size_t i = 0; i < lets_.size(); ++i) {
    if (lets_[i].let->name == name) {
      return resolve(i);
    }
  }
  if (!unread_names_) {
    site.mistake(column, fmt::format("unknown name '{}'", name), suggest(name, names()));
  }
  return {};
}

Operand RowScope::aggregate(const Expression& expression, int node, const Site& site) {
  const Node& call = expression.nodes[static_cast<std::size_t>(node)];
  if (!active_.empty()) {
    site.mistake(call.column, fmt::format("'{}' is an aggregate, but a let is computed for each reading", call.text),
                 "put the aggregate into select or having");
  } else {
    site.mistake(call.column, fmt::format("'{}' is an aggregate, but {}", call.text, refusal_), refusal_suggestion_);
  }
  return {};
}

void RowScope::check_all_lets() {
  for (std::size_t i = 0; i < lets_.size(); ++i) {
    resolve(i);
  }
}

void RowScope::report_cycle(std::size_t index) {
  std::string path;
  const auto begin = std::find(active_.begin(), active_.end(), index);
  for (auto member = begin; member != active_.end(); ++member) {
    path += lets_[*member].let->name + " -> ";
  }
  const spec::Let& let = *lets_[index].let;
  diagnostics_.add(let.line != 0 ? let.line : query_line_,
                   fmt::format("{}: let '{}' is defined by itself: {}{}", what_, let.name, path, let.name),
                   "break the circle");
}

Operand RowScope::resolve(std::size_t index) {
  Entry& entry = lets_[index];
  if (entry.state == State::done) {
    return entry.operand;
  }
  if (entry.state == State::active) {
    report_cycle(index);
    return {};
  }
  const spec::Let& let = *entry.let;
  const Site site(diagnostics_, let.line != 0 ? let.line : query_line_, fmt::format("{}, let '{}'", what_, let.name));
  if (active_.size() >= static_cast<std::size_t>(kMaxNesting)) {
    site.mistake(fmt::format("lets use each other more than {} deep", kMaxNesting));
    return {};
  }
  entry.state = State::active;
  active_.push_back(index);
  try {
    const Expression expression = parse_expression(let.expression);
    entry.operand = check(expression, 0, expression.root(), *this, graph_, key_tests_, site);
    if (entry.operand.type == Type::key || entry.operand.type == Type::literal) {
      site.mistake(fmt::format("expected a number or a condition, this is {}", type_name(entry.operand.type)),
                   "use the key itself");
      entry.operand = {};
    }
  } catch (const SyntaxError& error) {
    site.mistake(error);
  }
  active_.pop_back();
  entry.state = State::done;
  return entry.operand;
}

}  // namespace weir::plan
