// Collects the bytes of one section of a checkpoint, chunk by chunk, without those that an earlier checkpoint holds.
//
// A section is one sequence of bytes for whoever reads it; chunks only say which parts of it can be left where they
// are. What is written outside of a numbered chunk is always written. Used by the engine's thread; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "state/checkpoint_format.hpp"
#include "state/serial.hpp"

namespace weir::state {

/// A chunk in an earlier checkpoint.
struct StoredChunk {
  std::uint64_t version = 0;
  ChunkPlace place;
};
/// [id] → the chunk of the newest checkpoint.
using StoredChunks = std::unordered_map<std::uint64_t, StoredChunk>;

class SectionWriter {
 public:
  /// One chunk of the section, in order.
  struct Chunk {
    std::optional<std::uint64_t> id;  ///< none: always written
    std::uint64_t version = 0;
    std::size_t bytes = 0;            ///< of bytes(), 0 for a stored one
    std::optional<ChunkPlace> place;  ///< where it is stored already
  };

  /// A section whose chunks are all written.
  SectionWriter() = default;
  /// @param stored what begin_chunk() compares with; nullptr: nothing. Outlives the writer's last begin_chunk().
  /// @param buffer memory to use again
  explicit SectionWriter(const StoredChunks* stored, Writer buffer = {}) : stored_(stored), out_(std::move(buffer)) {}

  /// @brief Takes the bytes of the current chunk.
  Writer& out() noexcept { return out_; }

  /// @brief Ends the chunk before and begins chunk `id`, unique in the section. @param version another one whenever the
  /// chunk's bytes are others. @return false when the chunk is stored with that version: write nothing then.
  bool begin_chunk(std::uint64_t id, std::uint64_t version);
  /// @brief What follows belongs to no numbered chunk.
  void end_chunk();

  /// @brief The chunks; ends the last one.
  const std::vector<Chunk>& chunks();
  /// @brief The bytes that were written, chunk after chunk: the whole section when nothing was stored.
  [[nodiscard]] std::string_view bytes() const noexcept { return out_.bytes(); }
  /// @brief The buffer, for another section.
  [[nodiscard]] Writer take_buffer() noexcept { return std::move(out_); }

 private:
  void end();

  const StoredChunks* stored_ = nullptr;
  Writer out_;
  std::vector<Chunk> chunks_;
  Chunk current_;
  std::size_t begin_ = 0;  ///< of the current chunk in out_
};

}  // namespace weir::state
