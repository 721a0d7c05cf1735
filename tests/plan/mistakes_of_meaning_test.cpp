// What a user is told where the entries of a configuration do not fit together: names, sinks, sources, columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The mistakes after one change of a right pipeline.
template <typename Change>
std::vector<std::string> after(Change change) {
  spec::Pipeline pipeline = simple_pipeline();
  change(pipeline);
  return mistakes_of(pipeline);
}

TEST(MistakesOfMeaning, SeveralAreReportedAtOnceInTheOrderOfTheirLines) {
  EXPECT_THAT(
      mistakes_in(R"~([streams.machines]
source = { type = "file", path = "in.jsonl" }
time = { field = "t" }
keys = ["line", "machine"]
fields = { temperature = 3 }
[[query]]
name = "hot"
from = "machnes"
select = ["count()"]
[[query]]
name = "warm"
from = "machines"
where = "tempature > 3"
group_by = ["machin"]
select = ["avg(temprature)", "sum(temperature) as s"]
having = "s > 3 and t > 1"
sinks = ["consol"]
)~"),
      ElementsAre("c.toml:6: query 'hot': unknown stream or query 'machnes' (did you mean 'machines'?)",
                  "c.toml:13: query 'warm', where, column 1: unknown name 'tempature' (did you mean 'temperature'?)",
                  "c.toml:14: query 'warm': group_by: unknown key 'machin' (did you mean 'machine'?)",
                  "c.toml:15: query 'warm', select \"avg(temprature)\", column 5: unknown name 'temprature' (did "
                  "you mean 'temperature'?)",
                  "c.toml:16: query 'warm', having, column 11: unknown name 't' (did you mean 's'?)",
                  "c.toml:17: query 'warm': unknown sink 'consol' (did you mean 'console'?)"));
}

TEST(MistakesOfMeaning, NothingToDo) {
  EXPECT_THAT(mistakes_in(""),
              ElementsAre("c.toml: no stream (declare one with [streams.NAME])",
                          "c.toml: no query: there is no output operation (declare one with [[query]])"));
}

TEST(MistakesOfMeaning, MissingEntries) {
  EXPECT_THAT(
      mistakes_in("[streams.s]\n[[query]]\n"),
      ElementsAre("c.toml:1: stream 's': 'time' is missing (write time = { field = \"…\" }, or time = \"arrival\")",
                  "c.toml:1: stream 's': no source (add source = { type = \"…\" })",
                  "c.toml:2: a query without a name (add name = \"…\")",
                  "c.toml:2: query '': 'from' is missing (name the stream or query that it reads)"));
  EXPECT_THAT(
      after([](auto& p) { p.queries[0].select.clear(); }),
      ElementsAre("query 'q': 'select' is missing (name what it computes, as in select = [\"count()\", \"avg(x)\"])"));
}

TEST(MistakesOfMeaning, NamesThatAreTwice) {
  EXPECT_THAT(after([](auto& p) { p.queries.push_back(p.queries[0]); }),
              ElementsAre("two queries are named 'q' (give one another name)"));
  EXPECT_THAT(after([](auto& p) { p.streams.push_back(p.streams[0]); }),
              ElementsAre("two streams are named 's' (give one another name)"));
  EXPECT_THAT(after([](auto& p) {
                p.sinks = {spec::Sink{}, spec::Sink{}};
                p.sinks[0].name = p.sinks[1].name = "x";
              }),
              ElementsAre("two sinks are named 'x' (give one another name)"));
  EXPECT_THAT(after([](auto& p) { p.streams[0].schema.keys[1].name = "load"; }),
              ElementsAre("stream 's': two keys or fields are named 'load' (give one another name)"));
  EXPECT_THAT(after([](auto& p) {
                p.queries[0].group_by = {"machine", "machine"};
              }),
              ElementsAre("query 'q': group_by: 'machine' is named twice"));
  EXPECT_THAT(after([](auto& p) {
                p.queries[0].sinks = {"console", "console"};
              }),
              ElementsAre("query 'q': sink 'console' is named twice"));
  EXPECT_THAT(after([](auto& p) {
                p.queries[0].let = {{"a", "load", 6, 0}, {"a", "raw", 6, 0}};
              }),
              ElementsAre("query 'q': let 'a' is defined twice (give one another name)"));
  EXPECT_THAT(after([](auto& p) {
                p.queries[0].let = {{"load", "raw", 6, 0}, {"line", "raw", 6, 0}};
              }),
              ElementsAre("query 'q': let 'load' has the name of a field of the stream (give it another name)",
                          "query 'q': let 'line' has the name of a key of the stream (give it another name)"));
}

