#include "execute/cuda/code_store.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace weir::execute::cuda {

CodeStore::CodeStore(kernels::Device& device, const kernels::Stream& stream, std::uint32_t sketches,
                     std::uint32_t max_groups)
    : device_(device),
      stream_(stream),
      keys_(device),
      counts_(device),
      selected_(device),
      sorted_keys_(device),
      sorted_counts_(device),
      summed_keys_(device),
      summed_counts_(device),
      size_(device),
      slots_(device),
      slots_here_(device),
      size_here_(device) {
  bits_.code = kernels::kSketchShift + static_cast<std::uint32_t>(std::bit_width(sketches));
  bits_.group = static_cast<std::uint32_t>(std::bit_width(max_groups));
  if (sketches == 0) return;
  size_.reserve(1);
  size_here_.reserve(2);
}

void CodeStore::reserve(std::uint64_t size, std::uint64_t keep) {
  keys_.grow(size, keep, stream_);
  counts_.grow(size, keep, stream_);
  selected_.reserve(keys_.size());
  sorted_keys_.reserve(keys_.size());
  sorted_counts_.reserve(keys_.size());
  summed_keys_.reserve(keys_.size());
  summed_counts_.reserve(keys_.size());
}

std::uint64_t* CodeStore::append(std::uint64_t size) {
  reserve(sorted_ + pending_ + size, sorted_ + pending_);
  std::uint64_t* const at = keys_.data() + sorted_ + pending_;
  device_.fill_counts(counts_.data() + sorted_ + pending_, 1, size, stream_);
  pending_ += size;
  return at;
}

void CodeStore::load(const Codes& codes) {
  clear();
  if (codes.keys.empty()) return;
  reserve(codes.keys.size(), 0);
  device_.copy_to_device(keys_.data(), codes.keys.data(), codes.keys.size() * sizeof(std::uint64_t), stream_);
  device_.copy_to_device(counts_.data(), codes.counts.data(), codes.counts.size() * sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
  pending_ = codes.keys.size();
}

void CodeStore::select(std::span<const std::uint8_t> slots, bool keep_slot, std::uint64_t size) {
  device_.synchronize(stream_);  // the table of the selection before is read
  slots_here_.reserve(slots.size());
  slots_.reserve(slots_here_.size());
  std::copy(slots.begin(), slots.end(), slots_here_.data());
  device_.copy_to_device(slots_.data(), slots_here_.data(), slots.size(), stream_);
  device_.launch_select_codes({keys_.data(), counts_.data(), size, bits_, slots_.data(), selected_.data(), keep_slot},
                              stream_);
}

/// Sorts the selected keys and adds up equal ones, into summed_*. @return how many there are
std::uint64_t CodeStore::order(std::uint64_t size) {
  device_.sort_counts(selected_.data(), sorted_keys_.data(), counts_.data(), sorted_counts_.data(), size, stream_);
  device_.sum_counts(sorted_keys_.data(), summed_keys_.data(), sorted_counts_.data(), summed_counts_.data(),
                     size_.data(), size, stream_);
  device_.copy_to_host(size_here_.data(), size_.data(), sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
  const std::uint64_t left = size_here_[0];
  device_.copy_to_host(size_here_.data() + 1, summed_keys_.data() + left - 1, sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
  return size_here_[1] == kernels::kNoKey ? left - 1 : left;  // what is not wanted is the last
}

void CodeStore::compact(std::span<const std::uint8_t> slots) {
  const std::uint64_t size = sorted_ + pending_;
  if (size == 0) return;
  select(slots, true, size);
  sorted_ = order(size);
  pending_ = 0;
  std::swap(keys_, summed_keys_);
  std::swap(counts_, summed_counts_);
}

void CodeStore::fetch(std::span<const std::uint8_t> slots, bool keep_slot, Codes& out) {
  out.keys.clear();
  out.counts.clear();
  if (sorted_ == 0) return;
  select(slots, keep_slot, sorted_);
  const std::uint64_t size = order(sorted_);
  out.keys.resize(size);
  out.counts.resize(size);
  device_.copy_to_host(out.keys.data(), summed_keys_.data(), size * sizeof(std::uint64_t), stream_);
  device_.copy_to_host(out.counts.data(), summed_counts_.data(), size * sizeof(std::uint64_t), stream_);
  device_.synchronize(stream_);
}

std::size_t CodeStore::device_bytes() const noexcept {
  return keys_.bytes() + counts_.bytes() + selected_.bytes() + sorted_keys_.bytes() + sorted_counts_.bytes() +
         summed_keys_.bytes() + summed_counts_.bytes() + size_.bytes() + slots_.bytes();
}

}  // namespace weir::execute::cuda
