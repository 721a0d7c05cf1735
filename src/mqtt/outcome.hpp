// What a broker's answer means, in the terms of MQTT 5, whatever its version: whether trying again can help, why it
// failed, what to do.
#pragma once

#include <string>
#include <string_view>

#include "mqtt/paho.hpp"

namespace weir::mqtt {

/// What a connect, subscribe or publish came to.
struct Outcome {
  bool ok = false;
  bool refused = false;  ///< by the broker, for a reason that trying again does not cure
  std::string text;      ///< why it failed, in a few words
  int reason = 0;        ///< 0x80 and above: the broker's, in the terms of MQTT 5
};

/// @brief The outcome of an action of the client that threw, or whose token did.
Outcome outcome_of(const paho::exception& error, int mqtt_version);

/// @brief Whether an answer of a broker refuses for good: 0x80 and above, but for what passes (busy, quota, shutting
/// down).
bool is_refusal(int reason) noexcept;

/// @brief Whether a reason code of a broker does not tell what it minds.
bool says_nothing(int reason) noexcept;

/// @brief A reason code as it stands in ledgers: "not_authorized", "too_large"; "refused" for one that has no
/// name.
std::string_view reason_name(int reason) noexcept;

/// @brief A reason code in a few words, with what to do where that is known.
std::string reason_text(int reason);

}  // namespace weir::mqtt
