#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "plan/aggregate.hpp"
#include "plan/disassembly.hpp"
#include "plan/plan.hpp"

namespace weir::plan {
namespace {

std::string text(std::int64_t ns) {
  return to_string(Duration(ns));
}

std::string join(const std::vector<std::string>& parts) {
  std::string result;
  for (const std::string& part : parts) {
    result += (result.empty() ? "" : ", ") + part;
  }
  return result;
}

std::string_view format_name(spec::FormatKind kind) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"json", "csv", "senml", "raw", "line"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string source_text(const spec::Source& source) {
  const std::string_view format = format_name(source.format.kind);
  switch (source.kind) {
    case spec::SourceKind::mqtt:
      return fmt::format("mqtt {} topics {} (qos {}, MQTT {}), {}", source.broker, join(source.topics), source.qos,
                         source.mqtt_version == 4 ? "3.1.1" : "5", format);
    case spec::SourceKind::file:
      return fmt::format("file {}, {}", source.paths.empty() ? source.path : join(source.paths), format);
    case spec::SourceKind::directory:
      return fmt::format("directory {}/{} every {}, {}", source.path, source.pattern, to_string(source.poll), format);
    case spec::SourceKind::standard_input:
      return fmt::format("standard input, {}", format);
    case spec::SourceKind::tcp:
      return fmt::format("tcp {}:{}, {}", source.host, source.port, format);
    case spec::SourceKind::simulator:
      return fmt::format("simulator seed {}, {} sensors, {} readings/s, {}", source.simulator.seed,
                         source.simulator.sensors, source.simulator.rate_per_s, format);
    case spec::SourceKind::custom:
      return fmt::format("custom receiver, {}", format);
  }
  return {};
}

std::string time_text(const spec::Time& time) {
  if (time.arrival) {
    return "arrival";
  }
  constexpr std::array<std::string_view, 7> kUnits{"auto", "s", "ms", "us", "ns", "rfc3339", "format"};
  std::string result = time.field.empty() ? std::string("the record's own") : "field " + time.field;
  for (const std::string& field : time.more_fields) {
    result += " + " + field;
  }
  result +=
      fmt::format(", {}", time.unit == TimeUnit::format ? "\"" + time.format + "\""
                                                        : std::string(kUnits[static_cast<std::size_t>(time.unit)]));
  for (const std::string& format : time.more_formats) {
    result += " or \"" + format + "\"";
  }
  if (time.zone != "UTC") {
    result += ", zone " + time.zone;
  }
  constexpr std::array<std::string_view, 3> kOverlaps{"", ", an hour that comes twice is the second",
                                                      ", an hour that comes twice is told by the order"};
  result += kOverlaps[static_cast<std::size_t>(time.overlap)];
  result += time.gap == Gap::refused ? ", one that is left out is malformed" : "";
  return result;
}

std::string sink_text(const spec::Sink& sink) {
  const std::string format = fmt::format("{}{}", sink.format == spec::RowFormat::csv ? "csv" : "jsonl",
                                         sink.names == spec::ColumnNames::plain ? ", plain names" : "");
  switch (sink.kind) {
    case spec::SinkKind::console:
      return sink.rows == 0 ? fmt::format("{} (all rows)", sink.name)
                            : fmt::format("{} ({} rows)", sink.name, sink.rows);
    case spec::SinkKind::file:
      return sink.to_standard_output() ? fmt::format("{} (standard output, {})", sink.name, format)
                                       : fmt::format("{} (file {}, {})", sink.name, sink.path, format);
    case spec::SinkKind::mqtt:
      return fmt::format("{} (mqtt {} topic {}, {})", sink.name, sink.broker, sink.topic, format);
    case spec::SinkKind::callback:
      return sink.name + " (callback)";
  }
  return sink.name;
}

std::string parts_text(std::uint16_t parts) {
  constexpr std::array<std::string_view, 7> kNames{"count", "sum", "squares", "minmax", "first", "last", "quantile"};
  std::vector<std::string> names;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((parts & (1U << bit)) != 0) {
      names.emplace_back(kNames[bit]);
    }
  }
  return names.empty() ? "count of readings" : join(names);
}

std::string type_text(const batch::ResultColumn& column) {
  switch (column.type) {
    case batch::ValueType::count:
      return "count";
    case batch::ValueType::decimal:
      return fmt::format("decimal({})", column.places);
    case batch::ValueType::real:
      return "double";
  }
  return {};
}

std::string aggregate_text(const Aggregate& aggregate, const spec::Schema& schema) {
  std::string inside;
  if (aggregate.kind == AggregateKind::distinct) {
    inside = schema.keys[static_cast<std::size_t>(aggregate.key)].name;
  } else if (aggregate.argument >= 0) {
    inside = fmt::format("argument {}", aggregate.argument);
  }
  if (aggregate.kind == AggregateKind::quantile) {
    inside += fmt::format(", {}", aggregate.quantile);
  }
  return fmt::format("{}({})", aggregate_name(aggregate.kind), inside);
}

class Explanation {
 public:
  explicit Explanation(const Plan& plan) : plan_(plan) {}

  std::string run() {
    for (const StreamPlan& stream : plan_.streams) {
      explain(stream);
    }
    for (const QueryPlan& query : plan_.queries) {
      explain(query);
    }
    return std::move(out_);
  }

 private:
  void line(std::string_view name, const std::string& value) { out_ += fmt::format("  {:<11} {}\n", name, value); }

