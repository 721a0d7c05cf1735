// A first-in first-out queue of records of bytes in one mirrored ring. The journal has one for messages that are held
// back and one for messages that may be shed, and merges them by their number.
//
// Not synchronised: the journal's lock guards every call. The texts of a record that was reserved and is not yet ready
// belong to its producer; those of a record that was passed belong to the reader until the journal stops charging them.
#pragma once

#include <cstdint>
#include <new>
#include <optional>

#include "batch/message.hpp"
#include "journal/mirrored_memory.hpp"
#include "journal/record.hpp"

namespace weir::journal {

/// What stands before a record's texts (payload, topic, detail) in the ring.
struct RecordHeader {
  std::uint64_t number = 0;  ///< order of arrival over both rings
  std::uint64_t bytes = 0;   ///< in the ring, this header included
  std::uint64_t charge = 0;  ///< what it counts for; more than `bytes` where the texts lie outside the ring
  std::uint64_t payload_bytes = 0;
  std::int64_t arrival_ns = 0;
  std::uint64_t position_offset = 0;
  std::uint32_t topic_bytes = 0;
  std::uint32_t detail_bytes = 0;
  std::uint32_t source = 0;
  Record::Kind kind = Record::Kind::message;
  batch::Delivery delivery = batch::Delivery::hold_back;
  bool duplicate = false;
  bool starts_file = false;
  bool oversize = false;  ///< larger than the ring: the texts lie in memory of their own
  bool ready = true;      ///< false while the producer still copies the texts
  std::optional<batch::Malformed> refused;

  [[nodiscard]] std::uint64_t text_bytes() const noexcept { return payload_bytes + topic_bytes + detail_bytes; }
  /// @brief Where the texts begin, in the ring.
  [[nodiscard]] char* texts() noexcept { return reinterpret_cast<char*>(this + 1); }
};

static_assert(sizeof(RecordHeader) == 72, "memory_queue.hpp names this number");

class RecordRing {
 public:
  explicit RecordRing(std::uint64_t capacity) : memory_(capacity) {}

  /// @brief Ring bytes that a record with so many bytes of text takes.
  static std::uint64_t footprint(std::uint64_t text_bytes) noexcept {
    return (sizeof(RecordHeader) + text_bytes + alignof(RecordHeader) - 1) / alignof(RecordHeader) *
           alignof(RecordHeader);
  }

  /// @brief Appends a header; the caller has made sure that `header.bytes` fit.
  RecordHeader& reserve(const RecordHeader& header) noexcept {
    auto* place = ::new (at(end_)) RecordHeader(header);
    end_ += header.bytes;
    return *place;
  }

  /// @brief The oldest record that was not passed, or nullptr.
  [[nodiscard]] RecordHeader* front() const noexcept {
    return front_ == end_ ? nullptr : std::launder(reinterpret_cast<RecordHeader*>(at(front_)));
  }
  /// @brief Goes on to the next record. Who passes a record says when its bytes may be used again: the journal does so
  /// by what it charges.
  void pass() noexcept { front_ += front()->bytes; }

 private:
  [[nodiscard]] std::byte* at(std::uint64_t offset) const noexcept { return memory_.data() + offset % memory_.size(); }

  MirroredMemory memory_;
  // Counts of bytes since the ring was made: front_ <= end_, and what was passed but not released lies before front_.
  std::uint64_t front_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace weir::journal
