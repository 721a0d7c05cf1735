#include "execute/emitter.hpp"

#include <utility>

#include "core/error.hpp"
#include "execute/instant.hpp"

namespace weir::execute {

Emitter::Emitter(const plan::QueryPlan& query, GroupTable& groups, Revisions& revisions, state::QueryLedger& ledger,
                 Backend& backend)
    : query_(&query),
      revisions_(&revisions),
      ledger_(&ledger),
      finalizer_(query, groups, &backend),
      emits_empty_(query.spec.emit_empty && query.group_keys.empty()),
      started_(query.per_batch) {}

void Emitter::skip_empty(std::int64_t first_end, std::int64_t last_end) {
  if (emits_empty_ && first_end <= last_end) expected_.push_back({Kind::empty, first_end, last_end});
}

void Emitter::window(const WindowTotals& totals) {
  emit_skipped();
  if (answered_ == expected_.size() || (expected_[answered_].kind == Kind::revision) != totals.revision) {
    throw Error("query '" + query_->spec.name + "': the backend answered a window that it was not asked for");
  }
  const std::int64_t end = expected_[answered_++].first_end;
  const std::int64_t start = saturating_subtract(end, query_->window_ns);

  if (totals.revision) {
    numbers_.clear();
    for (const std::uint32_t group : totals.groups) {
      numbers_.push_back(revisions_->next_number({end, group}));
    }
    const std::size_t rows = finalizer_.append(totals, start, end, numbers_, *out_);
    ledger_->rows += rows;
    ledger_->revisions += rows;
  } else if (totals.groups.empty() && !totals.refused) {
    if (emits_empty_) emit_empty(end, end);
  } else {
    started_ = true;
    ledger_->rows += finalizer_.append(totals, start, end, {}, *out_);
  }
}

void Emitter::finish() {
  emit_skipped();
  if (answered_ != expected_.size()) {
    throw Error("query '" + query_->spec.name + "': the backend did not answer every window that it was asked for");
  }
  expected_.clear();
  answered_ = 0;
}

void Emitter::emit_skipped() {
  while (answered_ != expected_.size() && expected_[answered_].kind == Kind::empty) {
    const Expected skipped = expected_[answered_++];
    emit_empty(skipped.first_end, skipped.last_end);
  }
}

void Emitter::emit_empty(std::int64_t first_end, std::int64_t last_end) {
  if (!started_) return;
  for (std::int64_t end = first_end; end <= last_end;) {
    ledger_->rows += finalizer_.append_empty(saturating_subtract(end, query_->window_ns), end, *out_);
    if (__builtin_add_overflow(end, query_->slide_ns, &end)) break;
  }
}

std::uint64_t Emitter::bytes() const noexcept {
  return expected_.capacity() * sizeof(Expected) + numbers_.capacity() * sizeof(std::uint32_t);
}

}  // namespace weir::execute
