// Rows that a broker does not take, and brokers that have less than is asked for: with mosquitto, and where that cannot
// be brought to it, with a broker made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "sink/mqtt_sink.hpp"
#include "sink/rows.hpp"
#include "support/broker.hpp"
#include "support/certificates.hpp"
#include "support/fake_broker.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::message_of;
using test::Rows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using weir::test::Broker;
using weir::test::eventually;
using weir::test::FakeBroker;
using weir::test::Subscriber;

/// A publisher, and what it gave up.
class Publishing {
 public:
  explicit Publishing(MqttEndpoint endpoint) : publisher_(std::move(endpoint), "sink 'out'") { publisher_.connect(); }

  void submit(const std::string& topic, const std::string& payload) {
    publisher_.submit(topic, payload);
    collect();
  }
  std::size_t drain() {
    const std::size_t left = publisher_.drain(std::chrono::seconds(30));
    collect();
    return left;
  }
  /// @brief Payload and reason of each.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& refused() const { return refused_; }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  void collect() {
    for (const RefusedMessage& message : publisher_.take_refused()) {
      refused_.emplace_back(message.payload, message.reason);
      why_ = message.why;
    }
  }
  MqttPublisher publisher_;
  std::vector<std::pair<std::string, std::string>> refused_;
  std::string why_;
};

MqttEndpoint endpoint(const std::string& broker, int version = 5, int qos = 1, bool retain = false) {
  MqttEndpoint endpoint;
  endpoint.broker = broker;
  endpoint.mqtt_version = version;
  endpoint.qos = qos;
  endpoint.retain = retain;
  return endpoint;
}

std::vector<std::string> payloads(const Subscriber& subscriber) {
  std::vector<std::string> payloads;
  for (const std::string& line : subscriber.lines()) payloads.push_back(line.substr(line.find(' ') + 1));
  return payloads;
}

TEST(MqttRefusals, ARowThatTheAccessListForbidsIsGivenUpAndTheNextOneGoesOut) {
  const weir::test::TemporaryDirectory files;
  weir::test::write_bytes(files / "acl", "topic readwrite weir-test/ready\ntopic readwrite weir/ok/#\n");
  weir::test::Process({"chmod", "-R", "a+rX", files.path()}, files / "log").wait();
  const Broker broker({}, "acl_file " + (files / "acl") + "\n");
  for (const int qos : {1, 2}) {
    const Subscriber subscriber(broker, "weir/#");
    Publishing publishing(endpoint(broker.uri(), 5, qos));
    for (const char* topic : {"weir/ok/1", "weir/no/2", "weir/ok/3", "weir/no/4"}) publishing.submit(topic, topic);
    EXPECT_EQ(publishing.drain(), 0U);
    EXPECT_THAT(publishing.refused(),
                ElementsAre(Pair("weir/no/2", "not_authorized"), Pair("weir/no/4", "not_authorized")))
        << qos;
    EXPECT_TRUE(eventually([&] { return payloads(subscriber).size() >= 2; }));
    EXPECT_THAT(payloads(subscriber), ElementsAre("weir/ok/1", "weir/ok/3"));
  }
}

TEST(MqttRefusals, EveryReasonThatDoesNotPassGivesTheRowUp) {
  for (const int qos : {1, 2}) {
    const std::map<std::string, int> reasons{{"a", 0x80}, {"b", 0x83}, {"c", 0x87}, {"d", 0x90},
                                             {"e", 0x91}, {"f", 0x99}, {"g", 0x00}, {"h", 0x10}};
    const FakeBroker broker(
        5, [&](const FakeBroker::Publish& row) { return FakeBroker::acknowledge(reasons.at(row.payload)); });
    Publishing publishing(endpoint(broker.uri(), 5, qos));
    for (const auto& [payload, reason] : reasons) publishing.submit("t", payload);
    EXPECT_EQ(publishing.drain(), 0U);
    EXPECT_THAT(publishing.refused(), SizeIs(6)) << qos;
    EXPECT_THAT(broker.payloads(), ElementsAre("g", "h")) << qos;
    EXPECT_EQ(broker.connections(), 1);
  }
}

TEST(MqttRefusals, AQuotaIsWaitedFor) {
  for (const int qos : {1, 2}) {
    std::atomic<int> asked = 0;
    const FakeBroker broker(5, [&](const FakeBroker::Publish& row) {
      return FakeBroker::acknowledge(row.payload == "b" && asked++ < 2 ? 0x97 : 0);
    });
    Publishing publishing(endpoint(broker.uri(), 5, qos));
    for (const char* row : {"a", "b", "c"}) publishing.submit("t", row);
    EXPECT_EQ(publishing.drain(), 0U);
    EXPECT_THAT(publishing.refused(), IsEmpty()) << qos;
    const std::vector<std::string> taken = broker.payloads();
    EXPECT_NE(std::find(taken.begin(), taken.end(), "b"), taken.end());
    EXPECT_EQ(taken.back(), "c") << "in order";
  }
}

