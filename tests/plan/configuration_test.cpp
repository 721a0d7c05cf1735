// Every entry of a configuration arrives in the specification.
#include "plan/configuration.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using namespace std::chrono_literals;

spec::Pipeline read(const std::string& toml) {
  return plan::parse_configuration(toml, "c.toml");
}

spec::Stream read_stream(const std::string& entries) {
  return read("[streams.s]\n" + entries).streams.at(0);
}

/// The entries of an inline table must stand on one line.
spec::Source read_source(std::string entries) {
  std::replace(entries.begin(), entries.end(), '\n', ' ');
  return read_stream("source = {" + entries + "}").sources.at(0);
}

TEST(Configuration, EmptyTextGivesTheDefaults) {
  const spec::Pipeline pipeline = read("");
  const spec::Pipeline defaults;
  EXPECT_EQ(pipeline.file, "c.toml");
  EXPECT_EQ(pipeline.batch_interval, defaults.batch_interval);
  EXPECT_TRUE(pipeline.streams.empty() && pipeline.queries.empty() && pipeline.sinks.empty());
}

TEST(Configuration, PipelineEntriesAreRead) {
  const spec::Pipeline pipeline = read(R"(
    [pipeline]
    batch_interval = "250ms"
    state_dir = "state"
    checkpoint_interval = "1m30s"
    journal_sync = "always"
    device = "cuda:1"
    threads = 3
    journal_memory = "2MiB"
    memory_limit = 1000000
    batch_rows = 77
    dead_letter = "dead.jsonl"
    dead_letter_limit = 5
    dead_letter_bytes = "1MiB"
  )");
  EXPECT_EQ(pipeline.batch_interval, 250ms);
  EXPECT_EQ(pipeline.state_dir, "state");
  EXPECT_EQ(pipeline.checkpoint_interval, 90s);
  EXPECT_EQ(pipeline.journal_sync, spec::JournalSync::always);
  EXPECT_EQ(pipeline.device, "cuda:1");
  EXPECT_EQ(pipeline.threads, 3U);
  EXPECT_EQ(pipeline.journal_memory, 2U << 20U);
  EXPECT_EQ(pipeline.memory_limit, 1'000'000U);
  EXPECT_EQ(pipeline.batch_rows, 77U);
  EXPECT_EQ(pipeline.dead_letter, "dead.jsonl");
  EXPECT_EQ(pipeline.dead_letter_limit, 5U);
  EXPECT_EQ(pipeline.dead_letter_bytes, 1U << 20U);
}

TEST(Configuration, StreamEntriesAreRead) {
  const spec::Stream stream = read_stream(R"(
    source = { type = "stdin" }
    time = { field = "/meta/t", format = "%d.%m.%Y %H:%M:%S", zone = "Europe/Berlin" }
    keys = ["machine", { name = "line", path = "/meta/line" }]
    fields = { zeta = 0, alpha = { places = 18, path = "/a", required = true }, mid = {} }
    out_of_order = "2s"
    idle_timeout = "30s"
    max_ahead = "5m"
    dedupe = true
    sequence = "zeta"
    max_keys = 12
  )");
  EXPECT_EQ(stream.line, 1);
  ASSERT_EQ(stream.sources.size(), 1U);
  EXPECT_EQ(stream.sources[0].kind, spec::SourceKind::standard_input);
  EXPECT_EQ(stream.time.field, "/meta/t");
  EXPECT_EQ(stream.time.unit, TimeUnit::format);
  EXPECT_EQ(stream.time.format, "%d.%m.%Y %H:%M:%S");
  EXPECT_EQ(stream.time.zone, "Europe/Berlin");
  ASSERT_EQ(stream.schema.keys.size(), 2U);
  EXPECT_EQ(stream.schema.keys[0].name, "machine");
  EXPECT_EQ(stream.schema.keys[1].path, "/meta/line");
  ASSERT_EQ(stream.schema.fields.size(), 3U) << "in the order in which they are written";
  EXPECT_EQ(stream.schema.fields[0].name, "zeta");
  EXPECT_EQ(stream.schema.fields[0].places, 0);
  EXPECT_EQ(stream.schema.fields[1].name, "alpha");
  EXPECT_EQ(stream.schema.fields[1].places, 18);
  EXPECT_EQ(stream.schema.fields[1].path, "/a");
  EXPECT_TRUE(stream.schema.fields[1].required);
  EXPECT_EQ(stream.schema.fields[2].places, 6);
  EXPECT_EQ(stream.out_of_order, 2s);
  EXPECT_EQ(stream.idle_timeout, 30s);
  EXPECT_EQ(stream.max_ahead, 5min);
  EXPECT_TRUE(stream.dedupe);
  EXPECT_EQ(stream.sequence, "zeta");
  EXPECT_EQ(stream.max_keys, 12U);
}

