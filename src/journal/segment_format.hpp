// What stands around the frames: a segment's header, its name, the blocks of a compressed one (docs/file-formats.md,
// "Journal"). Free functions without state; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.hpp"

namespace weir::journal {

inline constexpr std::string_view kSegmentMagic = "WEIRJRNL";
inline constexpr std::uint32_t kSegmentVersion = 1;
/// In place of the first record's number until the segment gets its name.
inline constexpr std::uint64_t kNotBegun = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::string_view kUnfinishedSuffix = ".tmp";

/// The first 128 bytes of a segment, as they lie in the file.
struct SegmentHeader {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t compressed = 0;            ///< 1: blocks of compressed frames, 0: frames
  std::uint64_t salt = 0;                  ///< random: bytes of another segment, or of a payload, are no frames here
  std::uint64_t first_number = 0;          ///< of the first record, as in the file's name
  std::array<std::uint8_t, 16> boot_id{};  ///< of the system's run in which it was written; zeros: not known
  std::int64_t created_ns = 0;
  std::uint64_t checksum = 0;  ///< XXH3-64 of the 56 bytes before, seeded with the version
  // What changes while the segment is written.
  std::uint64_t synced_bytes = 0;       ///< bytes from the beginning that are known to survive a power cut
  std::uint64_t complete_bytes = 0;     ///< of the file when nothing more is appended; 0: not complete
  std::uint64_t end_number = 0;         ///< of a complete segment: after its last record
  std::uint64_t complete_checksum = 0;  ///< XXH3-64 of the 16 bytes before, seeded with the salt
  std::uint64_t followed_checksum = 0;  ///< XXH3-64 of end_number, seeded with salt + 1: another segment follows
  std::array<std::uint64_t, 3> reserved{};

  /// @brief Whether it was finished, according to a good checksum.
  [[nodiscard]] bool complete() const noexcept;
  /// @brief Whether a segment was begun behind this complete one: where there is none, it was taken away.
  [[nodiscard]] bool followed() const noexcept;
  /// @brief Sets the two checksums.
  void seal_identity() noexcept;
  void seal_completion() noexcept;
  void seal_followed() noexcept;
};

inline constexpr std::uint64_t kSegmentHeaderBytes = 128;
static_assert(sizeof(SegmentHeader) == kSegmentHeaderBytes);

/// @brief A header for a new segment: version, salt, the system's run and the time are filled in.
SegmentHeader new_segment_header();
/// @brief What is wrong with the first bytes of a file as a segment's header, or empty.
std::string header_damage(const SegmentHeader& header);
/// @brief Of the system's present run (Linux: boot_id); zeros where there is none.
std::array<std::uint8_t, 16> current_boot_id();

/// What stands before each block of a compressed segment.
struct BlockHeader {
  std::uint64_t checksum = 0;  ///< XXH3-64 of the header behind it and the compressed bytes, seeded with the salt
  std::uint64_t magic = 0;
  std::uint64_t first_number = 0;
  std::uint64_t end_number = 0;
  std::uint64_t plain_bytes = 0;  ///< of the frames
  std::uint64_t compressed_bytes = 0;
};
inline constexpr std::uint64_t kBlockHeaderBytes = 48;
static_assert(sizeof(BlockHeader) == kBlockHeaderBytes);

/// Frames of a block: large enough to compress well, small enough that damage costs little and a reader's memory is
/// small. A longer frame has a block of its own.
inline constexpr std::uint64_t kBlockBytes = 256U << 10U;

/// @brief A block of whole frames, its header first, padded to a multiple of 8. @throws Error when there is no memory.
std::string compress_block(std::string_view frames, std::uint64_t first_number, std::uint64_t end_number,
                           std::uint64_t salt);
/// @brief Whether the header may be one: for looking at bytes that are not trusted.
bool plausible(const BlockHeader& header, std::uint64_t bytes_left) noexcept;
/// @brief The frames of a block (header and compressed bytes) into `frames`; false when it is damaged.
bool expand_block(std::string_view block, std::uint64_t salt, std::vector<char>& frames);

struct SegmentName {
  std::uint64_t first_number = 0;
  std::string path;
};

/// @brief "<directory>/journal-<first number, 20 digits>.weir".
std::string segment_path(const std::string& directory, std::uint64_t first_number);
/// @brief The number in a segment's file name; false when it is no such name.
bool segment_number(std::string_view file_name, std::uint64_t& number) noexcept;

/// What a directory holds of a journal.
struct SegmentFiles {
  std::vector<SegmentName> segments;    ///< ascending
  std::vector<std::string> unfinished;  ///< paths: the rest of a crash
};
/// @brief @throws Error when the directory cannot be read
SegmentFiles find_segments(FileSystem& file_system, const std::string& directory);

}  // namespace weir::journal
