// Parts of a pipeline that are right by themselves and cannot run side by side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plan/pipelines.hpp"
#include "support/temporary_directory.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

spec::Source mqtt_source(const std::string& broker, const std::string& client_id) {
  spec::Source source;
  source.kind = spec::SourceKind::mqtt;
  source.broker = broker;
  source.client_id = client_id;
  source.topics = {"a/#"};
  return source;
}

spec::Sink mqtt_sink(const std::string& broker, const std::string& client_id) {
  spec::Sink sink;
  sink.name = "m";
  sink.kind = spec::SinkKind::mqtt;
  sink.broker = broker;
  sink.client_id = client_id;
  sink.topic = "out";
  return sink;
}

spec::Sink file_sink(const std::string& name, const std::string& path) {
  spec::Sink sink;
  sink.name = name;
  sink.kind = spec::SinkKind::file;
  sink.path = path;
  return sink;
}

/// The mistakes of a right pipeline with these sinks, all of them used by its query.
std::vector<std::string> with_sinks(std::vector<spec::Sink> sinks, spec::Pipeline pipeline = simple_pipeline()) {
  for (spec::Query& query : pipeline.queries) {
    for (const spec::Sink& sink : sinks) {
      query.sinks.push_back(sink.name);
    }
  }
  pipeline.sinks = std::move(sinks);
  return mistakes_of(pipeline);
}

TEST(Conflicts, TwoClientsOfOneBrokerCannotShareAClientId) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.streams[0].sources = {mqtt_source("mqtt://localhost", "gw")};
  for (const char* broker : {"mqtt://localhost", "tcp://LOCALHOST:1883", "mqtt://127.0.0.1:1883", "mqtt://[::1]"}) {
    EXPECT_THAT(
        with_sinks({mqtt_sink(broker, "gw")}, pipeline),
        ElementsAre("sink 'm': 'client_id' = \"gw\" is that of stream 's', source at the same broker, which would "
                    "throw out the one whenever the other connects (give each a client_id of its own)"));
  }
  for (const char* broker : {"mqtt://localhost:1884", "mqtts://localhost", "mqtt://other"}) {
    EXPECT_THAT(with_sinks({mqtt_sink(broker, "gw")}, pipeline), IsEmpty()) << broker;
  }
  EXPECT_THAT(with_sinks({mqtt_sink("mqtt://localhost", "gw2")}, pipeline), IsEmpty());
  EXPECT_THAT(with_sinks({mqtt_sink("mqtt://localhost", "")}, pipeline), IsEmpty());

  pipeline.streams[0].sources.push_back(mqtt_source("mqtt://localhost", "gw"));
  EXPECT_THAT(
      mistakes_of(pipeline),
      ElementsAre("stream 's', source 2: 'client_id' = \"gw\" is that of stream 's', source 1 at the same broker, "
                  "which would throw out the one whenever the other connects (give each a client_id of its own)"));
}

TEST(Conflicts, TwoOutputsCannotBeOneFile) {
  const char* const mistake = "sink 'b' writes to the same file as sink 'a' (give it another path)";
  const std::string here = std::filesystem::current_path();
  for (const std::string& path : {std::string("out/rows.jsonl"), std::string("./out//rows.jsonl"),
                                  std::string("out/../out/rows.jsonl"), here + "/out/rows.jsonl"}) {
    EXPECT_THAT(with_sinks({file_sink("a", "out/rows.jsonl"), file_sink("b", path)}), ElementsAre(mistake)) << path;
  }
  EXPECT_THAT(with_sinks({file_sink("a", "{query}.jsonl"), file_sink("b", "q.jsonl")}), ElementsAre(mistake));
  EXPECT_THAT(with_sinks({file_sink("a", "out/rows.jsonl"), file_sink("b", "out/rows.csv")}), IsEmpty());
  EXPECT_THAT(with_sinks({file_sink("a", "/dev/null"), file_sink("b", "/dev/null")}), IsEmpty());

  spec::Pipeline two = simple_pipeline();
  two.queries.push_back(two.queries[0]);
  two.queries[1].name = "r";
  EXPECT_THAT(with_sinks({file_sink("a", "one.jsonl")}, two), IsEmpty()) << "queries of one sink share its file";

  spec::Pipeline dead = simple_pipeline();
  dead.dead_letter = "./dead.jsonl";
  EXPECT_THAT(with_sinks({file_sink("a", "dead.jsonl")}, dead),
              ElementsAre("sink 'a' writes to the same file as 'dead_letter' (give it another path)"));
  EXPECT_THAT(with_sinks({file_sink("a", "dead.jsonl.1")}, dead),
              ElementsAre("sink 'a' writes to the same file as 'dead_letter' (the file before, see dead_letter_bytes) "
                          "(give it another path)"));
  dead.dead_letter_bytes = 0;
  EXPECT_THAT(with_sinks({file_sink("a", "dead.jsonl.1")}, dead), IsEmpty());
}

TEST(Conflicts, ASymbolicLinkIsTheFileThatItNames) {
  const test::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/real");
  std::filesystem::create_directory_symlink(directory.path() + "/real", directory.path() + "/link");
  EXPECT_THAT(with_sinks({file_sink("a", directory.path() + "/real/x"), file_sink("b", directory.path() + "/link/x")}),
              ElementsAre("sink 'b' writes to the same file as sink 'a' (give it another path)"));
}

TEST(Conflicts, AnOutputCannotBeAnInput) {
  EXPECT_THAT(with_sinks({file_sink("a", "./in.jsonl")}),
              ElementsAre("sink 'a' writes to the file that stream 's', source reads (give it another path)"));
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.streams[0].sources[0].kind = spec::SourceKind::directory;
  pipeline.streams[0].sources[0].path = "spool/";
  pipeline.streams[0].sources[0].pattern = "*.jsonl";
  EXPECT_THAT(
      with_sinks({file_sink("a", "spool/{query}.jsonl")}, pipeline),
      ElementsAre("sink 'a' writes into the directory that stream 's', source reads (give it another path, or the "
                  "source a pattern that does not match it)"));
  EXPECT_THAT(with_sinks({file_sink("a", "spool/{query}.csv"), file_sink("b", "spool/sub/q.jsonl")}, pipeline),
              IsEmpty());
}

TEST(Conflicts, NothingIsWrittenIntoTheStateDirectory) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.state_dir = "state/";
  const char* const mistake =
      "sink 'a' writes into 'state_dir', 'state/' (the directory is Weir's own: give it a path elsewhere)";
  EXPECT_THAT(with_sinks({file_sink("a", "state/{query}.jsonl")}, pipeline), ElementsAre(mistake));
  EXPECT_THAT(with_sinks({file_sink("a", "./out/../state/deep/er.jsonl")}, pipeline), ElementsAre(mistake));
  EXPECT_THAT(with_sinks({file_sink("a", "state.jsonl"), file_sink("b", "statement/x")}, pipeline), IsEmpty());
}

}  // namespace
}  // namespace weir::plan_test
