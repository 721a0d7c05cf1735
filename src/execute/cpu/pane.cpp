#include "execute/cpu/pane.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::execute::cpu {
namespace {

// Sections begin on a boundary of the largest cell, so that no cell lies across two cache lines.
constexpr std::size_t kSectionAlignment = 32;
constexpr std::size_t kLine = 64;

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) noexcept {
  return (bytes + to - 1) / to * to;
}

}  // namespace

PaneLayout::PaneLayout(const std::vector<std::unique_ptr<Section>>& sections, bool fronts) {
  for (const auto& section : sections) {
    raw_.push_back(section->raw_bytes());
    front_.push_back(fronts ? section->front_bytes() : 0);
  }
}

std::size_t PaneLayout::raw_offset(std::size_t section, std::uint32_t groups) const noexcept {
  std::size_t offset = 0;
  for (std::size_t s = 0; s < section; ++s) offset += round_up(groups * raw_[s], kSectionAlignment);
  return offset;
}

std::size_t PaneLayout::front_offset(std::size_t section, std::uint32_t groups) const noexcept {
  std::size_t offset = raw_offset(raw_.size(), groups);
  for (std::size_t s = 0; s < section; ++s) offset += round_up(groups * front_[s], kSectionAlignment);
  return offset;
}

std::size_t PaneLayout::bytes(std::uint32_t groups, bool fronts) const noexcept {
  return fronts ? front_offset(front_.size(), groups) : raw_offset(raw_.size(), groups);
}

bool Pane::has_shadows() const noexcept {
  return std::any_of(shadows.begin(), shadows.end(), [](const auto& shadow) { return shadow != nullptr; });
}

PaneStore::PaneStore(const std::vector<std::unique_ptr<Section>>& sections, std::size_t sketches, bool fronts,
                     std::uint32_t max_groups, CellMemory& memory)
    : sections_(sections), sketches_(sketches), layout_(sections, fronts), max_groups_(max_groups), memory_(memory) {}

std::size_t PaneStore::lower_bound(std::int64_t start) const noexcept {
  const auto first = panes_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto within = [&](std::size_t begin, std::size_t end) {
    const auto found =
        std::lower_bound(first + static_cast<std::ptrdiff_t>(begin), first + static_cast<std::ptrdiff_t>(end), start,
                         [](const Slot& slot, std::int64_t at) { return slot.start < at; });
    return static_cast<std::size_t>(found - first);
  };
  // From both ends at once, in steps that double.
  const std::size_t count = size();
  for (std::size_t step = 1; step < count; step *= 2) {
    if (this->start(step - 1) >= start) return within(step / 2, step);
    if (this->start(count - step) < start) return within(count - step + 1, step == 1 ? count : count - step / 2);
  }
  return within(0, count);
}

void PaneStore::prefetch(std::size_t i) const noexcept {
  // Larger ones are read in long runs, which the processor foresees by itself.
  constexpr std::size_t kMost = std::size_t{16} << 10;
  if (i + 1 < size()) __builtin_prefetch(panes_[head_ + i + 1].pane.get(), 0, 2);
  if (i >= size()) return;
  const Pane& pane = (*this)[i];
  const std::size_t bytes = layout_.bytes(pane.capacity, pane.fronts);
  if (bytes > kMost) return;
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(pane.memory + at, 1, 2);
}

std::uint32_t PaneStore::capacity_for(std::uint32_t groups) {
  if (groups > capacity_) {
    // Half as much again each time, but never beyond what the plan allows: an estimate is made from that.
    const std::uint64_t generous = std::max<std::uint64_t>(groups, std::uint64_t{capacity_} * 3 / 2);
    capacity_ = std::max(groups, static_cast<std::uint32_t>(std::min<std::uint64_t>(generous, max_groups_)));
  }
  return capacity_;
}

void PaneStore::allocate(Pane& pane, std::uint32_t capacity) const {
  pane.set_cells(memory_.take(std::max(layout_.bytes(capacity, pane.fronts), kSectionAlignment)), capacity);
}

/// Cells of its own for a pane whose cells a checkpoint reads; the block stays with that one.
void PaneStore::take_back(Pane& pane) const {
  if (!pane.lent()) return;
  Pane own;
  own.fronts = pane.fronts;
  allocate(own, pane.capacity);
  std::memcpy(own.memory, pane.memory, layout_.bytes(pane.capacity, pane.fronts));
  pane.set_cells(std::move(own.cells), own.capacity);
}

std::unique_ptr<Pane> PaneStore::make(std::int64_t start, std::uint32_t groups, bool fronts) {
  auto& pool = fronts ? free_ : free_shadows_;
  std::unique_ptr<Pane> pane;
  if (!pool.empty()) {
    pane = std::move(pool.back());
    pool.pop_back();
  } else {
    pane = std::make_unique<Pane>();
    pane->layout = &layout_;
    pane->fronts = fronts;
    pane->codes.resize(sketches_);
  }
  pane->start = start;
  if (pane->capacity < groups) {
    allocate(*pane, capacity_for(groups));
    const GroupRange all{0, pane->capacity};
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      sections_[s]->clear(pane->raw(s), all);
      if (fronts && layout_.has_front(s)) sections_[s]->clear_front(pane->front(s), all);
    }
  }
  return pane;
}

