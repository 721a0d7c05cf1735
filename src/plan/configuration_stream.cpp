#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/decimal.hpp"
#include "core/file_list.hpp"
#include "core/secrets.hpp"
#include "core/spelling.hpp"
#include "plan/configuration_parts.hpp"
#include "plan/table_reader.hpp"

namespace weir::plan {
namespace {

void read_keys(TableReader& stream, Diagnostics& diagnostics, spec::Schema& schema) {
  const Document* keys = stream.take("keys");
  if (keys == nullptr) {
    return;
  }
  if (keys->kind != Document::Kind::array) {
    stream.wrong_type(*keys, "keys", "an array");
    return;
  }
  for (const Document& element : keys->elements) {
    if (element.kind == Document::Kind::string) {
      schema.keys.push_back({element.text, {}});
      continue;
    }
    if (element.kind != Document::Kind::table) {
      diagnostics.add(
          element.line,
          fmt::format("{}: a key must be a string or a table, not {}", stream.what(), kind_name(element.kind)),
          "write \"name\" or { name = \"…\", path = \"…\" }");
      continue;
    }
    spec::Key key;
    TableReader reader(element, stream.what() + ", key", diagnostics);
    if (!reader.string("name", key.name) && reader.find("name") == nullptr) {
      diagnostics.add(element.line, fmt::format("{}: a key without 'name'", stream.what()),
                      "write { name = \"…\", path = \"…\" }");
    }
    reader.string("path", key.path);
    reader.finish();
    schema.keys.push_back(std::move(key));
  }
}

/// `type = "bool"`, or the decimal places of a number.
void read_field_type(TableReader& details, spec::Field& field) {
  constexpr std::pair<std::string_view, bool> kTypes[] = {{"decimal", false}, {"bool", true}};
  details.choice<bool>("type", field.is_switch, kTypes);
  if (field.is_switch) {
    field.places = 0;
    details.foreign("places", "a field of type = \"bool\" is 0 or 1");
  } else {
    details.integer("places", field.places, 0, kMaxPlaces);
  }
}

void read_fields(TableReader& stream, Diagnostics& diagnostics, spec::Schema& schema) {
  const Document* fields = stream.take("fields");
  if (fields == nullptr) {
    return;
  }
  if (fields->kind != Document::Kind::table) {
    diagnostics.add(fields->line,
                    fmt::format("{}: 'fields' must be a table, not {}", stream.what(), kind_name(fields->kind)),
                    "write fields = { name = decimal places }");
    return;
  }
  TableReader reader(*fields, stream.what() + ", fields", diagnostics);
  for (const auto& [name, value] : fields->members) {
    spec::Field field;
    field.name = name;
    if (value.kind == Document::Kind::table) {
      TableReader details(value, fmt::format("{}, field '{}'", stream.what(), name), diagnostics);
      read_field_type(details, field);
      details.string("path", field.path);
      details.boolean("required", field.required);
      details.boolean("strip_unit", field.strip_unit);
      details.finish();
    } else if (value.kind == Document::Kind::string && value.text == "bool") {
      static_cast<void>(reader.take(name));
      field.is_switch = true;
      field.places = 0;
    } else {
      reader.integer(name, field.places, 0, kMaxPlaces);
    }
    schema.fields.push_back(std::move(field));
  }
}

void read_time(TableReader& stream, Diagnostics& diagnostics, spec::Time& time) {
  const Document* entry = stream.take("time");
  if (entry == nullptr) {
    return;
  }
  if (entry->kind == Document::Kind::string) {
    if (entry->text == "arrival") {
      time.arrival = true;
    } else {
      diagnostics.add(entry->line, fmt::format("{}: 'time' cannot be \"{}\"", stream.what(), entry->text),
                      fmt::format("write \"arrival\" or {{ field = \"{}\" }}", entry->text));
    }
    return;
  }
  if (entry->kind != Document::Kind::table) {
    stream.wrong_type(*entry, "time", "\"arrival\" or a table");
    return;
  }
  constexpr std::pair<std::string_view, TimeUnit> kUnits[] = {
      {"auto", TimeUnit::automatic},  {"s", TimeUnit::seconds},      {"ms", TimeUnit::milliseconds},
      {"us", TimeUnit::microseconds}, {"ns", TimeUnit::nanoseconds}, {"rfc3339", TimeUnit::rfc3339}};
  TableReader reader(*entry, stream.what() + ", time", diagnostics);
  std::vector<std::string> fields;
  if (reader.strings("fields", fields)) {
    const int line = reader.line_of("fields");
    if (reader.string("field", time.field)) {
      diagnostics.add(line, fmt::format("{}: 'field' and 'fields' exclude each other", reader.what()),
                      "leave out one of them");
    } else if (fields.empty()) {
      diagnostics.add(line, fmt::format("{}: 'fields' is empty", reader.what()),
                      "name the columns or members that make up the time");
    } else {
      time.field = fields.front();
      time.more_fields.assign(fields.begin() + 1, fields.end());
    }
  } else {
    reader.string("field", time.field);
  }
  const bool has_unit = reader.choice<TimeUnit>("unit", time.unit, kUnits);
  const Document* const format = reader.find("format");
  std::vector<std::string> formats;
  const bool listed = format != nullptr && format->kind == Document::Kind::array && reader.strings("format", formats);
  if (listed && !formats.empty()) {
    time.format = formats.front();
    time.more_formats.assign(formats.begin() + 1, formats.end());
  }
  if (listed || reader.string("format", time.format)) {
    time.unit = TimeUnit::format;
    if (has_unit) {
      diagnostics.add(reader.line_of("unit"), fmt::format("{}: 'unit' and 'format' exclude each other", reader.what()),
                      "leave out one of them");
    }
  }
  reader.string("zone", time.zone);
  constexpr std::pair<std::string_view, Overlap> kOverlaps[] = {
      {"first", Overlap::first}, {"second", Overlap::second}, {"order", Overlap::order}};
  constexpr std::pair<std::string_view, Gap> kGaps[] = {{"before", Gap::before}, {"malformed", Gap::refused}};
  reader.choice<Overlap>("overlap", time.overlap, kOverlaps);
  reader.choice<Gap>("gap", time.gap, kGaps);
  reader.finish();
}

constexpr std::int64_t kMostSkipped = 1'000'000;

void read_character(TableReader& reader, Diagnostics& diagnostics, std::string_view name, char& character) {
  std::string text;
  if (!reader.string(name, text)) {
    return;
  }
  if (text.size() == 1) {
    character = text.front();
  } else if (!text.empty()) {
    diagnostics.add(reader.line_of(name),
                    fmt::format("{}: '{}' must be one character, not \"{}\"", reader.what(), name, text));
  }
}

/// Some write a blank that does not break a line, which is one character of several bytes.
void read_thousands(TableReader& reader, Diagnostics& diagnostics, std::string& thousands) {
  std::string text;
  if (!reader.string("thousands", text)) {
    return;
  }
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; };
  if (std::count_if(text.begin(), text.end(), begins) <= 1) {
    thousands = text;
  } else {
    diagnostics.add(reader.line_of("thousands"),
                    fmt::format("{}: 'thousands' must be one character, not \"{}\"", reader.what(), text));
  }
}

void read_format(TableReader& reader, Diagnostics& diagnostics, spec::Format& format) {
  constexpr std::pair<std::string_view, spec::FormatKind> kFormats[] = {{"json", spec::FormatKind::json},
                                                                        {"csv", spec::FormatKind::csv},
                                                                        {"senml", spec::FormatKind::senml},
                                                                        {"raw", spec::FormatKind::raw},
                                                                        {"line", spec::FormatKind::line}};
  const bool readable = reader.choice<spec::FormatKind>("format", format.kind, kFormats);
  // Where the format itself is misspelt, its options are read too, so that they are not reported as unknown.
  const bool unknown = !readable && reader.find("format") != nullptr;
  const std::string only_csv = "this entry belongs to format = \"csv\"";
  if (format.kind == spec::FormatKind::csv || unknown) {
    reader.strings("columns", format.columns);
    reader.string("separator", format.separator);
    reader.boolean("header", format.header);
    read_character(reader, diagnostics, "comment", format.comment);
    reader.integer("skip", format.skip, 0, kMostSkipped);
    reader.integer("skip_after_header", format.skip_after_header, 0, kMostSkipped);
  } else {
    for (const std::string_view name : {"columns", "separator", "header", "comment", "skip", "skip_after_header"}) {
      reader.foreign(name, only_csv);
    }
  }
  if (format.kind != spec::FormatKind::senml || unknown) {
    read_character(reader, diagnostics, "decimal", format.decimal);
    read_thousands(reader, diagnostics, format.thousands);
  } else {
    for (const std::string_view name : {"decimal", "thousands"}) {
      reader.foreign(name, "SenML writes numbers as JSON does");
    }
  }
  if (format.kind == spec::FormatKind::json || unknown) {
    reader.string("array_path", format.array_path);
  } else {
    reader.foreign("array_path", "this entry belongs to format = \"json\"");
  }
  if (format.kind == spec::FormatKind::line || unknown) {
    reader.strings("measurement", format.measurements);
  } else {
    reader.foreign("measurement", "this entry belongs to format = \"line\"");
  }
}

void read_mqtt(TableReader& reader, Diagnostics& diagnostics, spec::Source& source) {
  reader.string("broker", source.broker);
  reader.strings("topics", source.topics);
  reader.integer("qos", source.qos, 0, 2);
  reader.string("client_id", source.client_id);
  reader.boolean("clean_session", source.clean_session);
  read_mqtt_version(reader, diagnostics, source.mqtt_version);
  reader.string("username", source.username);
  reader.string("password", source.password);
  keep_secret(source.password);
  reader.string("ca_file", source.ca_file);
  reader.string("cert_file", source.cert_file);
  reader.string("key_file", source.key_file);
  reader.duration("keep_alive", source.keep_alive);
  reader.duration("session_expiry", source.session_expiry);
  reader.boolean("retained", source.retained);
  reader.string("persistence_dir", source.persistence_dir);
}

/// `host` and `port`, or both in `address = "host:port"`.
void read_tcp(TableReader& reader, Diagnostics& diagnostics, spec::Source& source) {
  reader.string("host", source.host);
  reader.integer("port", source.port, 1, 65535);
  std::string address;
  if (!reader.string("address", address)) {
    return;
  }
  const int line = reader.line_of("address");
  if (!source.host.empty() || source.port != 0) {
    reader.unreadable("address");
    diagnostics.add(line, fmt::format("{}: 'address' and 'host', 'port' exclude each other", reader.what()),
                    "leave out one of them");
    return;
  }
  const std::size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? std::string() : address.substr(colon + 1);
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);  // an IPv6 address
  }
  const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  const int number = digits ? std::stoi(port) : 0;
  if (host.empty() || number < 1 || number > 65535) {
    reader.unreadable("address");
    diagnostics.add(line, fmt::format("{}: 'address' = \"{}\" is no host and port", reader.what(), address),
                    "write \"host:port\", as in \"localhost:9999\"");
    return;
  }
  source.host = host;
  source.port = number;
}

