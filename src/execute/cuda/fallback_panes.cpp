#include "execute/cuda/fallback_panes.hpp"

#include <algorithm>
#include <utility>

#include "core/instant.hpp"
#include "core/log.hpp"

namespace weir::execute::cuda {
namespace {

/// Rows that one thread copies at a time.
constexpr std::uint32_t kPieceRows = 1U << 14U;

}  // namespace

void FallbackPanes::Counted::window(const WindowTotals& totals) {
  if (skip > 0) {
    --skip;
    return;
  }
  ++delivered;
  consumer_.window(totals);
}

FallbackPanes::FallbackPanes(MakePanes make, void* context, Backend& cpu, const plan::QueryPlan& query,
                             WindowConsumer& consumer, const Extent& extent, std::size_t keep_bytes)
    : cpu_(cpu),
      query_(query),
      needs_(columns_of(query)),
      extent_(extent),
      keep_bytes_(keep_bytes),
      consumer_(consumer),
      panes_(make(context, query, consumer_, extent)) {}

FallbackPanes::~FallbackPanes() = default;

/// Calls call(panes); on the CPU when the device fails.
template <class OnPanes>
void FallbackPanes::guarded(const OnPanes& call) {
  if (!lost_) {
    try {
      call(*panes_);
      return;
    } catch (const kernels::DeviceError& error) {
      lose(error);
    }
  }
  call(*panes_);
}

void FallbackPanes::lose(const std::exception& reason) const {
  log::warn("query '{}': {}; its panes move to the CPU, which computes {} calls again", query_.spec.name, reason.what(),
            calls_.size());
  lost_ = true;
  settle(false);
  ordered_.reset();
  panes_.reset();
  consumer_.skip = std::exchange(consumer_.delivered, 0);
  panes_ = cpu_.make_panes(query_, consumer_, extent_);
  if (!snapshot_.panes.empty()) {
    state::Writer panes;
    panes.u64(snapshot_.panes.size());
    for (const auto& [start, pane] : snapshot_.panes) {
      const std::string_view bytes = pane->make().bytes;
      panes.raw(bytes.data(), bytes.size());
    }
    state::Reader in(panes.bytes());
    panes_->load(in, PaneNumbers::compact, snapshot_.closed_end, snapshot_.groups);
  }
  for (Call& call : calls_) replay(call);
  calls_.clear();
  spare_.clear();
  snapshot_ = {};
  snapshot_bytes_ = 0;
  kept_bytes_ = 0;
}

void FallbackPanes::replay(Call& call) const {
  StepCounts counts;
  std::vector<Straggler> stragglers;
  std::vector<std::uint32_t> late_rows;
  switch (call.kind) {
    case Kind::begin:
      // The tables of groups have grown since; what they said about older keys is still there.
      panes_->begin(call.columns == nullptr ? *batch_ : *call.columns, view_);
      break;
    case Kind::accumulate:
      panes_->accumulate(call.rows, call.horizon);
      break;
    case Kind::close:
      panes_->close(call.end_ns, call.keep_from);
      break;
    case Kind::take:
      panes_->take_stragglers(stragglers);
      break;
    case Kind::revise:
      panes_->revise(call.end_ns, call.groups);
      break;
    case Kind::finish:
      panes_->finish(counts, late_rows, 0);
      break;
  }
}

void FallbackPanes::begin(const batch::Batch& batch, const GroupView& groups) {
  batch_ = &batch;
  view_ = groups;
  groups_ = groups.group_of == nullptr ? 1 : groups.groups;
  guarded([&](QueryPanes& panes) { panes.begin(batch, groups); });
  if (!lost_) calls_.push_back({.kind = Kind::begin, .groups = {}, .columns = nullptr});
}

void FallbackPanes::accumulate(RowRange rows, const Horizon& horizon) {
  guarded([&](QueryPanes& panes) { panes.accumulate(rows, horizon); });
  if (!lost_) {
    calls_.push_back({.kind = Kind::accumulate, .rows = rows, .horizon = horizon, .groups = {}, .columns = nullptr});
  }
}

void FallbackPanes::close(std::int64_t end_ns, std::int64_t keep_from) {
  guarded([&](QueryPanes& panes) { panes.close(end_ns, keep_from); });
  closed_end_ = end_ns;
  if (!lost_) {
    calls_.push_back({.kind = Kind::close, .end_ns = end_ns, .keep_from = keep_from, .groups = {}, .columns = nullptr});
  }
}

void FallbackPanes::take_stragglers(std::vector<Straggler>& out) {
  const std::size_t before = out.size();
  guarded([&](QueryPanes& panes) {
    out.resize(before);
    panes.take_stragglers(out);
  });
  if (!lost_) calls_.push_back({.kind = Kind::take, .groups = {}, .columns = nullptr});
}

void FallbackPanes::revise(std::int64_t end_ns, std::span<const std::uint32_t> groups) {
  guarded([&](QueryPanes& panes) { panes.revise(end_ns, groups); });
  if (!lost_) {
    calls_.push_back(
        {.kind = Kind::revise, .end_ns = end_ns, .groups = {groups.begin(), groups.end()}, .columns = nullptr});
  }
}

void FallbackPanes::finish(StepCounts& counts, std::vector<std::uint32_t>& late_rows, std::size_t late_rows_limit) {
  const StepCounts counts_before = counts;
  const std::size_t late_before = late_rows.size();
  guarded([&](QueryPanes& panes) {
    counts = counts_before;
    late_rows.resize(late_before);
    panes.finish(counts, late_rows, late_rows_limit);
  });
  if (lost_) return;
  calls_.push_back({.kind = Kind::finish, .groups = {}, .columns = nullptr});
  keep_columns();
  try {
    settle(false);
    while (kept_bytes_ > std::max(keep_bytes_, snapshot_bytes_)) {
      if (!ordered_) order_snapshot();
      settle(true);
    }
  } catch (const kernels::DeviceError& error) {
    lose(error);
  }
}

/// The batch at hand is given back now: copies the rows that were accumulated since the last begin().
void FallbackPanes::keep_columns() {
  const auto begin = std::find_if(calls_.rbegin(), calls_.rend(), [](const Call& c) { return c.kind == Kind::begin; });
  RowRange rows{batch_->size(), 0};
  for (auto call = begin.base(); call != calls_.end(); ++call) {
    if (call->kind != Kind::accumulate) continue;
    rows.begin = std::min(rows.begin, call->rows.begin);
    rows.end = std::max(rows.end, call->rows.end);
  }
  const std::uint32_t size = rows.end > rows.begin ? rows.end - rows.begin : 0;
  std::unique_ptr<batch::Batch> copy;
  if (!spare_.empty() && spare_.back()->capacity() >= size) {
    copy = std::move(spare_.back());
    spare_.pop_back();
  } else {
    copy = std::make_unique<batch::Batch>(batch_->fields(), std::max(size, 1U));
  }
  copy->set_size(size);
  copy->key_count = batch_->key_count;
  copy->may_have_nulls = batch_->may_have_nulls;
  if (size > 0) {
    // The CPU reads times and keys also where a device does not have to.
    cpu_.run_pieces((size + kPieceRows - 1) / kPieceRows, [&](std::size_t piece) {
      const auto from = static_cast<std::uint32_t>(piece * kPieceRows);
      const std::uint32_t count = std::min(kPieceRows, size - from);
      const std::uint32_t at = rows.begin + from;
      std::copy_n(batch_->times() + at, count, copy->times() + from);
      std::copy_n(batch_->keys() + at, count, copy->keys() + from);
      for (std::size_t f = 0; f < batch_->fields(); ++f) {
        if (needs_.fields[f]) std::copy_n(batch_->field(f) + at, count, copy->field(f) + from);
      }
    });
    for (auto call = begin.base(); call != calls_.end(); ++call) {
      if (call->kind == Kind::accumulate) call->rows = {call->rows.begin - rows.begin, call->rows.end - rows.begin};
    }
  }
  kept_bytes_ += batch::Batch::bytes(batch_->fields(), copy->capacity());
  begin->columns = std::move(copy);
}

/// Asks the device for its panes as they are now.
void FallbackPanes::order_snapshot() const {
  settle(true);
  state::SectionWriter section;
  panes_->save(section);
  Snapshot next;
  for (const state::SectionWriter::Chunk& chunk : section.chunks()) {
    if (chunk.id) next.panes.emplace(static_cast<std::int64_t>(*chunk.id), chunk.later);
  }
  next.closed_end = closed_end_;
  next.groups = groups_;
  next.calls = calls_.size();
  next.delivered = consumer_.delivered;
  ordered_ = std::move(next);
}

/// Once a snapshot is here, what it holds need not be kept any more. @param wait until it is here
void FallbackPanes::settle(bool wait) const {
  if (!ordered_) return;
  std::size_t bytes = 0;
  for (const auto& [start, pane] : ordered_->panes) {
    if (!wait && !pane->made()) return;
    bytes += pane->make().bytes.size();
  }
  snapshot_ = *std::exchange(ordered_, std::nullopt);
  snapshot_bytes_ = bytes;
  consumer_.delivered -= snapshot_.delivered;
  const auto end = calls_.begin() + static_cast<std::ptrdiff_t>(snapshot_.calls);
  for (auto call = calls_.begin(); call != end; ++call) {
    if (call->columns == nullptr) continue;
    kept_bytes_ -= batch::Batch::bytes(call->columns->fields(), call->columns->capacity());
    spare_.push_back(std::move(call->columns));
  }
  calls_.erase(calls_.begin(), end);
}

bool FallbackPanes::occupied(std::int64_t& first_start, std::int64_t& last_end) const {
  return panes_->occupied(first_start, last_end);
}

void FallbackPanes::save(state::SectionWriter& out) const {
  if (!lost_) {
    try {
      order_snapshot();
      // From the snapshot, so that nothing is written yet when the device turns out to be lost.
      out.out().u64(ordered_->panes.size());
      for (const auto& [start, pane] : ordered_->panes) out.defer_chunk(static_cast<std::uint64_t>(start), pane);
      out.end_chunk();
      return;
    } catch (const kernels::DeviceError& error) {
      lose(error);
    }
  }
  panes_->save(out);
}

void FallbackPanes::load(state::Reader& in, PaneNumbers numbers, std::int64_t closed_end, std::uint32_t groups) {
  // Nothing of what was before is needed any more: should the device fail, the CPU reads the same from the beginning.
  ordered_.reset();
  calls_.clear();
  snapshot_ = {};
  snapshot_bytes_ = 0;
  kept_bytes_ = 0;
  consumer_.delivered = 0;
  const state::Reader begin = in;
  guarded([&](QueryPanes& panes) {
    in = begin;
    panes.load(in, numbers, closed_end, groups);
  });
  closed_end_ = closed_end;
  groups_ = groups;
  if (lost_) return;
  order_snapshot();
  settle(true);
}

std::uint64_t FallbackPanes::bytes() const {
  return panes_->bytes() + snapshot_bytes_ + kept_bytes_ + calls_.capacity() * sizeof(Call);
}

}  // namespace weir::execute::cuda
