#include "plan/query_compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/spelling.hpp"
#include "plan/compile.hpp"
#include "plan/group_scope.hpp"
#include "plan/intervals.hpp"
#include "plan/plain_name.hpp"

namespace weir::plan {
namespace {

/// The rows of a query as a stream for those that read them: its groups are the keys, its columns the fields.
spec::Stream stream_of_rows(const QueryPlan& query) {
  spec::Stream stream;
  stream.name = query.spec.name;
  stream.line = query.spec.line;
  stream.unread = query.spec.unread;
  for (const std::string& key : query.shape.group_keys) {
    stream.schema.keys.push_back({key, {}});
  }
  for (const batch::ResultColumn& column : query.shape.columns) {
    spec::Field& field = stream.schema.fields.emplace_back();
    field.name = column.name;
    field.places = column.type == batch::ValueType::real ? kRealPlaces : column.places;
  }
  stream.max_keys = query.max_groups;
  stream.max_key_bytes = query.group_keys.empty() ? 0 : query.input.max_key_bytes;
  return stream;
}

/// What decides the meaning of a stream's readings, for QueryPlan::fingerprint().
std::string stream_text(const spec::Stream& stream) {
  std::string text = stream.name + "; keys";
  for (const spec::Key& key : stream.schema.keys) {
    text += fmt::format(" {}@{}", key.name, key.path);
  }
  text += "; fields";
  for (const spec::Field& field : stream.schema.fields) {
    text += fmt::format(" {}:{}@{}{}{}", field.name, field.places, field.path, field.required ? "!" : "",
                        field.is_switch ? " bool" : "");
  }
  text += stream.time.arrival ? std::string("; time arrival")
                              : fmt::format("; time {} {} {} {}", stream.time.field, static_cast<int>(stream.time.unit),
                                            stream.time.format, stream.time.zone);
  for (const std::string& field : stream.time.more_fields) {
    text += " and " + field;
  }
  return text;
}

class QueryCompiler {
 public:
  QueryCompiler(const Plan& plan, std::size_t index, Diagnostics& diagnostics)
      : plan_(plan),
        spec_(plan.spec.queries[index]),
        diagnostics_(diagnostics),
        what_(fmt::format("query '{}'", spec_.name)) {
    query_.spec = spec_;
    query_.shape.query = spec_.name;
  }

  QueryPlan run() {
    resolve_sinks();
    const spec::Stream* stream = find_input();
    if (stream == nullptr) {
      return std::move(query_);
    }
    query_.input = {stream->name, stream->schema, stream->max_keys, stream->max_key_bytes};
    for (const spec::Field& field : stream->schema.fields) {
      query_.field_places.push_back(field.places);
    }
    query_.stream_text = query_.parent ? fmt::format("rows of ({}); {}", plan_.queries[*query_.parent].fingerprint(),
                                                     stream_text(*stream))
                                       : stream_text(*stream);
    query_.readings = spec_.readings || selects_values();
    if (query_.readings && query_.parent) {
      const QueryPlan& other = plan_.queries[*query_.parent];
      query_.row_window_ns = other.readings ? other.row_window_ns : other.window_ns;
    }
    query_.shape.readings = query_.readings && query_.row_window_ns == 0;
    if (query_.readings) {
      refuse_what_needs_groups();
      take_all_keys(*stream);
    } else {
      group(*stream);
    }
    expressions(*stream);
    check_column_names();
    if (known(spec_, {"window", "slide"})) {
      const bool compared_with_batches =
          stream->time.arrival && known(*stream, {"time"}) && known(plan_.spec, {"pipeline", "batch_interval"});
      plan_intervals(query_, plan_.spec.batch_interval, compared_with_batches, diagnostics_);
      if (query_.parent && query_.per_batch && !query_.readings) {
        mistake(spec_.line,
                fmt::format("a query of the rows of query '{}' needs a window: which rows come in one batch interval "
                            "depends on when they are computed",
                            spec_.from),
                "add window = \"…\"");
      }
    }
    query_.max_groups = query_.group_keys.empty() ? 1 : spec_.max_groups != 0 ? spec_.max_groups : stream->max_keys;
    return std::move(query_);
  }

 private:
  void mistake(int line, const std::string& message, const std::string& suggestion = {}) {
    diagnostics_.add(line != 0 ? line : spec_.line, what_ + ": " + message, suggestion);
  }
  [[nodiscard]] Site site(int line, std::string_view part) const {
    return {diagnostics_, line != 0 ? line : spec_.line, fmt::format("{}, {}", what_, part)};
  }

