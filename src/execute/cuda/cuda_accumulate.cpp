#include <algorithm>
#include <array>
#include <bit>

#include "core/instant.hpp"
#include "execute/cuda/cuda_panes.hpp"
#include "kernels/step.hpp"

namespace weir::execute::cuda {
namespace {

/// So few panes between the first and the last of a chunk are simply all made.
constexpr std::int64_t kFewPanes = 4;

/// What a block may take of shared memory without keeping other blocks off its processor.
constexpr std::size_t kMostShared = 48U << 10U;

/// Rows that are looked at to find out about skew, and the share of one group that makes atomics queue up.
constexpr std::uint32_t kSample = 256;
constexpr std::uint32_t kSkewed = kSample / 8;

}  // namespace

void CudaPanes::accumulate(RowRange rows, const Horizon& horizon) {
  rows_ += rows.end - rows.begin;
  late_rows_.grow(rows_, rows_ - (rows.end - rows.begin), compute_);
  if (query_.allowed_lateness_ns > 0) {
    const std::uint64_t before = straggler_rows_;
    straggler_rows_ += rows.end - rows.begin;
    stragglers_.grow(straggler_rows_, before, compute_);
  }
  for (std::uint32_t begin = rows.begin; begin < rows.end;) {
    const std::uint32_t end = rows.end - begin > tuning_.chunk_rows ? begin + tuning_.chunk_rows : rows.end;
    step({begin, end}, horizon);
    begin = end;
  }
}

void CudaPanes::add_target(std::int64_t start) {
  if (!query_.per_batch && kernels::in_gap(plan_.view(), start)) return;
  bool made = false;
  DevicePane& pane = panes_.at(start, made);
  images_.erase(start);
  // A pane behind the derived values: its front is not stacked, so all of them are, once more.
  rebuild_ = rebuild_ || (made && memory_.overlapping && start < entered_end_);
  targets_.push_back(
      {start, pane.cells.data(), nullptr, pane.slot, memory_.overlapping && start < entered_end_ ? 1U : 0U});
}

void CudaPanes::find_panes(RowRange rows, const Horizon& horizon, std::int64_t oldest, std::int64_t newest) {
  targets_.clear();
  if (horizon.single_pane) {
    add_target(horizon.single_pane_start);
  } else if (newest >= horizon.late_before) {
    const std::int64_t pane = query_.pane_ns;
    const std::int64_t from = std::max(oldest, horizon.late_before);
    const std::int64_t first = floor_multiple(from, pane);
    const std::int64_t last = floor_multiple(newest, pane);
    if ((static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first)) / static_cast<std::uint64_t>(pane) <
        kFewPanes) {
      for (std::int64_t start = first;; start += pane) {
        add_target(start);
        if (start == last) break;
      }
    } else {
      starts_.clear();
      std::int64_t start = first;
      std::int64_t end = first;  // nothing is within [start, end) yet
      for (const std::int64_t* time = batch_->times() + rows.begin; time != batch_->times() + rows.end; ++time) {
        if (*time < from || (*time >= start && *time < end)) continue;
        start = floor_multiple(*time, pane);
        end = saturating_add(start, pane);
        starts_.push_back(start);
      }
      std::sort(starts_.begin(), starts_.end());
      starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
      for (const std::int64_t each : starts_) add_target(each);
    }
  }
  // The flags' memory may have moved while panes were made.
  for (kernels::PaneTarget& target : targets_) {
    target.used = panes_.used_flag(panes_[panes_.lower_bound(target.start)]);
  }
}

std::size_t CudaPanes::shared_bytes() const noexcept {
  return targets_.size() * groups_ * layout_.words() * sizeof(kernels::Word);
}

bool CudaPanes::skewed(RowRange rows) const {
  const std::uint32_t size = rows.end - rows.begin;
  if (view_.group_of == nullptr || size < kSample) return false;
  std::array<std::uint32_t, kSample> sample;
  for (std::uint32_t i = 0; i < kSample; ++i) {
    const std::uint32_t row = rows.begin + static_cast<std::uint32_t>(std::uint64_t{i} * size / kSample);
    sample[i] = view_.group_of[batch_->keys()[row]];
  }
  std::sort(sample.begin(), sample.end());
  for (std::uint32_t i = 0; i + kSkewed <= kSample; ++i) {
    if (sample[i] == sample[i + kSkewed - 1]) return true;
  }
  return false;
}

