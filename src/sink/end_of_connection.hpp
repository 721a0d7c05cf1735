// Why a broker ends connections without a word: is it the message at the front of the queue, its QoS or its retain
// flag, or nothing of ours? A broker of MQTT 3.1.1 has no other way to refuse a message, and some of MQTT 5 take none.
//
// After a connection that ended with messages on their way the front goes alone, and more only as acknowledgements
// come. If the connection ends again and again while the front is alone, it is at fault. Where nothing was acknowledged
// yet, lesser forms of it are tried before it is given up: a broker that has taken the form once is not suspected of
// not knowing it. Knows no client and no clock; the publisher's thread.
#pragma once

#include <cstddef>
#include <vector>

namespace weir::sink {

/// How a message is published.
struct PublishForm {
  int qos = 1;
  bool retain = false;
  friend bool operator==(const PublishForm&, const PublishForm&) = default;
};

class EndOfConnection {
 public:
  /// Connections that end with the front alone before it is given up, or a lesser form is tried for one before the
  /// last.
  static constexpr int kTries = 3;

  explicit EndOfConnection(PublishForm wanted) { begin(wanted); }

  /// @param wanted the form that the broker takes as far as it says
  void want(PublishForm wanted) {
    if (forms_.front() != wanted) begin(wanted);
  }

  /// @brief How the front is to be published now, and the rest once that is acknowledged.
  [[nodiscard]] PublishForm form() const noexcept { return forms_[form_]; }
  /// @brief Messages go out one by one, or few at a time.
  [[nodiscard]] bool careful() const noexcept { return window_ != kAll; }
  /// @brief How many messages may be on their way.
  [[nodiscard]] std::size_t window() const noexcept { return window_; }

  enum class Verdict { go_on, give_front_up };
  /// @param alone the front was the only message on its way
  /// @param certain the broker said that it is the message
  Verdict ended(bool alone, bool certain);

  /// @brief The front was acknowledged. @return the form on trial is what is wanted from now on
  bool acknowledged();

 private:
  void begin(PublishForm wanted);

  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
  static constexpr std::size_t kCareful = 64;  // from here on all may go again
  std::vector<PublishForm> forms_;             // what is wanted, then lesser ones
  std::size_t form_ = 0;
  std::size_t window_ = kAll;
  int tries_ = 0;
  bool ever_acknowledged_ = false;  // in the form that is wanted
};

}  // namespace weir::sink