TEST(Configuration, HowValuesAreWrittenIsRead) {
  const spec::Stream stream = read_stream(R"(
    source = { type = "stdin", format = "csv", decimal = ",", thousands = "\u202f", skip = 2, skip_after_header = 1 }
    time = { fields = ["day", "hour"], format = ["%F %H", "%F %T"], zone = "Europe/Berlin", overlap = "order", gap = "malformed" }
    fields = { valve = "bool", door = { type = "bool", path = "d" }, t = { places = 1, strip_unit = true } }
    missing = ["NA", ""]
    lenient = true
    true = ["ON"]
    false = ["OFF", "closed"]
    key_ttl = "30d"
  )");
  const spec::Format& format = stream.sources.at(0).format;
  EXPECT_EQ(format.decimal, ',');
  EXPECT_EQ(format.thousands, "\xE2\x80\xAF");
  EXPECT_EQ(format.skip, 2U);
  EXPECT_EQ(format.skip_after_header, 1U);
  EXPECT_EQ(stream.time.field, "day");
  EXPECT_EQ(stream.time.more_fields, std::vector<std::string>{"hour"});
  EXPECT_EQ(stream.time.unit, TimeUnit::format);
  EXPECT_EQ(stream.time.form().formats, (std::vector<std::string>{"%F %H", "%F %T"}));
  EXPECT_EQ(stream.time.overlap, Overlap::order);
  EXPECT_EQ(stream.time.gap, Gap::refused);
  ASSERT_EQ(stream.schema.fields.size(), 3U);
  EXPECT_TRUE(stream.schema.fields[0].is_switch);
  EXPECT_EQ(stream.schema.fields[0].places, 0);
  EXPECT_TRUE(stream.schema.fields[1].is_switch);
  EXPECT_EQ(stream.schema.fields[1].path, "d");
  EXPECT_TRUE(stream.schema.fields[2].strip_unit);
  EXPECT_FALSE(stream.schema.fields[2].is_switch);
  EXPECT_EQ(stream.missing, (std::vector<std::string>{"NA", ""}));
  EXPECT_TRUE(stream.lenient);
  EXPECT_EQ(stream.true_words, std::vector<std::string>{"ON"});
  EXPECT_EQ(stream.false_words, (std::vector<std::string>{"OFF", "closed"}));
  EXPECT_EQ(stream.key_ttl, std::chrono::hours(24 * 30));
}

TEST(Configuration, StreamsAndQueriesKeepTheirOrder) {
  const spec::Pipeline pipeline =
      read("[streams.z]\n[streams.a]\n[streams.m]\n[[query]]\nname='y'\n[[query]]\nname='b'\n");
  ASSERT_EQ(pipeline.streams.size(), 3U);
  EXPECT_EQ(pipeline.streams[0].name, "z");
  EXPECT_EQ(pipeline.streams[1].name, "a");
  EXPECT_EQ(pipeline.streams[2].name, "m");
  EXPECT_EQ(pipeline.queries[0].name, "y");
  EXPECT_EQ(pipeline.queries[1].line, 6);
}