TEST(MistakesOfMeaning, NamesThatAreNone) {
  EXPECT_THAT(after([](auto& p) { p.queries[0].name = "a/b"; }),
              ElementsAre("query 'a/b' is no name (use letters, digits, '_', '-' and '.', not beginning with '.')"));
  EXPECT_THAT(after([](auto& p) { p.streams[0].schema.fields[0].name = "oil temp"; }),
              ElementsAre("stream 's': field 'oil temp' is no name (use letters, digits and '_', not beginning with a "
                          "digit; the name in the payload is 'path')"));
  EXPECT_THAT(after([](auto& p) {
                p.queries[0].let = {{"Not", "load", 6, 0}};
              }),
              ElementsAre("query 'q': let 'Not' is no name (use letters, digits and '_', not beginning with a digit)"));
}

TEST(MistakesOfMeaning, ColumnsWithTheSameName) {
  EXPECT_THAT(
      after([](auto& p) {
        p.queries[0].select = {"avg(load)", "avg(load)", "min(load) as machine", "max(load) as window_end"};
      }),
      ElementsAre(
          "query 'q': select: two columns are named 'avg(load)' (give one another name with 'as')",
          "query 'q': select: every row has a member 'machine' already (give the column another name with 'as')",
          "query 'q': select: every row has a member 'window_end' already (give the column another name with 'as')"));
  EXPECT_THAT(
      after([](auto& p) {
        p.streams[0].schema.keys[0].name = "query";
        p.queries[0].group_by = {"query"};
      }),
      ElementsAre("query 'q': group_by: every row has a member 'query' of its own (give the key another name, with "
                  "path for its name in the payload)"));
}

TEST(MistakesOfMeaning, GroupingByAField) {
  EXPECT_THAT(
      after([](auto& p) { p.queries[0].group_by = {"load"}; }),
      ElementsAre(
          "query 'q': group_by: 'load' is a field; only keys can be grouped by (declare it in keys of stream 's')"));
  EXPECT_THAT(after([](auto& p) { p.streams[0].schema.keys.clear(); }),
              ElementsAre("query 'q': group_by: unknown key 'machine' (stream 's' has no keys)"));
}

TEST(MistakesOfMeaning, PipelineValues) {
  EXPECT_THAT(after([](auto& p) {
                p.batch_interval = 0s;
                p.checkpoint_interval = -1s;
                p.batch_rows = 0;
                p.journal_memory = 0;
                p.device = "cuda:x";
              }),
              ElementsAre("'batch_interval' must be longer than 0s", "'checkpoint_interval' must be longer than 0s",
                          "'batch_rows' must be at least 1", "'journal_memory' must be above 0",
                          "[pipeline]: 'device' cannot be \"cuda:x\" (did you mean 'cuda:0'?)"));
  EXPECT_THAT(after([](auto& p) { p.device = "cuda:12"; }), IsEmpty());
}

TEST(MistakesOfMeaning, StreamTime) {
  EXPECT_THAT(after([](auto& p) { p.streams[0].time.unit = TimeUnit::format; }),
              ElementsAre("stream 's': time: 'format' is empty (as in \"%Y-%m-%d %H:%M:%S\")"));
  EXPECT_EQ(after([](auto& p) { p.streams[0].time.zone = "Mars/Olympus"; }).size(), 1U);
  EXPECT_THAT(after([](auto& p) {
                p.streams[0].time.field.clear();
                p.streams[0].sources[0].format.kind = spec::FormatKind::senml;
              }),
              IsEmpty());
}

TEST(MistakesOfMeaning, Dedupe) {
  EXPECT_THAT(after([](auto& p) { p.streams[0].sequence = "raw"; }),
              ElementsAre("stream 's': 'sequence' without 'dedupe' (add dedupe = true)"));
  EXPECT_THAT(after([](auto& p) {
                p.streams[0].sequence = "row";
                p.streams[0].dedupe = true;
              }),
              ElementsAre("stream 's': 'sequence' names no field 'row' (did you mean 'raw'?)"));
  EXPECT_THAT(
      after([](auto& p) {
        p.streams[0].time.arrival = true;
        p.streams[0].dedupe = true;
      }),
      ElementsAre("stream 's': 'dedupe' goes by event time, but a repeated reading arrives at another time (name a "
                  "field that counts the readings: sequence = \"…\")"));
}

