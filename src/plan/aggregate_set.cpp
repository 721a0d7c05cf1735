#include "plan/aggregate_set.hpp"

#include <fmt/format.h>

#include "core/spelling.hpp"
#include "plan/aggregate.hpp"

namespace weir::plan {
namespace {

// Where nothing says how exactly a derived value is to be kept.
constexpr int kDerivedPlaces = 6;

bool equal(const Aggregate& a, const Aggregate& b) noexcept {
  return a.kind == b.kind && a.argument == b.argument && a.key == b.key && a.quantile == b.quantile;
}

}  // namespace

AggregateSet::AggregateSet(QueryPlan& plan, RowScope& rows, ValueGraph& graph)
    : plan_(plan), rows_(rows), graph_(graph) {}

std::optional<Aggregate> AggregateSet::resolve(const Expression& expression, int call, const Site& site) {
  const Node& node = expression.nodes[static_cast<std::size_t>(call)];
  const std::optional<AggregateKind> kind = aggregate_named(node.text);
  if (!kind.has_value()) {
    site.mistake(node.column, fmt::format("'{}' is no aggregate", node.text), suggest(node.text, aggregate_names()));
    return std::nullopt;
  }
  const std::size_t count = node.children.size();
  const bool right_count = *kind == AggregateKind::count      ? count <= 1
                           : *kind == AggregateKind::quantile ? count == 2
                                                              : count == 1;
  if (!right_count) {
    const std::string form = *kind == AggregateKind::count      ? std::string("count() or count(x)")
                             : *kind == AggregateKind::quantile ? std::string("quantile(x, 0.99)")
                             : *kind == AggregateKind::distinct ? std::string("distinct(key)")
                                                                : fmt::format("{}(x)", node.text);
    site.mistake(node.column, fmt::format("'{}' cannot take {} argument{}", node.text, count, count == 1 ? "" : "s"),
                 fmt::format("write {}", form));
    return std::nullopt;
  }

  Aggregate aggregate;
  aggregate.kind = *kind;
  if (count == 0) {
    return aggregate;
  }
  if (*kind == AggregateKind::distinct) {
    const Node& child = expression.nodes[static_cast<std::size_t>(node.children[0])];
    const auto key = child.kind == Node::Kind::name ? rows_.schema().key_index(child.text) : std::nullopt;
    if (!key.has_value() && rows_.has_unread_names()) {
      return std::nullopt;
    }
    if (!key.has_value()) {
      std::vector<std::string_view> keys;
      for (const spec::Key& candidate : rows_.schema().keys) {
        keys.emplace_back(candidate.name);
      }
      site.mistake(child.column, "distinct takes a key of the stream",
                   child.kind == Node::Kind::name ? suggest(child.text, keys) : "");
      return std::nullopt;
    }
    aggregate.key = static_cast<int>(*key);
    return aggregate;
  }
  if (*kind == AggregateKind::quantile) {
    const int q = node.children[1];
    rows_.aggregates_are_refused_because("an aggregate cannot hold another one", {});
    const Operand operand =
        check(expression, expression.nodes[static_cast<std::size_t>(q)].first, q, rows_, graph_, plan_.key_tests, site);
    if (operand.type == Type::wrong) {
      return std::nullopt;
    }
    const bool constant = operand.type == Type::number && graph_[operand.value].op == ops::Op::constant;
    // Written so that NaN is refused.
    if (!constant || !(graph_[operand.value].constant >= 0.0 && graph_[operand.value].constant <= 1.0)) {
      site.mistake(expression.nodes[static_cast<std::size_t>(q)].column,
                   "the second argument of quantile must be a number between 0 and 1", "0.99 is the 99th percentile");
      return std::nullopt;
    }
    aggregate.quantile = graph_[operand.value].constant;
  }
  if (*kind == AggregateKind::count) {
    const Node& child = expression.nodes[static_cast<std::size_t>(node.children[0])];
    const auto field = child.kind == Node::Kind::name ? rows_.schema().field_index(child.text) : std::nullopt;
    if (field.has_value() && rows_.schema().fields[*field].required) {
      return aggregate;  // never null: the same as count()
    }
  }
  const std::optional<int> index = argument(expression, call, *kind, site);
  if (!index.has_value()) {
    return std::nullopt;
  }
  Argument& found = plan_.arguments[static_cast<std::size_t>(*index)];
  found.parts |= parts_of(*kind);
  if (found.nullable) {
    found.parts |= kPartCount;
  }
  aggregate.argument = *index;
  return aggregate;
}

std::optional<int> AggregateSet::argument(const Expression& expression, int call, AggregateKind kind,
                                          const Site& site) {
  const Node& node = expression.nodes[static_cast<std::size_t>(call)];
  const int root = node.children[0];
  const Node& child = expression.nodes[static_cast<std::size_t>(root)];
  if (const std::optional<int> field = field_argument(child, node.argument_texts[0])) {
    return field;
  }
  rows_.aggregates_are_refused_because("an aggregate cannot hold another one", {});
  const Operand operand = check(expression, child.first, root, rows_, graph_, plan_.key_tests, site);
  if (operand.type == Type::wrong) {
    return std::nullopt;
  }
  if (operand.type != Type::number) {
    std::string suggestion;
    if (operand.type == Type::condition) {
      suggestion = fmt::format("write {}(if(condition, 1, 0))", node.text);
    } else if (operand.type == Type::key) {
      suggestion = kind == AggregateKind::count ? "a key is never null: write count(), or distinct(key)"
                                                : "a key can be grouped by, or counted with distinct(key)";
    }
    site.mistake(child.column, fmt::format("'{}' takes a number, this is {}", node.text, type_name(operand.type)),
                 suggestion);
    return std::nullopt;
  }
  return derived_argument(child, node.argument_texts[0], operand, site);
}

std::optional<int> AggregateSet::field_argument(const Node& node, const std::string& text) {
  const auto field = node.kind == Node::Kind::name ? rows_.schema().field_index(node.text) : std::nullopt;
  if (!field.has_value()) {
    return std::nullopt;
  }
  const spec::Field& declared = rows_.schema().fields[*field];
  Argument argument;
  argument.text = text;
  argument.field = static_cast<int>(*field);
  argument.places = declared.places;
  argument.nullable = !declared.required;
  return merge(std::move(argument), -1);
}

int AggregateSet::derived_argument(const Node& node, const std::string& text, const Operand& operand,
                                   const Site& site) {
  const spec::Let* const let = node.kind == Node::Kind::name ? rows_.let(node.text) : nullptr;
  Argument argument;
  argument.text = text;
  argument.places = let != nullptr ? let->places : kDerivedPlaces;
  argument.program = generate_or_report(graph_, operand.value, site);
  return merge(std::move(argument), operand.value);
}

void AggregateSet::select_value(const Expression& expression, const std::string& text, std::string column_name,
                                const Site& site) {
  const int root = expression.root();
  const Node& node = expression.nodes[static_cast<std::size_t>(root)];
  std::optional<int> index = field_argument(node, text);
  if (!index.has_value()) {
    rows_.aggregates_are_refused_because("the rows of this query are readings",
                                         "select either values or aggregates, not both");
    const Operand operand = check(expression, node.first, root, rows_, graph_, plan_.key_tests, site);
    if (operand.type == Type::wrong) {
      return;
    }
    if (operand.type != Type::number) {
      site.mistake(node.column, fmt::format("a column must be a number, this is {}", type_name(operand.type)),
                   operand.type == Type::key ? "the keys are part of every row" : "write if(condition, 1, 0)");
      return;
    }
    index = derived_argument(node, text, operand, site);
  }
  const Argument& argument = plan_.arguments[static_cast<std::size_t>(*index)];
  plan_.shape.columns.push_back({std::move(column_name), batch::ValueType::decimal, argument.places});
  plan_.columns.push_back(static_cast<std::size_t>(*index));
}

int AggregateSet::merge(Argument argument, int value) {
  const auto [known, is_new] = arguments_.try_emplace(std::tuple(argument.field, value, argument.places),
                                                      static_cast<int>(plan_.arguments.size()));
  if (is_new) {
    plan_.arguments.push_back(std::move(argument));
  }
  return known->second;
}

batch::ResultColumn AggregateSet::column(const Aggregate& aggregate, std::string name) const {
  batch::ResultColumn column{std::move(name), result_type(aggregate.kind), 0};
  if (column.type == batch::ValueType::decimal) {
    column.places = plan_.arguments[static_cast<std::size_t>(aggregate.argument)].places;
  }
  return column;
}

void AggregateSet::select(const Aggregate& aggregate, std::string column_name) {
  plan_.shape.columns.push_back(column(aggregate, std::move(column_name)));
  plan_.aggregates.push_back(aggregate);
}

std::size_t AggregateSet::find_or_hide(const Aggregate& aggregate, std::string text) {
  for (std::size_t i = 0; i < plan_.aggregates.size(); ++i) {
    if (equal(plan_.aggregates[i], aggregate)) {
      return i;
    }
  }
  plan_.hidden_columns.push_back(column(aggregate, std::move(text)));
  plan_.aggregates.push_back(aggregate);
  return plan_.aggregates.size() - 1;
}

}  // namespace weir::plan
