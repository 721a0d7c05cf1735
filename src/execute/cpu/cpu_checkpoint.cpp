// Panes on the CPU to checkpoints and back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "execute/cpu/cpu_panes.hpp"
#include "execute/cpu/worker.hpp"
#include "execute/pane_codec.hpp"

namespace weir::execute::cpu {
namespace {

/// Groups that are read at once: their totals stay in the near caches.
constexpr std::uint32_t kBlock = 128;

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
    if (encoder.pane(start, readings)) save_pane(parts, encoder);
  }
  encoder.finish();
}

void CpuPanes::save_pane(std::span<const Pane* const> parts, PaneEncoder& encoder) const {
  const std::size_t stride = query_.arguments.size();
  std::vector<ArgumentTotal> totals(kBlock * stride);
  std::vector<std::uint64_t> rows(kBlock);
  std::vector<std::vector<GroupCode>> codes(sketches_.size());
  std::vector<std::size_t> next(sketches_.size());
  std::vector<Sketch::Code> own;
  PaneGroup group;
  group.quantiles.resize(quantiles_);
  group.distincts.resize(distincts_);
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    for (const Pane* part : parts) append_codes(part->codes[k], {}, codes[k]);
    std::sort(codes[k].begin(), codes[k].end());
  }
  for (std::uint32_t begin = 0; begin < groups_; begin += kBlock) {
    const GroupRange block{begin, std::min(begin + kBlock, groups_)};
    std::fill(totals.begin(), totals.end(), empty_total());
    std::fill(rows.begin(), rows.end(), 0);
    for (const Pane* part : parts) {
      for (std::size_t s = 0; s < sections_.size(); ++s) {
        sections_[s]->read_block(part->raw(s), part->within(block), totals.data(), stride, rows.data());
      }
    }
    for (std::uint32_t i = 0; i < block.size(); ++i) {
      if (rows[i] == 0) continue;
      const ArgumentTotal* const arguments = totals.data() + i * stride;
      if (sketches_.empty()) {
        encoder.group(begin + i, rows[i], arguments);
        continue;
      }
      group.group = begin + i;
      group.rows = rows[i];
      group.arguments.assign(arguments, arguments + stride);
      for (std::size_t k = 0; k < sketches_.size(); ++k) {
        own.clear();
        for (; next[k] < codes[k].size() && codes[k][next[k]].group == group.group; ++next[k]) {
          own.push_back({codes[k][next[k]].code, codes[k][next[k]].count});
        }
        sketches_[k].write(own, group);
      }
      encoder.group(group);
    }
  }
}

void CpuPanes::load(state::Reader& in, std::int64_t closed_end, std::uint32_t groups) {
  panes_.clear();
  for (auto& worker : scratch_) {
    worker->pane = nullptr;
    worker->shadows = 0;
  }
  groups_ = 0;
  same_ids_ = 0;
  stragglers_.clear();
  make_room(groups);
  PaneDecoder decoder(query_, in, groups);
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
