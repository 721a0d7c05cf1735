#include "mqtt/topic.hpp"

#include "core/utf8.hpp"

namespace weir::mqtt {
namespace {

char32_t code_point(std::string_view character) noexcept {
  const auto byte = [character](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  char32_t point = byte(0) & (0xFFU >> (character.size() + 1));
  for (std::size_t i = 1; i < character.size(); ++i) point = (point << 6U) | (byte(i) & 0x3FU);
  return point;
}

}  // namespace

bool is_forbidden_in_topic(std::string_view character) noexcept {
  const char32_t point = code_point(character);
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0xFDD0 && point <= 0xFDEF) ||
         (point & 0xFFFEU) == 0xFFFE;
}

std::string topic_mistake(std::string_view topic) {
  if (topic.empty()) return "its topic is empty";
  if (topic.size() > kLongestTopic) {
    return "its topic has " + std::to_string(topic.size()) + " bytes, MQTT carries " + std::to_string(kLongestTopic);
  }
  while (!topic.empty()) {
    const Utf8Sequence sequence = front_utf8(topic);
    const std::string_view character = topic.substr(0, sequence.length);
    if (!sequence.valid) return "its topic is no UTF-8";
    if (is_forbidden_in_topic(character)) return "its topic holds a character that MQTT forbids";
    if (character == "+" || character == "#") return "its topic holds a wildcard";
    topic.remove_prefix(sequence.length);
  }
  return {};
}

}  // namespace weir::mqtt
