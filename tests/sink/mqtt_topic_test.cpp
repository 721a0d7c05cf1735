#include "sink/mqtt_topic.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

std::string topic(std::string_view text, const std::vector<std::string>& group,
                  const std::string& query = "plug_load") {
  batch::ResultShape shape = test::plug_load();
  shape.query = query;
  test::Rows rows(shape);
  rows.add(test::kNoon, group, std::vector<batch::Value>(4));
  std::string out;
  MqttTopic(NameTemplate(text, "topic"), rows.shape()).append(out, rows.table(), 0);
  return out;
}

TEST(MqttTopic, QueryAndKeysBecomeLevels) {
  EXPECT_EQ(topic("plant/{query}/{house}/{plug}/load", {"1", "2", "11"}), "plant/plug_load/1/11/load");
  EXPECT_EQ(topic("fixed", {"1", "2", "11"}), "fixed");
  EXPECT_EQ(topic("{house}{plug}", {"1", "2", "11"}), "111");
}

TEST(MqttTopic, AKeyIsAlwaysOneLevel) {
  EXPECT_EQ(topic("a/{house}/b", {"x/y+z#%", "", ""}), "a/x%2Fy%2Bz%23%25/b");
  EXPECT_EQ(topic("a/{house}", {std::string("\0\n\x7F\xC2\x80", 5), "", ""}), "a/%00%0A%7F%C2%80");
  EXPECT_EQ(topic("a/{house}", {"grün\xFF", "", ""}), "a/grün%FF");
  EXPECT_EQ(topic("a/{house}/{plug}", {"", "", "1"}), "a//1");
}

TEST(MqttTopic, WhatIsNoCharacterIsEscaped) {
  EXPECT_EQ(topic("a/{house}", {"\xEF\xB7\x90x", "", ""}), "a/%EF%B7%90x");
  EXPECT_EQ(topic("a/{house}", {"\xEF\xBF\xBF", "", ""}), "a/%EF%BF%BF");
  EXPECT_EQ(topic("a/{house}", {"\xF4\x8F\xBF\xBE", "", ""}), "a/%F4%8F%BF%BE");
  EXPECT_EQ(topic("a/{house}", {"\xEF\xBF\xBD", "", ""}), "a/\xEF\xBF\xBD");
}

TEST(MqttTopic, NoKeyReachesTheBrokersOwnTopics) {
  EXPECT_EQ(topic("{house}/a", {"$SYS", "", ""}), "%24SYS/a");
  EXPECT_EQ(topic("{query}/a", {"", "", ""}, "$q"), "%24q/a");
  EXPECT_EQ(topic("x/{query}/{house}", {"$a", "", ""}, "$q"), "x/$q/$a");
}

TEST(MqttTopic, WhatCannotBeFilledInIsAConfigurationError) {
  for (const char* text : {"", "a/{machine}", "a/#", "+/{query}", "a/{query", "a}/b"}) {
    EXPECT_THROW(topic(text, {"1", "2", "3"}), ConfigError) << text;
  }
}

}  // namespace
}  // namespace weir::sink
