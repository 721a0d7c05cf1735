// Frames as they are verified and read (frame.hpp says what a frame is). Inline, for the files of this room that read
// many: a small frame is verified in some nanoseconds, as much as calls and copies of it would cost.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstdint>

#include "journal/frame.hpp"

namespace weir::journal {

static_assert(std::endian::native == std::endian::little, "frames are stored as they lie in memory");

namespace frame_format {
inline constexpr std::uint16_t kMagic = 0x4a57;  // "WJ"
inline constexpr std::uint8_t kLastKind = 4;
inline constexpr std::uint8_t kSheddable = 1;
inline constexpr std::uint8_t kDuplicate = 2;
inline constexpr std::uint8_t kStartsFile = 4;
inline constexpr std::uint8_t kAllFlags = 7;
}  // namespace frame_format

enum class FrameState : std::uint8_t {
  valid,
  longer,  ///< may be a frame, of `bytes` bytes, and not all of them are here
  invalid
};

struct FrameCheck {
  FrameState state = FrameState::invalid;
  std::uint64_t bytes = 0;  ///< of the whole frame
};

inline std::uint64_t size_of_frame(const FrameHeader& header) noexcept {
  return aligned(kFrameHeaderBytes + std::uint64_t{header.payload_bytes} + header.topic_bytes + header.detail_bytes);
}

inline std::uint64_t frame_checksum(const char* at, std::uint64_t bytes, std::uint64_t salt) noexcept {
  return XXH3_64bits_withSeed(at + sizeof(FrameHeader::checksum), bytes - sizeof(FrameHeader::checksum), salt);
}

/// @brief The header where it lies: a copy on the stack would cost as much as the hash.
inline const FrameHeader& frame_header(const char* at) noexcept {
  return *reinterpret_cast<const FrameHeader*>(at);
}

/// @brief Whether a whole frame with a good checksum begins at `at` (aligned to 8), of which `available` bytes can be
/// read.
inline FrameCheck check_frame(const char* at, std::uint64_t available, std::uint64_t salt) noexcept {
  if (available < kFrameHeaderBytes) {
    return {FrameState::longer, kFrameHeaderBytes};
  }
  const FrameHeader& header = frame_header(at);
  if (header.magic != frame_format::kMagic || header.kind > frame_format::kLastKind ||
      header.flags > frame_format::kAllFlags || header.refused > batch::kMalformedReasons) {
    return {};
  }
  const std::uint64_t bytes = size_of_frame(header);
  if (bytes > kLargestFrame) {
    return {};
  }
  if (bytes > available) {
    return {FrameState::longer, bytes};
  }
  return {frame_checksum(at, bytes, salt) == header.checksum ? FrameState::valid : FrameState::invalid, bytes};
}

/// @brief The record of a valid frame; its texts point into it.
inline void read_frame(const char* at, Record& record) noexcept {
  const FrameHeader& header = frame_header(at);
  const char* const first = at + sizeof header;
  const char* const second = first + header.payload_bytes;
  // Every member is set, which costs less than to clear the record first.
  record.kind = static_cast<Record::Kind>(header.kind);
  record.number = header.number;
  batch::MessageView& message = record.message;
  message.topic = {second, header.topic_bytes};
  message.arrival_ns = header.arrival_ns;
  message.source = header.source;
  message.delivery =
      (header.flags & frame_format::kSheddable) != 0 ? batch::Delivery::shed : batch::Delivery::hold_back;
  message.duplicate = (header.flags & frame_format::kDuplicate) != 0;
  message.starts_file = (header.flags & frame_format::kStartsFile) != 0;
  message.refused.reset();
  if (header.refused != 0) [[unlikely]] {
    message.refused = static_cast<batch::Malformed>(header.refused - 1);
  }
  message.position_detail = {second + header.topic_bytes, header.detail_bytes};
  if (record.kind == Record::Kind::message) {
    message.payload = {first, header.payload_bytes};
    message.position_offset = header.offset_or_shed;
    record.error = {};
    record.shed = 0;
  } else {
    message.payload = {};
    message.position_offset = 0;
    record.error = {first, header.payload_bytes};
    record.shed = header.offset_or_shed;
  }
}

}  // namespace weir::journal
