// The MQTT source against a real broker.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "source/collector.hpp"
#include "source/mqtt_options.hpp"
#include "source/mqtt_publisher.hpp"
#include "source/source.hpp"
#include "support/broker.hpp"
#include "support/kept_log.hpp"
#include "support/process.hpp"
#include "support/tcp_server.hpp"

namespace weir::source {
namespace {

using test::Broker;
using test::eventually;

spec::Source mqtt_source(const Broker& broker, int version = 5, int qos = 1) {
  spec::Source source;
  source.kind = spec::SourceKind::mqtt;
  source.broker = broker.uri();
  source.topics = {"plant/{line}/{machine}/state"};
  source.mqtt_version = version;
  source.qos = qos;
  return source;
}

std::unique_ptr<Source> make(const spec::Source& spec, Collector& collector) {
  return make_source(spec, "machines", 3, collector, {});
}

std::vector<std::string> numbered(const std::string& prefix, int n) {
  std::vector<std::string> all;
  for (int i = 0; i < n; ++i) {
    all.push_back(prefix + std::to_string(i));
  }
  return all;
}

struct Protocol {
  int version, qos;
};
void PrintTo(const Protocol& protocol, std::ostream* out) {
  *out << "MQTT " << protocol.version << ", QoS " << protocol.qos;
}

class MqttDelivery : public testing::TestWithParam<Protocol> {};

TEST_P(MqttDelivery, EveryMessageComesOnceAndInOrder) {
  const auto [version, qos] = GetParam();
  const Broker broker;
  Collector collector;
  test::TemporaryDirectory files;
  spec::Source spec = mqtt_source(broker, version, qos);
  spec.persistence_dir = version == 4 && qos == 2 ? files / "in-flight" : "";
  const auto source = make(spec, collector);
  source->start();
  MqttPublisher(broker).publish("plant/l1/m1/state", "m", 500, qos);
  ASSERT_TRUE(eventually([&] { return collector.count() >= 500; })) << collector.count();
  source->stop();
  EXPECT_EQ(collector.payloads(), numbered("m", 500));
  for (const Received& message : collector.all()) {
    ASSERT_EQ(message.topic, "plant/l1/m1/state");
    ASSERT_EQ(message.source, 3U);
    ASSERT_EQ(message.delivery, qos == 0 ? batch::Delivery::shed : batch::Delivery::hold_back);
    ASSERT_FALSE(message.duplicate);
    ASSERT_EQ(message.arrival_ns, 0) << "the journal's clock says";
  }
  EXPECT_TRUE(collector.failures().empty());
}

INSTANTIATE_TEST_SUITE_P(Protocols, MqttDelivery,
                         testing::Values(Protocol{4, 0}, Protocol{4, 1}, Protocol{4, 2}, Protocol{5, 0}, Protocol{5, 1},
                                         Protocol{5, 2}));

class MqttVersion : public testing::TestWithParam<int> {};

TEST_P(MqttVersion, CapturesAndWildcardsAreSubscribedAndNothingElse) {
  const Broker broker;
  Collector collector;
  spec::Source spec = mqtt_source(broker, GetParam());
  spec.topics = {"plant/{line}/state", "other/#"};
  const auto source = make(spec, collector);
  source->start();
  MqttPublisher publisher(broker);
  publisher.publish("plant/a/state", "1-", 1, 1);
  publisher.publish("plant/a/b/state", "2-", 1, 1);
  publisher.publish("plant/a", "3-", 1, 1);
  publisher.publish("other/x/y", "4-", 1, 1);
  publisher.publish("plant/b/state", "5-", 1, 1);
  ASSERT_TRUE(eventually([&] { return collector.count() >= 3; }));
  source->stop();
  std::set<std::string> topics;
  for (const Received& message : collector.all()) {
    topics.insert(message.topic);
  }
  EXPECT_EQ(collector.count(), 3U);
  EXPECT_EQ(topics, (std::set<std::string>{"plant/a/state", "other/x/y", "plant/b/state"}));
}

TEST_P(MqttVersion, BrokerThatStartsLaterIsFound) {
  Broker broker;
  broker.stop();
  Collector collector;
  const auto source = make(mqtt_source(broker, GetParam()), collector);
  source->start();  // returns: the broker is only down
  broker.start();
  MqttPublisher publisher(broker);
  ASSERT_TRUE(eventually([&] {
    publisher.publish("plant/a/b/state", "x", 1, 1);
    return collector.count() > 0;
  }));
}

TEST_P(MqttVersion, RestartedBrokerIsSubscribedAgain) {
  Broker broker;
  Collector collector;
  const auto source = make(mqtt_source(broker, GetParam()), collector);
  source->start();
  MqttPublisher(broker).publish("plant/a/b/state", "before", 1, 1);
  ASSERT_TRUE(eventually([&] { return collector.count() == 1; }));
  broker.stop(SIGKILL);
  broker.start();
  MqttPublisher publisher(broker);
  ASSERT_TRUE(eventually([&] {
    publisher.publish("plant/a/b/state", "after", 1, 1);
    return collector.count() > 1;
  }));
}

TEST_P(MqttVersion, PersistentSessionGetsWhatWasPublishedWhileItWasAway) {
  const Broker broker;
  spec::Source spec = mqtt_source(broker, GetParam());
  spec.client_id = "gateway-1";
  MqttPublisher publisher(broker);
  Collector first;
  {
    const auto source = make(spec, first);
    source->start();
    publisher.publish("plant/a/b/state", "a", 10, 1);
    ASSERT_TRUE(eventually([&] { return first.count() == 10; }));
  }
  publisher.publish("plant/a/b/state", "b", 10, 1);
  Collector second;
  {
    const auto source = make(spec, second);
    source->start();
    ASSERT_TRUE(eventually([&] { return second.count() >= 10; }));
  }
  EXPECT_EQ(second.payloads(), numbered("b", 10));

  spec.clean_session = true;
  publisher.publish("plant/a/b/state", "c", 10, 1);
  Collector third;
  const auto source = make(spec, third);
  source->start();
  publisher.publish("plant/a/b/state", "d", 1, 1);
  ASSERT_TRUE(eventually([&] { return third.count() >= 1; }));
  EXPECT_EQ(third.payloads(), numbered("d", 1));
}

TEST_P(MqttVersion, WrongPasswordIsAnErrorOfOneLineWithoutThePassword) {
  const Broker::Login login{"gateway", "right-password"};
  const Broker broker(login);
  Collector collector;
  spec::Source spec = mqtt_source(broker, GetParam());
  spec.username = "gateway";
  spec.password = "wrong-password";
  try {
    make(spec, collector)->start();
    FAIL() << "started";
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("'machines'"), std::string::npos) << what;
    EXPECT_NE(what.find(broker.uri()), std::string::npos) << what;
    EXPECT_NE(what.find("not authorised"), std::string::npos) << what;
    EXPECT_EQ(what.find("wrong-password"), std::string::npos) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
  }
  spec.password = "right-password";
  const auto source = make(spec, collector);
  source->start();
  MqttPublisher(broker, login).publish("plant/a/b/state", "x", 1, 1);
  EXPECT_TRUE(eventually([&] { return collector.count() == 1; }));
}

TEST_P(MqttVersion, RetainedMessagesAreTakenOnlyWhenAskedFor) {
  const Broker broker;
  MqttPublisher publisher(broker);
  publisher.publish("plant/a/b/state", "snapshot", 1, 1, true);
  for (const bool wanted : {false, true}) {
    Collector collector;
    spec::Source spec = mqtt_source(broker, GetParam());
    spec.retained = wanted;
    const auto source = make(spec, collector);
    source->start();
    publisher.publish("plant/a/c/state", "live", 1, 1);
    ASSERT_TRUE(eventually([&] { return collector.count() >= (wanted ? 2U : 1U); }));
    source->stop();
    EXPECT_EQ(collector.payloads(),
              wanted ? (std::vector<std::string>{"snapshot0", "live0"}) : (std::vector<std::string>{"live0"}));
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttVersion, testing::Values(4, 5));

TEST(Mqtt, ConsumerThatStandsStillNeitherLosesMessagesNorBlocksOtherClients) {
  const Broker broker;
  Collector slow;
  Collector other;
  spec::Source spec = mqtt_source(broker);
  spec.client_id = "stalled";
  const auto source = make(spec, slow);
  source->start();
  spec.client_id = "other";
  spec.topics = {"elsewhere"};
  const auto neighbour = make(spec, other);
  neighbour->start();
  slow.gate(true);
  MqttPublisher(broker).publish("plant/a/b/state", "m", 1000, 1);
  ASSERT_TRUE(eventually([&] { return slow.full() > 0; }));
  MqttPublisher(broker).publish("elsewhere", "x", 10, 1);
  ASSERT_TRUE(eventually([&] { return other.count() == 10; }));
  EXPECT_EQ(slow.count(), 0U);
  slow.gate(false);
  // A message whose acknowledgement did not leave any more comes twice: each is there, and the first copies in order.
  std::vector<std::string> first_copies;
  const bool all = eventually([&] {
    std::set<std::string> known;
    first_copies.clear();
    for (const std::string& payload : slow.payloads()) {
      if (known.insert(payload).second) {
        first_copies.push_back(payload);
      }
    }
    return known.size() == 1000;
  });
  ASSERT_TRUE(all) << first_copies.size();
  source->stop();
  const std::vector<std::string> expected = numbered("m", 1000);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(first_copies[i], expected[i]) << "at " << i << " of " << slow.count();
  }
}

TEST(Mqtt, StopWaitsForAHeldMessageAndOffersNothingAfterwards) {
  const Broker broker;
  Collector collector;
  const auto source = make(mqtt_source(broker), collector);
  source->start();
  collector.gate(true);
  MqttPublisher(broker).publish("plant/a/b/state", "m", 5, 1);
  std::thread stopper([&] { source->stop(); });
  collector.gate(false);
  stopper.join();
  const std::size_t count = collector.count();
  MqttPublisher(broker).publish("plant/a/b/state", "n", 5, 1);
  EXPECT_EQ(collector.count(), count);
  source->stop();
}

TEST(Mqtt, StopWhileTheBrokerIsAwayReturns) {
  Broker broker;
  broker.stop();
  Collector collector;
  const auto source = make(mqtt_source(broker), collector);
  source->start();
  source->stop();
  EXPECT_EQ(collector.count(), 0U);
}

TEST(Mqtt, OutageIsLoggedOncePerChange) {
  Broker broker;
  broker.stop();
  const test::KeptLog log;
  {
    Collector collector;
    spec::Source spec = mqtt_source(broker);
    spec.username = "gateway";
    spec.password = "secret-password";
    const auto source = make(spec, collector);
    source->start();
    // Several attempts fail before the broker comes.
    const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
    while (std::chrono::steady_clock::now() < later) {
      std::this_thread::yield();
    }
    broker.start();
    MqttPublisher publisher(broker);
    ASSERT_TRUE(eventually([&] {
      publisher.publish("plant/a/b/state", "x", 1, 1);
      return collector.count() > 0;
    }));
  }
  EXPECT_EQ(log.times("trying again"), 1) << log.text();
  EXPECT_EQ(log.times("receiving from"), 1) << log.text();
  EXPECT_EQ(log.times("secret-password"), 0) << log.text();
}

// What mosquitto does not do on demand comes from a broker of a few bytes: it answers CONNECT and one SUBSCRIBE.
test::TcpServer::Connection accept_subscriber(test::TcpServer& server, char suback) {
  test::TcpServer::Connection connection = server.accept();
  connection.receive(1);  // CONNECT
  connection.send({"\x20\x02\x00\x00", 4});
  std::string subscribe;
  while (subscribe.find("topic") == std::string::npos) {
    subscribe += connection.receive(1);
  }
  // The packet's identifier follows the two bytes of the fixed header.
  connection.send(std::string("\x90\x03", 2) + subscribe.substr(subscribe.find('\x82') + 2, 2) + suback);
  return connection;
}

spec::Source source_of(const test::TcpServer& server) {
  spec::Source spec;
  spec.kind = spec::SourceKind::mqtt;
  spec.broker = "mqtt://127.0.0.1:" + std::to_string(server.port());
  spec.mqtt_version = 4;
  spec.topics = {"topic"};
  return spec;
}

TEST(Mqtt, RefusedSubscriptionIsAnErrorThatNamesTheTopic) {
  test::TcpServer server;
  std::thread broker([&] {
    test::TcpServer::Connection connection = accept_subscriber(server, '\x80');
    while (!connection.receive(1).empty()) {
    }
  });
  const spec::Source spec = source_of(server);
  Collector collector;
  try {
    make(spec, collector)->start();
    ADD_FAILURE() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "stream 'machines': broker '" + spec.broker +
                                             "' refused: the subscription to 'topic'; check the broker's access list");
  }
  broker.join();
}

