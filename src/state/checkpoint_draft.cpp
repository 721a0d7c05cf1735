#include "state/checkpoint_draft.hpp"

#include <iterator>

namespace weir::state {
namespace {

// A section that was written whole once must not hold that much memory for ever.
constexpr std::size_t kAlwaysKept = std::size_t{1} << 20U;
constexpr std::size_t kMostSlack = 4;

}  // namespace

SectionWriter& CheckpointDraft::section(std::string name) {
  const StoredChunks* stored = nullptr;
  if (stored_) {
    if (const auto known = stored_->find(name); known != stored_->end()) stored = &known->second;
  }
  Writer buffer;
  if (auto node = buffers_.extract(name)) buffer = std::move(node.mapped());
  return sections_.emplace_back(Section{std::move(name), SectionWriter(stored, std::move(buffer))}).writer;
}

void CheckpointDraft::sync(std::vector<FileToSync> files) {
  files_.insert(files_.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
}

SectionBuffers CheckpointDraft::take_buffers() {
  SectionBuffers buffers;
  for (Section& section : sections_) {
    Writer buffer = section.writer.take_buffer();
    if (buffer.capacity() > kAlwaysKept && buffer.capacity() / kMostSlack > buffer.size()) continue;
    buffer.clear();
    buffers.insert_or_assign(std::move(section.name), std::move(buffer));
  }
  sections_.clear();
  return buffers;
}

}  // namespace weir::state
