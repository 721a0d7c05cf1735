// What `weir check` prints, for the example of the documentation, word by word.
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

constexpr const char* kExample = R"~(
[pipeline]
batch_interval = "1s"
state_dir      = "state"        # leave out: nothing survives a restart
checkpoint_interval = "10s"
journal_sync   = "batch"        # batch | always
device         = "auto"         # auto | cpu | cuda | cuda:0
threads        = 0              # 0: all cores

[streams.plugs]
source = { type = "file", path = "plugs.csv", format = "csv", columns = ["ts", "load", "property", "plug", "household", "house"] }
time   = { field = "ts", unit = "s" }        # or time = "arrival"
keys   = ["house", "household", "plug"]
fields = { load = 3 }                        # name = decimal places
out_of_order = "0s"
idle_timeout = "30s"

[streams.machines]
source = { type = "mqtt", broker = "mqtt://localhost:1883", topics = ["plant/{line}/{machine}/state"], qos = 1, format = "json", client_id = "gw-1" }
time   = { field = "t", unit = "ms" }
keys   = ["line", "machine"]                 # captured from the topic, or payload members
fields = { temperature = 3, vibration = { places = 6, path = "/sensors/vib" } }

[[query]]
name     = "plug_load"
from     = "plugs"
where    = "load >= 0"
let      = { kw = "load / 1000" }
group_by = ["house", "household", "plug"]
select   = ["count()", "avg(load)", "max(kw) as peak", "quantile(load, 0.99) as p99"]
window   = "128s"
slide    = "1s"
having   = "peak > 0.5"
sinks    = ["console", "rows"]

[[query]]
name   = "lines"
from   = "machines"
where  = "machine != 'test' and not is_null(vibration)"
select = ["avg(temperature * 9 / 5 + 32) as fahrenheit", "distinct(machine)", "count(vibration)"]
group_by = ["line"]
having = "line < 'm' and range(temperature) > 2"

[[sink]]
name = "rows"
type = "file"                                # console | file | mqtt
path = "out/{query}.jsonl"
format = "jsonl"                             # jsonl | csv
)~";

constexpr const char* kExplained = R"~(stream plugs
  source      file plugs.csv, csv
  time        field ts, s
  keys        house, household, plug (at most 100000)
  fields      load decimal(3)
  watermark   largest event time - 0s, idle after 30s

stream machines
  source      mqtt mqtt://localhost:1883 topics plant/{line}/{machine}/state (qos 1, MQTT 5), json
  time        field t, ms
  keys        line, machine (at most 100000)
  fields      temperature decimal(3), vibration decimal(6) at /sensors/vib
  watermark   largest event time - 0s, a silent source is waited for

query plug_load from plugs
  window      2m8s every 1s, 128 panes of 1s
  group by    house, household, plug (at most 100000 groups)
  where       load >= 0
    r0 = field load
    r1 = constant 0
    r2 = ge r0, r1
    result r2
  argument 0  load: decimal(3), keeps count, sum, minmax, quantile
  argument 1  kw: decimal(6), keeps count, minmax
    r0 = field load
    r1 = constant 1000
    r2 = div r0, r1
    result r2
  select      count(): count = count()
  select      avg(load): double = avg(argument 0)
  select      peak: decimal(6) = max(argument 1)
  select      p99: decimal(3) = quantile(argument 0, 0.99)
  having      peak > 0.5
    r0 = field peak
    r1 = constant 0.5
    r2 = gt r0, r1
    result r2
  sinks       console (10 rows), rows (file out/{query}.jsonl, jsonl)

