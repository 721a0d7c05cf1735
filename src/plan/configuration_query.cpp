#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

#include "core/decimal.hpp"
#include "core/secrets.hpp"
#include "core/spelling.hpp"
#include "plan/configuration_parts.hpp"
#include "plan/output_format.hpp"
#include "plan/table_reader.hpp"

namespace weir::plan {
namespace {

void read_lets(TableReader& query, Diagnostics& diagnostics, std::vector<spec::Let>& lets) {
  const Document* entry = query.take("let");
  if (entry == nullptr) {
    return;
  }
  if (entry->kind != Document::Kind::table) {
    query.unreadable("let");
    diagnostics.add(entry->line, fmt::format("{}: 'let' must be a table, not {}", query.what(), kind_name(entry->kind)),
                    "write let = { name = \"expression\" }");
    return;
  }
  const std::size_t mistakes = diagnostics.size();
  for (const auto& [name, value] : entry->members) {
    spec::Let let;
    let.name = name;
    let.line = value.line;
    if (value.kind == Document::Kind::string) {
      let.expression = value.text;
    } else if (value.kind == Document::Kind::table) {
      TableReader details(value, fmt::format("{}, let '{}'", query.what(), name), diagnostics);
      details.string("expr", let.expression);
      details.integer("places", let.places, 0, kMaxPlaces);
      details.finish();
    } else {
      diagnostics.add(value.line,
                      fmt::format("{}: let '{}' must be a string, not {}", query.what(), name, kind_name(value.kind)),
                      "write the expression in quotes");
      continue;
    }
    lets.push_back(std::move(let));
  }
  if (diagnostics.size() != mistakes) {
    query.unreadable("let");
  }
}

/// Zero stands for "not given" in the specification, so a zero that was given is refused here.
void read_interval(TableReader& query, Diagnostics& diagnostics, std::string_view name, Duration& out,
                   const std::string& suggestion) {
  if (query.duration(name, out) && out.count() == 0) {
    query.unreadable(name);
    diagnostics.add(query.line_of(name), fmt::format("{}: '{}' must be longer than 0s", query.what(), name),
                    suggestion);
  }
}

/// A file's mode, "0640".
void read_mode(TableReader& reader, Diagnostics& diagnostics, unsigned& mode) {
  std::string text;
  if (!reader.string("mode", text)) {
    return;
  }
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, value, 8);
  // A restart goes on in the file, so its owner has to be able to.
  if (error != std::errc() || read != end || text.size() < 3 || value > 0777 || (value & 0600) != 0600) {
    diagnostics.add(
        reader.line_of("mode"),
        fmt::format("{}: mode '{}' is no mode of a file that its owner reads and writes", reader.what(), text),
        "three octal digits, e.g. \"0640\"");
    return;
  }
  mode = value;
}

void take_format_of_path(TableReader& reader, Diagnostics& diagnostics, spec::Sink& sink) {
  if (const std::optional<spec::RowFormat> format = format_of_path(sink.path)) {
    sink.format = *format;
    return;
  }
  reader.unreadable("format");
  diagnostics.add(
      reader.line_of("path"),
      fmt::format("{}: 'path' = \"{}\" ends as a file of a format that cannot be written", reader.what(), sink.path),
      std::string(kWritableFormats));
}

}  // namespace

spec::Query read_query(const Document& table, Diagnostics& diagnostics) {
  spec::Query query;
  query.line = table.line;
  std::string what = "query";
  for (const auto& [key, value] : table.members) {
    if (key == "name" && value.kind == Document::Kind::string) {
      what = fmt::format("query '{}'", value.text);
    }
  }
  TableReader reader(table, what, diagnostics);
  reader.string("name", query.name);
  reader.string("from", query.from);
  reader.string("where", query.where);
  read_lets(reader, diagnostics, query.let);
  reader.strings("group_by", query.group_by);
  reader.strings("select", query.select);
  read_interval(reader, diagnostics, "window", query.window, "leave it out to evaluate the query per batch interval");
  read_interval(reader, diagnostics, "slide", query.slide, "leave it out to slide by the window");
  reader.duration("allowed_lateness", query.allowed_lateness);
  reader.string("having", query.having);
  reader.boolean("emit_empty", query.emit_empty);
  reader.integer("max_groups", query.max_groups, 1, std::numeric_limits<std::int32_t>::max());
  reader.strings("sinks", query.sinks);
  reader.finish();
  query.where_line = reader.line_of("where");
  query.having_line = reader.line_of("having");
  query.select_line = reader.line_of("select");
  query.group_by_line = reader.line_of("group_by");
  query.window_line = reader.line_of("window");
  query.slide_line = reader.line_of("slide");
  query.sinks_line = reader.line_of("sinks");
  query.unread = std::move(reader).unread();
  return query;
}