void read_simulator(TableReader& reader, spec::Simulator& simulator) {
  constexpr std::int64_t kMost64 = std::numeric_limits<std::int64_t>::max();
  reader.integer("seed", simulator.seed, 0, kMost64);
  reader.integer("sensors", simulator.sensors, 1, std::numeric_limits<std::int32_t>::max());
  reader.real("rate_per_s", simulator.rate_per_s, 1e-6, 1e9);
  reader.integer("count", simulator.count, 0, kMost64);
  reader.duration("duration", simulator.duration);
  reader.string("start", simulator.start);
  reader.duration("disorder", simulator.disorder);
  reader.real("gap_probability", simulator.gap_probability, 0.0, 1.0);
  reader.real("duplicate_probability", simulator.duplicate_probability, 0.0, 1.0);
  reader.real("malformed_probability", simulator.malformed_probability, 0.0, 1.0);
  reader.boolean("realtime", simulator.realtime);
}

// Places in the table of what is remembered are numbered with 32 bits.
constexpr std::int64_t kMostRemembered = std::int64_t{1} << 30U;
constexpr std::int64_t kLongestKey = 65'536;

struct ForeignEntry {
  spec::SourceKind kind;
  std::string_view type;
  std::vector<std::string_view> names;
};

/// One path is that of a file or a pipe; several, or a glob, are a list.
void read_paths(TableReader& reader, spec::Source& source) {
  std::vector<std::string> paths;
  if (!reader.strings("path", paths)) {
    return;
  }
  if (paths.size() == 1 && !is_glob(paths.front())) {
    source.path = paths.front();
  } else {
    source.paths = std::move(paths);
  }
}

