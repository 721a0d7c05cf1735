// Against a real broker.
#include "sink/mqtt_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <atomic>
#include <set>
#include <thread>

#include "core/error.hpp"
#include "sink/rows.hpp"
#include "support/broker.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::message_of;
using test::Rows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using weir::test::Broker;
using weir::test::eventually;
using weir::test::Subscriber;

spec::Sink mqtt_spec(const std::string& broker, int version = 5) {
  spec::Sink spec;
  spec.name = "out";
  spec.kind = spec::SinkKind::mqtt;
  spec.broker = broker;
  spec.topic = "weir/{query}/{k}";
  spec.mqtt_version = version;
  return spec;
}

void write_rows(Sink& sink, Rows& rows, int from, int to) {
  for (int i = from; i < to; ++i) {
    rows.clear();
    sink.write(rows.add(kNoon + i * kSecond, {"k"}, {count(static_cast<std::uint64_t>(i))}).table());
  }
}

// The counts of the rows received, in order, each at its first arrival.
std::vector<int> counts(const Subscriber& subscriber) {
  simdjson::dom::parser parser;
  std::vector<int> counts;
  std::set<std::string> ids;
  for (const std::string& line : subscriber.lines()) {
    const simdjson::dom::element row = parser.parse(line.substr(line.find(' ') + 1));
    if (ids.insert(std::string(std::string_view(row["id"]))).second) {
      counts.push_back(static_cast<int>(std::int64_t(row["count"])));
    }
  }
  return counts;
}

std::vector<int> numbers(int to) {
  std::vector<int> numbers;
  for (int i = 0; i < to; ++i) numbers.push_back(i);
  return numbers;
}

class MqttSinkVersions : public ::testing::TestWithParam<int> {};

TEST_P(MqttSinkVersions, RowsArriveOnTheirTopicsWithTheirIds) {
  const Broker broker;
  const Subscriber subscriber(broker, "weir/#");
  Rows rows(test::small());
  MqttSink sink(mqtt_spec(broker.uri(), GetParam()));
  sink.open({&rows.shape()});
  rows.add(kNoon, {"a/b"}, {count(1)}).add(kNoon, {"c"}, {count(2)}, 1);
  sink.write(rows.table());
  sink.flush();
  sink.close();
  ASSERT_TRUE(eventually([&] { return subscriber.lines().size() >= 2; }));
  EXPECT_THAT(
      subscriber.lines(),
      ElementsAre(
          R"(weir/q/a%2Fb {"query":"q","window_start":"2013-08-31T21:57:52Z","window_end":"2013-08-31T22:00:00Z",)"
          R"("k":"a/b","count":1,"id":"q|a/b|2013-08-31T22:00:00Z|0"})",
          R"(weir/q/c {"query":"q","window_start":"2013-08-31T21:57:52Z","window_end":"2013-08-31T22:00:00Z",)"
          R"("k":"c","count":2,"revision":1,"id":"q|c|2013-08-31T22:00:00Z|1"})"));
}

TEST_P(MqttSinkVersions, ARestartedBrokerGetsEveryRowInOrder) {
  Broker broker;
  const Subscriber subscriber(broker, "weir/#");
  Rows rows(test::small());
  MqttSink sink(mqtt_spec(broker.uri(), GetParam()));
  sink.open({&rows.shape()});
  std::atomic<bool> halfway = false;
  std::thread engine([&] {
    write_rows(sink, rows, 0, 3000);
    halfway = true;
    write_rows(sink, rows, 3000, 6000);
    sink.close();
  });
  EXPECT_TRUE(eventually([&] { return halfway.load(); }));
  broker.stop();
  broker.start();
  engine.join();
  const bool all = eventually([&] { return counts(subscriber).size() >= 6000; });
  EXPECT_TRUE(all) << counts(subscriber).size();
  EXPECT_EQ(counts(subscriber), numbers(6000));
}

