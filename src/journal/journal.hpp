// The queue between receivers and the stream's worker: raw messages in their order of arrival, which is the order of
// the stream. Receivers append and return; one worker reads.
//
// Without a state directory it is a bounded ring in memory (make_memory_journal). With one it is durable
// (durable_journal.hpp): what was appended survives the process, and a restart reads it again from the number that the
// checkpoint names. Decisions of the wall clock are records too (ticks), so a journal read again decides the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "batch/message.hpp"
#include "journal/record.hpp"

namespace weir::journal {

/// The journal's clock gives messages their arrival (core/arrival_clock.hpp) where their source did not.
///
/// Producers: any thread, through MessageConsumer. Consumer: one thread, through next().
class Journal : public batch::MessageConsumer {
 public:
  /// @brief The next record. When none came until the wall clock stands at `tick_at_ns` (or, should the wall clock be
  /// set back, for `longest_wait`), a tick; a durable journal keeps it. Under steady load a tick comes among the
  /// messages, once for each `tick_at_ns`, if messages were shed. nullptr when the journal is closed and drained. Valid
  /// until the next call. @throws Error when a record cannot be read (damage on disk).
  virtual const Record* next(std::int64_t tick_at_ns, std::chrono::nanoseconds longest_wait) = 0;
  /// @brief Any thread. offer() answers `stopped` from now on and blocked producers wake; what is queued can still be
  /// read.
  virtual void close() = 0;
  /// @brief Bytes that wait for the worker.
  [[nodiscard]] virtual std::uint64_t bytes_queued() const = 0;

  // Durability; a journal in memory has none and does nothing.
  /// @brief A journal that was only looked at (prepare_durable_journal) is put in order and takes messages from now on.
  /// Any thread; a second call does nothing. @throws Error
  virtual void begin() {}
  /// @brief What was appended so far survives a power cut when it returns. Any thread. @throws Error
  virtual void sync() {}
  /// @brief Records before `number` are no longer needed by any checkpoint. Any thread; never throws (a file that
  /// cannot be removed is tried again).
  virtual void release_before(std::uint64_t number) noexcept { static_cast<void>(number); }
};

/// @brief A journal that is a MemoryQueue (memory_queue.hpp) and lives as long as the process. @param notice told what
/// happens to the wall clock, one line each, from any thread @throws Error when the memory cannot be reserved.
std::unique_ptr<Journal> make_memory_journal(std::uint64_t capacity_bytes,
                                             std::function<void(const std::string&)> notice = {});

}  // namespace weir::journal
