#include "execute/cuda/pane_ring.hpp"

#include <algorithm>
#include <utility>

namespace weir::execute::cuda {
namespace {

constexpr std::uint32_t kOne = 1;

}  // namespace

std::size_t PaneRing::lower_bound(std::int64_t start) const noexcept {
  const auto at = std::lower_bound(panes_.begin(), panes_.end(), start,
                                   [](const auto& pane, std::int64_t wanted) { return pane->start < wanted; });
  return static_cast<std::size_t>(at - panes_.begin());
}

PaneRing::PaneRing(kernels::Device& device, const kernels::PlanView& plan, const kernels::Stream& stream,
                   const MemoryPlan& memory)
    : device_(device), plan_(plan), stream_(stream), memory_(memory), used_(device), used_here_(device) {
  used_.reserve(memory.panes);
  used_here_.reserve(memory.panes);
  device_.fill_zero(used_.data(), used_.bytes(), stream_);
  std::fill_n(used_here_.data(), used_here_.size(), 0U);
  for (std::uint64_t i = 0; i < memory.panes; ++i) make();
}

void PaneRing::empty(kernels::Word* memory, bool fronts, std::uint64_t size) {
  if (size > 0) device_.launch_empty({plan_, memory, size, fronts}, stream_);
}

/// No group that may have readings is undefined.
void PaneRing::ensure(DevicePane& pane) {
  if (pane.groups >= groups_) return;
  const std::uint32_t more = groups_ - pane.groups;
  empty(pane.cells.data() + std::size_t{pane.groups} * memory_.words, false, more);
  if (memory_.front_words > 0) {
    empty(pane.fronts.data() + std::size_t{pane.groups} * memory_.front_words, true, more);
  }
  pane.groups = groups_;
}

void PaneRing::use_groups(std::uint32_t groups) {
  if (groups <= groups_) return;
  groups_ = groups;
  for (auto& pane : panes_) ensure(*pane);
  // Those in the pool follow when they are used again.
}

/// One more in the pool.
void PaneRing::make() {
  auto pane = std::make_unique<DevicePane>(device_);
  pane->slot = slots_++;
  const std::size_t before = used_.size();
  used_.grow(slots_, before, stream_);
  if (used_.size() > before) {
    device_.fill_zero(used_.data() + before, (used_.size() - before) * sizeof(std::uint32_t), stream_);
    // Flags that were fetched stay good until the next fetch.
    PinnedArray<std::uint32_t> larger(device_);
    larger.reserve(used_.size());
    std::fill_n(larger.data(), larger.size(), 0U);
    if (before > 0) std::copy_n(used_here_.data(), before, larger.data());
    used_here_ = std::move(larger);
  }
  pane->cells.reserve(std::size_t{memory_.groups} * memory_.words);
  if (memory_.front_words > 0) pane->fronts.reserve(std::size_t{memory_.groups} * memory_.front_words);
  if (memory_.pane_codes > 0) pane->codes.reserve(memory_.pane_codes);
  free_.push_back(std::move(pane));
}

DevicePane& PaneRing::at(std::int64_t start, bool& made) {
  const std::size_t position = lower_bound(start);
  made = position == panes_.size() || panes_[position]->start != start;
  if (made) {
    if (free_.empty()) make();
    std::unique_ptr<DevicePane> pane = std::move(free_.back());
    free_.pop_back();
    ensure(*pane);
    pane->start = start;
    panes_.insert(panes_.begin() + static_cast<std::ptrdiff_t>(position), std::move(pane));
  }
  return *panes_[position];
}

void PaneRing::recycle(std::unique_ptr<DevicePane> pane) {
  empty(pane->cells.data(), false, pane->groups);
  device_.fill_zero(used_flag(*pane), sizeof(std::uint32_t), stream_);
  used_here_[pane->slot] = 0;
  pane->codes.size = 0;
  pane->in_window = false;
  free_.push_back(std::move(pane));
}

void PaneRing::recycle_before(std::int64_t start) {
  const auto end = panes_.begin() + static_cast<std::ptrdiff_t>(lower_bound(start));
  for (auto pane = panes_.begin(); pane != end; ++pane) recycle(std::move(*pane));
  panes_.erase(panes_.begin(), end);
}

void PaneRing::clear() {
  for (auto& pane : panes_) recycle(std::move(pane));
  panes_.clear();
}

void PaneRing::set_used(const DevicePane& pane) {
  device_.copy_to_device(used_flag(pane), &kOne, sizeof kOne, stream_);
  used_here_[pane.slot] = 1;
}

void PaneRing::fetch_used() {
  if (slots_ > 0) device_.copy_to_host(used_here_.data(), used_.data(), slots_ * sizeof(std::uint32_t), stream_);
}

std::size_t PaneRing::device_bytes() const noexcept {
  std::size_t bytes = used_.bytes();
  for (const auto* panes : {&panes_, &free_}) {
    for (const auto& pane : *panes) bytes += pane->cells.bytes() + pane->fronts.bytes() + pane->codes.bytes();
  }
  return bytes;
}

}  // namespace weir::execute::cuda