/// The mistakes after one change of the only source.
template <typename Change>
std::vector<std::string> after_source(spec::SourceKind kind, Change change) {
  return after([&](spec::Pipeline& pipeline) {
    spec::Source& source = pipeline.streams[0].sources[0];
    source.kind = kind;
    source.broker = "mqtt://host";
    source.topics = {"plant/{line}/{machine}"};
    source.line = 7;
    change(source, pipeline.streams[0]);
  });
}

TEST(MistakesOfMeaning, FileAndDirectorySources) {
  EXPECT_THAT(after_source(spec::SourceKind::file, [](auto& source, auto&) { source.path.clear(); }),
              ElementsAre("line 7: stream 's', source: 'path' is missing or empty"));
  EXPECT_THAT(after_source(spec::SourceKind::directory,
                           [](auto& source, auto&) {
                             source.pattern.clear();
                             source.poll = 0s;
                             source.settle = -1s;
                           }),
              ElementsAre("line 7: stream 's', source: 'pattern' is empty (\"*\" stands for every file)",
                          "line 7: stream 's', source: 'poll' must be longer than 0s",
                          "line 7: stream 's', source: 'settle' must not be negative"));
  EXPECT_THAT(after_source(spec::SourceKind::tcp, [](auto&, auto&) {}),
              ElementsAre("line 7: stream 's', source: 'host' and 'port' are missing (write address = \"host:port\")"));
  EXPECT_THAT(
      after_source(spec::SourceKind::simulator, [](auto& source, auto&) { source.simulator.start = "noon"; }),
      ElementsAre(
          "line 7: stream 's', source: 'start' = \"noon\" is no RFC 3339 time (as in \"2026-01-31T12:00:00Z\")"));
}

TEST(MistakesOfMeaning, MqttSources) {
  const auto mistakes = [](auto change) { return after_source(spec::SourceKind::mqtt, change); };
  EXPECT_THAT(mistakes([](auto&, auto&) {}), IsEmpty());
  EXPECT_THAT(
      mistakes([](auto& source, auto&) { source.topics.clear(); }),
      ElementsAre(
          "line 7: stream 's', source: 'topics' is missing (as in topics = [\"plant/{line}/{machine}/state\"])"));
  EXPECT_THAT(
      mistakes([](auto& source, auto&) { source.topics = {"a/{machin}"}; }),
      ElementsAre(
          "line 7: stream 's', source: topic \"a/{machin}\" captures 'machin', which is no key of the stream (did you "
          "mean 'machine'?)"));
  EXPECT_THAT(
      mistakes([](auto&, auto& stream) { stream.schema.keys[0].path = "/id"; }),
      ElementsAre(
          "line 7: stream 's', source: key 'machine' is captured by topic \"plant/{line}/{machine}\", but has a path "
          "in the payload too (leave out its path, or write + in the topic)"));
  EXPECT_THAT(
      mistakes([](auto& source, auto&) { source.broker = "localhost:1883"; }),
      ElementsAre(
          "line 7: stream 's', source: 'broker' has no known scheme (as in \"mqtt://host:1883\"; mqtts://, ws:// and "
          "wss:// are known too)"));
  EXPECT_THAT(
      mistakes([](auto& source, auto&) { source.ca_file = "ca.pem"; }),
      ElementsAre("line 7: stream 's', source: TLS files are given, but the broker's address does not use TLS (write "
                  "mqtts:// or wss://)"));
  EXPECT_THAT(mistakes([](auto& source, auto&) {
                source.broker = "mqtts://h";
                source.cert_file = "c";
              }),
              ElementsAre("line 7: stream 's', source: 'cert_file' and 'key_file' belong together"));
  const auto password_alone = [&mistakes](int version) {
    return mistakes([version](auto& source, auto&) {
      source.password = "p";
      source.mqtt_version = version;
    });
  };
  EXPECT_THAT(password_alone(5), IsEmpty());
  EXPECT_THAT(password_alone(4),
              ElementsAre("line 7: stream 's', source: 'password' without 'username', which MQTT 3.1.1 does not have "
                          "(give both, or mqtt_version = \"5\")"));
  EXPECT_THAT(
      mistakes([](auto& source, auto&) {
        source.qos = 3;
        source.mqtt_version = 3;
      }),
      ElementsAre("line 7: stream 's', source: 'qos' = 3 is not between 0 and 2",
                  "line 7: stream 's', source: 'mqtt_version' = 3 is none that is spoken here (4 is 3.1.1, or 5)"));
}

