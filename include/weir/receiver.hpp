// A source of your own: derive from Receiver and store() what comes in. Modelled on Spark's Receiver.
#pragma once

#include <string>
#include <string_view>

namespace weir {

/// Takes a receiver's messages into the stream. Any thread may call it, until on_stop() has returned.
class Emitter {
 public:
  /// @brief Hands on one payload in the stream's format (for a line format: one or more whole lines). It is copied.
  /// Waits while the stream is behind. @param topic what `{name}` captures are read from; may be empty
  /// @return false when the stream is stopping and the payload was not taken: stop storing.
  virtual bool store(std::string_view payload, std::string_view topic = {}) = 0;
  /// @brief The source has come to its end.
  virtual void finish() = 0;
  /// @brief The source cannot go on; `what` is one line. Counts as its end.
  virtual void fail(const std::string& what) = 0;
  /// @brief Whether the stream is stopping.
  [[nodiscard]] virtual bool stopped() const = 0;

 protected:
  ~Emitter() = default;
};

/// What you write. A receiver is started and stopped once.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// @brief Begin to receive: start your threads here and return. An exception stops the start of the whole pipeline.
  /// `emitter` is valid until on_stop() has returned.
  virtual void on_start(Emitter& emitter) = 0;
  /// @brief Stop receiving: end and join your threads. emitter.stopped() is already true, and store() takes nothing
  /// more. Called once, after on_start() has returned.
  virtual void on_stop() {}
};

}  // namespace weir
