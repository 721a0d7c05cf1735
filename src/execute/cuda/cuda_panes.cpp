#include "execute/cuda/cuda_panes.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "execute/instant.hpp"

namespace weir::execute::cuda {
namespace {

// What worst_case() assumes of sketches: different bins of a group within a pane, different keys of a distinct().
constexpr std::uint64_t kAssumedBins = 128;
constexpr std::uint64_t kAssumedKeys = 100'000;
// Arrays of 8 bytes that a code takes (code_store.hpp), each up to twice as long as what it holds.
constexpr std::uint64_t kCodeBytes = 2 * 7 * sizeof(std::uint64_t);

bool overlaps(const plan::QueryPlan& query) noexcept {
  return query.panes_per_window() > 1 || query.slide_ns < query.window_ns;
}

}  // namespace

CudaPanes::CudaPanes(kernels::Device& device, const plan::QueryPlan& query, WindowConsumer& consumer,
                     const Tuning& tuning, Backend* host)
    : device_(device),
      query_(query),
      consumer_(consumer),
      tuning_(tuning),
      compute_(device.make_stream()),
      results_stream_(device.make_stream()),
      layout_(query),
      plan_(device, query, layout_, compute_),
      overlapping_(overlaps(query)),
      quantiles_(quantile_arguments(query)),
      distincts_(distinct_aggregates(query)),
      keys_(device),
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
      panes_(device, plan_.view(), compute_, overlapping_, query.max_groups),
      codes_(device, compute_, static_cast<std::uint32_t>(plan_.sketches().size()), query.max_groups),
      snapshot_(std::make_shared<PaneSnapshot>(device, query, layout_, codes_)),
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
  counters_.reserve(kernels::kCounters);
  counters_here_.reserve(kernels::kCounters);
  device_.fill_zero(counters_.data(), counters_.bytes(), compute_);
}

CudaPanes::~CudaPanes() {
  snapshot_->close();
}

void CudaPanes::make_room(std::uint32_t groups) {
  groups_ = std::max(groups_, groups);
  const std::uint32_t before = panes_.capacity();
  panes_.ensure_groups(groups_);
  const std::uint32_t room = panes_.capacity();
  if (room == before) return;
  const std::size_t words = layout_.words();
  if (overlapping_) {
    DeviceArray<kernels::Word> larger(device_);
    larger.reserve(room * words);
    if (before > 0) {
      device_.copy_within(larger.data(), running_.data(), before * words * sizeof(kernels::Word), compute_);
    }
    device_.launch_empty({plan_.view(), larger.data() + before * words, room - before, false}, compute_);
    device_.synchronize(compute_);
    running_ = std::move(larger);
  }
  DeviceArray<std::uint8_t> dirty(device_);
  dirty.reserve(room);
  device_.fill_zero(dirty.data(), room, compute_);
  if (before > 0) device_.copy_within(dirty.data(), dirty_.data(), before, compute_);
  device_.synchronize(compute_);
  dirty_ = std::move(dirty);
  flags_.reserve(room);
  positions_.reserve(room);
  dense_.reserve(room * words);
}

void CudaPanes::begin(const batch::Batch& batch, const GroupView& groups) {
  snapshot_->require_device();
  batch_ = &batch;
  view_ = groups;
  make_room(groups.group_of == nullptr ? 1 : groups.groups);
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
  std::vector<std::uint8_t> used_slots(panes_.slots(), 0);
  std::vector<std::uint8_t> changed_slots(panes_.slots(), 0);
  for (std::size_t i = 0; i < panes_.size(); ++i) {
    if (!panes_.used(i)) continue;
    used_slots[panes_[i].slot] = 1;
    const auto known = images_.find(panes_[i].start);
    images[panes_[i].start] = known == images_.end() ? nullptr : known->second;
    if (known != images_.end()) continue;
    changed.push_back(&panes_[i]);
    changed_slots[panes_[i].slot] = 1;
  }
  if (!changed.empty()) {
    Codes codes;
    if (!plan_.sketches().empty()) {
      codes_.compact(used_slots);
      codes_.fetch(changed_slots, true, codes);
    }
    snapshot_->begin(changed.size(), panes_.capacity(), groups_, std::move(codes));
    for (const DevicePane* const pane : changed) images[pane->start] = snapshot_->add(*pane, compute_);
    snapshot_->end();
  }
  images_ = std::move(images);
  out.out().u64(images_.size());
  for (const auto& [start, image] : images_) out.defer_chunk(static_cast<std::uint64_t>(start), image);
  out.end_chunk();
}