TEST(MistakesOfMeaning, CsvColumns) {
  const auto mistakes = [](spec::SourceKind kind, std::vector<std::string> columns) {
    return after_source(kind, [&](auto& source, auto&) {
      source.format.kind = spec::FormatKind::csv;
      source.format.columns = std::move(columns);
    });
  };
  EXPECT_THAT(mistakes(spec::SourceKind::file, {}), IsEmpty()) << "the file has a header line";
  EXPECT_THAT(
      mistakes(spec::SourceKind::mqtt, {}),
      ElementsAre(
          "line 7: stream 's', source: format = \"csv\" without 'columns': messages have no header line (name them "
          "in order, as in columns = [\"t\", \"temperature\"])"));
  EXPECT_THAT(mistakes(spec::SourceKind::mqtt, {"t", "load", "speed", "raw"}), IsEmpty()) << "the topic has the keys";
  EXPECT_THAT(mistakes(spec::SourceKind::file, {"ts", "load", "speed", "raw", "line", "machin", "line"}),
              ElementsAre("line 7: stream 's', source: two columns are named 'line'",
                          "line 7: stream 's', source: key 'machine' is no column (did you mean 'machin'?)",
                          "line 7: stream 's', source: time field 't' is no column (did you mean 'ts'?)"));
  EXPECT_THAT(
      after_source(spec::SourceKind::file,
                   [](auto& source, auto&) {
                     source.format.kind = spec::FormatKind::csv;
                     source.format.separator = "::";
                   }),
      ElementsAre(
          "line 7: stream 's', source: 'separator' must be one character that is neither a quote nor a line end (as "
          "in \",\" or \";\"; \" \" stands for any run of blanks)"));
}

TEST(MistakesOfMeaning, RawNumbersCarryNothingElse) {
  EXPECT_THAT(
      after_source(spec::SourceKind::mqtt,
                   [](auto& source, auto&) {
                     source.format.kind = spec::FormatKind::raw;
                     source.topics = {"a/{line}"};
                   }),
      ElementsAre(
          "line 7: stream 's', source: format = \"raw\" is one number a message, but the stream has 3 fields (declare "
          "one field)",
          "line 7: stream 's', source: format = \"raw\" carries no time (write time = \"arrival\" for the stream)",
          "line 7: stream 's', source: format = \"raw\" carries no keys, and not every topic captures 'machine' (write "
          "{machine} as a level of the topic)"));
}

TEST(MistakesOfMeaning, JsonPointers) {
  EXPECT_THAT(after_source(spec::SourceKind::file, [](auto& source, auto&) { source.format.array_path = "data"; }),
              ElementsAre("line 7: stream 's', source: 'array_path' = \"data\" is no JSON pointer (write \"/data\")"));
}

TEST(MistakesOfMeaning, ElementsThatAreChosen) {
  const auto with_paths = [](const std::string& array_path, const std::string& first, const std::string& second) {
    return after_source(spec::SourceKind::file, [&](auto& source, auto& stream) {
      source.format.array_path = array_path;
      stream.schema.fields[0].path = first;
      stream.schema.fields[1].path = second;
    });
  };
  EXPECT_THAT(with_paths("", "/a/[type=P1]/v", "/a/[type=P2]/v/0"), ElementsAre());
  EXPECT_THAT(with_paths("/a", "/b/[type=P1]/v", "/b/0"),
              ElementsAre(HasSubstr("the elements of \"/b\" are named by number in one path and chosen in another")));
  EXPECT_THAT(with_paths("", "/a/[type=P1/v", "/a/[=x]/v"),
              ElementsAre(HasSubstr("\"[type=P1\" in \"/a/[type=P1/v\" chooses no element"),
                          HasSubstr("\"[=x]\" in \"/a/[=x]/v\" chooses no element")));
  EXPECT_THAT(
      with_paths("/a", "/[type=P1]/v", ""),
      ElementsAre(HasSubstr("chooses among the elements of the message, of which 'array_path' makes readings")));
  EXPECT_THAT(with_paths("/a/[type=P1]", "", ""), ElementsAre(HasSubstr("cannot choose an element")));
}

