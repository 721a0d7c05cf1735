// Topics that are right by themselves and wrong beside each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

spec::Source subscriber(std::vector<std::string> topics, const std::string& broker = "mqtt://localhost") {
  spec::Source source;
  source.kind = spec::SourceKind::mqtt;
  source.broker = broker;
  source.topics = std::move(topics);
  return source;
}

std::vector<std::string> with_topics(std::vector<std::string> topics) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.streams[0].sources = {subscriber(std::move(topics))};
  return mistakes_of(pipeline);
}

TEST(Topics, AMessageThatTwoTopicsMatchWouldCountTwice) {
  EXPECT_THAT(with_topics({"plant/{line}/{machine}/state", "plant/#"}),
              ElementsAre("stream 's', source: topics \"plant/{line}/{machine}/state\" and \"plant/#\" can match one "
                          "message, which the broker may then send twice (leave one out, or narrow it)"));
  EXPECT_THAT(with_topics({"a/b", "a/b"}),
              ElementsAre("stream 's', source: topic \"a/b\" is listed twice (leave one out)"));
  EXPECT_THAT(with_topics({"#", "x/y", "x/+"}), SizeIs(2));
  for (const auto& topics : std::vector<std::vector<std::string>>{{"a/{line}", "a/{machine}"},
                                                                  {"a/#", "a"},
                                                                  {"+/b", "a/+"},
                                                                  {"$share/g/a/#", "a/b"},
                                                                  {"$share/g/a", "$share/h/a"},
                                                                  {"/+", "//#"}}) {
    EXPECT_THAT(with_topics(topics), SizeIs(1)) << topics[0];
  }
  for (const auto& topics : std::vector<std::vector<std::string>>{
           {"a/+", "b/+"}, {"a", "a/+"}, {"a/+/c", "a/+/d"}, {"#", "$SYS/#"}, {"a", "A"}, {"a", "a/"}}) {
    EXPECT_THAT(with_topics(topics), IsEmpty()) << topics[0];
  }
}

TEST(Topics, TwoSourcesMayBothWantAMessage) {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.streams[0].sources = {subscriber({"a/#"}), subscriber({"a/#"})};
  EXPECT_THAT(mistakes_of(pipeline), IsEmpty());
}

/// A stream "s" that reads `topics`, and whose query "q" publishes to `topic`.
spec::Pipeline publishing(std::vector<std::string> topics, const std::string& topic,
                          const std::string& broker = "mqtt://localhost") {
  spec::Pipeline pipeline = simple_pipeline();
  pipeline.streams[0].sources = {subscriber(std::move(topics))};
  spec::Sink sink;
  sink.name = "out";
  sink.kind = spec::SinkKind::mqtt;
  sink.broker = broker;
  sink.topic = topic;
  pipeline.sinks = {sink};
  pipeline.queries[0].sinks = {"out"};
  return pipeline;
}

TEST(Topics, ASinkCannotFeedTheStreamOfItsRows) {
  EXPECT_THAT(mistakes_of(publishing({"plant/#"}, "plant/{query}")),
              ElementsAre("sink 'out' publishes to \"plant/{query}\", which topic \"plant/#\" of stream 's', source "
                          "takes in: one message would go round and round (give it a topic that the stream does not "
                          "read)"));
  struct Pair {
    const char* filter;
    const char* topic;
    bool fed;
  };
  for (const auto& [filter, topic, fed] : std::vector<Pair>{{"{line}/#", "loop{machine}/x", true},
                                                            {"loop7/#", "loop{machine}/x", true},
                                                            {"lamp7/#", "loop{machine}/x", false},
                                                            {"out/q", "out/{query}", true},
                                                            {"out/r", "out/{query}", false},
                                                            {"out/q-7-x", "out/{query}-{machine}-x", true},
                                                            {"out/q-7", "out/{query}-{machine}-x", false},
                                                            {"$share/g/out/#", "out/{query}", true},
                                                            {"out/+/x", "out/{query}", false},
                                                            {"#", "$weir/out", false},
                                                            {"#", "{machine}", true},
                                                            {"out", "out/{query}", false},
                                                            {"out/#", "out", true}}) {
    EXPECT_THAT(mistakes_of(publishing({filter}, topic)), SizeIs(fed ? 1 : 0)) << filter << " and " << topic;
  }
}

TEST(Topics, OneBrokerHasSeveralSpellings) {
  for (const char* broker : {"tcp://LOCALHOST:1883", "mqtt://127.0.0.1:1883", "mqtt://[::1]"}) {
    EXPECT_THAT(mistakes_of(publishing({"plant/#"}, "plant/x", broker)), SizeIs(1)) << broker;
  }
  for (const char* broker : {"mqtt://localhost:1884", "mqtt://other"}) {
    EXPECT_THAT(mistakes_of(publishing({"plant/#"}, "plant/x", broker)), IsEmpty()) << broker;
  }
}

TEST(Topics, RowsMustNotComeBackByWayOfAnotherStream) {
  spec::Pipeline pipeline = publishing({"a/#"}, "b/{query}");
  pipeline.streams.push_back(pipeline.streams[0]);
  pipeline.streams[1].name = "t";
  pipeline.streams[1].sources = {subscriber({"b/#"})};
  EXPECT_THAT(mistakes_of(pipeline), IsEmpty()) << "one stream may read the rows of another";

  pipeline.queries.push_back(pipeline.queries[0]);
  pipeline.queries[1].name = "r";
  pipeline.queries[1].from = "t";
  pipeline.queries[1].sinks = {"back"};
  pipeline.sinks.push_back(pipeline.sinks[0]);
  pipeline.sinks[1].name = "back";
  pipeline.sinks[1].topic = "a/{query}";
  EXPECT_THAT(
      mistakes_of(pipeline),
      ElementsAre("sink 'out' publishes to \"b/{query}\", which topic \"b/#\" of stream 't', source takes in, and "
                  "from there it comes back to stream 's': one message would go round and round (give it a "
                  "topic that the stream does not read)",
                  "sink 'back' publishes to \"a/{query}\", which topic \"a/#\" of stream 's', source takes in, "
                  "and from there it comes back to stream 't': one message would go round and round (give it a "
                  "topic that the stream does not read)"));
}

}  // namespace
}  // namespace weir::plan_test
