// Topic filters with captures.
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

}  // namespace
}  // namespace weir::plan