  const spec::Stream* find_input() {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < plan_.spec.streams.size(); ++i) {
      if (plan_.spec.streams[i].name == spec_.from) {
        query_.stream = i;
        return &plan_.spec.streams[i];
      }
      names.emplace_back(plan_.spec.streams[i].name);
    }
    for (const QueryPlan& other : plan_.queries) {
      if (!other.spec.name.empty() && other.spec.name == spec_.from) {
        return take_rows_of(static_cast<std::size_t>(&other - plan_.queries.data()));
      }
    }
    for (const spec::Query& other : plan_.spec.queries) {
      names.emplace_back(other.name);
      if (!spec_.from.empty() && other.name == spec_.from) {
        return nullptr;  // it goes round, or what it reads is wrong: that is said already
      }
    }
    if (!known(spec_, {"from"}) || (!spec_.from.empty() && !known(plan_.spec, {"streams"}))) {
      return nullptr;
    }
    if (spec_.from.empty()) {
      mistake(spec_.line, "'from' is missing", "name the stream or query that it reads");
    } else {
      mistake(spec_.line, fmt::format("unknown stream or query '{}'", spec_.from), suggest(spec_.from, names));
    }
    return nullptr;
  }

  const spec::Stream* take_rows_of(std::size_t parent) {
    const QueryPlan& other = plan_.queries[parent];
    query_.parent = parent;
    query_.stream = other.stream;
    if (other.stream_text.empty()) {
      return nullptr;  // what it reads is wrong, which is said already
    }
    if (other.allowed_lateness_ns > 0) {
      mistake(spec_.line,
              fmt::format("query '{}' has allowed_lateness: its rows change after they were read here", spec_.from),
              "raise out_of_order of the stream in place of it");
    }
    if (other.per_batch && !other.readings) {
      mistake(spec_.line,
              fmt::format("query '{}' has no window: its rows are of batch intervals, not of event time", spec_.from),
              fmt::format("give '{}' a window", spec_.from));
    }
    rows_ = stream_of_rows(other);
    return &rows_;
  }