TEST_P(MqttSinkVersions, AWrongPasswordIsAnErrorThatDoesNotTellIt) {
  const Broker::Login login{"weir", "the-right-word"};
  const Broker broker(login);
  const Subscriber subscriber(broker, "weir/#", login);
  Rows rows(test::small());
  spec::Sink spec = mqtt_spec(broker.uri(), GetParam());
  spec.username = "weir";
  spec.password = "a-secret-typo";
  const std::string message = message_of([&] { MqttSink(spec).open({&rows.shape()}); });
  EXPECT_THAT(message, HasSubstr("broker " + broker.uri() + " refuses the connection: "));
  EXPECT_THAT(message, HasSubstr("not authorised"));
  EXPECT_THAT(message, Not(HasSubstr("secret")));

  spec.password = login.password;
  MqttSink sink(spec);
  sink.open({&rows.shape()});
  write_rows(sink, rows, 0, 1);
  sink.close();
  EXPECT_TRUE(eventually([&] { return counts(subscriber).size() == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Protocol, MqttSinkVersions, ::testing::Values(5, 4));

TEST(MqttSink, RowsThatWaitAreInTheCheckpointAndAreSentAfterTheNextStart) {
  Broker broker;
  const Subscriber subscriber(broker, "weir/#");
  Rows rows(test::small());
  std::string position;
  {
    MqttSink sink(mqtt_spec(broker.uri()));
    sink.open({&rows.shape()});
    write_rows(sink, rows, 0, 10);
    ASSERT_TRUE(eventually([&] {
      sink.flush();
      return counts(subscriber).size() == 10;
    }));
    broker.stop();
    write_rows(sink, rows, 10, 60);
    sink.interrupt();
    position = test::position_of(sink);
    EXPECT_EQ(message_of([&] { sink.close(); }), "nothing was thrown");
  }
  broker.start();
  MqttSink sink(mqtt_spec(broker.uri()));
  sink.resume(position);
  write_rows(sink, rows, 60, 100);
  sink.close();
  EXPECT_TRUE(eventually([&] { return counts(subscriber).size() >= 100; }));
  EXPECT_EQ(counts(subscriber), numbers(100));
}

TEST(MqttSink, AStartDoesNotHangOnManyWaitingRowsAndABrokerThatIsAway) {
  Broker broker;
  broker.stop();
  Rows rows(test::small());
  std::string position;
  {
    MqttSink sink(mqtt_spec(broker.uri()));
    sink.open({&rows.shape()});
    sink.interrupt();
    write_rows(sink, rows, 0, 1500);
    position = test::position_of(sink);
  }
  MqttSink sink(mqtt_spec(broker.uri()));
  sink.resume(position);
  sink.open({&rows.shape()});
  EXPECT_EQ(test::position_of(sink), position);
  broker.start();
  const Subscriber subscriber(broker, "weir/#");
  EXPECT_TRUE(eventually([&] {
    sink.flush();
    return counts(subscriber).size() >= 1500;
  }));
  EXPECT_EQ(counts(subscriber), numbers(1500));
}

TEST(MqttSink, RowsThatNobodyHasAreReportedByNumber) {
  Broker broker;
  Rows rows(test::small());
  MqttSink sink(mqtt_spec(broker.uri()));
  sink.open({&rows.shape()});
  broker.stop(SIGKILL);
  write_rows(sink, rows, 0, 20);
  test::position_of(sink);
  write_rows(sink, rows, 20, 27);
  sink.interrupt();
  EXPECT_EQ(message_of([&] { sink.close(); }), "7 rows were not delivered to " + broker.uri());
}

TEST(MqttSink, ABrokerThatIsAwayAtTheStartIsWaitedFor) {
  Broker broker;
  broker.stop();
  Rows rows(test::small());
  MqttSink sink(mqtt_spec(broker.uri()));
  sink.open({&rows.shape()});
  write_rows(sink, rows, 0, 5);
  broker.start();
  const Subscriber subscriber(broker, "weir/#");
  EXPECT_TRUE(eventually([&] {
    sink.flush();
    return counts(subscriber).size() == 5;
  }));
}

TEST(MqttPublisher, AFullWindowHoldsTheWriterUntilItIsInterrupted) {
  Broker broker;
  broker.stop();
  MqttEndpoint endpoint;
  endpoint.broker = broker.uri();
  MqttPublisher publisher(endpoint, "test", 10);
  publisher.connect();
  std::atomic<int> submitted = 0;
  std::thread stop([&] {
    EXPECT_TRUE(eventually([&] { return submitted == 9; }));
    publisher.interrupt();
  });
  for (int i = 0; i < 30; ++i) {
    publisher.submit("t", std::to_string(i));
    ++submitted;
  }
  stop.join();
  EXPECT_EQ(publisher.pending(), 30U);
  int expected = 0;
  publisher.for_each_pending([&](const std::string& topic, const std::string& payload) {
    EXPECT_EQ(topic, "t");
    EXPECT_EQ(payload, std::to_string(expected++));
  });
  EXPECT_EQ(publisher.drain(std::chrono::hours(1)), 30U);  // without a connection there is nothing to wait for
}

TEST(MqttPublisher, QualityOfService0And2AreDeliveredToo) {
  const Broker broker;
  for (const int qos : {0, 2}) {
    const Subscriber subscriber(broker, "weir/#");
    MqttEndpoint endpoint;
    endpoint.broker = broker.uri();
    endpoint.qos = qos;
    MqttPublisher publisher(endpoint, "test");
    publisher.connect();
    for (int i = 0; i < 100; ++i) publisher.submit("weir/t", std::to_string(i));
    EXPECT_EQ(publisher.drain(std::chrono::seconds(30)), 0U);
    EXPECT_TRUE(eventually([&] { return subscriber.lines().size() == 100; })) << subscriber.lines().size();
  }
}

}  // namespace
}  // namespace weir::sink
