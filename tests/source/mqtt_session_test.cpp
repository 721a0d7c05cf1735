// What a session at the broker remembers, and what of it counts: topics that were taken out, filters that became
// narrower, retained messages, messages that are too large.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "source/collector.hpp"
#include "source/mqtt_publisher.hpp"
#include "source/mqtt_subscriptions.hpp"
#include "source/source.hpp"
#include "support/broker.hpp"
#include "support/temporary_directory.hpp"

namespace weir::source {
namespace {

using test::Broker;
using test::eventually;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

struct Case {
  int version;
  bool with_state;  ///< what was subscribed is kept in a file
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << "MQTT " << one.version << (one.with_state ? " with a state directory" : "");
}

class MqttSession : public testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<Source> start(const std::vector<std::string>& topics, Collector& collector) {
    spec_.topics = topics;
    SourceOptions options;
    options.session_dir = GetParam().with_state ? files_ / "mqtt" : "";
    auto source = make_source(spec_, "s", 0, collector, {}, options);
    source->start();
    return source;
  }
  void SetUp() override {
    spec_.kind = spec::SourceKind::mqtt;
    spec_.broker = broker_.uri();
    spec_.client_id = "gateway";
    spec_.max_message = 2000;
    spec_.mqtt_version = GetParam().version;
  }
  /// A former life of the gateway, with a session of these topics.
  void lived_before(const std::vector<std::string>& topics) {
    Collector collector;
    start(topics, collector)->stop();
  }
  /// @brief "topic payload" of what counts, in order.
  static std::vector<std::string> taken(const Collector& collector, bool refused = false) {
    std::vector<std::string> texts;
    for (const Received& one : collector.all()) {
      if (one.refused.has_value() == refused) {
        texts.push_back(one.topic + " " + one.payload);
      }
    }
    return texts;
  }

