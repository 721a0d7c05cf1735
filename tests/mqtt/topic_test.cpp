#include "mqtt/topic.hpp"

#include <gtest/gtest.h>

namespace weir::mqtt {
namespace {

TEST(MqttTopic, WhatMqttCarriesIsNoMistake) {
  for (const char* topic : {"a", "/", "a/b", "grün/ü", "$SYS/x", "a b", "{k}", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(topic_mistake(topic), "") << topic;
  }
  EXPECT_EQ(topic_mistake(std::string(kLongestTopic, 't')), "");
}

TEST(MqttTopic, WhatBrokersMayEndAConnectionForIsOne) {
  for (const std::string& topic :
       {std::string(), std::string(kLongestTopic + 1, 't'), std::string("a\0b", 3), std::string("a\x1F"),
        std::string("\x7F"), std::string("\xC2\x80"), std::string("\xC2\x9F"), std::string("\xEF\xB7\x90"),
        std::string("\xEF\xB7\xAF"), std::string("\xEF\xBF\xBE"), std::string("\xEF\xBF\xBF"),
        std::string("\xF0\x9F\xBF\xBE"), std::string("\xF4\x8F\xBF\xBF"), std::string("\xFF"),
        std::string("\xED\xA0\x80"), std::string("a/+"), std::string("a/#")}) {
    EXPECT_NE(topic_mistake(topic), "") << topic;
  }
}

TEST(MqttTopic, EveryNoncharacterOfEveryPlaneIsForbidden) {
  int forbidden = 0;
  for (char32_t point = 0xA0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    const auto byte = [point](unsigned int head, unsigned int shift, unsigned int mask) {
      return static_cast<char>(head | ((static_cast<unsigned int>(point) >> shift) & mask));
    };
    std::string text;
    if (point < 0x800) {
      text.push_back(byte(0xC0, 6, 0x1F));
    } else if (point < 0x10000) {
      text.push_back(byte(0xE0, 12, 0x0F));
    } else {
      text.push_back(byte(0xF0, 18, 0x07));
      text.push_back(byte(0x80, 12, 0x3F));
    }
    if (point >= 0x800) text.push_back(byte(0x80, 6, 0x3F));
    text.push_back(byte(0x80, 0, 0x3F));
    forbidden += is_forbidden_in_topic(text) ? 1 : 0;
  }
  EXPECT_EQ(forbidden, 66);  // Unicode 15, section 23.7
}

}  // namespace
}  // namespace weir::mqtt
