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

void PaneRing::empty(kernels::Word* memory, bool fronts, std::uint64_t size) {
  if (size > 0) device_.launch_empty({plan_, memory, size, fronts}, stream_);
}

/// Memory for capacity_ groups: emptied, or emptied behind what it holds.
void PaneRing::ensure(DevicePane& pane, bool keep) {
  const auto grow = [&](DeviceArray<kernels::Word>& memory, std::uint32_t words, bool fronts) {
    if (memory.size() >= std::size_t{capacity_} * words) return;
    DeviceArray<kernels::Word> larger(device_);
    larger.reserve(std::size_t{capacity_} * words);
    const std::size_t held = keep ? memory.size() / words : 0;
    if (held > 0) device_.copy_within(larger.data(), memory.data(), held * words * sizeof(kernels::Word), stream_);
    empty(larger.data() + held * words, fronts, capacity_ - held);
    memory = std::move(larger);
  };
  grow(pane.cells, plan_.words, false);
  if (has_fronts_) grow(pane.fronts, plan_.front_words, true);
}

void PaneRing::ensure_groups(std::uint32_t groups) {
  if (groups <= capacity_) return;
  capacity_ = std::max(groups, std::min(std::max(2 * capacity_, 64U), max_groups_));
  for (auto& pane : panes_) ensure(*pane, true);
  // Those in the pool get their memory when they are used again.
}

std::unique_ptr<DevicePane> PaneRing::make() {
  if (!free_.empty()) {
    std::unique_ptr<DevicePane> pane = std::move(free_.back());
    free_.pop_back();
    ensure(*pane, false);
    return pane;
  }
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
  ensure(*pane, false);
  return pane;
}

DevicePane& PaneRing::at(std::int64_t start, bool& made) {
  const std::size_t position = lower_bound(start);
  made = position == panes_.size() || panes_[position]->start != start;
  if (made) {
    std::unique_ptr<DevicePane> pane = make();
    pane->start = start;
    panes_.insert(panes_.begin() + static_cast<std::ptrdiff_t>(position), std::move(pane));
  }
  return *panes_[position];
}

void PaneRing::recycle_before(std::int64_t start) {
  const auto end = panes_.begin() + static_cast<std::ptrdiff_t>(lower_bound(start));
  for (auto pane = panes_.begin(); pane != end; ++pane) {
    empty((*pane)->cells.data(), false, (*pane)->cells.size() / plan_.words);
    device_.fill_zero(used_flag(**pane), sizeof(std::uint32_t), stream_);
    used_here_[(*pane)->slot] = 0;
    (*pane)->codes.size = 0;
    (*pane)->in_window = false;
    free_.push_back(std::move(*pane));
  }
  panes_.erase(panes_.begin(), end);
}

void PaneRing::clear() {
  device_.synchronize(stream_);
  panes_.clear();
  free_.clear();
  slots_ = 0;
  capacity_ = 0;
  used_ = DeviceArray<std::uint32_t>(device_);
  used_here_ = PinnedArray<std::uint32_t>(device_);
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