  Broker broker_;
  test::TemporaryDirectory files_;
  spec::Source spec_;
};

TEST_P(MqttSession, ATopicThatWasTakenOutDoesNotCountAndIsUnsubscribed) {
  lived_before({"hall/a", "hall/b"});
  MqttPublisher publisher(broker_);
  publisher.publish("hall/b", "waited-", 1, 1);
  publisher.publish("hall/a", "waited-", 1, 1);
  Collector collector;
  const auto source = start({"hall/a", "hall/c"}, collector);
  EXPECT_TRUE(eventually([&] { return collector.count() == 2; }));
  EXPECT_THAT(taken(collector), ElementsAre("hall/a waited-0"));
  EXPECT_THAT(taken(collector, true), ElementsAre("hall/b waited-0"));
  EXPECT_EQ(collector.all()[0].refused, batch::Malformed::other_topic);
  // A message to hall/c tells that what was sent to hall/b before it does not come.
  EXPECT_TRUE(eventually([&] {
    const std::size_t before = collector.count();
    publisher.publish("hall/b", "gone-", 1, 1);
    publisher.publish("hall/c", "mark-", 1, 1);
    EXPECT_TRUE(eventually([&] { return taken(collector).back() == "hall/c mark-0" && collector.count() > before; }));
    return taken(collector, true).back() == "hall/b waited-0" ||
           collector.all()[collector.count() - 2].topic != "hall/b";
  }));
  source->stop();
  Collector again;
  const auto next = start({"hall/a", "hall/c"}, again);
  publisher.publish("hall/b", "gone-", 1, 1);
  publisher.publish("hall/c", "last-", 1, 1);
  EXPECT_TRUE(eventually([&] { return again.count() > 0; }));
  EXPECT_THAT(taken(again), ElementsAre("hall/c last-0"));
  EXPECT_THAT(taken(again, true), IsEmpty());
}

TEST_P(MqttSession, AFilterThatBecameNarrowerCountsNothingTwice) {
  lived_before({"plant/+/+"});
  MqttPublisher publisher(broker_);
  publisher.publish("plant/A/x", "waited-", 3, 1);
  Collector collector;
  const auto source = start({"plant/A/+"}, collector);
  publisher.publish("plant/A/x", "live-", 3, 1);
  publisher.publish("plant/B/x", "other-", 1, 1);
  publisher.publish("plant/A/y", "last-", 1, 1);
  EXPECT_TRUE(eventually([&] { return !collector.all().empty() && taken(collector).back() == "plant/A/y last-0"; }));
  EXPECT_THAT(taken(collector),
              ElementsAre("plant/A/x waited-0", "plant/A/x waited-1", "plant/A/x waited-2", "plant/A/x live-0",
                          "plant/A/x live-1", "plant/A/x live-2", "plant/A/y last-0"));
}

// Brokers walk their filters in an order of their own: the old one may come first or last.
TEST_P(MqttSession, AFilterThatBecameWiderCountsNothingTwice) {
  lived_before({"plant/A/x"});
  MqttPublisher publisher(broker_);
  publisher.publish("plant/A/x", "waited-", 1, 1);
  Collector collector;
  const auto source = start({"plant/#"}, collector);
  publisher.publish("plant/A/x", "live-", 3, 1);
  publisher.publish("plant/B", "last-", 1, 1);
  EXPECT_TRUE(eventually([&] { return !collector.all().empty() && taken(collector).back() == "plant/B last-0"; }));
  EXPECT_THAT(taken(collector), ElementsAre("plant/A/x waited-0", "plant/A/x live-0", "plant/A/x live-1",
                                            "plant/A/x live-2", "plant/B last-0"));
}

TEST_P(MqttSession, ASharedFilterThatWasTakenOutIsUnsubscribed) {
  lived_before({"$share/g/hall/#"});
  Collector collector;
  const auto source = start({"$share/g/yard/#"}, collector);
  MqttPublisher publisher(broker_);
  EXPECT_TRUE(eventually([&] {
    const std::size_t refused = taken(collector, true).size();
    const std::size_t before = taken(collector).size();
    publisher.publish("hall/a", "x", 1, 1);
    publisher.publish("yard/a", "mark-", 1, 1);
    EXPECT_TRUE(eventually([&] { return taken(collector).size() > before; }));
    return taken(collector, true).size() == refused;
  }));
  EXPECT_THAT(taken(collector), Not(Contains("hall/a x0")));
}

TEST_P(MqttSession, ARetainedMessageCountsOnceOverReconnectsAndRestarts) {
  spec_.retained = true;
  MqttPublisher(broker_).publish("hall/a", "kept-", 1, 1, true);
  {
    Collector collector;
    const auto source = start({"hall/+"}, collector);
    EXPECT_TRUE(eventually([&] { return collector.count() == 1; }));
    for (int i = 0; i < 2; ++i) {
      broker_.stop();
      broker_.start();
      MqttPublisher publisher(broker_);
      const std::size_t before = collector.count();
      EXPECT_TRUE(eventually([&] {
        publisher.publish("hall/b", "again", 1, 1);
        return collector.count() > before;
      }));
    }
    const std::vector<std::string> texts = taken(collector);
    EXPECT_EQ(texts.front(), "hall/a kept-0");
    EXPECT_EQ(std::count(texts.begin(), texts.end(), "hall/a kept-0"), 1);
  }
  MqttPublisher publisher(broker_);
  publisher.publish("hall/a", "away-", 1, 1, true);
  Collector collector;
  const auto source = start({"hall/+"}, collector);
  publisher.publish("hall/c", "last-", 1, 1);
  EXPECT_TRUE(eventually([&] { return !collector.all().empty() && taken(collector).back() == "hall/c last-0"; }));
  std::vector<std::string> of_a;
  for (const std::string& text : taken(collector)) {
    if (text.starts_with("hall/a")) of_a.push_back(text);
  }
  EXPECT_THAT(of_a, ElementsAre("hall/a away-0"));
}

TEST_P(MqttSession, WithoutASessionARetainedMessageCountsAgainOnlyWhenItHasChanged) {
  spec_.retained = true;
  spec_.client_id.clear();
  MqttPublisher(broker_).publish("hall/a", "kept-", 1, 1, true);
  Collector collector;
  const auto source = start({"hall/+"}, collector);
  EXPECT_TRUE(eventually([&] { return collector.count() == 1; }));
  for (int i = 0; i < 2; ++i) {
    broker_.stop();
    broker_.start();
    MqttPublisher publisher(broker_);
    const std::size_t before = collector.count();
    EXPECT_TRUE(eventually([&] {
      publisher.publish("hall/b", "again", 1, 1);
      return collector.count() > before;
    }));
    publisher.publish("hall/a", "change-" + std::to_string(i) + "-", 1, 1, true);
    EXPECT_TRUE(eventually([&] { return taken(collector).back() == "hall/a change-" + std::to_string(i) + "-0"; }));
  }
  std::vector<std::string> of_a;
  for (const std::string& text : taken(collector)) {
    if (text.starts_with("hall/a")) of_a.push_back(text);
  }
  EXPECT_THAT(of_a, ElementsAre("hall/a kept-0", "hall/a change-0-0", "hall/a change-1-0"));
}

TEST_P(MqttSession, AMessageAboveTheLimitIsRefusedOrNotSentAtAll) {
  Collector collector;
  const auto source = start({"in"}, collector);
  MqttPublisher publisher(broker_);
  publisher.publish("in", std::string(2000, 'x'), 1, 1);  // one byte more: the number at the end
  publisher.publish("in", std::string(1999, 'y'), 1, 1);
  EXPECT_TRUE(eventually([&] { return taken(collector).size() == 1; }));
  EXPECT_THAT(taken(collector), ElementsAre("in " + std::string(1999, 'y') + "0"));
  ASSERT_EQ(collector.count(), 2U);
  EXPECT_EQ(collector.all()[0].refused, batch::Malformed::too_large);
  EXPECT_EQ(collector.all()[0].payload, std::string(batch::kRefusedSample, 'x'));

  publisher.publish("in", std::string(300'000, 'z'), 1, 1);
  publisher.publish("in", "last-", 1, 1);
  EXPECT_TRUE(eventually([&] { return taken(collector).size() == 2; }));
  EXPECT_EQ(collector.count(), GetParam().version == 5 ? 3U : 4U) << "an MQTT 5 broker is told the limit";
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttSession,
                         testing::Values(Case{4, false}, Case{4, true}, Case{5, false}, Case{5, true}));

std::vector<std::string> suspects(const std::vector<std::string>& topics, const std::string& topic) {
  spec::Source spec;
  spec.topics = topics;
  return MqttSubscriptions(spec, "").suspects(topic);
}

TEST(MqttSubscriptions, EveryFilterThatMatchesATopicIsSuspected) {
  EXPECT_THAT(suspects({"x"}, "a"), ElementsAre("a", "a/#", "#", "+", "+/#"));
  EXPECT_THAT(suspects({"+/{k}"}, "a/b"), ::testing::UnorderedElementsAre("a/b", "a/b/#", "a/#", "#", "+/b", "+/b/#",
                                                                          "+/#", "a/+", "a/+/#", "+/+/#"));
  EXPECT_THAT(suspects({"$share/g/x"}, "a"),
              ::testing::UnorderedElementsAre("a", "a/#", "#", "+", "+/#", "$share/g/a", "$share/g/a/#", "$share/g/#",
                                              "$share/g/+", "$share/g/+/#"));
  EXPECT_THAT(suspects({"x"}, "$a/b"), ::testing::UnorderedElementsAre("$a/b", "$a/b/#", "$a/#", "$a/+", "$a/+/#"));
}

TEST(MqttSubscriptions, IdentifiersAreWhatMqttCanWrite) {
  for (const char* filter : {"a", "a/#", "plant/+/state", ""}) {
    EXPECT_GE(subscription_identifier(filter), 1U);
    EXPECT_LT(subscription_identifier(filter), 1U << 28U);
  }
  EXPECT_NE(subscription_identifier("a"), subscription_identifier("b"));
}

}  // namespace
}  // namespace weir::source