TEST(Mqtt, AcknowledgementLeavesOnlyAfterTheConsumerTookTheMessage) {
  test::TcpServer server;
  Collector collector;
  collector.gate(true);
  std::thread broker([&] {
    test::TcpServer::Connection connection = accept_subscriber(server, '\x01');
    // PUBLISH with DUP and QoS 1, identifier 7, payload "x".
    connection.send(std::string("\x3a\x0a\x00\x05topic\x00\x07x", 12));
    EXPECT_TRUE(eventually([&] { return collector.waiting() > 0; }));
    EXPECT_FALSE(connection.readable());
    collector.gate(false);
    // The DISCONNECT of the stop may come with it.
    EXPECT_EQ(connection.receive(4).substr(0, 4), std::string("\x40\x02\x00\x07", 4));
    while (!connection.receive(1).empty()) {
    }
  });
  const auto source = make(source_of(server), collector);
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.count() == 1; }));
  source->stop();
  broker.join();
  EXPECT_EQ(collector.all()[0].payload, "x");
  EXPECT_EQ(collector.all()[0].topic, "topic");
  EXPECT_TRUE(collector.all()[0].duplicate);
}

TEST(Mqtt, CertificateIsVerified) {
  test::TemporaryDirectory files;
  const auto shell = [&](const std::string& command) { test::Process({"sh", "-c", command}, files / "log").wait(); };
  const std::string key = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ";
  shell("cd " + files.path() + " && openssl req -x509 -subj /CN=weir-test-ca -keyout ca.key -out ca.crt" + key +
        " && openssl req -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout broker.key -out broker.csr" +
        key + " && printf subjectAltName=IP:127.0.0.1 > names" +
        " && openssl x509 -req -in broker.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names"
        " -out broker.crt && openssl req -x509 -subj /CN=stranger -keyout stranger.key -out stranger.crt" +
        key + " && chmod -R a+rX .");
  const Broker broker({}, "cafile " + (files / "ca.crt") + "\ncertfile " + (files / "broker.crt") + "\nkeyfile " +
                              (files / "broker.key") + "\n");
  spec::Source spec = mqtt_source(broker);
  spec.broker = "mqtts://127.0.0.1:" + std::to_string(broker.port());
  spec.ca_file = files / "ca.crt";
  Collector collector;
  const auto source = make(spec, collector);
  source->start();
  test::write_bytes(files / "lines", "over TLS\n");
  shell("mosquitto_pub -h 127.0.0.1 -p " + std::to_string(broker.port()) + " --cafile " + spec.ca_file +
        " -q 1 -t plant/a/b/state -l < " + (files / "lines"));
  EXPECT_TRUE(eventually([&] { return collector.count() == 1; }, std::chrono::seconds(10)))
      << test::read_bytes(files / "log");

  spec.ca_file = files / "stranger.crt";
  Collector nothing;
  const auto distrustful = make(spec, nothing);
  distrustful->start();
  shell("mosquitto_pub -h 127.0.0.1 -p " + std::to_string(broker.port()) + " --cafile " + (files / "ca.crt") +
        " -q 1 -t plant/a/b/state -l < " + (files / "lines"));
  EXPECT_TRUE(eventually([&] { return collector.count() == 2; }, std::chrono::seconds(10)));
  EXPECT_EQ(nothing.count(), 0U);
}

TEST(Mqtt, SubscriptionFilterOfAPattern) {
  EXPECT_EQ(subscription_filter("plant/{line}/{machine}/state"), "plant/+/+/state");
  EXPECT_EQ(subscription_filter("{site}"), "+");
  EXPECT_EQ(subscription_filter("a/+/#"), "a/+/#");
  EXPECT_EQ(subscription_filter("/a//{b}/"), "/a//+/");
  EXPECT_EQ(subscription_filter("$share/group/a/{b}"), "$share/group/a/+");
  EXPECT_EQ(subscription_filter("a{b}/c"), "a{b}/c");
  EXPECT_EQ(subscription_filter(""), "");
}

}  // namespace
}  // namespace weir::source
