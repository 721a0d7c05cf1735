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

void ImageMemory::begin() {
  const std::scoped_lock lock(mutex_);
  most_ = std::exchange(taken_, 0);
  if (cells_.size() > most_) cells_.resize(most_);
  if (writers_.size() > most_) writers_.resize(most_);
}

LargeArray<std::byte> ImageMemory::take_cells(std::size_t bytes) {
  LargeArray<std::byte> cells;
  {
    const std::scoped_lock lock(mutex_);
    ++taken_;
    if (!cells_.empty()) {
      cells = std::move(cells_.back());
      cells_.pop_back();
    }
  }
  if (cells.size() < bytes) cells = LargeArray<std::byte>(bytes);
  const std::scoped_lock lock(mutex_);
  out_ += cells.size();
  return cells;
}

void ImageMemory::give_cells(LargeArray<std::byte> cells) {
  const std::scoped_lock lock(mutex_);
  out_ -= cells.size();
  if (cells_.size() < most_) cells_.push_back(std::move(cells));
}

state::Writer ImageMemory::take_writer() {
  const std::scoped_lock lock(mutex_);
  if (writers_.empty()) return {};
  state::Writer writer = std::move(writers_.back());
  writers_.pop_back();
  return writer;
}

void ImageMemory::give_writer(state::Writer writer) {
  writer.clear();
  const std::scoped_lock lock(mutex_);
  if (writers_.size() < most_) writers_.push_back(std::move(writer));
}

std::uint64_t ImageMemory::bytes() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t bytes = out_;
  for (const LargeArray<std::byte>& cells : cells_) bytes += cells.size();
  for (const state::Writer& writer : writers_) bytes += writer.capacity();
  return bytes;
}

PaneImage::PaneImage(std::shared_ptr<ImageMemory> memory, const PaneFormat& format, std::int64_t start,
                     std::uint64_t readings, std::span<const Pane* const> parts, std::uint32_t groups)
    : memory_(std::move(memory)),
      format_(format),
      layout_(*parts.front()->layout),
      start_(start),
      readings_(readings),
      groups_(groups),
      codes_(format.sketches.size()) {
  for (const Pane* const part : parts) {
    const std::size_t bytes = layout_.bytes(part->capacity, false);
    Part& copy = parts_.emplace_back(Part{memory_->take_cells(bytes), part->capacity});
    if (bytes > 0) std::memcpy(copy.cells.data(), part->memory.get(), bytes);
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
  for (Part& part : parts_) memory_->give_cells(std::move(part.cells));
  parts_.clear();
}

state::DeferredChunk::Made PaneImage::make() {
  const std::scoped_lock lock(mutex_);
  if (!made()) {
    std::vector<PaneCells> parts;
    for (const Part& part : parts_) parts.push_back({part.cells.data(), part.capacity, &layout_});
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