  void explain(const StreamPlan& stream) {
    const spec::Stream& spec = stream.spec;
    out_ += fmt::format("stream {}{}\n", spec.name, stream.queries.empty() ? " (no query reads it)" : "");
    for (const spec::Source& source : spec.sources) {
      line("source", source_text(source));
    }
    line("time", time_text(spec.time));
    std::vector<std::string> keys;
    for (const spec::Key& key : spec.schema.keys) {
      keys.push_back(key.path.empty() ? key.name : fmt::format("{} at {}", key.name, key.path));
    }
    line("keys", keys.empty() ? "none"
                              : fmt::format("{} (at most {}{})", join(keys), spec.max_keys,
                                            spec.key_ttl.count() > 0 ? "; when all are taken, those silent for " +
                                                                           to_string(spec.key_ttl) + " are released"
                                                                     : std::string()));
    std::vector<std::string> fields;
    for (const spec::Field& field : spec.schema.fields) {
      const std::string type = field.is_switch ? std::string("bool") : fmt::format("decimal({})", field.places);
      fields.push_back(fmt::format("{} {}{}{}", field.name, type, field.path.empty() ? "" : " at " + field.path,
                                   field.required ? " required" : ""));
    }
    line("fields", fields.empty() ? "none" : join(fields));
    line("watermark",
         fmt::format("largest event time - {}{}", to_string(spec.out_of_order),
                     spec.idle_timeout.count() == 0 ? std::string(", a silent source is waited for")
                                                    : fmt::format(", idle after {}", to_string(spec.idle_timeout))));
    if (spec.dedupe) {
      line("dedupe", "by keys and " + (spec.sequence.empty() ? std::string("event time") : spec.sequence));
    }
    out_ += '\n';
  }

  void intervals(const QueryPlan& query) {
    if (query.per_batch) {
      line("window", fmt::format("none: each batch interval of {} by itself", text(query.window_ns)));
      return;
    }
    line("window",
         fmt::format("{} every {}, {} pane{} of {}", text(query.window_ns), text(query.slide_ns),
                     query.panes_per_window(), query.panes_per_window() == 1 ? "" : "s", text(query.pane_ns)));
    if (query.slide_ns > query.window_ns) {
      line("", fmt::format("readings in the gaps of {} are filtered", text(query.slide_ns - query.window_ns)));
    }
    if (query.allowed_lateness_ns > 0) {
      line("lateness", fmt::format("{}: rows that change are emitted again", text(query.allowed_lateness_ns)));
    }
  }

  void arguments(const QueryPlan& query, const Disassembly& names) {
    for (std::size_t i = 0; i < query.arguments.size(); ++i) {
      const Argument& argument = query.arguments[i];
      line(fmt::format("argument {}", i),
           fmt::format("{}: decimal({}){}{}", argument.text, argument.places, argument.nullable ? "" : " never null",
                       query.readings ? std::string() : ", keeps " + parts_text(argument.parts)));
      if (argument.field < 0) {
        out_ += disassemble(argument.program, names);
      }
    }
  }

  void columns(const QueryPlan& query, const spec::Schema& schema) {
    const auto column = [&](std::size_t i) -> const batch::ResultColumn& {
      const std::size_t selected = query.shape.columns.size();
      return i < selected ? query.shape.columns[i] : query.hidden_columns[i - selected];
    };
    for (std::size_t i = 0; i < query.columns.size(); ++i) {
      line("select", fmt::format("{}: {} = argument {}", column(i).name, type_text(column(i)), query.columns[i]));
    }
    for (std::size_t i = 0; i < query.aggregates.size(); ++i) {
      line(i < query.shape.columns.size() ? "select" : "for having",
           fmt::format("{}: {} = {}", column(i).name, type_text(column(i)),
                       aggregate_text(query.aggregates[i], schema)));
    }
    if (query.having.empty()) {
      return;
    }
    line("having", query.spec.having);
    const auto key_name = [&](std::size_t key) { return query.shape.group_keys[key]; };
    out_ += disassemble(query.having,
                        {"    ", [&](std::size_t i) { return column(i).name; },
                         [&](std::size_t test) { return key_test_text(query.having_key_tests[test], key_name); }});
  }

  void explain(const QueryPlan& query) {
    const spec::Schema& schema = query.input.schema;
    out_ += fmt::format("query {} from {}{}\n", query.spec.name, query.parent ? "query " : "", query.input.name);
    if (query.readings) {
      line("rows",
           fmt::format("every {}{}, {}", query.parent ? "row" : "reading", query.where.empty() ? "" : " that passes",
                       query.row_window_ns == 0 ? "at its own time" : "of its own window"));
      line("keys", query.group_keys.empty() ? "none" : join(query.shape.group_keys));
    } else {
      intervals(query);
      line("group by", query.group_keys.empty()
                           ? std::string("nothing: one group")
                           : fmt::format("{} (at most {} groups)", join(query.shape.group_keys), query.max_groups));
    }
    const Disassembly rows{"    ", [&](std::size_t field) { return schema.fields[field].name; },
                           [&](std::size_t test) {
                             return key_test_text(query.key_tests[test],
                                                  [&](std::size_t key) { return schema.keys[key].name; });
                           }};
    if (!query.where.empty()) {
      line("where", query.spec.where);
      out_ += disassemble(query.where, rows);
    }
    arguments(query, rows);
    columns(query, schema);
    if (query.spec.emit_empty && query.group_keys.empty()) {
      line("emit_empty", "a window without readings gives a row too");
    }
    std::vector<std::string> sinks;
    for (const std::size_t sink : query.sinks) {
      sinks.push_back(sink_text(plan_.spec.sinks[sink]));
    }
    for (const std::size_t reader : query.readers) {
      sinks.push_back(fmt::format("query {}", plan_.queries[reader].spec.name));
    }
    line("sinks", join(sinks));
    out_ += '\n';
  }

  const Plan& plan_;
  std::string out_;
};

}  // namespace

std::string explain(const Plan& plan) {
  return Explanation(plan).run();
}

}  // namespace weir::plan