void CudaPanes::read_codes(const PaneGroup& group, std::uint32_t slot, Codes& codes) const {
  const auto add = [&](std::size_t sketch, std::uint32_t code, std::uint64_t count) {
    const auto tagged = (static_cast<std::uint32_t>(sketch) << kernels::kSketchShift) | code;
    codes.keys.push_back(codes_.bits().key(slot, group.group, tagged));
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

void CudaPanes::load(state::Reader& in, std::int64_t closed_end, std::uint32_t groups) {
  device_.synchronize(compute_);
  panes_.clear();
  images_.clear();
  codes_.clear();
  keys_.forget();
  groups_ = 0;
  running_ = DeviceArray<kernels::Word>(device_);
  make_room(groups);
  const std::size_t words = layout_.words();
  PaneDecoder decoder(query_, in, groups);
  PaneGroup group;
  Codes codes;
  std::vector<kernels::Word> cells(groups * words);
  std::int64_t start = 0;
  while (decoder.next_pane(start)) {
    bool made = false;
    DevicePane& pane = panes_.at(start, made);
    for (std::uint32_t g = 0; g < groups; ++g) layout_.clear(cells.data() + g * words);
    while (decoder.next_group(group)) {
      layout_.write(group, cells.data() + group.group * words);
      read_codes(group, pane.slot, codes);
    }
    device_.copy_to_device(pane.cells.data(), cells.data(), cells.size() * sizeof(kernels::Word), compute_);
    panes_.set_used(pane);
    device_.synchronize(compute_);
  }
  codes_.load(codes);
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

MemoryNeed CudaPanes::worst_case(const plan::QueryPlan& query, std::int64_t panes, const Tuning& tuning) {
  const CellLayout layout(query);
  const auto live = static_cast<std::uint64_t>(std::max<std::int64_t>(panes, 1));
  const std::uint64_t groups = std::max(query.max_groups, 1U);
  const std::uint64_t quantiles = quantile_arguments(query);
  const std::uint64_t distincts = distinct_aggregates(query);
  const std::uint64_t cell = layout.words() * sizeof(kernels::Word);
  const std::uint64_t front = overlaps(query) ? layout.front_words() * sizeof(kernels::Word) : 0;
  const std::uint64_t codes = live * (quantiles * groups * kAssumedBins + distincts * kAssumedKeys);
  const std::uint64_t tables = sizeof(std::uint32_t) + query.key_tests.size() + query.having_key_tests.size() +
                               distincts * sizeof(std::uint64_t);

  MemoryNeed need;
  need.device_bytes =
      groups * (live * (cell + front) + (overlaps(query) ? cell : 0) + cell + 3 * sizeof(std::uint32_t)) +
      groups * kResults * (cell + 2 * sizeof(std::uint32_t)) + 2 * groups * tables + codes * kCodeBytes +
      live * 2 * kResults * sizeof(void*) + groups * PaneSnapshot::kStages * cell;
  const std::uint64_t rows = tuning.chunk_rows;
  need.device_bytes += rows * (ChunkUpload::row_bytes(query) + 2 * (sizeof(std::uint64_t) + sizeof(std::uint32_t)) +
                               sizeof(void*) + 2 * sizeof(kernels::StragglerEntry) + 2 * sizeof(std::uint32_t));
  need.host_bytes =
      sizeof(CudaPanes) + rows * ChunkUpload::row_bytes(query) / 2 + 2 * live * groups * cell +
      tuning.copy_entries * (cell + sizeof(std::uint32_t)) +
      groups * (sizeof(std::uint32_t) + sizeof(std::uint64_t) + query.arguments.size() * sizeof(ArgumentTotal) +
                quantiles * sizeof(QuantileBins) + distincts * sizeof(std::uint64_t)) +
      codes * 2 * sizeof(std::uint64_t);
  return need;
}

}  // namespace weir::execute::cuda