TEST(MqttRefusals, ARowLargerThanTheBrokersPacketsIsGivenUpWithTheLimit) {
  const Broker broker({}, "max_packet_size 200\n");
  const Subscriber subscriber(broker, "weir/#");
  Publishing publishing(endpoint(broker.uri()));
  for (const std::string& row : {std::string("a"), std::string(500, 'x'), std::string("b")}) {
    publishing.submit("weir/t", row);
  }
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), ElementsAre(Pair(std::string(500, 'x'), "too_large")));
  EXPECT_THAT(publishing.why(), HasSubstr("200"));
  EXPECT_TRUE(eventually([&] { return payloads(subscriber).size() >= 2; }));
  EXPECT_THAT(payloads(subscriber), ElementsAre("a", "b"));
}

TEST(MqttRefusals, ARowThatEndsTheConnectionIsGivenUpWhereTheBrokerSaysNothing) {
  const Broker broker({}, "max_packet_size 200\n");
  const Subscriber subscriber(broker, "weir/#");
  Publishing publishing(endpoint(broker.uri(), 4));
  for (const std::string& row : {std::string("a"), std::string(500, 'x'), std::string("b"), std::string(501, 'y'),
                                 std::string(502, 'z'), std::string("c")}) {
    publishing.submit("weir/t", row);
  }
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), ElementsAre(Pair(std::string(500, 'x'), "connection_ended"),
                                                Pair(std::string(501, 'y'), "connection_ended"),
                                                Pair(std::string(502, 'z'), "connection_ended")));
  EXPECT_TRUE(eventually([&] {
    const std::vector<std::string> seen = payloads(subscriber);
    return !seen.empty() && seen.back() == "c";
  }));
}

TEST(MqttRefusals, TheReasonOfADisconnectGivesTheRowUpAtOnce) {
  const FakeBroker broker(5, [](const FakeBroker::Publish& row) {
    return row.payload == "bad" ? FakeBroker::disconnect(0x95) : FakeBroker::acknowledge();
  });
  Publishing publishing(endpoint(broker.uri()));
  publishing.submit("t", "a");
  EXPECT_EQ(publishing.drain(), 0U);
  for (const char* row : {"bad", "b"}) publishing.submit("t", row);
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), ElementsAre(Pair("bad", "too_large")));
  EXPECT_THAT(broker.payloads(), ElementsAre("a", "b"));
  // With b, alone, and for b; on a busy machine "bad" may be refused before b is there.
  EXPECT_THAT(broker.connections(), ::testing::AnyOf(2, 3));
}

TEST(MqttRefusals, NoRowIsGivenUpForABrokerThatEndsConnectionsForReasonsOfItsOwn) {
  // 0x8B: shutting down
  const FakeBroker broker(5, [](const FakeBroker::Publish& row) {
    return row.connection < 6 ? FakeBroker::disconnect(0x8B) : FakeBroker::acknowledge();
  });
  Publishing publishing(endpoint(broker.uri()));
  publishing.submit("t", "a");
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), IsEmpty());
  EXPECT_THAT(broker.payloads(), ElementsAre("a"));
}

TEST(MqttRefusals, TheWaitBetweenConnectionsGrowsUntilSomethingIsAcknowledged) {
  const auto begin = std::chrono::steady_clock::now();
  const FakeBroker broker(5, [](const FakeBroker::Publish& row) {
    return row.connection < 6 ? FakeBroker::disconnect(0x89) : FakeBroker::acknowledge();
  });
  Publishing publishing(endpoint(broker.uri()));
  publishing.submit("t", "a");
  EXPECT_EQ(publishing.drain(), 0U);
  // 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(3100));
}

struct Lesser {
  const char* setting;
  int version, qos;
  bool retain;
};
class MqttLesserBrokers : public ::testing::TestWithParam<Lesser> {};

TEST_P(MqttLesserBrokers, RowsGoOutInTheHighestFormThatTheBrokerHas) {
  const Lesser& asked = GetParam();
  const Broker broker({}, std::string(asked.setting) + "\n");
  const Subscriber subscriber(broker, "weir/#");
  Publishing publishing(endpoint(broker.uri(), asked.version, asked.qos, asked.retain));
  std::vector<std::string> rows;
  for (int i = 0; i < 100; ++i) {
    publishing.submit("weir/t", std::to_string(i));
    rows.push_back(std::to_string(i));
  }
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), IsEmpty());
  EXPECT_TRUE(eventually([&] { return payloads(subscriber).size() >= rows.size(); }));
  EXPECT_EQ(payloads(subscriber), rows);
}

