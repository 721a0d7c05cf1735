// What the log says of a broker: each cause by its name, and once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "source/collector.hpp"
#include "source/mqtt_publisher.hpp"
#include "source/source.hpp"
#include "support/broker.hpp"
#include "support/kept_log.hpp"
#include "support/tcp_server.hpp"

namespace weir::source {
namespace {

using test::Broker;
using test::eventually;
using ::testing::HasSubstr;

spec::Source source_at(const std::string& broker, int version = 5) {
  spec::Source spec;
  spec.kind = spec::SourceKind::mqtt;
  spec.broker = broker;
  spec.topics = {"topic"};
  spec.mqtt_version = version;
  return spec;
}

TEST(MqttLog, AnotherReasonWhileItIsDownIsSaid) {
  const Broker::Login login{"gateway", "first-password"};
  Broker broker(login);
  const test::KeptLog log;
  Collector collector;
  spec::Source spec = source_at(broker.uri());
  spec.username = login.user;
  spec.password = login.password;
  const auto source = make_source(spec, "s", 0, collector, {});
  source->start();
  ASSERT_TRUE(eventually([&] { return log.times("receiving from") == 1; }));
  broker.change_password({login.user, "second-password"});
  broker.stop();
  broker.start();
  EXPECT_TRUE(eventually([&] { return log.times("not authorised") == 1; }, std::chrono::seconds(20))) << log.text();
  EXPECT_EQ(log.times("-password"), 0) << log.text();
}

TEST(MqttLog, AWeakerQosThanAskedForIsAWarning) {
  test::TcpServer server;
  std::thread broker([&] {
    test::TcpServer::Connection connection = server.accept();
    connection.receive(1);
    connection.send({"\x20\x02\x00\x00", 4});
    std::string subscribe;
    while (subscribe.find("topic") == std::string::npos) {
      subscribe += connection.receive(1);
    }
    connection.send(std::string("\x90\x03", 2) + subscribe.substr(subscribe.find('\x82') + 2, 2) +
                    std::string(1, '\0'));
    while (!connection.receive(1).empty()) {
    }
  });
  const test::KeptLog log;
  {
    Collector collector;
    const auto source =
        make_source(source_at("mqtt://127.0.0.1:" + std::to_string(server.port()), 4), "s", 0, collector, {});
    source->start();
    EXPECT_TRUE(eventually([&] { return log.times("receiving from") == 1; }));
  }
  broker.join();
  EXPECT_THAT(log.text(), HasSubstr("grants QoS 0 for 'topic' in place of 1"));
}

TEST(MqttLog, OneClientIdentifierInUseTwiceIsSaid) {
  for (const int version : {4, 5}) {
    const Broker broker;
    const test::KeptLog log;
    Collector collector;
    spec::Source spec = source_at(broker.uri(), version);
    spec.client_id = "gateway";
    const auto one = make_source(spec, "s", 0, collector, {});
    const auto other = make_source(spec, "s", 0, collector, {});
    one->start();
    other->start();
    EXPECT_TRUE(eventually([&] { return log.times("in use twice") > 0; }, std::chrono::seconds(30))) << log.text();
  }
}

TEST(MqttLog, SilenceOfTheBrokerIsSaidOnceUntilSomethingComes) {
  const Broker broker;
  const test::KeptLog log;
  Collector collector;
  SourceOptions options;
  options.silence = std::chrono::milliseconds(50);
  const auto silent = make_source(source_at(broker.uri()), "s", 0, collector, {}, options);
  silent->start();
  EXPECT_TRUE(eventually([&] { return log.times("nothing came") == 1; })) << log.text();
  MqttPublisher(broker).publish("topic", "x", 1, 1);
  EXPECT_TRUE(eventually([&] { return collector.count() == 1; }));
  silent->stop();
  EXPECT_EQ(log.times("nothing came"), 1) << log.text();
}

}  // namespace
}  // namespace weir::source