void read_encoding(TableReader& reader, spec::Source& source) {
  using enum spec::TextEncoding;
  constexpr std::pair<std::string_view, spec::TextEncoding> kEncodings[] = {
      {"auto", automatic},   {"utf-8", utf8},    {"utf-16le", utf16le},
      {"utf-16be", utf16be}, {"latin1", latin1}, {"windows-1252", latin1}};
  if (source.kind == spec::SourceKind::file || source.kind == spec::SourceKind::directory ||
      source.kind == spec::SourceKind::standard_input) {
    reader.choice<spec::TextEncoding>("encoding", source.encoding, kEncodings);
  } else {
    reader.foreign("encoding", "this entry belongs to type = \"file\", \"directory\" or \"stdin\": messages are UTF-8");
  }
}

/// What an entry of another source's type is told.
void explain_foreign_entries(TableReader& reader, spec::SourceKind kind) {
  static const ForeignEntry kEntries[] = {
      {spec::SourceKind::mqtt,
       "mqtt",
       {"broker", "topics", "qos", "client_id", "clean_session", "mqtt_version", "username", "password", "ca_file",
        "cert_file", "key_file", "keep_alive", "session_expiry", "retained", "persistence_dir"}},
      {spec::SourceKind::directory, "directory", {"pattern", "poll", "settle", "growing", "follow_links"}},
      {spec::SourceKind::tcp, "tcp", {"host", "port", "address"}},
      {spec::SourceKind::simulator,
       "simulator",
       {"seed", "sensors", "rate_per_s", "count", "duration", "start", "disorder", "gap_probability",
        "duplicate_probability", "malformed_probability", "realtime"}}};
  for (const ForeignEntry& entry : kEntries) {
    if (entry.kind != kind) {
      for (const std::string_view name : entry.names) {
        reader.foreign(name, fmt::format("this entry belongs to type = \"{}\"", entry.type));
      }
    }
  }
  if (kind != spec::SourceKind::file && kind != spec::SourceKind::directory) {
    reader.foreign("path", "this entry belongs to type = \"file\" or \"directory\"");
  }
}

}  // namespace

