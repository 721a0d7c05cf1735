#include "source/mqtt_admission.hpp"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "source/mqtt_options.hpp"
#include "source/mqtt_subscriptions.hpp"

namespace weir::source {
namespace {

using Clock = std::chrono::steady_clock;

// A broker sends the copies of a message one behind the other; two equal readings of a sensor are further apart.
constexpr std::chrono::milliseconds kBetweenCopies(100);
constexpr std::size_t kMostTopics = 100'000;

std::string text_of(const paho::message& message) {
  std::string text(message.get_topic());
  text += '\0';
  return text.append(message.get_payload_ref().data(), message.get_payload_ref().length());
}

}  // namespace

MqttAdmission::MqttAdmission(const spec::Source& spec)
    : topics_(spec.topics.begin(), spec.topics.end()), max_message_(spec.max_message), retained_(spec.retained) {
  for (const std::string& topic : spec.topics) {
    identifiers_.push_back(subscription_identifier(subscription_filter(topic)));
  }
}

void MqttAdmission::connecting(bool others) {
  others_ = others;
  ours_came_ = false;
  last_other_.clear();
}

MqttAdmission::Verdict MqttAdmission::judge(const paho::message& message) {
  if (message.is_retained() && (!retained_ || (ignore_retained_ && !message.is_duplicate()))) {
    return Verdict::retained;
  }
  const paho::string_ref& name = message.get_topic_ref();
  const std::string_view topic(name.data(), name.length());
  if (std::none_of(topics_.begin(), topics_.end(), [&](const TopicPattern& one) { return one.matches(topic); }) ||
      second_copy(message)) {
    return Verdict::other_topic;
  }
  if (retained_ && known_snapshot(message)) {
    return Verdict::retained;
  }
  return message.get_payload_ref().length() > max_message_ ? Verdict::too_large : Verdict::take;
}

MqttAdmission::Bringer MqttAdmission::bringer(const paho::message& message) const {
  constexpr auto kCode = paho::property::SUBSCRIPTION_IDENTIFIER;
  const paho::properties& properties = message.get_properties();
  const std::size_t count = properties.count(kCode);
  for (std::size_t i = 0; i < count; ++i) {
    const auto identifier = paho::get<std::uint32_t>(properties, kCode, i);
    if (std::find(identifiers_.begin(), identifiers_.end(), identifier) != identifiers_.end()) {
      return Bringer::ours;
    }
  }
  return count == 0 ? Bringer::unknown : Bringer::other;
}

bool MqttAdmission::second_copy(const paho::message& message) {
  const Bringer by = others_ ? bringer(message) : Bringer::unknown;
  if (by == Bringer::unknown) {  // also with MQTT 3.1.1, and at a broker without identifiers
    return false;
  }
  if (by == Bringer::ours) {
    ours_came_ = true;
    const std::string last = std::exchange(last_other_, {});
    return !last.empty() && Clock::now() - last_other_at_ < kBetweenCopies && last == text_of(message);
  }
  if (!ours_came_) {
    last_other_ = text_of(message);
    last_other_at_ = Clock::now();
  }
  return ours_came_;
}

bool MqttAdmission::known_snapshot(const paho::message& message) {
  const paho::binary_ref& payload = message.get_payload_ref();
  const std::uint64_t hash = XXH3_64bits(payload.data(), payload.length());
  const auto known = newest_.find(message.get_topic());
  if (known != newest_.end()) {
    return std::exchange(known->second, hash) == hash && message.is_retained();
  }
  if (newest_.size() < kMostTopics) {
    newest_.emplace(message.get_topic(), hash);
  }
  return false;
}

}  // namespace weir::source