INSTANTIATE_TEST_SUITE_P(Limits, MqttLesserBrokers,
                         ::testing::Values(Lesser{"max_qos 1", 5, 2, false}, Lesser{"max_qos 0", 5, 1, false},
                                           Lesser{"retain_available false", 5, 1, true},
                                           Lesser{"max_qos 1", 4, 2, false},
                                           Lesser{"retain_available false", 4, 1, true},
                                           Lesser{"max_qos 1\nretain_available false", 4, 2, true}));

TEST(MqttRefusals, ADisconnectCanTellWhatTheBrokerDoesNotHave) {
  const FakeBroker broker(5, [](const FakeBroker::Publish& row) {
    return row.retain    ? FakeBroker::disconnect(0x9A)
           : row.qos > 1 ? FakeBroker::disconnect(0x9B)
                         : FakeBroker::acknowledge();
  });
  Publishing publishing(endpoint(broker.uri(), 5, 2, true));
  for (const char* row : {"a", "b"}) publishing.submit("t", row);
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), IsEmpty());
  EXPECT_THAT(broker.payloads(), ElementsAre("a", "b"));
  EXPECT_EQ(broker.connections(), 3);
}

TEST(MqttRefusals, ABrokerOf311WithoutQos1GetsQos0) {
  const FakeBroker broker(
      4, [](const FakeBroker::Publish& row) { return row.qos > 0 ? FakeBroker::close() : FakeBroker::acknowledge(); });
  Publishing publishing(endpoint(broker.uri(), 4));
  for (const char* row : {"a", "b", "c"}) publishing.submit("t", row);
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), IsEmpty());
  EXPECT_THAT(broker.payloads(), ElementsAre("a", "b", "c"));
}

TEST(MqttRefusals, AFormThatTheBrokerHasTakenOnceIsNotGivenUpForARow) {
  const FakeBroker broker(4, [](const FakeBroker::Publish& row) {
    return row.payload == "bad" ? FakeBroker::close() : FakeBroker::acknowledge();
  });
  Publishing publishing(endpoint(broker.uri(), 4, 1, true));
  publishing.submit("t", "a");
  EXPECT_EQ(publishing.drain(), 0U);
  for (const char* row : {"bad", "b"}) publishing.submit("t", row);
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), ElementsAre(Pair("bad", "connection_ended")));
  for (const FakeBroker::Publish& row : broker.taken()) {
    EXPECT_TRUE(row.qos == 1 && row.retain) << row.payload;
  }
}

