#include "execute/cpu/pane_image.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::execute::cpu {
namespace {

/// Groups that are read at once: their totals stay in the near caches.
constexpr std::uint32_t kBlock = 128;

GroupRange within(const PaneCells& part, GroupRange groups) noexcept {
  return {groups.begin, std::max(groups.begin, std::min(groups.end, part.capacity))};
}

}  // namespace

void encode_pane(const PaneFormat& format, std::span<const PaneCells> parts, std::vector<std::vector<GroupCode>>& codes,
                 std::uint32_t groups, PaneEncoder& encoder) {
  const std::size_t stride = format.query.arguments.size();
  const std::size_t sketches = format.sketches.size();
  std::vector<ArgumentTotal> totals(kBlock * stride);
  std::vector<std::uint64_t> rows(kBlock);
  std::vector<std::size_t> next(sketches);
  std::vector<Sketch::Code> own;
  PaneGroup group;
  group.quantiles.resize(format.quantiles);
  group.distincts.resize(format.distincts);
  for (std::vector<GroupCode>& sketch : codes) std::sort(sketch.begin(), sketch.end());
  for (std::uint32_t begin = 0; begin < groups; begin += kBlock) {
    const GroupRange block{begin, std::min(begin + kBlock, groups)};
    std::fill(totals.begin(), totals.end(), empty_total());
    std::fill(rows.begin(), rows.end(), 0);
    for (const PaneCells& part : parts) {
      for (std::size_t s = 0; s < format.sections.size(); ++s) {
        format.sections[s]->read_block(part.raw(s), within(part, block), totals.data(), stride, rows.data());
      }
    }
    if (sketches == 0) {
      encoder.groups(begin, std::span(rows).first(block.size()), totals.data());
      continue;
    }
    for (std::uint32_t i = 0; i < block.size(); ++i) {
      if (rows[i] == 0) continue;
      const ArgumentTotal* const arguments = totals.data() + i * stride;
      group.group = begin + i;
      group.rows = rows[i];
      group.arguments.assign(arguments, arguments + stride);
      for (std::size_t k = 0; k < sketches; ++k) {
        own.clear();
        for (; next[k] < codes[k].size() && codes[k][next[k]].group == group.group; ++next[k]) {
          own.push_back({codes[k][next[k]].code, codes[k][next[k]].count});
        }
        format.sketches[k].write(own, group);
      }
      encoder.group(group);
    }
  }
}

void ImageMemory::begin_checkpoint() {
  cells_.begin_checkpoint();
  const std::scoped_lock lock(mutex_);
  writers_.begin_round();
}

state::Writer ImageMemory::take_writer() {
  const std::scoped_lock lock(mutex_);
  return writers_.take().value_or(state::Writer());
}

void ImageMemory::give_writer(state::Writer writer) {
  writer.clear();
  const std::scoped_lock lock(mutex_);
  writers_.give(std::move(writer));
}

std::uint64_t ImageMemory::bytes() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t bytes = cells_.bytes();
  for (const state::Writer& writer : writers_.free()) bytes += writer.capacity();
  return bytes;
}

PaneImage::PaneImage(std::shared_ptr<ImageMemory> memory, const PaneFormat& format, std::int64_t start,
                     std::uint64_t readings, std::span<const Pane* const> parts, std::uint32_t groups, Cells cells)
    : memory_(std::move(memory)),
      format_(format),
      layout_(*parts.front()->layout),
      start_(start),
      readings_(readings),
      groups_(groups),
      cells_(cells),
      codes_(format.sketches.size()) {
  for (const Pane* const part : parts) {
    Part& own = parts_.emplace_back(Part{nullptr, part->capacity});
    if (part->capacity > 0 && cells_ == Cells::lent) {
      own.cells = part->cells;
      own.cells->lend();
    } else if (part->capacity > 0) {
      const std::size_t bytes = layout_.bytes(part->capacity, false);
      own.cells = memory_->cells().take(bytes);
      std::memcpy(own.cells->data(), part->memory, bytes);
    }
    for (std::size_t k = 0; k < codes_.size(); ++k) append_codes(part->codes[k], {}, codes_[k]);
  }
}

PaneImage::~PaneImage() {
  release_cells();
  memory_->give_writer(std::move(bytes_));
}

std::size_t PaneImage::bytes(std::span<const Pane* const> parts) noexcept {
  std::size_t bytes = 0;
  for (const Pane* const part : parts) bytes += part->layout->bytes(part->capacity, false);
  return bytes;
}

void PaneImage::release_cells() {
  for (Part& part : parts_) {
    if (part.cells == nullptr) continue;
    if (cells_ == Cells::lent) part.cells->give_back();
    memory_->cells().give(std::move(part.cells));
  }
  parts_.clear();
}

state::DeferredChunk::Made PaneImage::make() {
  const std::scoped_lock lock(mutex_);
  if (!made()) {
    std::vector<PaneCells> parts;
    for (const Part& part : parts_) {
      parts.push_back({part.cells == nullptr ? nullptr : part.cells->data(), part.capacity, &layout_});
    }
    state::SectionWriter section(nullptr, memory_->take_writer());
    PaneEncoder encoder(format_.query, section);
    encoder.pane(start_, readings_);
    encode_pane(format_, parts, codes_, groups_, encoder);
    encoder.finish();
    bytes_ = section.take_buffer();
    release_cells();
    codes_.clear();
    made_.store(true, std::memory_order_release);
  }
  return {readings_, bytes_.bytes()};
}

}  // namespace weir::execute::cpu
