// The queue between receivers and the stream's worker: raw messages in their order of arrival, which is the order of the
// stream. Receivers append and return; one worker reads. Bounded by bytes.
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
  /// @brief The next record, or nullptr when none came until `deadline` or the journal is closed and drained. Valid until
  /// the next call.
  virtual const Record* next(std::chrono::steady_clock::time_point deadline) = 0;
  /// @brief offer() answers `stopped` from now on and blocked producers wake; what is queued can still be read.
  virtual void close() = 0;
  /// @brief True once closed and everything was read.
  [[nodiscard]] virtual bool drained() const = 0;
  /// @brief Messages shed so far, per stream; any thread.
  [[nodiscard]] virtual std::uint64_t shed() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_queued() const = 0;
};

/// @brief A ring in memory of at most about `capacity_bytes`. A full ring blocks hold_back producers; for a `shed` message
/// the oldest queued sheddable messages make room first (oldest first), and only if none are left the new one is shed.
std::unique_ptr<Journal> make_memory_journal(std::uint64_t capacity_bytes);

}  // namespace weir::journal
