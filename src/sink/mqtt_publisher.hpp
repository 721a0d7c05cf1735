// Messages to an MQTT broker, each at least once and in order, over as many connections as it takes.
//
// Every message is kept until the broker has acknowledged it. After a lost connection a new client is made and all that
// is kept is sent again, so nothing depends on what the client library remembers of an old session. All functions
// belong to one thread, but for interrupt(); Paho's threads only mark messages and wake a waiting thread.
//
// A message that the broker will never take is given up, and the next one goes out: one that it refuses, that is larger
// than it takes, whose topic MQTT cannot carry, or that makes it end the connection. What can pass (away, busy, quota)
// is waited for. The wait between two connections grows until something is acknowledged.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mqtt/client.hpp"

namespace weir::sink {

struct MqttEndpoint : mqtt::Endpoint {
  int qos = 1;
  bool retain = false;
};

/// A message that was given up.
struct RefusedMessage {
  std::string topic;
  std::string payload;
  std::string reason;  ///< its name for a ledger: "not_authorized", "too_large", "connection_ended"
  std::string why;     ///< the same in words
};

class MqttPublisher {
 public:
  /// @param name stands at the front of what is logged: "sink 'rows'"
  /// @param window most messages that submit() keeps before it waits
  explicit MqttPublisher(MqttEndpoint endpoint, std::string name, std::size_t window = 1000);
  ~MqttPublisher();
  MqttPublisher(const MqttPublisher&) = delete;
  MqttPublisher& operator=(const MqttPublisher&) = delete;

  /// @brief Connects. @throws Error when the broker refuses (password, protocol version); a broker that is away is
  /// logged and tried again by the functions below.
  void connect();
  /// @brief Takes a message; waits while the window is full, unless interrupted.
  void submit(std::string topic, std::string payload);
  /// @brief Takes a message of an earlier run: like submit(), but never waits, so that a start does not hang on a
  /// broker that is away.
  void restore(std::string topic, std::string payload);
  /// @brief What can be done without waiting: reconnect, send, forget what was acknowledged.
  void pump();
  /// @brief Waits until everything is acknowledged or given up, or `patience` is over; how many messages are left.
  std::size_t drain(std::chrono::milliseconds patience);
  /// @brief Every message that is neither acknowledged nor given up, oldest first.
  void for_each_pending(const std::function<void(const std::string& topic, const std::string& payload)>& visit) const;
  [[nodiscard]] std::size_t pending() const noexcept;
  /// @brief The messages that were given up since the last call.
  std::vector<RefusedMessage> take_refused();
  /// @brief submit() does not wait any more, drain() only while there is a connection. Any thread.
  void interrupt() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::sink
