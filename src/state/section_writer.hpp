// Collects the bytes of one section of a checkpoint, chunk by chunk, without those that an earlier checkpoint holds.
//
// A section is one sequence of bytes for whoever reads it; chunks only say which parts of it can be left where they
// are. What is written outside of a numbered chunk is always written.
//
// A chunk may be made later: then the section knows only who makes it, and resolve(), on the store's thread, asks for
// its bytes. Used by one thread at a time, the engine's and then the store's; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

/// A chunk whose bytes are made when somebody needs them, on that thread. Whoever hands one out keeps what it is made
/// of as it was at that moment. Thread-safe.
class DeferredChunk {
 public:
  struct Made {
    std::uint64_t version = 0;
    std::string_view bytes;  ///< valid as long as the chunk
  };
  DeferredChunk() = default;
  virtual ~DeferredChunk() = default;
  DeferredChunk(const DeferredChunk&) = delete;
  DeferredChunk& operator=(const DeferredChunk&) = delete;

  /// @brief Whether make() has nothing left to do.
  [[nodiscard]] virtual bool made() const noexcept = 0;
  /// @brief Makes the bytes, once. @throws Error when they cannot be had; then never again.
  virtual Made make() = 0;
};

class SectionWriter {
 public:
  /// One chunk of the section, in order.
  struct Chunk {
    std::optional<std::uint64_t> id;  ///< none: always written
    std::uint64_t version = 0;
    std::size_t bytes = 0;                 ///< 0 for a stored one
    std::optional<ChunkPlace> place;       ///< where it is stored already
    std::shared_ptr<DeferredChunk> later;  ///< who makes it, and holds its bytes
    std::string_view data;                 ///< after resolve(): the bytes, none of a stored one
  };

  /// A section whose chunks are all written.
  SectionWriter() = default;
  /// @param stored what begin_chunk() compares with; nullptr: nothing. Outlives the writer's last begin_chunk() and
  /// resolve().
  /// @param buffer memory to use again
  explicit SectionWriter(const StoredChunks* stored, Writer buffer = {}) : stored_(stored), out_(std::move(buffer)) {}

  /// @brief Takes the bytes of the current chunk.
  Writer& out() noexcept { return out_; }

  /// @brief Versions of the chunks that follow mean something else than those of another generation: for who began anew
  /// and counts versions from the start again.
  void set_generation(std::uint64_t generation) noexcept { generation_ = generation << 48U; }
  /// @brief Ends the chunk before and begins chunk `id`, unique in the section. @param version another one whenever the
  /// chunk's bytes are others. @return false when the chunk is stored with that version: write nothing then.
  bool begin_chunk(std::uint64_t id, std::uint64_t version);
  /// @brief Ends the chunk before; chunk `id` is made later, and its version known then.
  void defer_chunk(std::uint64_t id, std::shared_ptr<DeferredChunk> chunk);
  /// @brief What follows belongs to no numbered chunk.
  void end_chunk();

  /// @brief Whether chunk `id` is stored with that version: begin_chunk() would return false.
  [[nodiscard]] bool stored(std::uint64_t id, std::uint64_t version) const {
    return place_of(id, version ^ generation_).has_value();
  }

  /// @brief Makes the deferred chunks, and says of every chunk where its bytes are. Nothing is written after it.
  /// @throws Error when one cannot be made; the section is of no use then.
  void resolve();
  /// @brief The chunks, in their order; ends the last one. Complete after resolve().
  const std::vector<Chunk>& chunks();

  /// @brief What was written to out(), chunk after chunk: the whole section where nothing was stored or deferred.
  [[nodiscard]] std::string_view bytes() const noexcept { return out_.bytes(); }
  /// @brief After resolve(): the bytes of all chunks that are not stored, in their order.
  [[nodiscard]] std::string gather() const;
  /// @brief The buffer, for another section.
  [[nodiscard]] Writer take_buffer() noexcept { return std::move(out_); }

 private:
  void end();
  [[nodiscard]] std::optional<ChunkPlace> place_of(std::uint64_t id, std::uint64_t version) const;

  const StoredChunks* stored_ = nullptr;
  Writer out_;
  std::vector<Chunk> chunks_;
  Chunk current_;
  std::uint64_t generation_ = 0;
  std::size_t begin_ = 0;  ///< of the current chunk in out_
};

}  // namespace weir::state
