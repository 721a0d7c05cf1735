// A record as bytes: the frame of the journal's segments (docs/file-formats.md, "Journal").
//
// Free functions without state; any thread. A frame is a fixed header, the texts, and zeros up to a multiple of 8; its
// checksum is its first 8 bytes and is stored last, so a frame that a dying process left half written is never valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "journal/record.hpp"

namespace weir::journal {

/// The fixed part of a frame, as it lies in the file. Little-endian, as every machine that Weir is built for.
struct FrameHeader {
  std::uint64_t checksum = 0;  ///< XXH3-64 of all bytes behind it, seeded with the segment's salt
  std::uint16_t magic = 0;
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::uint32_t source = 0;
  std::uint32_t payload_bytes = 0;  ///< of the payload, or of the error's text
  std::uint32_t topic_bytes = 0;
  std::uint32_t detail_bytes = 0;
  std::uint32_t refused = 0;  ///< of a message: 0, or 1 and the number of the reason why its source refused it
  std::uint64_t number = 0;
  std::int64_t arrival_ns = 0;
  std::uint64_t offset_or_shed = 0;  ///< a message's position; of any other kind what was shed
};

inline constexpr std::uint64_t kFrameHeaderBytes = 56;
inline constexpr std::uint64_t kFrameAlignment = 8;
/// Of one text.
inline constexpr std::uint64_t kLargestText = std::numeric_limits<std::uint32_t>::max();
/// Of a frame: messages have at most 256 MiB, the largest that MQTT allows and max_message can be. A reader takes no
/// more memory than this on the word of a file.
inline constexpr std::uint64_t kLargestFrame = std::uint64_t{257} << 20U;
static_assert(sizeof(FrameHeader) == kFrameHeaderBytes);

inline constexpr std::uint64_t aligned(std::uint64_t bytes) noexcept {
  return (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

/// @brief Bytes of the frame of `record`. Every text has at most kLargestText bytes.
std::uint64_t frame_bytes(const Record& record) noexcept;

/// @brief Writes the frame of `record`, frame_bytes() of it, to `at` (aligned to 8).
void write_frame(char* at, const Record& record, std::uint64_t salt) noexcept;

}  // namespace weir::journal
