#include <algorithm>

#include "core/instant.hpp"
#include "execute/cuda/cuda_panes.hpp"
#include "ops/hyperloglog.hpp"

namespace weir::execute::cuda {

CudaPanes::Result& CudaPanes::next_result() {
  Result& result = results_[next_];
  next_ = (next_ + 1) % kResults;
  deliver(result);
  return result;
}

/// Addresses of all panes, ascending, then of their fronts.
void CudaPanes::list_panes(Result& result) {
  const std::size_t size = panes_.size();
  result.panes_here.reserve(2 * size);
  result.panes.reserve(2 * size);
  for (std::size_t i = 0; i < size; ++i) {
    result.panes_here[i] = panes_[i].cells.data();
    result.panes_here[size + i] = panes_[i].fronts.data();
  }
  if (size > 0) {
    device_.copy_to_device(result.panes.data(), result.panes_here.data(), 2 * size * sizeof(kernels::Word*), compute_);
  }
}

/// Compacts what `having` keeps of flags_ and dense_ into the result. Revisions do not come here: their rows are few,
/// and one that is refused is numbered all the same.
void CudaPanes::gather(Result& result) {
  result.groups.reserve(groups_);
  result.totals.reserve(std::size_t{groups_} * layout_.words());
  result.size.reserve(kSizes);
  result.size_here.reserve(kSizes);
  device_.fill_zero(result.size.data(), kSizes * sizeof(std::uint32_t), compute_);
  if (plan_.having().program.size > 0) {
    kernels::HavingView having = plan_.having();
    having.tests = keys_.having_tests();
    having.groups = groups_;
    having.totals = dense_.data();
    having.flags = flags_.data();
    having.refused = result.size.data() + 1;
    device_.launch_having(having, compute_);
  }
  device_.exclusive_sum(flags_.data(), positions_.data(), groups_, compute_);
  device_.launch_gather({groups_, layout_.words(), flags_.data(), positions_.data(), dense_.data(),
                         result.groups.data(), result.totals.data(), result.size.data()},
                        compute_);
  device_.copy_to_host(result.size_here.data(), result.size.data(), kSizes * sizeof(std::uint32_t), compute_);
}

/// The codes of the window that closes; the panes that start before `leave` are not part of the next one.
void CudaPanes::close_codes(Result& result, std::int64_t leave) {
  if (plan_.sketches().empty()) return;
  codes_.settle();
  if (!memory_.overlapping) {
    codes_.fetch(result.start_ns, result.end_ns, result.codes);
    return;
  }
  codes_.leave(result.start_ns);
  codes_.enter(result.start_ns, result.end_ns);
  codes_.fetch(codes_.window(), result.codes);
  codes_.leave(leave);
}

void CudaPanes::close(std::int64_t end_ns, std::int64_t keep_from) {
  Result& result = next_result();
  const std::int64_t begin = saturating_subtract(end_ns, query_.window_ns);
  const std::int64_t next_begin = saturating_add(begin, query_.slide_ns);
  result.start_ns = begin;
  result.end_ns = end_ns;
  result.revision = false;
  result.pending = true;
  list_panes(result);
  close_codes(result, std::max(next_begin, keep_from));

  const auto position = [this](std::int64_t start) { return static_cast<std::uint32_t>(panes_.lower_bound(start)); };
  kernels::WindowView window;
  window.plan = plan_.view();
  window.groups = groups_;
  window.panes = result.panes.data();
  window.fronts = result.panes.data() + panes_.size();
  window.begin = position(begin);
  window.end = position(end_ns);
  window.entered = window.front_end = window.begin;
  window.flags = flags_.data();
  window.totals = dense_.data();
  if (memory_.overlapping) {
    const bool restart = begin != window_begin_;
    if (restart) front_end_ = begin;
    window.entered = restart ? window.begin : std::max(window.begin, position(entered_end_));
    window.front_end = std::max(window.begin, position(front_end_));
    window.stay = std::max(window.begin, position(std::min(std::max(next_begin, keep_from), end_ns)));
    window.running = running_.data();
    window.dirty = dirty_.data();
    window.rebuild = restart || rebuild_;
    window.flip = next_begin > front_end_;
    if (window.flip) front_end_ = end_ns;
    rebuild_ = false;
  }
  window_begin_ = next_begin;
  entered_end_ = end_ns;
  device_.launch_close(window, compute_);
  gather(result);
  device_.record(result.done, compute_);
  panes_.recycle_before(keep_from);
}

void CudaPanes::revise(std::int64_t end_ns, std::span<const std::uint32_t> groups) {
  Result& result = next_result();
  result.start_ns = saturating_subtract(end_ns, query_.window_ns);
  result.end_ns = end_ns;
  result.revision = true;
  result.pending = true;
  result.revised = static_cast<std::uint32_t>(groups.size());
  list_panes(result);
  if (!plan_.sketches().empty()) {
    codes_.settle();
    codes_.fetch(result.start_ns, result.end_ns, result.codes);
  }
  result.wanted_here.reserve(groups.size());
  result.wanted.reserve(groups.size());
  std::copy(groups.begin(), groups.end(), result.wanted_here.data());
  device_.copy_to_device(result.wanted.data(), result.wanted_here.data(), groups.size_bytes(), compute_);
  result.totals.reserve(groups.size() * layout_.words());
  kernels::FoldView fold;
  fold.plan = plan_.view();
  fold.panes = result.panes.data();
  fold.begin = static_cast<std::uint32_t>(panes_.lower_bound(result.start_ns));
  fold.end = static_cast<std::uint32_t>(panes_.lower_bound(end_ns));
  fold.groups = result.wanted.data();
  fold.size = result.revised;
  fold.totals = result.totals.data();
  device_.launch_fold(fold, compute_);
  device_.record(result.done, compute_);
}

/// Moves on to a group's codes and turns them into its bins and estimates.
void CudaPanes::emit_codes(const Codes& codes, std::size_t& next, std::uint32_t group, std::size_t entry) {
  while (next < codes.keys.size() && codes_.group_of(codes.keys[next]) < group) ++next;
  for (std::size_t s = 0; s < plan_.sketches().size(); ++s) {
    ops::HllRanks ranks;
    ranks.registers[0] = ops::kHllRegisters;
    const bool quantile = plan_.sketches()[s].kind == kernels::SketchKind::quantile;
    if (quantile) totals_.quantiles[entry * quantiles_ + s].bins.clear();
    const auto here = [&](std::size_t i) {
      return i < codes.keys.size() && codes_.group_of(codes.keys[i]) == group && codes_.sketch_of(codes.keys[i]) == s;
    };
    for (; here(next); ++next) {
      const std::uint32_t code = CodeStore::code_of(codes.keys[next]);
      if (quantile) {
        totals_.quantiles[entry * quantiles_ + s].bins.emplace_back(
            static_cast<std::int32_t>(code) - ops::kQuantileLastBin, codes.counts[next]);
        continue;
      }
      // Only the last code of a register counts: it has the largest rank.
      if (here(next + 1) &&
          CodeStore::code_of(codes.keys[next + 1]) >> kernels::kRankBits == code >> kernels::kRankBits) {
        continue;
      }
      --ranks.registers[0];
      ++ranks.registers[code & ((1U << kernels::kRankBits) - 1)];
    }
    if (!quantile) totals_.distincts[entry * distincts_ + s - quantiles_] = ops::hll_estimate(ranks);
  }
}

/// Waits for a window and hands it to the consumer.
void CudaPanes::deliver(Result& result) {
  if (!result.pending) return;
  result.pending = false;
  device_.synchronize(result.done);
  const std::uint32_t size = result.revision ? result.revised : result.size_here[0];
  const std::size_t arguments = query_.arguments.size();
  const std::size_t words = layout_.words();
  totals_.start_ns = result.start_ns;
  totals_.end_ns = result.end_ns;
  totals_.revision = result.revision;
  totals_.refused = !result.revision && result.size_here[1] != 0;
  totals_.groups.resize(size);
  totals_.counts.resize(size);
  totals_.arguments.resize(size * arguments);
  totals_.quantiles.resize(size * quantiles_);
  totals_.distincts.resize(size * distincts_);
  const std::uint32_t* const groups = result.revision ? result.wanted.data() : result.groups.data();
  std::size_t next_code = 0;
  for (std::uint32_t from = 0; from < size; from += tuning_.copy_entries) {
    const std::uint32_t count = std::min(tuning_.copy_entries, size - from);
    groups_here_.reserve(count);
    totals_here_.reserve(count * words);
    device_.copy_to_host(groups_here_.data(), groups + from, count * sizeof(std::uint32_t), results_stream_);
    device_.copy_to_host(totals_here_.data(), result.totals.data() + from * words,
                         count * words * sizeof(kernels::Word), results_stream_);
    device_.synchronize(results_stream_);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t entry = std::size_t{from} + i;
      const kernels::Word* const cell = totals_here_.data() + i * words;
      totals_.groups[entry] = groups_here_[i];
      totals_.counts[entry] = CellLayout::rows(cell);
      layout_.read(cell, totals_.arguments.data() + entry * arguments);
      if (!plan_.sketches().empty()) emit_codes(result.codes, next_code, groups_here_[i], entry);
    }
  }
  consumer_.window(totals_);
}

void CudaPanes::deliver_all() {
  for (std::size_t i = 0; i < kResults; ++i) deliver(results_[(next_ + i) % kResults]);
}

}  // namespace weir::execute::cuda
