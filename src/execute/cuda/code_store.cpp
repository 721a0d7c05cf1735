#include "execute/cuda/code_store.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace weir::execute::cuda {
namespace {

constexpr std::uint32_t kKeyBits = 64;

}  // namespace

CodeStore::CodeStore(kernels::Device& device, const kernels::Stream& stream, PaneRing& panes, std::uint32_t sketches,
                     const MemoryPlan& memory)
    : device_(device),
      stream_(stream),
      panes_(panes),
      pending_keys_(device),
      sorted_keys_(device),
      new_counts_(device),
      bounds_(device),
      bounds_here_(device),
      window_(device),
      merged_(device),
      summed_(device),
      folded_(device),
      size_(device),
      size_here_(device) {
  bits_.code = kernels::kSketchShift + static_cast<std::uint32_t>(std::bit_width(sketches));
  bits_.group = static_cast<std::uint32_t>(std::bit_width(memory.groups));
  if (sketches == 0) return;
  for (auto* keys : {&pending_keys_, &sorted_keys_, &new_counts_}) keys->reserve(memory.pending_codes);
  bounds_.reserve(memory.panes + 1);
  bounds_here_.reserve(memory.panes + 1);
  if (memory.overlapping) window_.reserve(memory.window_codes);
  merged_.reserve(memory.window_codes);
  summed_.reserve(memory.window_codes);
  folded_.reserve(memory.revised_codes);
  size_.reserve(1);
  size_here_.reserve(1);
}

std::uint64_t* CodeStore::append(std::uint64_t size) {
  // In as many bits as the number of slots has, kNoKey's slot is still the largest.
  if (bits_.code + bits_.group + static_cast<std::uint32_t>(std::bit_width(panes_.slots())) > kKeyBits) {
    throw kernels::DeviceError("the keys of sketches have no bits for " + std::to_string(panes_.slots()) + " panes");
  }
  if (pending_ + size > pending_keys_.size()) settle();
  pending_keys_.reserve(size);  // with nothing in it: what is planned has room for a step
  std::uint64_t* const at = pending_keys_.data() + pending_;
  pending_ += size;
  return at;
}

