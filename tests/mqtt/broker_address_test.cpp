#include "mqtt/broker_address.hpp"

#include <gtest/gtest.h>

namespace weir::mqtt {
namespace {

TEST(BrokerAddress, NeedsASchemeAndAHost) {
  for (const char* valid : {"mqtt://h", "mqtts://host:8883", "ws://host:80/mqtt", "wss://h/p", "tcp://10.0.0.1:1883",
                            "ssl://h", "mqtt://[::1]:1883", "mqtt://[::1]"}) {
    EXPECT_EQ(broker_mistake(valid), "") << valid;
  }
  for (const char* wrong :
       {"", "host", "http://h", "mqtt://", "mqtt://:1883", "mqtt://h:", "mqtt://h:0", "mqtt://h:65536",
        "mqtt://h:99999999999", "mqtt://h:12a", "mqtt://u:p@h", "mqtt://a b", "mqtt://h/path"}) {
    EXPECT_NE(broker_mistake(wrong), "") << wrong;
  }
  EXPECT_TRUE(broker_uses_tls("mqtts://h"));
  EXPECT_TRUE(broker_uses_tls("wss://h"));
  EXPECT_FALSE(broker_uses_tls("mqtt://h"));
}

TEST(BrokerAddress, ALeftOutPortIsTheSchemes) {
  const auto port = [](const char* broker) { return listener_of(broker).port; };
  EXPECT_EQ(port("mqtt://h"), "1883");
  EXPECT_EQ(port("tcp://h"), "1883");
  EXPECT_EQ(port("mqtts://h"), "8883");
  EXPECT_EQ(port("ssl://h"), "8883");
  EXPECT_EQ(port("ws://h/mqtt"), "80");
  EXPECT_EQ(port("wss://h/mqtt"), "443");
  EXPECT_EQ(port("wss://h:9001/mqtt"), "9001");
  EXPECT_EQ(listener_of("mqtts://[::1]:18").host, "::1");
  EXPECT_EQ(listener_of("mqtts://[fe80::2]").host, "fe80::2");
}

TEST(BrokerAddress, TwoSpellingsOfAListenerAreOne) {
  EXPECT_EQ(broker_listener("mqtt://127.0.0.1"), "localhost:1883");
  EXPECT_EQ(broker_listener("tcp://LOCALHOST:1883"), "localhost:1883");
  EXPECT_EQ(broker_listener("mqtt://[::1]:1883"), "localhost:1883");
  EXPECT_EQ(broker_listener("mqtt://[0:0:0:0:0:0:0:1]"), "localhost:1883");
  EXPECT_EQ(broker_listener("mqtt://[::ffff:127.0.0.1]"), "localhost:1883");
  EXPECT_EQ(broker_listener("mqtt://localhost.:01883"), "localhost:1883");
  EXPECT_EQ(broker_listener("mqtt://[FE80:0:0::2]"), "fe80::2:1883");
  EXPECT_EQ(broker_listener("mqtt://10.0.0.1"), "10.0.0.1:1883");
  EXPECT_EQ(broker_listener("wss://Plant.example/mqtt"), "plant.example:443");
}

TEST(BrokerAddress, PahoGetsTheSchemesThatItKnows) {
  EXPECT_EQ(paho_uri("mqtt://h:1"), "tcp://h:1");
  EXPECT_EQ(paho_uri("mqtts://h:1"), "ssl://h:1");
  EXPECT_EQ(paho_uri("wss://h:1/p"), "wss://h:1/p");
}

}  // namespace
}  // namespace weir::mqtt
