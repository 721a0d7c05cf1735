// The queue between receivers and the stream's worker: raw messages in their order of arrival, which is the order of
// the stream. Receivers append and return; one worker reads. Bounded by bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "batch/message.hpp"

namespace weir::journal {

struct Record {
  enum class Kind : std::uint8_t { message, finished, failed };
  Kind kind = Kind::message;
  batch::MessageView message;  ///< kind message; for the others only `source` is set
  std::string_view error;      ///< kind failed
};

/// Producers: any thread, through MessageConsumer. Consumer: one thread, through next().
class Journal : public batch::MessageConsumer {
 public:
  /// @brief The next record, or nullptr when none came until `deadline` or the journal is closed and drained. Valid
  /// until the next call.
  virtual const Record* next(std::chrono::steady_clock::time_point deadline) = 0;
  /// @brief Any thread. offer() answers `stopped` from now on and blocked producers wake; what is queued can still be
  /// read.
  virtual void close() = 0;
  /// @brief True once closed, everything was read and next() has come back empty. Any thread.
  [[nodiscard]] virtual bool drained() const = 0;
  /// @brief Messages shed so far, per stream; any thread.
  [[nodiscard]] virtual std::uint64_t shed() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_queued() const = 0;
};

/// @brief A queue in memory that holds at most `capacity_bytes`, 72 bytes a message included. It takes that much memory
/// once for each delivery class that occurs (page by page as it fills), and up to 32 KiB or one message more.
///
/// A full queue blocks hold_back producers. For a `shed` message the oldest queued sheddable messages make room, oldest
/// first; if held messages fill so much of the queue that this cannot make enough room, the new one is shed and nothing
/// else. What the reader has taken (up to 32 KiB at a time) is no longer queued. A message larger than the queue is
/// accepted alone, once the queue is empty. After the queue ran dry a message can wait a millisecond for the reader,
/// which spares the producers a wake-up each. @throws Error when the memory cannot be reserved.
std::unique_ptr<Journal> make_memory_journal(std::uint64_t capacity_bytes);

}  // namespace weir::journal