std::uint64_t CodeStore::fetch_size() {
  device_.copy_to_host(size_here_.data(), size_.data(), sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
  return size_here_[0];
}

void CodeStore::settle() {
  if (pending_ == 0) return;
  const std::uint32_t slots = panes_.slots();
  sorted_keys_.reserve(pending_keys_.size());
  new_counts_.reserve(pending_keys_.size());
  bounds_.reserve(slots + std::size_t{1});
  bounds_here_.reserve(slots + std::size_t{1});
  device_.sort_keys(pending_keys_.data(), sorted_keys_.data(), pending_,
                    static_cast<int>(bits_.code + bits_.group + static_cast<std::uint32_t>(std::bit_width(slots))),
                    stream_);
  std::uint64_t* const keys = pending_keys_.data();
  device_.count_keys(sorted_keys_.data(), keys, new_counts_.data(), size_.data(), pending_, stream_);
  device_.launch_find_slots({keys, size_.data(), bits_, slots, bounds_.data()}, stream_);
  device_.copy_to_host(bounds_here_.data(), bounds_.data(), (slots + std::size_t{1}) * sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
  device_.launch_strip_slots({keys, bounds_here_[slots], bits_}, stream_);
  for (std::size_t i = 0; i < panes_.size(); ++i) {
    DevicePane& pane = panes_[i];
    const std::uint64_t from = bounds_here_[pane.slot];
    const std::uint64_t size = bounds_here_[pane.slot + 1] - from;
    if (size == 0) continue;
    const kernels::CountList more{keys + from, new_counts_.data() + from, size};
    add(pane.codes, more);
    if (pane.in_window) add_to_window(more);
  }
  pending_ = 0;
}

void CodeStore::copy(const kernels::CountList& from, CodeList& to) {
  to.reserve(from.size);
  device_.copy_within(to.keys.data(), from.keys, from.size * sizeof(std::uint64_t), stream_);
  device_.copy_within(to.counts.data(), from.counts, from.size * sizeof(std::uint64_t), stream_);
  to.size = from.size;
}

/// Both lists together, in summed_.
void CodeStore::merge(const CodeList& list, const kernels::CountList& more) {
  const std::uint64_t size = list.size + more.size;
  merged_.reserve(size);
  summed_.reserve(size);
  device_.merge_counts(list.view(), more, merged_.keys.data(), merged_.counts.data(), stream_);
  merged_.size = size;
  device_.sum_counts(merged_.view(), summed_.keys.data(), summed_.counts.data(), size_.data(), stream_);
  summed_.size = fetch_size();
}

void CodeStore::add(CodeList& list, const kernels::CountList& more) {
  if (list.size == 0) {
    copy(more, list);
    return;
  }
  merge(list, more);
  copy(summed_.view(), list);
}

void CodeStore::add_to_window(const kernels::CountList& more) {
  if (window_.size == 0) {
    copy(more, window_);
    return;
  }
  merge(window_, more);
  std::swap(window_, summed_);
}

void CodeStore::enter(std::int64_t from, std::int64_t to) {
  for (std::size_t i = panes_.lower_bound(from); i < panes_.size() && panes_[i].start < to; ++i) {
    DevicePane& pane = panes_[i];
    if (pane.in_window) continue;
    pane.in_window = true;
    if (pane.codes.size > 0) add_to_window(pane.codes.view());
  }
}

void CodeStore::leave(std::int64_t before) {
  bool some_stay = false;
  for (std::size_t i = panes_.lower_bound(before); i < panes_.size(); ++i) {
    some_stay = some_stay || panes_[i].in_window;
  }
  bool some_left = false;
  for (std::size_t i = 0; i < panes_.size() && panes_[i].start < before; ++i) {
    DevicePane& pane = panes_[i];
    if (!pane.in_window) continue;
    pane.in_window = false;
    if (!some_stay || pane.codes.size == 0) continue;
    some_left = true;
    device_.launch_subtract_codes({pane.codes.keys.data(), pane.codes.counts.data(), pane.codes.size,
                                   window_.keys.data(), window_.counts.data(), window_.size},
                                  stream_);
  }
  if (!some_stay) window_.size = 0;
  if (!some_left) return;
  merged_.reserve(window_.size);
  device_.drop_zeros(window_.view(), merged_.keys.data(), merged_.counts.data(), size_.data(), stream_);
  merged_.size = fetch_size();
  std::swap(window_, merged_);
}

void CodeStore::fetch(const CodeList& list, Codes& out) {
  out.keys.resize(list.size);
  out.counts.resize(list.size);
  if (list.size == 0) return;
  device_.copy_to_host(out.keys.data(), list.keys.data(), list.size * sizeof(std::uint64_t), stream_);
  device_.copy_to_host(out.counts.data(), list.counts.data(), list.size * sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
}

void CodeStore::fetch(std::int64_t from, std::int64_t to, Codes& out) {
  const std::size_t first = panes_.lower_bound(from);
  const std::size_t end = panes_.lower_bound(to);
  if (end == first + 1) {
    fetch(panes_[first].codes, out);
    return;
  }
  folded_.size = 0;
  for (std::size_t i = first; i < end; ++i) {
    if (panes_[i].codes.size > 0) add(folded_, panes_[i].codes.view());
  }
  fetch(folded_, out);
}

void CodeStore::load(DevicePane& pane, const Codes& codes) {
  pane.codes.reserve(codes.keys.size());
  pane.codes.size = codes.keys.size();
  if (codes.keys.empty()) return;
  device_.copy_to_device(pane.codes.keys.data(), codes.keys.data(), codes.keys.size() * sizeof(std::uint64_t), stream_);
  device_.copy_to_device(pane.codes.counts.data(), codes.counts.data(), codes.counts.size() * sizeof(std::uint64_t),
                         stream_);
  device_.synchronize(stream_);
}

std::size_t CodeStore::device_bytes() const noexcept {
  return pending_keys_.bytes() + sorted_keys_.bytes() + new_counts_.bytes() + bounds_.bytes() + window_.bytes() +
         merged_.bytes() + summed_.bytes() + folded_.bytes() + size_.bytes();
}

}  // namespace weir::execute::cuda