query lines from machines
  window      none: each batch interval of 1s by itself
  group by    line (at most 100000 groups)
  where       machine != 'test' and not is_null(vibration)
    r0 = field vibration
    r1 = is_null r0
    r0 = not r1
    r1 = key_test machine != 'test'
    r2 = and r1, r0
    result r2
  argument 0  temperature * 9 / 5 + 32: decimal(6), keeps count, sum
    r0 = field temperature
    r1 = constant 9
    r2 = mul r0, r1
    r0 = constant 5
    r1 = div r2, r0
    r0 = constant 32
    r2 = add r1, r0
    result r2
  argument 1  vibration: decimal(6), keeps count
  argument 2  temperature: decimal(3), keeps count, minmax
  select      fahrenheit: double = avg(argument 0)
  select      distinct(machine): count = distinct(machine)
  select      count(vibration): count = count(argument 1)
  for having  range(temperature): decimal(3) = range(argument 2)
  having      line < 'm' and range(temperature) > 2
    r0 = field range(temperature)
    r1 = constant 2
    r2 = gt r0, r1
    r0 = key_test line < 'm'
    r1 = and r0, r2
    result r1
  sinks       console (10 rows)

)~";

TEST(Explain, PrintsTheWholePlan) {
  const plan::Plan plan = plan::compile(plan::parse_configuration(kExample, "example.toml"));
  EXPECT_EQ(plan::explain(plan), kExplained);
}

TEST(Explain, SaysWhatIsSpecialAboutAStream) {
  spec::Pipeline pipeline = simple_pipeline();
  spec::Stream& stream = pipeline.streams[0];
  stream.dedupe = true;
  stream.sequence = "raw";
  stream.time.zone = "+02:00";
  stream.schema.keys[0].path = "/meta/id";
  spec::Stream idle = simple_stream();
  idle.name = "unused";
  idle.time.arrival = true;
  idle.time.field.clear();
  idle.schema = {};
  pipeline.streams.push_back(idle);
  pipeline.queries[0].slide = std::chrono::seconds(15);
  pipeline.queries[0].allowed_lateness = std::chrono::minutes(1);
  pipeline.queries[0].group_by.clear();
  pipeline.queries[0].emit_empty = true;
  const std::string text = plan::explain(plan::compile(pipeline));
  for (const char* line :
       {"  dedupe      by keys and raw\n", "  time        field t, auto, zone +02:00\n",
        "  keys        machine at /meta/id, line (at most 100000)\n",
        "  fields      load decimal(3), speed decimal(2) required, raw decimal(0)\n",
        "stream unused (no query reads it)\n", "  time        arrival\n", "  keys        none\n",
        "  fields      none\n", "  window      10s every 15s, 2 panes of 5s\n",
        "              readings in the gaps of 5s are filtered\n",
        "  lateness    1m: rows that change are emitted again\n", "  group by    nothing: one group\n",
        "  emit_empty  a window without readings gives a row too\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "is missing in\n" << text;
  }
}

TEST(Explain, NeverPrintsAPassword) {
  spec::Pipeline pipeline = simple_pipeline();
  spec::Source& source = pipeline.streams[0].sources[0];
  source.kind = spec::SourceKind::mqtt;
  source.broker = "mqtt://host";
  source.topics = {"a/{machine}/{line}"};
  source.username = "user";
  source.password = "s3cret-word";
  spec::Sink sink;
  sink.name = "out";
  sink.kind = spec::SinkKind::mqtt;
  sink.broker = "mqtt://host";
  sink.topic = "rows/{query}/{machine}";
  sink.password = "s3cret-word";
  pipeline.sinks.push_back(sink);
  pipeline.queries[0].sinks = {"out"};
  EXPECT_EQ(plan::explain(plan::compile(pipeline)).find("s3cret"), std::string::npos);
  pipeline.streams[0].sources[0].broker = "mqtt://user:s3cret-word@host";
  pipeline.sinks[0].broker = "mqtt://user:s3cret-word@host";
  const std::vector<std::string> mistakes = mistakes_of(pipeline);
  EXPECT_EQ(mistakes.size(), 2U);
  for (const std::string& mistake : mistakes) {
    EXPECT_EQ(mistake.find("s3cret"), std::string::npos) << mistake;
  }
}

}  // namespace
}  // namespace weir::plan_test