Accumulation CudaPanes::choose(RowRange rows) const {
  const std::size_t most = std::min<std::size_t>(kMostShared, device_.properties().shared_bytes);
  const bool fits = !targets_.empty() && shared_bytes() <= most;
  if (tuning_.accumulation == Accumulation::shared) return fits ? Accumulation::shared : Accumulation::global;
  if (tuning_.accumulation != Accumulation::automatic) return tuning_.accumulation;
  // Every block empties and flushes its cells: that has to be worth it.
  if (fits && targets_.size() * groups_ <= rows.end - rows.begin) return Accumulation::shared;
  return skewed(rows) ? Accumulation::sorted : Accumulation::global;
}

bool CudaPanes::sums_fit(std::uint32_t rows) const noexcept {
  for (const plan::Argument& argument : query_.arguments) {
    if ((argument.parts & plan::kPartSum) == 0) continue;
    if (argument.field < 0) return false;
    const std::uint64_t magnitude = upload_.magnitude(static_cast<std::size_t>(argument.field));
    if (static_cast<UInt128>(magnitude) * rows >> 63U != 0) return false;
  }
  return true;
}

void CudaPanes::step(RowRange rows, const Horizon& horizon) {
  const auto [oldest, newest] = upload_.span(*batch_, rows);
  find_panes(rows, horizon, oldest, newest);
  const std::uint32_t size = rows.end - rows.begin;
  kernels::StepView step;
  step.plan = plan_.view();
  step.keys = keys_.view();
  step.chunk = upload_.upload(*batch_, rows, oldest, newest, targets_, compute_);
  step.groups = groups_;
  step.group_bits = static_cast<std::uint32_t>(std::bit_width(groups_));
  step.late_before = horizon.late_before;
  step.closed_end = horizon.closed_end;
  step.single_pane = horizon.single_pane;
  step.keep_stragglers = query_.allowed_lateness_ns > 0;
  step.counters = counters_.data();
  step.late_rows = late_rows_.data();
  step.stragglers = stragglers_.data();
  step.dirty = dirty_.data();
  step.narrow_sums = sums_fit(size);
  if (layout_.pairs()) {
    row_cells_.reserve(size);
    step.row_cells = row_cells_.data();
  }
  if (!plan_.sketches().empty()) {
    step.codes = codes_.append(std::uint64_t{size} * plan_.sketches().size());
    step.code_bits = codes_.bits();
  }
  last_step_ = step;
  last_way_ = choose(rows);
  if (last_way_ == Accumulation::sorted) {
    for (auto* keys : {&sort_keys_, &sorted_keys_}) keys->reserve(size);
    for (auto* order : {&sort_rows_, &sorted_rows_}) order->reserve(size);
    last_step_.sort_keys = sort_keys_.data();
    last_step_.sort_rows = sort_rows_.data();
  }
  run_step();
  upload_.release(compute_);
}

void CudaPanes::run_step() {
  const kernels::StepView& step = last_step_;
  if (last_way_ == Accumulation::shared) {
    device_.launch_shared_step(step, shared_bytes(), compute_);
  } else if (last_way_ == Accumulation::sorted) {
    device_.launch_sort_step(step, compute_);
    // No group is all ones, so in as many bits as a key has kNoKey is still the largest.
    const auto last_pane = static_cast<std::uint32_t>(std::max<std::size_t>(targets_.size(), 1) - 1);
    device_.sort_rows(sort_keys_.data(), sorted_keys_.data(), sort_rows_.data(), sorted_rows_.data(), step.chunk.rows,
                      static_cast<int>(step.group_bits + std::bit_width(last_pane)), compute_);
    device_.launch_sorted_runs({step, sorted_keys_.data(), sorted_rows_.data(), tuning_.rows_per_thread}, compute_);
  } else {
    device_.launch_global_step(step, compute_);
  }
  if (layout_.pairs()) device_.launch_pairs(step, compute_);
}

void CudaPanes::repeat_step(std::uint32_t times) {
  for (std::uint32_t i = 0; i < times; ++i) run_step();
  device_.synchronize(compute_);
}

}  // namespace weir::execute::cuda