spec::Sink read_sink(const Document& table, Diagnostics& diagnostics) {
  constexpr std::pair<std::string_view, spec::SinkKind> kKinds[] = {
      {"console", spec::SinkKind::console}, {"file", spec::SinkKind::file}, {"mqtt", spec::SinkKind::mqtt}};
  constexpr std::pair<std::string_view, spec::RowFormat> kFormats[] = {{"jsonl", spec::RowFormat::jsonl},
                                                                       {"csv", spec::RowFormat::csv}};
  constexpr std::pair<std::string_view, spec::ColumnNames> kNames[] = {{"verbatim", spec::ColumnNames::verbatim},
                                                                       {"plain", spec::ColumnNames::plain}};
  spec::Sink sink;
  sink.line = table.line;
  std::string what = "sink";
  for (const auto& [key, value] : table.members) {
    if (key == "name" && value.kind == Document::Kind::string) {
      what = fmt::format("sink '{}'", value.text);
    }
  }
  TableReader reader(table, what, diagnostics);
  reader.string("name", sink.name);
  if (!reader.choice<spec::SinkKind>("type", sink.kind, kKinds)) {
    if (reader.find("type") == nullptr) {
      diagnostics.add(table.line, fmt::format("{}: 'type' is missing", what), "one of: console, file, mqtt");
    }
    sink.unread = {"type"};
    return sink;
  }
  if (sink.kind == spec::SinkKind::console) {
    reader.integer("rows", sink.rows, 0, std::numeric_limits<std::int32_t>::max());
  } else {
    reader.foreign("rows", "this entry belongs to type = \"console\"");
  }
  reader.choice<spec::ColumnNames>("names", sink.names, kNames);
  if (sink.kind == spec::SinkKind::file) {
    reader.string("path", sink.path);
    reader.boolean("append", sink.append);
    reader.bytes("rotate_bytes", sink.rotate_bytes);
    reader.duration("rotate_every", sink.rotate_every);
    read_mode(reader, diagnostics, sink.mode);
  } else {
    for (const std::string_view name : {"path", "append", "rotate_bytes", "rotate_every", "mode"}) {
      reader.foreign(name, "this entry belongs to type = \"file\"");
    }
  }
  if (sink.kind == spec::SinkKind::file || sink.kind == spec::SinkKind::mqtt) {
    reader.choice<spec::RowFormat>("format", sink.format, kFormats);
  }
  if (sink.kind == spec::SinkKind::file && reader.find("format") == nullptr) {
    take_format_of_path(reader, diagnostics, sink);
  }
  if (sink.kind == spec::SinkKind::mqtt) {
    reader.string("broker", sink.broker);
    reader.string("topic", sink.topic);
    reader.string("username", sink.username);
    reader.string("password", sink.password);
    keep_secret(sink.password);
    reader.string("client_id", sink.client_id);
    reader.string("ca_file", sink.ca_file);
    reader.string("cert_file", sink.cert_file);
    reader.string("key_file", sink.key_file);
    reader.integer("qos", sink.qos, 0, 2);
    read_mqtt_version(reader, diagnostics, sink.mqtt_version);
    reader.boolean("retain", sink.retain);
  } else {
    for (const std::string_view name : {"broker", "topic", "username", "password", "client_id", "ca_file", "cert_file",
                                        "key_file", "qos", "mqtt_version", "retain"}) {
      reader.foreign(name, "this entry belongs to type = \"mqtt\"");
    }
  }
  reader.finish();
  sink.unread = std::move(reader).unread();
  return sink;
}

}  // namespace weir::plan
