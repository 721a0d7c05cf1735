// The client of an MQTT source: its connection, what it subscribes and unsubscribes, and the end of it.
//
// Threads. Paho has one receiving thread for the whole process and holds a global lock while it runs a callback; what
// it may call here is marked, and returns at once. Everything else belongs to the source's thread, one step after the
// other. Paho's automatic reconnect is not used: it does not try again before the first success, and never subscribes
// again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/outcome.hpp"
#include "mqtt/paho.hpp"
#include "source/mqtt_admission.hpp"
#include "source/mqtt_subscriptions.hpp"
#include "source/source.hpp"

namespace weir::source {

class MqttConnection final : private paho::iaction_listener {
 public:
  enum class End : std::uint8_t { stopped, lost, stalled };

  /// @param spec, stream, admission must outlive it
  MqttConnection(const spec::Source& spec, const std::string& stream, const SourceOptions& options,
                 MqttAdmission& admission);
  ~MqttConnection() override;

  /// @brief Makes the client. @throws Error when the address is refused.
  void create(std::function<void(const paho::message&)> on_message);
  /// @brief After this no callback runs.
  void destroy() { client_.reset(); }

  /// @brief Connects, has the broker drop what is not wanted any more, and subscribes.
  mqtt::Outcome open();
  /// @brief Until the connection ends, for whatever reason. @param why in a few words
  End wait(std::string& why);
  void close();

  // Any thread.
  void stop();
  [[nodiscard]] bool stopping();
  /// @return it was stopped
  bool sleep(std::chrono::milliseconds time);

  // Paho's thread.
  void heard() noexcept { heard_.store(true, std::memory_order_relaxed); }
  void stall() { note(stalled_); }
  /// @brief A message came that no topic of the source matches.
  void not_asked_for(std::string_view topic);

 private:
  void on_success(const paho::token&) override { wake(); }
  void on_failure(const paho::token&) override { wake(); }
  /// Who waits looks at the token: the answer can be that of an earlier action, which was given up.
  void wake();
  void note(bool& flag);

  template <class Action>
  mqtt::Outcome perform(Action action);
  mqtt::Outcome subscribe(const std::string& topic);
  mqtt::Outcome unsubscribe(const std::vector<std::string>& filters, bool& had_one);
  void drop_what_brings(const std::string& topic);
  [[nodiscard]] std::string ended_text() const;

  const spec::Source& spec_;
  const std::string& stream_;
  const SourceOptions options_;
  MqttAdmission& admission_;
  MqttSubscriptions subscriptions_;
  std::unique_ptr<paho::async_client> client_;
  bool with_identifiers_ = false;
  std::set<std::string> weaker_told_;  ///< topics that the broker grants at a lower QoS than asked for
  bool silence_told_ = false;
  int searches_ = 0;  ///< for what brings unwanted messages, over this connection

  std::mutex mutex_;
  std::condition_variable changed_;
  bool lost_ = false;
  bool stalled_ = false;
  bool stopping_ = false;
  int lost_reason_ = 0;
  std::set<std::string, std::less<>> unwanted_;  ///< topics that are still to be looked into
  std::atomic<bool> heard_{false};
};

}  // namespace weir::source
