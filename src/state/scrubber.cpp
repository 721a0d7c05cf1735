#include "state/scrubber.hpp"

#include <algorithm>
#include <iterator>
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
  auto end = chunks.begin();
  for (; end != chunks.end() && end->bytes <= left_; ++end) left_ -= end->bytes;
  if (end == chunks.end()) left_ = 0;
  ChunkReader reader(directory_, files_);
  for (auto next = chunks.begin(); next != end;) {
    // Forgotten together, for several small ones share a page.
    const auto behind = std::find_if(
        next, end, [&](const ChunkPlace& place) { return place.file != next->file || place.offset < next->offset; });
    reader.forget_cached(*next, *std::prev(behind));
    for (; next != behind; ++next) {
      file_ = next->file;
      offset_ = next->offset + next->bytes;
      reader.verify(*next);
    }
  }
}

}  // namespace weir::state