TEST(MistakesOfMeaning, LineProtocol) {
  const auto with_unit = [](TimeUnit unit, const std::string& field) {
    return after_source(spec::SourceKind::file, [&](auto& source, auto& stream) {
      source.format.kind = spec::FormatKind::line;
      stream.time = {};
      stream.time.unit = unit;
      stream.time.field = field;
    });
  };
  EXPECT_THAT(with_unit(TimeUnit::automatic, ""), ElementsAre());
  EXPECT_THAT(with_unit(TimeUnit::milliseconds, ""), ElementsAre());
  EXPECT_THAT(with_unit(TimeUnit::rfc3339, "at"), ElementsAre());
  EXPECT_THAT(with_unit(TimeUnit::rfc3339, ""),
              ElementsAre(HasSubstr("the timestamps of format = \"line\" are integers")));
}

/// The mistakes after one change of the only sink, which the query writes to.
template <typename Change>
std::vector<std::string> after_sink(spec::SinkKind kind, Change change) {
  return after([&](spec::Pipeline& pipeline) {
    spec::Sink sink;
    sink.name = "out";
    sink.kind = kind;
    sink.path = "out/{query}.jsonl";
    sink.broker = "mqtt://host";
    sink.topic = "rows/{query}/{machine}";
    pipeline.sinks.push_back(sink);
    pipeline.queries[0].sinks = {"out"};
    change(pipeline.sinks[0], pipeline);
  });
}

TEST(MistakesOfMeaning, FileSinks) {
  EXPECT_THAT(after_sink(spec::SinkKind::file, [](auto&, auto&) {}), IsEmpty());
  EXPECT_THAT(after_sink(spec::SinkKind::file, [](auto& sink, auto&) { sink.path.clear(); }),
              ElementsAre("sink 'out': 'path' is missing or empty (as in \"out/{query}.jsonl\")"));
  EXPECT_THAT(after_sink(spec::SinkKind::file, [](auto& sink, auto&) { sink.path = "{machine}/{query"; }),
              ElementsAre("sink 'out': 'path' cannot hold {machine} (only {query} is known here)",
                          "sink 'out': 'path' has a brace without its partner"));
  EXPECT_THAT(
      after_sink(spec::SinkKind::file,
                 [](auto& sink, auto& pipeline) {
                   sink.path = "all.csv";
                   sink.format = spec::RowFormat::csv;
                   pipeline.queries.push_back(pipeline.queries[0]);
                   pipeline.queries[1].name = "q2";
                 }),
      ElementsAre("sink 'out': 2 queries would write rows of different columns into one CSV file (put {query} into "
                  "the path)"));
  EXPECT_THAT(after_sink(spec::SinkKind::file,
                         [](auto&, auto& pipeline) {
                           pipeline.sinks.push_back(pipeline.sinks[0]);
                           pipeline.sinks[1].name = "out2";
                         }),
              ElementsAre("sink 'out2' writes to the same file as sink 'out' (give it another path)"));
}

TEST(MistakesOfMeaning, MqttSinks) {
  const auto mistakes = [](auto change) { return after_sink(spec::SinkKind::mqtt, change); };
  EXPECT_THAT(mistakes([](auto&, auto&) {}), IsEmpty());
  EXPECT_THAT(
      mistakes([](auto& sink, auto&) { sink.topic = "rows/{line}"; }),
      ElementsAre("sink 'out': 'topic' holds {line}, but query 'q' does not group by it (one of: query, machine)"));
  EXPECT_THAT(mistakes([](auto& sink, auto&) { sink.topic = "rows/#"; }),
              ElementsAre("sink 'out': 'topic' must not hold the wildcards + and #"));
  EXPECT_THAT(mistakes([](auto& sink, auto&) {
                sink.password = "p";
                sink.mqtt_version = 4;
              }),
              ElementsAre("sink 'out': 'password' without 'username', which MQTT 3.1.1 does not have (give both, or "
                          "mqtt_version = \"5\")"));
  EXPECT_THAT(mistakes([](auto& sink, auto&) { sink.topic.clear(); }),
              ElementsAre("sink 'out': 'topic' is missing or empty (as in \"weir/{query}\")"));
  EXPECT_THAT(
      mistakes([](auto& sink, auto&) {
        sink.qos = -1;
        sink.mqtt_version = 6;
        sink.ca_file = "x";
      }),
      ElementsAre(
          "sink 'out': TLS files are given, but the broker's address does not use TLS (write mqtts:// or wss://)",
          "sink 'out': 'qos' = -1 is not between 0 and 2",
          "sink 'out': 'mqtt_version' = 6 is none that is spoken here (4 is 3.1.1, or 5)"));
}

