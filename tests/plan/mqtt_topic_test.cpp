// Topic filters with captures, and broker addresses.
#include "plan/mqtt_topic.hpp"

#include <gtest/gtest.h>

namespace weir::plan {
namespace {

TEST(MqttTopic, FiltersCaptureWholeLevels) {
  const TopicFilter filter = parse_topic_filter("plant/{line}/+/{machine}/#");
  EXPECT_TRUE(filter.mistake.empty()) << filter.mistake;
  EXPECT_EQ(filter.captures, (std::vector<std::string>{"line", "machine"}));
  for (const char* valid :
       {"#", "+", "a", "/", "/a", "a/", "a//b", "+/+", "{k}", "$SYS/#", "$share/group/a/{k}/+", "a b/c"}) {
    EXPECT_TRUE(parse_topic_filter(valid).mistake.empty()) << valid;
  }
}

TEST(MqttTopic, OtherFiltersAreRefused) {
  for (const char* wrong : {"", "a/#/b", "a#", "a/b+", "+a", "{k", "k}", "a{k}", "{}", "{a b}", "{k}/{k}", "{a}{b}",
                            "$share/g", "$share/g/", "$share//a", "$share/+/a"}) {
    EXPECT_FALSE(parse_topic_filter(wrong).mistake.empty()) << wrong;
  }
  EXPECT_FALSE(parse_topic_filter(std::string(70'000, 'a')).mistake.empty());
  EXPECT_FALSE(parse_topic_filter(std::string_view("a\0b", 3)).mistake.empty());
}

TEST(MqttTopic, BrokersNeedASchemeAndAHost) {
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

}  // namespace
}  // namespace weir::plan
