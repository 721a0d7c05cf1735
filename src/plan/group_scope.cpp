#include "plan/group_scope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/spelling.hpp"

namespace weir::plan {

Operand GroupScope::name(const std::string& name, std::size_t column, const Site& site) {
  for (std::size_t i = 0; i < plan_.shape.columns.size(); ++i) {
    if (plan_.shape.columns[i].name == name) {
      return {Type::number, graph_.field(i)};
    }
  }
  for (std::size_t i = 0; i < plan_.shape.group_keys.size(); ++i) {
    if (plan_.shape.group_keys[i] == name) {
      return {Type::key, -1, i};
    }
  }
  if (unread_names_ || std::find(wrong_columns_.begin(), wrong_columns_.end(), name) != wrong_columns_.end()) {
    return {};
  }
  if (rows_.schema().key_index(name)) {
    site.mistake(column, fmt::format("'{}' is a key that the query does not group by", name),
                 "having sees the group's keys only; ask for it in where");
  } else if (rows_.schema().field_index(name) || rows_.let(name) != nullptr) {
    site.mistake(column, fmt::format("'{}' belongs to a single reading, but having is asked for a whole group", name),
                 fmt::format("use an aggregate, as in avg({})", name));
  } else {
    std::vector<std::string_view> names;
    for (const batch::ResultColumn& candidate : plan_.shape.columns) {
      names.emplace_back(candidate.name);
    }
    for (const std::string& key : plan_.shape.group_keys) {
      names.emplace_back(key);
    }
    site.mistake(column, fmt::format("unknown name '{}'", name), suggest(name, names));
  }
  return {};
}

Operand GroupScope::aggregate(const Expression& expression, int node, const Site& site) {
  const std::optional<Aggregate> aggregate = aggregates_.resolve(expression, node, site);
  if (!aggregate.has_value()) {
    return {};
  }
  const Node& call = expression.nodes[static_cast<std::size_t>(node)];
  std::string text = call.text + "(";
  for (std::size_t i = 0; i < call.argument_texts.size(); ++i) {
    text += (i == 0 ? "" : ", ") + call.argument_texts[i];
  }
  return {Type::number, graph_.field(aggregates_.find_or_hide(*aggregate, text + ")"))};
}

}  // namespace weir::plan
