// Panes on the CPU to checkpoints and back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "execute/cpu/cpu_panes.hpp"
#include "execute/cpu/pane_image.hpp"
#include "execute/cpu/worker.hpp"
#include "execute/pane_codec.hpp"

namespace weir::execute::cpu {
namespace {

/// Share `layer` of a number that `layers` layers hold together.
std::uint64_t share(std::uint64_t total, std::uint64_t layers, std::uint64_t layer) noexcept {
  return total / layers + (layer < total % layers ? 1 : 0);
}

/// What layer number `layer` of `layers` takes over from a group. Extremes and the like may be in every layer that has
/// values, for they merge to themselves; what adds up is divided.
PaneGroup part_of(const PaneGroup& whole, std::uint64_t layers, std::uint64_t layer) {
  PaneGroup part = whole;
  part.rows = share(whole.rows, layers, layer);
  for (std::size_t a = 0; a < part.arguments.size(); ++a) {
    const ArgumentTotal& total = whole.arguments[a];
    part.arguments[a].count = share(total.count, layers, layer);
    const auto holders = static_cast<Int128>(std::min<std::uint64_t>(layers, total.count));
    const auto index = static_cast<Int128>(layer);
    part.arguments[a].sum = 0;
    if (index < holders) part.arguments[a].sum = total.sum / holders + (index == 0 ? total.sum % holders : 0);
    if (layer > 0) part.arguments[a].squares = {};
  }
  return part;
}

}  // namespace

void CpuPanes::save(state::SectionWriter& out) const {
  std::uint64_t starts = 0;
  for (std::size_t i = 0; i < panes_.size(); ++i) starts += i == 0 || panes_.start(i) != panes_.start(i - 1) ? 1U : 0U;
  memory_->begin_checkpoint();
  std::erase_if(images_, [](const std::weak_ptr<PaneImage>& image) {
    const auto alive = image.lock();
    return alive == nullptr || alive->made();
  });
  std::size_t deferred = 0;
  PaneEncoder encoder(query_, out, starts);
  std::vector<const Pane*> parts;  // layers and shadows of one start
  for (std::size_t i = 0; i < panes_.size();) {
    const std::int64_t start = panes_.start(i);
    std::uint64_t readings = 0;
    parts.clear();
    for (; i < panes_.size() && panes_.start(i) == start; ++i) {
      parts.push_back(&panes_[i]);
      for (const auto& shadow : panes_[i].shadows) {
        if (shadow != nullptr) parts.push_back(shadow.get());
      }
    }
    for (const Pane* part : parts) readings += part->rows;
    const std::size_t bytes = PaneImage::bytes(parts);
    const auto id = static_cast<std::uint64_t>(start);
    if (bytes < tuning_.deferred_pane || deferred + bytes > kMostDeferred || out.stored(id, readings)) {
      if (encoder.pane(start, readings)) save_pane(parts, encoder);
      continue;
    }
    deferred += bytes;
    encoder.finish();
    // Panes that have entered a window have no shadows and change only by late rows; the others change all the time.
    const auto cells = start < entered_end_ ? PaneImage::Cells::lent : PaneImage::Cells::copied;
    const auto image = std::make_shared<PaneImage>(memory_, format(), start, readings, parts, groups_, cells);
    images_.push_back(image);
    out.defer_chunk(id, image);
  }
  encoder.finish();
  out.end_chunk();
}

void CpuPanes::save_pane(std::span<const Pane* const> parts, PaneEncoder& encoder) const {
  std::vector<PaneCells> cells;
  std::vector<std::vector<GroupCode>> codes(sketches_.size());
  for (const Pane* part : parts) {
    cells.push_back({part->memory, part->capacity, part->layout});
    for (std::size_t k = 0; k < sketches_.size(); ++k) append_codes(part->codes[k], {}, codes[k]);
  }
  encode_pane(format(), cells, codes, groups_, encoder);
}

void CpuPanes::finish_images() const {
  for (const std::weak_ptr<PaneImage>& image : images_) {
    if (const auto alive = image.lock()) static_cast<void>(alive->make());
  }
  images_.clear();
}

void CpuPanes::load(state::Reader& in, PaneNumbers numbers, std::int64_t closed_end, std::uint32_t groups) {
  finish_images();  // they may still read what is cleared
  panes_.clear();
  for (auto& worker : scratch_) {
    worker->pane = nullptr;
    worker->shadows = 0;
  }
  groups_ = 0;
  same_ids_ = 0;
  stragglers_.clear();
  make_room(groups);
  PaneDecoder decoder(query_, in, numbers, groups);
  PaneGroup group;
  std::int64_t start = 0;
  while (decoder.next_pane(start)) {
    while (decoder.next_group(group)) read_group(group, start);
  }
  rebuild(closed_end);
}

void CpuPanes::read_group(const PaneGroup& group, std::int64_t start) {
  // Mostly one, and a division for each of millions of groups would show.
  const std::uint64_t layers =
      group.rows <= tuning_.pane_rows ? 1 : (group.rows + tuning_.pane_rows - 1) / tuning_.pane_rows;
  std::size_t position = panes_.lower_bound(start);
  for (std::uint64_t layer = 0; layer < layers; ++layer, ++position) {
    if (position == panes_.size() || panes_.start(position) != start) panes_.add_layer(start, groups_);
    Pane& pane = panes_[position];
    PaneGroup share_of_layer;
    if (layers > 1) share_of_layer = part_of(group, layers, layer);
    const PaneGroup& part = layers > 1 ? share_of_layer : group;
    // Groups of a pane are read one after the other, so the sum may pass what a layer takes; then it just takes no
    // more.
    pane.rows += part.rows;
    pane.nulls = pane.wide = true;
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      sections_[s]->write(pane.raw(s), group.group, part.arguments.data(), part.rows);
    }
    if (layer > 0) continue;
    for (std::size_t k = 0; k < sketches_.size(); ++k) sketches_[k].read(group, pane.codes[k]);
  }
}

}  // namespace weir::execute::cpu
