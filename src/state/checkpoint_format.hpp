// The bytes of a checkpoint file. docs/file-formats.md describes them; nothing else knows them.
//
// The head (everything before the sections) carries its own checksum at a place that no version moves, so that a file
// of a newer version is told from a damaged one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "state/checkpoint_store.hpp"

namespace weir::state {

inline constexpr std::uint32_t kCheckpointVersion = 1;
inline constexpr std::string_view kCheckpointMagic = "WEIRCKPT";
inline constexpr std::string_view kCheckpointEnd = "WEIRCEND";

/// @brief What stands before the sections' bytes.
std::string encode_checkpoint_head(std::uint64_t number, std::int64_t written_ns, const std::vector<Section>& sections);

struct ParsedCheckpoint {
  struct View {
    std::string_view name, bytes;
  };
  std::uint64_t number = 0;
  std::int64_t written_ns = 0;
  std::vector<View> sections;  ///< into the bytes that were parsed
  std::string damage;          ///< empty: good, every checksum agrees
  std::uint32_t version = 0;   ///< above kCheckpointVersion: whole, but not for this program; nothing else is set then
};

/// @brief Reads any bytes; never throws on damage, never allocates more than the bytes account for.
ParsedCheckpoint parse_checkpoint(std::string_view bytes);

}  // namespace weir::state