TEST(MqttRefusals, ATopicThatMqttCannotCarryIsGivenUp) {
  const Broker broker;
  const Subscriber subscriber(broker, "weir/#");
  Publishing publishing(endpoint(broker.uri()));
  for (const std::string& topic :
       {std::string(), std::string(65'536, 't'), std::string("weir/\xEF\xB7\x90x"), std::string("weir/\xFF"),
        std::string("weir/#"), std::string("weir/a\0b", 8), std::string("weir/good")}) {
    publishing.submit(topic, "row");
  }
  EXPECT_EQ(publishing.drain(), 0U);
  EXPECT_THAT(publishing.refused(), SizeIs(6));
  EXPECT_TRUE(eventually([&] { return payloads(subscriber).size() == 1; }));
}

spec::Sink spec_of(const std::string& broker, int version = 5) {
  spec::Sink spec;
  spec.name = "out";
  spec.kind = spec::SinkKind::mqtt;
  spec.broker = broker;
  spec.topic = "weir/{query}/{k}";
  spec.mqtt_version = version;
  return spec;
}

class OddKeys : public ::testing::TestWithParam<std::string> {};

TEST_P(OddKeys, EveryKeyReachesTheBroker) {
  const Broker broker;
  const Subscriber subscriber(broker, "#");
  Rows rows(test::small());
  std::vector<std::string> refused;
  spec::Sink spec = spec_of(broker.uri());
  spec.topic = "{k}";
  MqttSink sink(spec, [&](std::string_view reason, std::string_view) { refused.emplace_back(reason); });
  sink.open({&rows.shape()});
  rows.add(kNoon, {GetParam()}, {count(1)}).add(kNoon, {"good"}, {count(2)});
  sink.write(rows.table());
  sink.close();
  EXPECT_THAT(refused, IsEmpty());
  EXPECT_TRUE(eventually([&] { return subscriber.lines().size() >= 2; }));
}

INSTANTIATE_TEST_SUITE_P(Unicode, OddKeys,
                         ::testing::Values("\xEF\xB7\x90", "\xEF\xB7\xAF", "\xEF\xBF\xBE", "\xEF\xBF\xBF",
                                           "\xF0\x9F\xBF\xBE", "\xF4\x8F\xBF\xBF", std::string("\0", 1), "\x7F",
                                           "\xC2\x80", "\xED\xA0\x80", "\xFF", "$SYS", "a/+/#", "%", "\xEF\xBB\xBF"));

TEST(MqttSinkRows, AKeyWithoutATopicIsReportedAndTheNextRowGoesOut) {
  const Broker broker;
  const Subscriber subscriber(broker, "#");
  Rows rows(test::small());
  std::vector<std::pair<std::string, std::string>> refused;
  spec::Sink spec = spec_of(broker.uri());
  spec.topic = "{k}";
  MqttSink sink(spec, [&](std::string_view reason, std::string_view row) { refused.emplace_back(reason, row); });
  sink.open({&rows.shape()});
  rows.add(kNoon, {""}, {count(1)}).add(kNoon, {std::string(70'000, 'k')}, {count(2)}).add(kNoon, {"k"}, {count(3)});
  sink.write(rows.table());
  sink.close();
  ASSERT_THAT(refused, SizeIs(2));
  EXPECT_THAT(refused[0], Pair("topic_name_invalid", HasSubstr(R"("count":1)")));
  EXPECT_TRUE(eventually([&] { return subscriber.lines().size() == 1; }));
}

TEST(MqttSinkRows, ARefusedRowOfTheCheckpointIsGotPastAfterARestart) {
  std::string position;
  Rows rows(test::small());
  {
    Broker broker;
    MqttSink sink(spec_of(broker.uri()));
    sink.open({&rows.shape()});
    broker.stop(SIGKILL);
    rows.add(kNoon, {"no"}, {count(1)}).add(kNoon, {"ok"}, {count(2)});
    sink.write(rows.table());
    sink.interrupt();
    position = test::position_of(sink);
  }
  for (const int version : {4, 5}) {
    const FakeBroker broker(version, [version](const FakeBroker::Publish& row) {
      if (row.topic == "weir/q/ok") return FakeBroker::acknowledge();
      return version == 5 ? FakeBroker::acknowledge(0x87) : FakeBroker::close();
    });
    std::vector<std::string> refused;
    MqttSink sink(spec_of(broker.uri(), version),
                  [&](std::string_view reason, std::string_view) { refused.emplace_back(reason); });
    sink.resume(position);
    sink.open({&rows.shape()});
    EXPECT_EQ(message_of([&] { sink.close(); }), "nothing was thrown");
    // A broker of 3.1.1 that closes more than half a second late, as on a machine that stands still, has taken the row
    // without an acknowledgement as far as anybody can tell.
    EXPECT_LE(refused.size(), 1U) << version;
    if (version == 5) {
      EXPECT_THAT(refused, SizeIs(1));
    }
    EXPECT_THAT(broker.taken(), SizeIs(1)) << version;
  }
}

TEST(MqttSinkRows, ASinkThatIsLeftWithARefusedRowDoesNotThrow) {
  const FakeBroker broker(5, [](const FakeBroker::Publish&) { return FakeBroker::acknowledge(0x87); });
  Rows rows(test::small());
  rows.add(kNoon, {"k"}, {count(1)});
  {
    MqttSink sink(spec_of(broker.uri()));
    sink.open({&rows.shape()});
    sink.write(rows.table());
  }
  SUCCEED();
}

class MqttSinkTls : public ::testing::TestWithParam<const char*> {};

TEST_P(MqttSinkTls, RowsGoOutOverTlsAndShowACertificate) {
  weir::test::Certificates certificates;
  certificates.sign("broker", "IP:127.0.0.1");
  certificates.sign("client", "DNS:client");
  const bool web_socket = std::string(GetParam()) == "wss";
  weir::test::Broker plain;  // for a free port beside that of the plain listener
  const std::uint16_t port = plain.port();
  plain.stop();
  const Broker broker({}, "listener " + std::to_string(port) + " 127.0.0.1\n" +
                              (web_socket ? "protocol websockets\n" : "") + certificates.listener("broker") +
                              "cafile " + certificates.crt("ca") + "\nrequire_certificate true\n");
  const Subscriber subscriber(broker, "weir/#");
  Rows rows(test::small());
  rows.add(kNoon, {"k"}, {count(1)});
  spec::Sink spec = spec_of(std::string(GetParam()) + "://127.0.0.1:" + std::to_string(port));
  spec.ca_file = certificates.crt("ca");
  spec.cert_file = certificates.crt("client");
  spec.key_file = certificates.key("client");
  MqttSink sink(spec);
  sink.open({&rows.shape()});
  sink.write(rows.table());
  EXPECT_EQ(message_of([&] { sink.close(); }), "nothing was thrown");
  EXPECT_TRUE(eventually([&] { return subscriber.lines().size() == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Schemes, MqttSinkTls, ::testing::Values("mqtts", "ssl", "wss"));

}  // namespace
}  // namespace weir::sink
