// What the session of a client has subscribed to at its broker: over reconnects and, with a file, over restarts.
//
// A broker does not tell. A session that goes on may still have filters of an earlier configuration; messages of these
// come until the broker is told to drop them. What is known is dropped by name before anything new is subscribed. Where
// nothing is known (no file, or a session that another program made), the topic of a message that nobody asked for
// tells which filters can have brought it.
//
// Used by the source's thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "spec/stream_spec.hpp"

namespace weir::source {

class MqttSubscriptions {
 public:
  /// @param directory where a file for the client is kept; empty: what is known ends with the process
  MqttSubscriptions(const spec::Source& spec, const std::string& directory);

  /// What the session lacks and has too much.
  struct Change {
    std::vector<std::string>
        drop;  ///< filters to unsubscribe first, so that no message comes by both an old and a new one
    std::vector<std::string> add;  ///< topics of the source to subscribe
  };
  /// @brief After CONNACK. @param resumed the broker goes on with an earlier session
  Change connected(bool resumed);
  /// @brief Before the topic is subscribed, and when it was.
  void begin(const std::string& topic);
  void subscribed(const std::string& topic);
  /// @brief The broker was told to drop the filter.
  void dropped(const std::string& filter);
  /// @brief The session may have filters that are not known here.
  [[nodiscard]] bool incomplete() const noexcept { return others_ || !known_; }

  /// @brief Every filter that can have brought a message of this topic, the likeliest first, without those that the
  /// source has itself and those that were dropped before.
  [[nodiscard]] std::vector<std::string> suspects(std::string_view topic) const;

 private:
  struct Entry {
    std::string filter;
    int qos = 0;
    bool retained = false;
    bool sure = false;  ///< it was acknowledged
  };
  void load();
  void save();
  [[nodiscard]] Entry entry_of(const std::string& topic) const;

  const spec::Source& spec_;
  std::string file_;
  std::string owner_;  ///< of the file: broker and client
  std::vector<Entry> entries_;
  std::set<std::string> gone_;  ///< dropped in this process
  bool known_ = false;          ///< entries_ says what the last session had
  bool others_ = false;
  bool failure_told_ = false;
};

/// @brief What MQTT 5 sends along with each message that a subscription brings, 1 to 2^28 - 1: the same for a filter at
/// each start, so that messages that waited are known again.
std::uint32_t subscription_identifier(std::string_view filter) noexcept;

}  // namespace weir::source