void PaneStore::insert(std::unique_ptr<Pane> pane) {
  if (!pane->fronts) {
    // A shadow becomes a layer: it needs front cells from now on.
    Pane grown;
    grown.layout = &layout_;
    grown.fronts = true;
    allocate(grown, pane->capacity);
    if (pane->capacity > 0) std::memcpy(grown.memory, pane->memory, layout_.bytes(pane->capacity, false));
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      if (layout_.has_front(s)) sections_[s]->clear_front(grown.front(s), {0, grown.capacity});
    }
    pane->set_cells(std::move(grown.cells), grown.capacity);
    pane->fronts = true;
  }
  const auto first = panes_.begin() + static_cast<std::ptrdiff_t>(head_);
  std::size_t position = lower_bound(pane->start);
  while (position < size() && start(position) == pane->start) ++position;
  const auto after = first + static_cast<std::ptrdiff_t>(position);
  Slot slot{pane->start, std::move(pane)};
  if (after == first && head_ > 0) {
    panes_[--head_] = std::move(slot);
    return;
  }
  if (panes_.size() == panes_.capacity() && head_ > panes_.size() / 2) {
    // Reuses the room of panes that have gone instead of growing for ever.
    std::move(first, panes_.end(), panes_.begin());
    panes_.erase(panes_.end() - static_cast<std::ptrdiff_t>(head_), panes_.end());
    head_ = 0;
    panes_.insert(panes_.begin() + static_cast<std::ptrdiff_t>(position), std::move(slot));
    return;
  }
  panes_.insert(after, std::move(slot));
}

Pane& PaneStore::at(std::int64_t start, std::uint32_t groups, bool& made) {
  std::size_t position = lower_bound(start);
  made = position == size() || this->start(position) != start;
  if (made) return add_layer(start, groups);
  while (position + 1 < size() && this->start(position + 1) == start) ++position;
  Pane& pane = (*this)[position];
  ensure(pane, groups);
  take_back(pane);
  return pane;
}

Pane& PaneStore::add_layer(std::int64_t start, std::uint32_t groups) {
  std::unique_ptr<Pane> pane = make(start, groups, true);
  Pane& made = *pane;
  insert(std::move(pane));
  return made;
}

std::unique_ptr<Pane> PaneStore::take_shadow(std::int64_t start, std::uint32_t groups) {
  return make(start, groups, false);
}

void PaneStore::reset(Pane& pane) const noexcept {
  for (CodeCounts& codes : pane.codes) codes.clear();
  pane.rows = 0;
  pane.nulls = false;
  pane.wide = false;
}

void PaneStore::recycle_shadow(std::unique_ptr<Pane> pane) {
  reset(*pane);
  free_shadows_.push_back(std::move(pane));
}

void PaneStore::recycle_oldest(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::unique_ptr<Pane>& pane = panes_[head_ + i].pane;
    reset(*pane);
    if (pane->cells == nullptr) pane->set_cells(nullptr, 0);
    free_.push_back(std::move(pane));
  }
  head_ += count;
  if (head_ == panes_.size()) {
    panes_.clear();
    head_ = 0;
  }
}

void PaneStore::ensure(Pane& pane, std::uint32_t groups) {
  if (pane.capacity >= groups) return;
  Pane grown;
  grown.layout = &layout_;
  grown.fronts = pane.fronts;
  allocate(grown, capacity_for(groups));
  const GroupRange added{pane.capacity, grown.capacity};
  for (std::size_t s = 0; s < sections_.size(); ++s) {
    const bool front = pane.fronts && layout_.has_front(s);
    if (pane.capacity > 0) {
      std::memcpy(grown.raw(s), pane.raw(s), pane.capacity * sections_[s]->raw_bytes());
      if (front) std::memcpy(grown.front(s), pane.front(s), pane.capacity * sections_[s]->front_bytes());
    }
    sections_[s]->clear(grown.raw(s), added);
    if (front) sections_[s]->clear_front(grown.front(s), added);
  }
  pane.set_cells(std::move(grown.cells), grown.capacity);
}

void PaneStore::clear() {
  panes_.clear();
  head_ = 0;
  free_.clear();
  free_shadows_.clear();
}

std::uint64_t PaneStore::bytes() const noexcept {
  std::uint64_t bytes =
      panes_.capacity() * sizeof(Slot) + (free_.capacity() + free_shadows_.capacity()) * sizeof(void*);
  const auto add = [&](const Pane& pane) {
    bytes += sizeof(Pane) + pane.codes.capacity() * sizeof(CodeCounts) + pane.shadows.capacity() * sizeof(void*);
    for (const CodeCounts& codes : pane.codes) bytes += codes.bytes();
  };
  for (std::size_t i = 0; i < size(); ++i) {
    add((*this)[i]);
    for (const auto& shadow : (*this)[i].shadows) {
      if (shadow) add(*shadow);
    }
  }
  for (const auto& pane : free_) add(*pane);
  for (const auto& pane : free_shadows_) add(*pane);
  return bytes;
}

}  // namespace weir::execute::cpu