void read_mqtt_version(TableReader& reader, Diagnostics& diagnostics, int& version) {
  const Document* entry = reader.take("mqtt_version");
  if (entry == nullptr) {
    return;
  }
  if (entry->kind == Document::Kind::integer && (entry->integer == 4 || entry->integer == 5)) {
    version = static_cast<int>(entry->integer);
  } else if (entry->kind == Document::Kind::string && (entry->text == "3.1.1" || entry->text == "4")) {
    version = 4;
  } else if (entry->kind == Document::Kind::string && (entry->text == "5" || entry->text == "5.0")) {
    version = 5;
  } else {
    diagnostics.add(entry->line, fmt::format("{}: 'mqtt_version' is none that is spoken here", reader.what()),
                    "write \"3.1.1\" or \"5\"");
  }
}

spec::Source read_source(const std::string& what, const Document& table, Diagnostics& diagnostics) {
  constexpr std::pair<std::string_view, spec::SourceKind> kKinds[] = {{"mqtt", spec::SourceKind::mqtt},
                                                                      {"file", spec::SourceKind::file},
                                                                      {"directory", spec::SourceKind::directory},
                                                                      {"stdin", spec::SourceKind::standard_input},
                                                                      {"tcp", spec::SourceKind::tcp},
                                                                      {"simulator", spec::SourceKind::simulator}};
  constexpr std::pair<std::string_view, bool> kGrowing[] = {{"refuse", false}, {"follow", true}};
  spec::Source source;
  source.line = table.line;
  source.unread = {"type"};
  TableReader reader(table, what, diagnostics);
  if (!reader.choice<spec::SourceKind>("type", source.kind, kKinds)) {
    if (reader.find("type") == nullptr) {
      diagnostics.add(table.line, fmt::format("{}: 'type' is missing", what),
                      "one of: mqtt, file, directory, stdin, tcp, simulator");
    }
    // Without its type nothing can be said about the other entries.
    return source;
  }
  read_format(reader, diagnostics, source.format);
  switch (source.kind) {
    case spec::SourceKind::mqtt:
      read_mqtt(reader, diagnostics, source);
      break;
    case spec::SourceKind::file:
      read_paths(reader, source);
      break;
    case spec::SourceKind::directory:
      reader.string("path", source.path);
      reader.string("pattern", source.pattern);
      reader.duration("poll", source.poll);
      reader.duration("settle", source.settle);
      reader.choice<bool>("growing", source.follow_growing, kGrowing);
      reader.boolean("follow_links", source.follow_links);
      break;
    case spec::SourceKind::tcp:
      read_tcp(reader, diagnostics, source);
      break;
    case spec::SourceKind::simulator:
      read_simulator(reader, source.simulator);
      break;
    case spec::SourceKind::standard_input:
    case spec::SourceKind::custom:
      break;
  }
  read_encoding(reader, source);
  explain_foreign_entries(reader, source.kind);
  reader.finish();
  source.unread = std::move(reader).unread();
  return source;
}

