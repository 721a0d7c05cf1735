// Messages in memory between receivers and a reader, in their order of arrival, bounded by bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "batch/message.hpp"
#include "journal/record.hpp"

namespace weir::journal {

/// Producers: any thread, through MessageConsumer. Consumer: one thread, through next().
class MemoryQueue : public batch::MessageConsumer {
 public:
  /// @brief The next record, or nullptr when none came until `deadline` or the queue is closed and drained. Valid
  /// until the next call.
  virtual const Record* next(std::chrono::steady_clock::time_point deadline) = 0;
  /// @brief Any thread. offer() answers `stopped` from now on and blocked producers wake; what is queued can still be
  /// read.
  virtual void close() = 0;
  /// @brief True once closed, everything was read and next() has come back empty. Any thread.
  [[nodiscard]] virtual bool drained() const = 0;
  /// @brief Messages shed so far; any thread.
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
std::unique_ptr<MemoryQueue> make_memory_queue(std::uint64_t capacity_bytes);

}  // namespace weir::journal
