// A section that is saved again and again, as a checkpoint store would keep it, in memory: each time only what changed
// is written, and the whole comes back.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "state/section_writer.hpp"

namespace weir::test {

class SectionMemory {
 public:
  /// @brief Calls save(writer); the section's bytes, pieced together from what was written now and earlier.
  template <class Save>
  std::string save(const Save& save) {
    state::SectionWriter writer(&stored_);
    save(writer);
    writer.resolve();
    std::string whole;
    written_bytes = writer.gather().size();
    state::StoredChunks stored;
    std::map<std::uint64_t, std::string> chunks;
    for (const state::SectionWriter::Chunk& chunk : writer.chunks()) {
      std::string bytes(chunk.data);
      if (chunk.place) bytes = chunks_.at(*chunk.id);
      whole += bytes;
      if (!chunk.id) continue;
      if (!chunks.emplace(*chunk.id, std::move(bytes)).second) throw std::logic_error("a chunk's id is not unique");
      stored[*chunk.id] = {chunk.version, {}};
    }
    stored_ = std::move(stored);
    chunks_ = std::move(chunks);
    return whole;
  }

  std::size_t written_bytes = 0;  ///< by the last save()

 private:
  state::StoredChunks stored_;
  std::map<std::uint64_t, std::string> chunks_;
};

}  // namespace weir::test