spec::Stream read_stream(const std::string& name, const Document& table, Diagnostics& diagnostics) {
  spec::Stream stream;
  stream.name = name;
  stream.line = table.line;
  TableReader reader(table, fmt::format("stream '{}'", name), diagnostics);

  const Document* one = reader.find("source");
  const Document* several = reader.find("sources");
  if (one != nullptr && several != nullptr) {
    diagnostics.add(several->line, fmt::format("{}: 'source' and 'sources' exclude each other", reader.what()),
                    "put all into sources = [{ … }, { … }]");
    reader.unreadable("sources");
  } else if (one != nullptr) {
    if (one->kind == Document::Kind::table) {
      stream.sources.push_back(read_source(reader.what() + ", source", *one, diagnostics));
    } else {
      reader.wrong_type(*one, "source", "a table");
    }
  } else if (several != nullptr) {
    if (several->kind != Document::Kind::array) {
      reader.wrong_type(*several, "sources", "an array of tables");
    } else {
      for (const Document& element : several->elements) {
        const std::string what = fmt::format("{}, source {}", reader.what(), stream.sources.size() + 1);
        if (element.kind == Document::Kind::table) {
          stream.sources.push_back(read_source(what, element, diagnostics));
        } else {
          diagnostics.add(element.line, fmt::format("{} must be a table, not {}", what, kind_name(element.kind)));
          reader.unreadable("sources");
        }
      }
    }
  }

  const auto read = [&](std::string_view entry, auto function, auto& part) {
    const std::size_t mistakes = diagnostics.size();
    function(reader, diagnostics, part);
    if (diagnostics.size() != mistakes) {
      reader.unreadable(entry);
    }
  };
  read("time", read_time, stream.time);
  read("keys", read_keys, stream.schema);
  read("fields", read_fields, stream.schema);
  reader.strings("missing", stream.missing);
  reader.boolean("lenient", stream.lenient);
  reader.strings("true", stream.true_words);
  reader.strings("false", stream.false_words);
  reader.duration("out_of_order", stream.out_of_order);
  reader.duration("idle_timeout", stream.idle_timeout);
  reader.duration("max_ahead", stream.max_ahead);
  reader.boolean("dedupe", stream.dedupe);
  reader.string("sequence", stream.sequence);
  reader.integer("max_remembered", stream.max_remembered, 1, kMostRemembered);
  reader.integer("max_keys", stream.max_keys, 1, std::numeric_limits<std::int32_t>::max());
  reader.duration("key_ttl", stream.key_ttl);
  reader.integer("max_key_bytes", stream.max_key_bytes, 1, kLongestKey);
  reader.finish();
  stream.unread = std::move(reader).unread();
  return stream;
}

}  // namespace weir::plan
