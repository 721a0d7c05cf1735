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
      codes_(device, compute_, panes_, static_cast<std::uint32_t>(plan_.sketches().size()), query.max_groups),
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

CudaPanes::~CudaPanes() = default;

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

/// The groups of a pane that have readings, ascending, and their cells.
void CudaPanes::fetch_pane(const DevicePane& pane, std::vector<std::uint32_t>& groups,
                           std::vector<kernels::Word>& cells) const {
  groups.clear();
  cells.clear();
  const std::size_t words = layout_.words();
  for (std::uint32_t from = 0; from < groups_; from += tuning_.copy_entries) {
    const std::uint32_t count = std::min(tuning_.copy_entries, groups_ - from);
    totals_here_.reserve(count * words);
    device_.copy_to_host(totals_here_.data(), pane.cells.data() + from * words, count * words * sizeof(kernels::Word),
                         compute_);
    device_.synchronize(compute_);
    for (std::uint32_t i = 0; i < count; ++i) {
      const kernels::Word* const cell = totals_here_.data() + i * words;
      if (CellLayout::rows(cell) == 0) continue;
      groups.push_back(from + i);
      cells.insert(cells.end(), cell, cell + words);
    }
  }
}

void CudaPanes::write_codes(const Codes& codes, std::size_t& next, PaneGroup& group) const {
  for (auto& quantile : group.quantiles) quantile.bins.clear();
  for (auto& registers : group.distincts) registers.clear();
  for (; next < codes.keys.size(); ++next) {
    const std::uint64_t key = codes.keys[next];
    if (codes_.group_of(key) != group.group) break;
    const std::uint32_t sketch = codes_.sketch_of(key);
    const std::uint32_t code = CodeStore::code_of(key);
    if (sketch < quantiles_) {
      group.quantiles[sketch].bins.emplace_back(static_cast<std::int32_t>(code) - ops::kQuantileLastBin,
                                                codes.counts[next]);
      continue;
    }
    auto& registers = group.distincts[sketch - quantiles_];
    const HllRegister touched{code >> kernels::kRankBits, code & ((1U << kernels::kRankBits) - 1)};
    if (!registers.empty() && registers.back().index == touched.index) {
      registers.back().rank = touched.rank;
    } else {
      registers.push_back(touched);
    }
  }
}

/// How many readings each of these panes has, all asked for at once.
std::vector<std::uint64_t> CudaPanes::readings_of(const std::vector<std::size_t>& panes) const {
  std::vector<std::uint64_t> readings(panes.size());
  if (panes.empty()) return readings;
  DeviceArray<kernels::Word> counts(device_);
  counts.reserve(panes.size());
  device_.fill_zero(counts.data(), counts.bytes(), compute_);
  for (std::size_t i = 0; i < panes.size(); ++i) {
    device_.launch_count({panes_[panes[i]].cells.data(), groups_, layout_.words(), counts.data() + i}, compute_);
  }
  totals_here_.reserve(panes.size());
  device_.copy_to_host(totals_here_.data(), counts.data(), counts.bytes(), compute_);
  device_.synchronize(compute_);
  std::copy_n(totals_here_.data(), readings.size(), readings.begin());
  return readings;
}

void CudaPanes::save(state::SectionWriter& out) const {
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < panes_.size(); ++i) {
    if (panes_.used(i)) used.push_back(i);
  }
  PaneEncoder encoder(query_, out, used.size());
  PaneGroup group;
  group.arguments.resize(query_.arguments.size());
  group.quantiles.resize(quantiles_);
  group.distincts.resize(distincts_);
  Codes codes;
  if (!plan_.sketches().empty()) codes_.settle();
  std::vector<std::uint32_t> groups;
  std::vector<kernels::Word> cells;
  const std::vector<std::uint64_t> readings = readings_of(used);
  for (std::size_t u = 0; u < used.size(); ++u) {
    const std::size_t i = used[u];
    if (!encoder.pane(panes_[i].start, readings[u])) continue;
    fetch_pane(panes_[i], groups, cells);
    if (!plan_.sketches().empty()) codes_.fetch(panes_[i].codes, codes);
    std::size_t next = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const kernels::Word* const cell = cells.data() + g * layout_.words();
      group.group = groups[g];
      group.rows = CellLayout::rows(cell);
      layout_.read(cell, group.arguments.data());
      write_codes(codes, next, group);
      encoder.group(group);
    }
  }
  encoder.finish();
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

void CudaPanes::load(state::Reader& in, std::int64_t closed_end, std::uint32_t groups) {
  device_.synchronize(compute_);
  panes_.clear();
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
                        groups_here_.bytes() + totals_here_.bytes();
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
  const std::uint64_t tables = sizeof(std::uint32_t) + query.key_tests.size() + distincts * sizeof(std::uint64_t);

  MemoryNeed need;
  need.device_bytes =
      groups * (live * (cell + front) + (overlaps(query) ? cell : 0) + cell + 3 * sizeof(std::uint32_t)) +
      groups * kResults * (cell + 2 * sizeof(std::uint32_t)) + 2 * groups * tables + codes * kCodeBytes +
      live * 2 * kResults * sizeof(void*);
  const std::uint64_t rows = tuning.chunk_rows;
  need.device_bytes += rows * (ChunkUpload::row_bytes(query) + 2 * (sizeof(std::uint64_t) + sizeof(std::uint32_t)) +
                               sizeof(void*) + 2 * sizeof(kernels::StragglerEntry) + 2 * sizeof(std::uint32_t));
  need.host_bytes =
      sizeof(CudaPanes) + rows * ChunkUpload::row_bytes(query) / 2 +
      tuning.copy_entries * (cell + sizeof(std::uint32_t)) +
      groups * (sizeof(std::uint32_t) + sizeof(std::uint64_t) + query.arguments.size() * sizeof(ArgumentTotal) +
                quantiles * sizeof(QuantileBins) + distincts * sizeof(std::uint64_t)) +
      codes * 2 * sizeof(std::uint64_t);
  return need;
}

}  // namespace weir::execute::cuda
