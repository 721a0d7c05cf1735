// Which messages of a broker are readings of a source: those that its topics match, and each of them once.
//
// Why a message can come twice, or without being asked for: the session has a subscription of an earlier configuration.
// With MQTT 5 each message says which subscriptions brought it. A copy that an unknown one brought counts until the
// first one comes that ours brought: a session is one queue, so what is before that was sent before ours stood. Behind
// it, such a copy is a second one. Where every subscription of the session is known, old ones were dropped before new
// ones came, and there are no second copies.
//
// judge() is called in the client's thread, the rest in the source's, while not connected.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/topic_pattern.hpp"
#include "mqtt/paho.hpp"
#include "spec/stream_spec.hpp"

namespace weir::source {

class MqttAdmission {
 public:
  enum class Verdict : std::uint8_t {
    take,
    retained,     ///< a snapshot that is not wanted, or was there before
    other_topic,  ///< of no topic of the source, or the second copy
    too_large
  };

  explicit MqttAdmission(const spec::Source& spec);

  /// @brief Before the connection is made. @param others the session may have subscriptions that nobody knows
  void connecting(bool others);
  /// @brief Whether retained messages that come from now on are known already: MQTT 3.1.1 sends those of a resumed
  /// session again when it is subscribed again.
  void ignore_retained(bool ignore) noexcept { ignore_retained_ = ignore; }

  [[nodiscard]] Verdict judge(const paho::message& message);

 private:
  enum class Bringer : std::uint8_t { ours, other, unknown };
  [[nodiscard]] Bringer bringer(const paho::message& message) const;
  [[nodiscard]] bool second_copy(const paho::message& message);
  [[nodiscard]] bool known_snapshot(const paho::message& message);

  std::vector<TopicPattern> topics_;
  std::vector<std::uint32_t> identifiers_;  ///< of our subscriptions
  std::uint64_t max_message_;
  bool retained_;
  std::atomic<bool> ignore_retained_{false};
  std::atomic<bool> others_{false};
  std::atomic<bool> ours_came_{false};
  /// Where retained messages are wanted: topic to the hash of its newest payload. Without a session every connection
  /// brings them again.
  std::unordered_map<std::string, std::uint64_t> newest_;
  // The newest copy of another subscription: that of ours may follow at once.
  std::string last_other_;
  std::chrono::steady_clock::time_point last_other_at_;
};

}  // namespace weir::source
