#include "state/section_writer.hpp"

namespace weir::state {

void SectionWriter::end() {
  current_.bytes = out_.size() - begin_;
  begin_ = out_.size();
  // A numbered chunk may be empty; what lies between two of them need not be there.
  if (current_.id || current_.bytes > 0) chunks_.push_back(current_);
  current_ = {};
}

bool SectionWriter::begin_chunk(std::uint64_t id, std::uint64_t version) {
  end();
  if (stored_ != nullptr) {
    if (const auto known = stored_->find(id); known != stored_->end() && known->second.version == version) {
      chunks_.push_back({id, version, 0, known->second.place});
      return false;
    }
  }
  current_.id = id;
  current_.version = version;
  return true;
}

void SectionWriter::end_chunk() {
  end();
}

const std::vector<SectionWriter::Chunk>& SectionWriter::chunks() {
  end();
  return chunks_;
}

}  // namespace weir::state
