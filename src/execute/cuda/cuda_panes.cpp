#include "execute/cuda/cuda_panes.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/instant.hpp"

namespace weir::execute::cuda {

CudaPanes::CudaPanes(kernels::Device& device, const plan::QueryPlan& query, WindowConsumer& consumer,
                     const Extent& extent, const Tuning& tuning, Backend* host)
    : device_(device),
      query_(query),
      consumer_(consumer),
      tuning_(tuning),
      memory_(query, extent, tuning),
      compute_(device.make_stream()),
      results_stream_(device.make_stream()),
      layout_(query),
      plan_(device, query, layout_, compute_),
      quantiles_(quantile_arguments(query)),
      distincts_(distinct_aggregates(query)),
      keys_(device, query, memory_.keys, memory_.groups),
      upload_(device, query, host),
      counters_(device),
      counters_here_(device),
      late_rows_(device),
      stragglers_(device),
      row_cells_(device),
      sort_keys_(device),
      sorted_keys_(device),
      sort_rows_(device),
      sorted_rows_(device),
      panes_(device, plan_.view(), compute_, memory_),
      codes_(device, compute_, panes_, static_cast<std::uint32_t>(plan_.sketches().size()), memory_),
      snapshot_(std::make_shared<PaneSnapshot>(device, query, layout_, codes_, memory_)),
      window_begin_(kNothingClosed),
      entered_end_(kNothingClosed),
      front_end_(kNothingClosed),
      running_(device),
      dirty_(device),
      flags_(device),
      positions_(device),
      dense_(device),
      groups_here_(device),
      totals_here_(device) {
  for (std::size_t i = 0; i < kResults; ++i) results_.emplace_back(device);
  reserve();
  device_.fill_zero(counters_.data(), counters_.bytes(), compute_);
  device_.fill_zero(dirty_.data(), dirty_.bytes(), compute_);
}

/// As MemoryPlan::device_bytes() and pinned_bytes() count it.
void CudaPanes::reserve() {
  const MemoryPlan& m = memory_;
  const std::size_t cells = std::size_t{m.groups} * m.words;
  upload_.reserve(m.chunk_rows, m.panes);
  counters_.reserve(kernels::kCounters);
  counters_here_.reserve(kernels::kCounters);
  late_rows_.reserve(m.batch_rows);
  if (m.revisions) stragglers_.reserve(m.batch_rows);
  if (m.pairs) row_cells_.reserve(m.chunk_rows);
  if (m.sorts_rows) {
    for (auto* keys : {&sort_keys_, &sorted_keys_}) keys->reserve(m.chunk_rows);
    for (auto* order : {&sort_rows_, &sorted_rows_}) order->reserve(m.chunk_rows);
  }
  if (m.overlapping) running_.reserve(cells);
  dirty_.reserve(m.groups);
  flags_.reserve(m.groups);
  positions_.reserve(m.groups);
  dense_.reserve(cells);
  for (Result& result : results_) {
    result.groups.reserve(m.groups);
    result.totals.reserve(cells);
    result.size.reserve(kSizes);
    result.size_here.reserve(kSizes);
    result.panes.reserve(2 * m.panes);
    result.panes_here.reserve(2 * m.panes);
    if (!m.revisions) continue;
    result.wanted.reserve(m.groups);
    result.wanted_here.reserve(m.groups);
  }
  groups_here_.reserve(m.copy_groups);
  totals_here_.reserve(std::size_t{m.copy_groups} * m.words);
  device_.reserve_scratch(m.algorithms(), compute_);
}

CudaPanes::~CudaPanes() {
  snapshot_->close();
}

/// So many groups may have readings from now on: what they have so far is nothing.
void CudaPanes::use_groups(std::uint32_t groups) {
  if (groups > memory_.groups) {
    throw Error("query '" + query_.spec.name + "': " + std::to_string(groups) + " groups where " +
                std::to_string(memory_.groups) + " were planned");
  }
  if (groups <= groups_) return;
  panes_.use_groups(groups);
  if (memory_.overlapping) {
    device_.launch_empty(
        {plan_.view(), running_.data() + std::size_t{groups_} * layout_.words(), groups - groups_, false}, compute_);
  }
  groups_ = groups;
}

void CudaPanes::begin(const batch::Batch& batch, const GroupView& groups) {
  snapshot_->require_device();
  batch_ = &batch;
  view_ = groups;
  use_groups(groups.group_of == nullptr ? 1 : groups.groups);
  keys_.extend(groups, compute_);
}

void CudaPanes::take_stragglers(std::vector<Straggler>& out) {
  straggler_rows_ = 0;
  device_.copy_to_host(counters_here_.data(), counters_.data(), kernels::kCounters * sizeof(std::uint64_t), compute_);
  device_.synchronize(compute_);
  const std::uint64_t size = counters_here_[kernels::kStragglers];
  if (size == 0) return;
  std::vector<kernels::StragglerEntry> entries(size);
  device_.copy_to_host(entries.data(), stragglers_.data(), size * sizeof(kernels::StragglerEntry), compute_);
  device_.fill_zero(counters_.data() + kernels::kStragglers, sizeof(std::uint64_t), compute_);
  device_.synchronize(compute_);
  for (const kernels::StragglerEntry& entry : entries) out.push_back({entry.pane_start, entry.group});
}

void CudaPanes::finish(StepCounts& counts, std::vector<std::uint32_t>& late_rows, std::size_t late_rows_limit) {
  deliver_all();
  device_.copy_to_host(counters_here_.data(), counters_.data(), kernels::kCounters * sizeof(std::uint64_t), compute_);
  // Nobody asks for stragglers before the first window is closed.
  device_.fill_zero(counters_.data(), kernels::kCounters * sizeof(std::uint64_t), compute_);
  straggler_rows_ = 0;
  panes_.fetch_used();
  device_.synchronize(compute_);
  const std::uint64_t filtered = counters_here_[kernels::kFiltered];
  const std::uint64_t late = counters_here_[kernels::kLate];
  counts.counted += rows_ - filtered - late;
  counts.filtered += filtered;
  counts.late += late;
  rows_ = 0;
  const std::uint64_t listed = counters_here_[kernels::kLateListed];
  if (listed == 0 || late_rows_limit == 0) return;
  std::vector<std::uint32_t> rows(listed);
  device_.copy_to_host(rows.data(), late_rows_.data(), listed * sizeof(std::uint32_t), compute_);
  device_.synchronize(compute_);
  std::sort(rows.begin(), rows.end());
  rows.resize(std::min<std::size_t>(rows.size(), late_rows_limit));
  late_rows.insert(late_rows.end(), rows.begin(), rows.end());
}

bool CudaPanes::occupied(std::int64_t& first_start, std::int64_t& last_end) const {
  bool any = false;
  for (std::size_t i = 0; i < panes_.size(); ++i) {
    if (!panes_.used(i)) continue;
    if (!any) first_start = panes_[i].start;
    last_end = saturating_add(panes_[i].start, query_.pane_ns);
    any = true;
  }
  return any;
}

/// Queues copies of the panes that changed since the last time. With sketches it waits, for their codes.
void CudaPanes::save(state::SectionWriter& out) const {
  std::map<std::int64_t, std::shared_ptr<PaneImage>> images;
  std::vector<const DevicePane*> changed;
  for (std::size_t i = 0; i < panes_.size(); ++i) {
    if (!panes_.used(i)) continue;
    const auto known = images_.find(panes_[i].start);
    images[panes_[i].start] = known == images_.end() ? nullptr : known->second;
    if (known == images_.end()) changed.push_back(&panes_[i]);
  }
  if (!changed.empty()) {
    std::vector<Codes> codes(plan_.sketches().empty() ? 0 : changed.size());
    if (!codes.empty()) {
      codes_.settle();
      for (std::size_t i = 0; i < codes.size(); ++i) codes_.fetch(changed[i]->codes, codes[i]);
    }
    snapshot_->begin(changed.size(), groups_, std::move(codes));
    for (const DevicePane* const pane : changed) images[pane->start] = snapshot_->add(*pane, compute_);
    snapshot_->end();
  }
  images_ = std::move(images);
  out.out().u64(images_.size());
  for (const auto& [start, image] : images_) out.defer_chunk(static_cast<std::uint64_t>(start), image);
  out.end_chunk();
}

/// Appends a group's codes in the order of their keys.
void CudaPanes::read_codes(const PaneGroup& group, Codes& codes) const {
  const auto add = [&](std::size_t sketch, std::uint32_t code, std::uint64_t count) {
    const auto tagged = (static_cast<std::uint32_t>(sketch) << kernels::kSketchShift) | code;
    codes.keys.push_back(codes_.bits().key(0, group.group, tagged));
    codes.counts.push_back(count);
  };
  for (std::size_t q = 0; q < quantiles_; ++q) {
    for (const auto& [bin, count] : group.quantiles[q].bins) {
      add(q, static_cast<std::uint32_t>(bin + ops::kQuantileLastBin), count);
    }
  }
  for (std::size_t d = 0; d < distincts_; ++d) {
    for (const HllRegister& touched : group.distincts[d]) {
      add(quantiles_ + d, (touched.index << kernels::kRankBits) | touched.rank, 1);
    }
  }
}

void CudaPanes::load(state::Reader& in, PaneNumbers numbers, std::int64_t closed_end, std::uint32_t groups) {
  device_.synchronize(compute_);
  panes_.clear();
  images_.clear();
  codes_.clear();
  keys_.forget();
  groups_ = 0;  // so that totals begin anew
  use_groups(groups);
  const std::size_t words = layout_.words();
  PaneDecoder decoder(query_, in, numbers, groups);
  PaneGroup group;
  Codes codes;
  std::vector<kernels::Word> cells(groups * words);
  std::int64_t start = 0;
  while (decoder.next_pane(start)) {
    bool made = false;
    DevicePane& pane = panes_.at(start, made);
    codes.clear();
    for (std::uint32_t g = 0; g < groups; ++g) layout_.clear(cells.data() + g * words);
    while (decoder.next_group(group)) {
      layout_.write(group, cells.data() + group.group * words);
      read_codes(group, codes);
    }
    device_.copy_to_device(pane.cells.data(), cells.data(), cells.size() * sizeof(kernels::Word), compute_);
    panes_.set_used(pane);
    device_.synchronize(compute_);
    codes_.load(pane, codes);
  }
  window_begin_ = entered_end_ = front_end_ = kNothingClosed;
  rebuild_ = true;
  if (closed_end == kNothingClosed) return;
  entered_end_ = front_end_ = closed_end;
  window_begin_ = saturating_add(saturating_subtract(closed_end, query_.window_ns), query_.slide_ns);
}

std::uint64_t CudaPanes::bytes() const {
  std::uint64_t bytes = sizeof(*this) + plan_.bytes() + keys_.bytes() + upload_.host_bytes() + upload_.device_bytes() +
                        counters_.bytes() + late_rows_.bytes() + stragglers_.bytes() + row_cells_.bytes() +
                        sort_keys_.bytes() + sorted_keys_.bytes() + sort_rows_.bytes() + sorted_rows_.bytes() +
                        panes_.device_bytes() + panes_.host_bytes() + codes_.device_bytes() + codes_.host_bytes() +
                        running_.bytes() + dirty_.bytes() + flags_.bytes() + positions_.bytes() + dense_.bytes() +
                        groups_here_.bytes() + totals_here_.bytes() + snapshot_->bytes();
  for (const Result& result : results_) {
    bytes += result.groups.bytes() + result.totals.bytes() + result.panes.bytes() + result.panes_here.bytes() +
             result.wanted.bytes() + result.wanted_here.bytes() +
             2 * result.codes.keys.capacity() * sizeof(std::uint64_t);
  }
  return bytes + totals_.groups.capacity() * sizeof(std::uint32_t) + totals_.counts.capacity() * sizeof(std::uint64_t) +
         totals_.arguments.capacity() * sizeof(ArgumentTotal) + totals_.quantiles.capacity() * sizeof(QuantileBins) +
         totals_.distincts.capacity() * sizeof(std::uint64_t);
}

MemoryNeed CudaPanes::worst_case(const kernels::Device& device, const plan::QueryPlan& query, const Extent& extent,
                                 const Tuning& tuning) {
  const MemoryPlan memory(query, extent, tuning);
  return {sizeof(CudaPanes) + memory.host_bytes(query), memory.device_bytes(query, device)};
}

}  // namespace weir::execute::cuda
