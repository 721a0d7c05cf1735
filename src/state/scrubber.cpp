#include "state/scrubber.hpp"

#include <algorithm>
#include <utility>

#include "state/state_directory.hpp"

namespace weir::state {

void Scrubber::next(std::vector<ChunkPlace> chunks) {
  if (chunks.empty()) return;
  using Position = std::pair<std::uint64_t, std::uint64_t>;
  const auto position = [](const ChunkPlace& place) { return Position(place.file, place.offset); };
  std::sort(chunks.begin(), chunks.end(),
            [&](const ChunkPlace& a, const ChunkPlace& b) { return position(a) < position(b); });
  // From where it stopped, round to there again.
  const auto from = std::lower_bound(chunks.begin(), chunks.end(), Position(file_, offset_),
                                     [&](const ChunkPlace& a, const Position& b) { return position(a) < b; });
  std::rotate(chunks.begin(), from, chunks.end());
  left_ += bytes_;
  ChunkReader reader(directory_, files_);
  for (const ChunkPlace& place : chunks) {
    if (place.bytes > left_) return;
    left_ -= place.bytes;
    file_ = place.file;
    offset_ = place.offset + place.bytes;
    reader.verify_on_disk(place);
  }
  left_ = 0;
}

}  // namespace weir::state
