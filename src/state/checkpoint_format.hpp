// The bytes of a checkpoint file. docs/file-formats.md describes them; nothing else knows them.
//
// A checkpoint is a table (its sections, each a list of chunks, and where each chunk lies: in this file or in an older
// one) and the chunks that are new. The frame around the table carries its checksum at a place that no version moves,
// so that a file of a newer version is told from a damaged one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct XXH3_state_s;  // of xxhash.h

namespace weir::state {

/// 1: every section whole in the file itself. Still read.
inline constexpr std::uint32_t kCheckpointVersion = 2;
inline constexpr std::string_view kCheckpointMagic = "WEIRCKPT";
inline constexpr std::string_view kCheckpointEnd = "WEIRCEND";
/// Magic, version, bytes of the body, checksum of the body and of the version.
inline constexpr std::size_t kFrameBytes = 8 + 4 + 8 + 8;

/// Numbers that must outlive a checkpoint elsewhere, by name: the journal of each stream from there on.
using Needs = std::vector<std::pair<std::string, std::uint64_t>>;

/// Where the bytes of a chunk lie.
struct ChunkPlace {
  std::uint64_t file = 0;      ///< number of the checkpoint file
  std::uint64_t offset = 0;    ///< from the beginning of that file
  std::uint64_t bytes = 0;     ///< length
  std::uint64_t checksum = 0;  ///< XXH3-64 of the bytes
  friend bool operator==(const ChunkPlace&, const ChunkPlace&) = default;
};

struct SectionTable {
  std::string name;
  std::vector<ChunkPlace> chunks;  ///< the section is their bytes, in order
};

struct CheckpointTable {
  std::uint64_t number = 0;
  std::int64_t written_ns = 0;  ///< wall clock
  Needs needs;
  std::vector<SectionTable> sections;
};

/// @brief XXH3-64.
std::uint64_t chunk_checksum(std::string_view bytes) noexcept;

/// The same of bytes that come in pieces.
class ChunkChecksum {
 public:
  ChunkChecksum();  ///< @throws std::bad_alloc
  void add(std::string_view bytes) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const noexcept;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// @brief Bytes of what stands before the chunks; depends on names and numbers of chunks only, not on their places.
std::uint64_t head_bytes(const CheckpointTable& table) noexcept;
/// @brief What stands before the chunks. The chunks of this file (places whose file is table.number) follow in the
/// order of the table, without gaps, then kCheckpointEnd.
std::string encode_head(const CheckpointTable& table);

/// A head that was read.
struct ParsedHead {
  CheckpointTable table;
  std::uint64_t bytes = 0;    ///< of the head
  std::string damage;         ///< empty: good
  std::uint32_t version = 0;  ///< above kCheckpointVersion: whole, but not for this program; nothing else is set then
};
/// @brief Bytes of the head that begins with this frame; no more than the file has. 0: no frame.
std::uint64_t head_bytes_in_frame(std::string_view frame, std::uint64_t file_bytes) noexcept;
/// @brief Reads the head of a file that has `file_bytes` bytes: that its chunks fill the rest is part of being good.
/// Never throws on damage, never allocates more than the bytes account for.
ParsedHead parse_head(std::string_view bytes, std::uint64_t file_bytes);

/// @brief Reads a whole file: the head, the checksum of each chunk that lies in it, and the end mark. Chunks in other
/// files are not looked at.
ParsedHead parse_checkpoint(std::string_view bytes);

}  // namespace weir::state