TEST(Configuration, TimeHasEveryUnit) {
  const auto unit = [](const std::string& name) {
    return read_stream("time = { field = 't', unit = '" + name + "' }").time.unit;
  };
  EXPECT_EQ(unit("s"), TimeUnit::seconds);
  EXPECT_EQ(unit("ms"), TimeUnit::milliseconds);
  EXPECT_EQ(unit("us"), TimeUnit::microseconds);
  EXPECT_EQ(unit("ns"), TimeUnit::nanoseconds);
  EXPECT_EQ(unit("rfc3339"), TimeUnit::rfc3339);
  EXPECT_EQ(unit("auto"), TimeUnit::automatic);
  EXPECT_TRUE(read_stream("time = 'arrival'").time.arrival);
}

TEST(Configuration, FileAndDirectorySourcesAreRead) {
  const spec::Source file = read_source(
      R"(type = "file", path = "in.csv", format = "csv", columns = ["a", "b"], separator = ";", header = true, comment = "#")");
  EXPECT_EQ(file.kind, spec::SourceKind::file);
  EXPECT_EQ(file.path, "in.csv");
  EXPECT_EQ(file.format.kind, spec::FormatKind::csv);
  EXPECT_EQ(file.format.columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file.format.separator, ";");
  EXPECT_TRUE(file.format.header);
  EXPECT_EQ(file.format.comment, '#');
  const spec::Source directory = read_source(
      R"(type = "directory", path = "in", pattern = "*.json", poll = "5s", settle = "1m", growing = "follow",
         follow_links = true, format = "json", array_path = "/readings")");
  EXPECT_EQ(directory.kind, spec::SourceKind::directory);
  EXPECT_EQ(directory.pattern, "*.json");
  EXPECT_EQ(directory.poll, 5s);
  EXPECT_EQ(directory.settle, 1min);
  EXPECT_TRUE(directory.follow_growing);
  EXPECT_TRUE(directory.follow_links);
  EXPECT_EQ(directory.format.array_path, "/readings");
  EXPECT_EQ(read_source(R"(type = "file", format = "senml")").format.kind, spec::FormatKind::senml);
  EXPECT_EQ(read_source(R"(type = "file", format = "raw")").format.kind, spec::FormatKind::raw);
  EXPECT_EQ(read_source(R"(type = "file", format = "line")").format.kind, spec::FormatKind::line);
  EXPECT_EQ(read_source(R"(type = "file", format = "line", measurement = "air")").format.measurements,
            (std::vector<std::string>{"air"}));
  EXPECT_EQ(read_source(R"(type = "file", format = "line", measurement = ["air", "rain"])").format.measurements,
            (std::vector<std::string>{"air", "rain"}));
}

TEST(Configuration, MqttSourcesAreRead) {
  const spec::Source source = read_source(R"(
      type = "mqtt", broker = "mqtts://host:8883", topics = ["a/{k}", "b/#"], qos = 2, client_id = "gw", clean_session = true,
      mqtt_version = "3.1.1", username = "u", password = "p", ca_file = "ca", cert_file = "cert", key_file = "key",
      keep_alive = "10s", session_expiry = "1h", retained = true, persistence_dir = "d")");
  EXPECT_EQ(source.kind, spec::SourceKind::mqtt);
  EXPECT_EQ(source.broker, "mqtts://host:8883");
  EXPECT_EQ(source.topics, (std::vector<std::string>{"a/{k}", "b/#"}));
  EXPECT_EQ(source.qos, 2);
  EXPECT_EQ(source.client_id, "gw");
  EXPECT_TRUE(source.clean_session);
  EXPECT_EQ(source.mqtt_version, 4);
  EXPECT_EQ(source.username, "u");
  EXPECT_EQ(source.password, "p");
  EXPECT_EQ(source.ca_file, "ca");
  EXPECT_EQ(source.cert_file, "cert");
  EXPECT_EQ(source.key_file, "key");
  EXPECT_EQ(source.keep_alive, 10s);
  EXPECT_EQ(source.session_expiry, 1h);
  EXPECT_TRUE(source.retained);
  EXPECT_EQ(source.persistence_dir, "d");
  EXPECT_EQ(read_source("type = 'mqtt', topics = 'one', mqtt_version = 5").topics.size(), 1U);
  EXPECT_EQ(read_source("type = 'mqtt', mqtt_version = 4").mqtt_version, 4);
  EXPECT_EQ(read_source("type = 'mqtt', mqtt_version = '5'").mqtt_version, 5);
}

TEST(Configuration, TcpSourcesAreReadInBothSpellings) {
  EXPECT_EQ(read_source("type = 'tcp', host = 'h', port = 9").port, 9);
  EXPECT_EQ(read_source("type = 'tcp', address = 'h:65535'").port, 65535);
  EXPECT_EQ(read_source("type = 'tcp', address = 'h:65535'").host, "h");
  EXPECT_EQ(read_source("type = 'tcp', address = '[::1]:80'").host, "::1");
}

TEST(Configuration, SimulatorsAreRead) {
  const spec::Simulator simulator = read_source(R"(
      type = "simulator", seed = 7, sensors = 3, rate_per_s = 2, count = 10, duration = "1m", start = "2026-01-01T00:00:00Z",
      disorder = "3s", gap_probability = 0.25, duplicate_probability = 1, malformed_probability = 0.5, realtime = false)")
                                        .simulator;
  EXPECT_EQ(simulator.seed, 7U);
  EXPECT_EQ(simulator.sensors, 3U);
  EXPECT_EQ(simulator.rate_per_s, 2.0);
  EXPECT_EQ(simulator.count, 10U);
  EXPECT_EQ(simulator.duration, 1min);
  EXPECT_EQ(simulator.start, "2026-01-01T00:00:00Z");
  EXPECT_EQ(simulator.disorder, 3s);
  EXPECT_EQ(simulator.gap_probability, 0.25);
  EXPECT_EQ(simulator.duplicate_probability, 1.0);
  EXPECT_EQ(simulator.malformed_probability, 0.5);
  EXPECT_FALSE(simulator.realtime);
}

TEST(Configuration, SeveralSourcesFeedOneStream) {
  const spec::Stream stream =
      read_stream("sources = [{ type = 'file', path = 'a' },\n  { type = 'tcp', address = 'h:1' }]");
  ASSERT_EQ(stream.sources.size(), 2U);
  EXPECT_EQ(stream.sources[0].path, "a");
  EXPECT_EQ(stream.sources[1].kind, spec::SourceKind::tcp);
  EXPECT_EQ(stream.sources[1].line, 3);
}

TEST(Configuration, QueryEntriesAndTheirLinesAreRead) {
  const spec::Query query = read(R"~([[query]]
name = "q"
from = "s"
where = "a > 1"
group_by = ["k"]
select = ["count()"]
window = "10s"
slide = "5s"
having = "b > 1"
sinks = ["console"]
allowed_lateness = "3s"
emit_empty = true
max_groups = 9
let = { z = "a", b = { expr = "z * 2", places = 9 } }
)~")
                                .queries.at(0);
  EXPECT_EQ(query.name, "q");
  EXPECT_EQ(query.from, "s");
  EXPECT_EQ(query.where, "a > 1");
  EXPECT_EQ(query.group_by, std::vector<std::string>{"k"});
  EXPECT_EQ(query.select, std::vector<std::string>{"count()"});
  EXPECT_EQ(query.window, 10s);
  EXPECT_EQ(query.slide, 5s);
  EXPECT_EQ(query.having, "b > 1");
  EXPECT_EQ(query.sinks, std::vector<std::string>{"console"});
  EXPECT_EQ(query.allowed_lateness, 3s);
  EXPECT_TRUE(query.emit_empty);
  EXPECT_EQ(query.max_groups, 9U);
  ASSERT_EQ(query.let.size(), 2U);
  EXPECT_EQ(query.let[0].name, "z");
  EXPECT_EQ(query.let[0].places, 6);
  EXPECT_EQ(query.let[1].expression, "z * 2");
  EXPECT_EQ(query.let[1].places, 9);
  EXPECT_EQ(query.let[1].line, 14);
  EXPECT_EQ(query.line, 1);
  EXPECT_EQ(query.where_line, 4);
  EXPECT_EQ(query.group_by_line, 5);
  EXPECT_EQ(query.select_line, 6);
  EXPECT_EQ(query.window_line, 7);
  EXPECT_EQ(query.slide_line, 8);
  EXPECT_EQ(query.having_line, 9);
  EXPECT_EQ(query.sinks_line, 10);
}

TEST(Configuration, SinksAreRead) {
  const spec::Pipeline pipeline = read(R"(
    [[sink]]
    name = "c"
    type = "console"
    rows = 0
    [[sink]]
    name = "f"
    type = "file"
    path = "out/{query}.csv"
    format = "csv"
    append = true
    rotate_bytes = "64MiB"
    rotate_every = "1h"
    mode = "0604"
    [[sink]]
    name = "m"
    type = "mqtt"
    broker = "mqtt://h"
    topic = "rows/{query}"
    username = "u"
    password = "p"
    client_id = "c"
    ca_file = "ca"
    cert_file = "cert"
    key_file = "key"
    qos = 0
    mqtt_version = "3.1.1"
    retain = true
  )");
  ASSERT_EQ(pipeline.sinks.size(), 3U);
  EXPECT_EQ(pipeline.sinks[0].kind, spec::SinkKind::console);
  EXPECT_EQ(pipeline.sinks[0].rows, 0U);
  EXPECT_EQ(pipeline.sinks[1].path, "out/{query}.csv");
  EXPECT_EQ(pipeline.sinks[1].format, spec::RowFormat::csv);
  EXPECT_TRUE(pipeline.sinks[1].append);
  EXPECT_EQ(pipeline.sinks[1].rotate_bytes, 64U << 20U);
  EXPECT_EQ(pipeline.sinks[1].rotate_every, 1h);
  EXPECT_EQ(pipeline.sinks[1].mode, 0604U);
  EXPECT_EQ(spec::Sink().mode, 0640U);
  EXPECT_EQ(pipeline.sinks[2].broker, "mqtt://h");
  EXPECT_EQ(pipeline.sinks[2].topic, "rows/{query}");
  EXPECT_EQ(pipeline.sinks[2].username, "u");
  EXPECT_EQ(pipeline.sinks[2].password, "p");
  EXPECT_EQ(pipeline.sinks[2].client_id, "c");
  EXPECT_EQ(pipeline.sinks[2].ca_file, "ca");
  EXPECT_EQ(pipeline.sinks[2].cert_file, "cert");
  EXPECT_EQ(pipeline.sinks[2].key_file, "key");
  EXPECT_EQ(pipeline.sinks[2].qos, 0);
  EXPECT_EQ(pipeline.sinks[2].mqtt_version, 4);
  EXPECT_TRUE(pipeline.sinks[2].retain);
}

TEST(Configuration, EnvironmentVariablesFillStringsAndNumbers) {
  ASSERT_EQ(::setenv("WEIR_TEST_HOST", "broker.local", 1), 0);
  ASSERT_EQ(::setenv("WEIR_TEST_QOS", "2", 1), 0);
  ASSERT_EQ(::setenv("WEIR_TEST_FLAG", "true", 1), 0);
  ASSERT_EQ(::unsetenv("WEIR_TEST_UNSET"), 0);
  const spec::Source source = read_source(
      "type = 'mqtt', broker = 'mqtt://${WEIR_TEST_HOST}:${WEIR_TEST_UNSET:-1883}', qos = '${WEIR_TEST_QOS}', retained "
      "= "
      "'${WEIR_TEST_FLAG}'");
  EXPECT_EQ(source.broker, "mqtt://broker.local:1883");
  EXPECT_EQ(source.qos, 2);
  EXPECT_TRUE(source.retained);
}

TEST(Configuration, AFileThatCannotBeReadIsNamed) {
  try {
    (void)plan::read_configuration("/nonexistent/weir.toml");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_EQ(to_string(error.diagnostics().at(0)),
              "/nonexistent/weir.toml: cannot be opened: No such file or directory");
  }
}

}  // namespace
}  // namespace weir::plan_test
