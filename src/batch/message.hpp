// A message as a source received it, and where sources hand messages to. Bytes plus arrival time, nothing more.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "batch/malformed.hpp"

namespace weir::batch {

/// Where a source goes on after a restart: after the message that carries it. Opaque to everybody but the source,
/// except that a message may carry only what changed, see advance().
struct SourcePosition {
  std::uint64_t offset = 0;
  std::string detail;  ///< e.g. what the file is known by

  /// @brief To where a later message stands: an empty detail leaves the one before, one that begins with '+' is
  /// appended to it without the '+', any other takes its place. Several messages may be put together before they are
  /// applied.
  void advance(std::uint64_t new_offset, std::string_view new_detail) {
    offset = new_offset;
    if (new_detail.starts_with('+') && !detail.empty()) {
      detail.append(new_detail.substr(1));
    } else if (!new_detail.empty()) {
      detail = new_detail;
    }
  }
  friend bool operator==(const SourcePosition&, const SourcePosition&) = default;
};

/// What a message can promise its sender.
enum class Delivery : std::uint8_t {
  hold_back,  ///< the sender waits while the queue is full (QoS 1/2, files, TCP)
  shed        ///< dropped and counted when the queue is full (QoS 0)
};

/// A message on its way from a source to the queue; the views are valid during the call only.
///
/// The payload of a line-oriented source (file, directory, standard input, TCP) is a block of whole lines, the final
/// newline included where the input has one; the payload of MQTT is one MQTT payload.
struct MessageView {
  std::string_view payload;
  std::string_view topic;       ///< MQTT topic, empty elsewhere
  std::int64_t arrival_ns = 0;  ///< since the Unix epoch; 0 from a source: the consumer's clock says, on entry
  std::uint32_t source = 0;     ///< index in the stream's list of sources
  Delivery delivery = Delivery::hold_back;
  bool duplicate = false;             ///< MQTT's DUP
  bool starts_file = false;           ///< first block of a file: the decoder expects a header line if it has one
  std::uint64_t position_offset = 0;  ///< SourcePosition::offset after this message
  std::string_view position_detail;   ///< see SourcePosition::advance()
  /// Set by a source that refuses the message whole (too large, unreadable, of another topic): it counts as one
  /// malformed reading and is never decoded. The payload is a sample for the dead letters, kRefusedSample at most.
  std::optional<Malformed> refused;
};
inline constexpr std::size_t kRefusedSample = 1024;

enum class Accepted : std::uint8_t {
  yes,
  shed,
  stopped,
  full,      ///< only from offer_until(): not taken
  yes_full,  ///< only from offer_until(): taken, but hardly another one will be: offer no more until has_room()
  broken     ///< a durable consumer cannot take it and never will: whoever acknowledges it now loses it
};

/// Takes messages from sources. Any thread may call it.
class MessageConsumer {
 public:
  virtual ~MessageConsumer() = default;
  /// @brief Copies the message. Blocks while the queue is full if the message's delivery is hold_back; returns
  /// `stopped` when the stream is shutting down and the message was not taken.
  virtual Accepted offer(const MessageView& message) = 0;
  /// @brief As offer(), but a hold_back message that is not taken by `deadline` is answered `full`. For callers that
  /// must not block for long, such as MQTT callbacks, which stop all clients of the process. A consumer whose
  /// acceptance is a promise to the sender (a durable one) never answers `full` but `yes_full`, and goes on taking
  /// messages after it was closed as long as it can, since a callback that returns has acknowledged; where it cannot,
  /// it answers `broken`.
  virtual Accepted offer_until(const MessageView& message, std::chrono::steady_clock::time_point deadline) {
    static_cast<void>(deadline);
    return offer(message);
  }
  /// @brief After yes_full: whether there is room again.
  [[nodiscard]] virtual bool has_room() const { return true; }
  /// @brief The source has ended (end of file, end of standard input, TCP peer closed for good).
  virtual void finished(std::uint32_t source) = 0;
  /// @brief The source cannot go on; `what` is one line. The pipeline reports it and treats the source as finished.
  virtual void failed(std::uint32_t source, const std::string& what) = 0;
};

}  // namespace weir::batch
