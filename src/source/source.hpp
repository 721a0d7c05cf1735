// Where bytes come from. A source adds the arrival time and hands messages to a consumer; it parses nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "batch/message.hpp"
#include "spec/stream_spec.hpp"

namespace weir::source {

class StopEvent;

/// A push source: runs its own thread (MQTT: Paho's) between start() and stop().
class Source {
 public:
  virtual ~Source() = default;  ///< stops
  /// @brief Connects and begins to offer messages. @throws Error with one line when it cannot start at all (file cannot
  /// be read, wrong password); a broker that is merely down is retried and reported through the log.
  virtual void start() = 0;
  /// @brief No message is offered after it returned. MQTT: disconnects, keeping a persistent session. Any thread,
  /// idempotent. It waits for an offer() that is held back, so go on reading the consumer's queue, or close it; to lose
  /// no acknowledged MQTT message, close it only after this returned.
  virtual void stop() = 0;
};

/// What only some sources need.
struct SourceOptions {
  std::string session_dir;  ///< where MQTT keeps what it has subscribed to; empty: nowhere
  std::chrono::nanoseconds silence =
      std::chrono::seconds(60);  ///< MQTT: after so long without a message the log says so
};

/// @param index the source's number in its stream, put into each message
/// @param resume where to go on after a restart; default: from the beginning
std::unique_ptr<Source> make_source(const spec::Source& spec, const std::string& stream, std::uint32_t index,
                                    batch::MessageConsumer& consumer, const batch::SourcePosition& resume,
                                    const SourceOptions& options = {});

/// A pull source for finite input: file, standard input, or a directory as it stands. Replay reads these in its own
/// thread, so that the order of several sources is decided by the data alone.
class BlockReader {
 public:
  virtual ~BlockReader() = default;
  /// @brief The next block of whole lines (at most ~256 KiB unless one line is longer), or what is refused: a line
  /// longer than max_message, a file of a directory that cannot be read. Views are valid until the next call. False at
  /// the end, and after a stop. @throws Error on a read error.
  virtual bool next(batch::MessageView& message) = 0;
  /// @brief Bytes read and in all, for the progress bar; total 0 when unknown.
  [[nodiscard]] virtual std::uint64_t bytes_read() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_total() const = 0;
};
/// @param stop when set, next() returns false even while a pipe is silent; may be nullptr
std::unique_ptr<BlockReader> make_block_reader(const spec::Source& spec, std::uint32_t index,
                                               const batch::SourcePosition& resume, const StopEvent* stop = nullptr);

}  // namespace weir::source
