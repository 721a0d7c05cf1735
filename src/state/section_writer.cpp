#include "state/section_writer.hpp"

namespace weir::state {

void SectionWriter::end() {
  current_.bytes = out_.size() - begin_;
  begin_ = out_.size();
  // A numbered chunk may be empty; what lies between two of them need not be there.
  if (current_.id || current_.bytes > 0) chunks_.push_back(current_);
  current_ = {};
}

std::optional<ChunkPlace> SectionWriter::place_of(std::uint64_t id, std::uint64_t version) const {
  if (stored_ == nullptr) return std::nullopt;
  const auto known = stored_->find(id);
  if (known == stored_->end() || known->second.version != version) return std::nullopt;
  return known->second.place;
}

bool SectionWriter::begin_chunk(std::uint64_t id, std::uint64_t version) {
  end();
  version ^= generation_;
  if (const std::optional<ChunkPlace> place = place_of(id, version)) {
    chunks_.push_back({id, version, 0, place, nullptr, {}});
    return false;
  }
  current_.id = id;
  current_.version = version;
  return true;
}

void SectionWriter::defer_chunk(std::uint64_t id, std::shared_ptr<DeferredChunk> chunk) {
  end();
  chunks_.push_back({id, 0, 0, std::nullopt, std::move(chunk), {}});
}

void SectionWriter::end_chunk() {
  end();
}

void SectionWriter::resolve() {
  end();
  std::string_view written = out_.bytes();
  for (Chunk& chunk : chunks_) {
    if (chunk.later == nullptr) {
      chunk.data = written.substr(0, chunk.bytes);
      written.remove_prefix(chunk.bytes);
      continue;
    }
    const DeferredChunk::Made made = chunk.later->make();
    chunk.version = made.version ^ generation_;
    chunk.place = place_of(*chunk.id, chunk.version);
    if (!chunk.place) chunk.data = made.bytes;
    chunk.bytes = chunk.data.size();
  }
}

std::string SectionWriter::gather() const {
  std::string whole;
  for (const Chunk& chunk : chunks_) whole.append(chunk.data);
  return whole;
}

const std::vector<SectionWriter::Chunk>& SectionWriter::chunks() {
  end();
  return chunks_;
}

}  // namespace weir::state