TEST(MistakesOfMeaning, RowsAtAnMqttSinkHaveAnIdOfTheirOwn) {
  const auto key_named_id = [](auto&, auto& pipeline) {
    pipeline.sinks[0].topic = "rows";
    pipeline.streams[0].schema.keys[0].name = "id";
    pipeline.queries[0].group_by = {"id"};
  };
  const std::string key =
      "query 'q': group_by: a row at the mqtt sink 'out' has a member 'id' of its own (give the key another name, with "
      "path for its name in the payload)";
  EXPECT_THAT(after_sink(spec::SinkKind::mqtt, key_named_id), ElementsAre(key));
  EXPECT_THAT(after_sink(spec::SinkKind::file, key_named_id), IsEmpty()) << "a file's rows have none";
  EXPECT_THAT(after_sink(spec::SinkKind::mqtt,
                         [&](auto& sink, auto& pipeline) {
                           key_named_id(sink, pipeline);
                           pipeline.queries[0].group_by.clear();
                           pipeline.queries[0].select = {"load"};
                           pipeline.queries[0].readings = true;
                           pipeline.queries[0].window = pipeline.queries[0].slide = Duration(0);
                         }),
              ElementsAre(key))
      << "a query of readings has every key in its rows";
  const std::string column =
      "query 'q': select: a row at the mqtt sink 'out' has a member 'id' already (give the column another name with "
      "'as')";
  EXPECT_THAT(
      after_sink(spec::SinkKind::mqtt, [](auto&, auto& pipeline) { pipeline.queries[0].select = {"count() as id"}; }),
      ElementsAre(column));
  EXPECT_THAT(after_sink(spec::SinkKind::mqtt,
                         [](auto& sink, auto& pipeline) {
                           sink.topic = "rows";
                           pipeline.queries[0].group_by.clear();
                           pipeline.streams[0].schema.fields[0].name = "id";
                           pipeline.queries[0].select = {"id"};
                           pipeline.queries[0].readings = true;
                           pipeline.queries[0].window = pipeline.queries[0].slide = Duration(0);
                         }),
              ElementsAre(column));
}

TEST(MistakesOfMeaning, AnMqttSinkWritesNoCsv) {
  EXPECT_THAT(
      after_sink(spec::SinkKind::mqtt, [](auto& sink, auto&) { sink.format = spec::RowFormat::csv; }),
      ElementsAre("sink 'out': 'format' = \"csv\" is for files: at an mqtt sink each row is a JSON object, with "
                  "its id (leave 'format' out)"));
}

TEST(MistakesOfMeaning, ATopicOfASinkIsOneThatMqttCarries) {
  EXPECT_THAT(after_sink(spec::SinkKind::mqtt, [](auto& sink, auto&) { sink.topic = "rows/\xEF\xB7\x90"; }),
              ElementsAre("sink 'out': 'topic': its topic holds a character that MQTT forbids"));
}

TEST(MistakesOfMeaning, OtherSinks) {
  EXPECT_THAT(after_sink(spec::SinkKind::callback, [](auto&, auto&) {}),
              ElementsAre("sink 'out': a callback sink without a function"));
  EXPECT_THAT(after_sink(spec::SinkKind::file,
                         [](auto& sink, auto& pipeline) {
                           sink.name = "console";
                           pipeline.queries[0].sinks = {"console"};
                         }),
              ElementsAre("the sink 'console' must be of type = \"console\" (give it another name)"));
}

}  // namespace
}  // namespace weir::plan_test