  void resolve_sinks() {
    std::vector<std::string_view> names;
    for (const spec::Sink& sink : plan_.spec.sinks) {
      names.emplace_back(sink.name);
    }
    const bool all_known =
        known(plan_.spec, {"sink"}) && std::all_of(plan_.spec.sinks.begin(), plan_.spec.sinks.end(),
                                                   [](const spec::Sink& sink) { return known(sink, {"name"}); });
    for (const std::string& name : sinks_of(plan_.spec, spec_)) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        if (all_known) {
          mistake(spec_.sinks_line, fmt::format("unknown sink '{}'", name), suggest(name, names));
        }
        continue;
      }
      const auto index = static_cast<std::size_t>(found - names.begin());
      if (std::find(query_.sinks.begin(), query_.sinks.end(), index) != query_.sinks.end()) {
        mistake(spec_.sinks_line, fmt::format("sink '{}' is named twice", name));
      }
      query_.sinks.push_back(index);
    }
  }

  /// Nothing asks for groups or windows and no entry of `select` calls an aggregate: the rows are the readings.
  [[nodiscard]] bool selects_values() const {
    const bool plain = !spec_.select.empty() && spec_.group_by.empty() && spec_.window.count() == 0 &&
                       spec_.slide.count() == 0 && spec_.having.empty();
    return plain && std::all_of(spec_.select.begin(), spec_.select.end(), [](const std::string& text) {
             try {
               const std::vector<Node> nodes = parse_select_entry(text).expression.nodes;
               return std::none_of(nodes.begin(), nodes.end(), is_aggregate_call) &&
                      (nodes.back().kind != Node::Kind::call || is_function(nodes.back().text));
             } catch (const SyntaxError&) {
               return false;
             }
           });
  }

  /// Only the C++ API can ask for readings and for more than that.
  void refuse_what_needs_groups() {
    if (!spec_.group_by.empty() || spec_.window.count() != 0 || spec_.slide.count() != 0 || !spec_.having.empty()) {
      mistake(spec_.line, "a query of readings has no group_by, window, slide or having", "select aggregates");
    }
  }

  void take_all_keys(const spec::Stream& stream) {
    for (std::size_t key = 0; key < stream.schema.keys.size(); ++key) {
      query_.group_keys.push_back(key);
      query_.shape.group_keys.push_back(stream.schema.keys[key].name);
    }
  }

  void group(const spec::Stream& stream) {
    std::vector<std::string_view> names;
    for (const spec::Key& key : stream.schema.keys) {
      names.emplace_back(key.name);
    }
    for (const std::string& name : spec_.group_by) {
      const auto key = stream.schema.key_index(name);
      if (!key.has_value() && !known(stream, {"keys"})) {
        continue;
      }
      if (!key.has_value()) {
        const bool field = stream.schema.field_index(name).has_value();
        mistake(spec_.group_by_line,
                field ? fmt::format("group_by: '{}' is a field; only keys can be grouped by", name)
                      : fmt::format("group_by: unknown key '{}'", name),
                field           ? fmt::format("declare it in keys of stream '{}'", stream.name)
                : names.empty() ? fmt::format("stream '{}' has no keys", stream.name)
                                : suggest(name, names));
      } else if (std::find(query_.group_keys.begin(), query_.group_keys.end(), *key) != query_.group_keys.end()) {
        mistake(spec_.group_by_line, fmt::format("group_by: '{}' is named twice", name));
      } else {
        query_.group_keys.push_back(*key);
        query_.shape.group_keys.push_back(name);
      }
    }
  }

  void expressions(const spec::Stream& stream) {
    ValueGraph row_graph;
    ValueGraph group_graph;
    RowScope rows(stream.schema, spec_, row_graph, query_.key_tests, diagnostics_, what_);
    if (!known(stream, {"keys", "fields"}) || !known(spec_, {"let"})) {
      rows.some_names_are_unread();
    }
    rows.check_all_lets();
    rows.aggregates_are_refused_because("where is asked for each reading", "put it into having");
    query_.where = compile_condition(spec_.where, rows, row_graph, query_.key_tests, site(spec_.where_line, "where"));

    AggregateSet aggregates(query_, rows, row_graph);
    select(aggregates);
    GroupScope groups(query_, rows, aggregates, group_graph);
    for (std::string& alias : wrong_columns_) {
      groups.column_is_wrong(std::move(alias));
    }
    if (wrong_select_ || rows.has_unread_names() || !known(spec_, {"select", "group_by"})) {
      groups.some_names_are_unread();
    }
    query_.having = compile_condition(spec_.having, groups, group_graph, query_.having_key_tests,
                                      site(spec_.having_line, "having"));
  }

  void select(AggregateSet& aggregates) {
    if (spec_.select.empty() && known(spec_, {"select"})) {
      mistake(spec_.select_line, "'select' is missing",
              R"~(name what it computes, as in select = ["count()", "avg(x)"])~");
    }
    for (const std::string& text : spec_.select) {
      const Site entry_site = site(spec_.select_line, fmt::format("select \"{}\"", text));
      try {
        SelectEntry entry = parse_select_entry(text);
        const std::string alias = entry.alias;
        const std::size_t mistakes = diagnostics_.size();
        const Expression& expression = entry.expression;
        const Node& root = expression.nodes.back();
        if (query_.readings) {
          aggregates.select_value(expression, entry.text, entry.alias.empty() ? entry.text : entry.alias, entry_site);
        } else if (root.kind != Node::Kind::call) {
          entry_site.mistake(root.column, "an entry of select must be an aggregate",
                             root.kind == Node::Kind::name ? fmt::format("write avg({0}) or last({0})", root.text)
                                                           : "compute inside of it, as in avg(x * 2)");
        } else if (const auto aggregate = aggregates.resolve(expression, expression.root(), entry_site)) {
          aggregates.select(*aggregate, entry.alias.empty() ? std::move(entry.text) : std::move(entry.alias));
        }
        if (diagnostics_.size() != mistakes) {
          wrong_columns_.push_back(alias);
        } else if (!query_.shape.columns.empty()) {
          batch::ResultColumn& column = query_.shape.columns.back();
          column.plain = alias.empty() ? plain_name(column.name) : column.name;
        }
      } catch (const SyntaxError& error) {
        entry_site.mistake(error);
        wrong_select_ = true;  // whatever it names
      }
    }
  }

  /// The first sink of the query whose rows have an id; empty: none.
  [[nodiscard]] std::string mqtt_sink() const {
    for (const spec::Sink& sink : plan_.spec.sinks) {
      const bool used = std::find(spec_.sinks.begin(), spec_.sinks.end(), sink.name) != spec_.sinks.end();
      if (used && known(sink, {"type"}) && sink.kind == spec::SinkKind::mqtt) return sink.name;
    }
    return {};
  }

  /// The sinks of the query that want plain names.
  void check_plain_names() {
    const std::vector<std::string> used = sinks_of(plan_.spec, spec_);
    for (const spec::Sink& sink : plan_.spec.sinks) {
      if (sink.names == spec::ColumnNames::plain && std::find(used.begin(), used.end(), sink.name) != used.end()) {
        check_plain_names(sink);
        return;  // what clashes at one sink does so at all
      }
    }
  }

  void check_plain_names(const spec::Sink& sink) {
    const auto& keys = query_.shape.group_keys;
    std::unordered_map<std::string_view, std::string_view> seen;  // plain names, and whose they are
    for (const batch::ResultColumn& column : query_.shape.columns) {
      const auto clash = [&](const std::string& other) {
        mistake(spec_.select_line,
                fmt::format("select: with names = \"plain\" of sink '{}', '{}' has the name '{}', as {}", sink.name,
                            column.name, column.plain, other),
                "give the column another name with 'as'");
      };
      const auto [same, is_new] = seen.emplace(column.plain, column.name);
      if (!is_new && same->second != column.name) {
        clash(fmt::format("'{}' has", same->second));
      } else if (column.plain == column.name) {
        continue;  // checked already
      } else if (std::find(keys.begin(), keys.end(), column.plain) != keys.end()) {
        clash("a key has");
      } else if (const std::string other = owner(column.plain); !other.empty()) {
        clash(fmt::format("a member of {} has", other));
      }
    }
  }

  /// What has a member of this name of its own; empty: nothing.
  [[nodiscard]] std::string owner(const std::string& name) const {
    constexpr std::array<std::string_view, 5> kRowMembers{"query", "window_start", "window_end", "revision", "time"};
    if (std::find(kRowMembers.begin(), kRowMembers.end(), name) != kRowMembers.end()) {
      return "every row";
    }
    const std::string with_id = name == "id" ? mqtt_sink() : std::string();
    return with_id.empty() ? std::string() : fmt::format("a row at the mqtt sink '{}'", with_id);
  }

  /// A row is one JSON object: no two of its members may have the same name.
  void check_column_names() {
    for (const std::string& key : query_.shape.group_keys) {
      if (const std::string other = owner(key); !other.empty()) {
        mistake(spec_.group_by_line, fmt::format("group_by: {} has a member '{}' of its own", other, key),
                "give the key another name, with path for its name in the payload");
      }
    }
    const auto& keys = query_.shape.group_keys;
    std::unordered_set<std::string_view> seen;
    for (const batch::ResultColumn& column : query_.shape.columns) {
      const std::string& name = column.name;
      if (!seen.insert(name).second) {
        mistake(spec_.select_line, fmt::format("select: two columns are named '{}'", name),
                "give one another name with 'as'");
      } else if (const std::string other = owner(name);
                 !other.empty() || std::find(keys.begin(), keys.end(), name) != keys.end()) {
        mistake(spec_.select_line,
                fmt::format("select: {} has a member '{}' already", other.empty() ? "every row" : other, name),
                "give the column another name with 'as'");
      }
    }
    check_plain_names();
  }

  const Plan& plan_;
  const spec::Query& spec_;
  Diagnostics& diagnostics_;
  std::string what_;
  QueryPlan query_;
  spec::Stream rows_;                       ///< of the parent
  std::vector<std::string> wrong_columns_;  ///< aliases of entries of select with a mistake
  bool wrong_select_ = false;               ///< an entry of select cannot be parsed
};

}  // namespace

std::vector<std::string> sinks_of(const spec::Pipeline& pipeline, const spec::Query& query) {
  if (!query.sinks.empty()) return query.sinks;
  const bool is_stream = std::any_of(pipeline.streams.begin(), pipeline.streams.end(),
                                     [&](const spec::Stream& stream) { return stream.name == query.name; });
  const bool is_read = !is_stream && std::any_of(pipeline.queries.begin(), pipeline.queries.end(),
                                                 [&](const spec::Query& other) { return other.from == query.name; });
  return is_read ? std::vector<std::string>() : std::vector<std::string>{"console"};
}

QueryPlan compile_query(const Plan& plan, std::size_t index, Diagnostics& diagnostics) {
  return QueryCompiler(plan, index, diagnostics).run();
}

}  // namespace weir::plan
