#include "execute/emitter.hpp"

#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"

namespace weir::execute {

Emitter::Emitter(const plan::QueryPlan& query, GroupTable& groups, Revisions& revisions, state::QueryLedger& ledger,
                 Backend& backend)
    : query_(&query),
      revisions_(&revisions),
      ledger_(&ledger),
      finalizer_(query, groups, &backend),
      emits_empty_(query.spec.emit_empty && query.group_keys.empty()),
      marks_(!query.readers.empty()),
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
    emit_empty();
    numbers_.clear();
    for (const std::uint32_t group : totals.groups) {
      numbers_.push_back(revisions_->next_number({end, group}));
    }
    const std::size_t rows = finalizer_.append(totals, start, end, numbers_, *out_);
    ledger_->rows += rows;
    ledger_->revisions += rows;
  } else if (totals.groups.empty() && !totals.refused) {
    if (emits_empty_) add_empty(end, end);
  } else {
    emit_empty();
    started_ = true;
    mark_before_row(end);
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

void Emitter::begin_anew(const WatermarkTrace::NewBeginning& beginning) {
  started_ = false;
  if (marks_) out_->marks.push_back({out_->size(), beginning.watermark, true, beginning.clock});
}

void Emitter::emit_skipped() {
  for (; answered_ != expected_.size(); ++answered_) {
    const Expected& next = expected_[answered_];
    if (next.kind == Kind::empty) {
      add_empty(next.first_end, next.last_end);
    } else if (next.kind == Kind::step) {
      emit_empty();
    } else if (next.kind == Kind::mark) {
      out_->mark(next.first_end);
    } else {
      break;
    }
  }
}

/// So that the rows of a window raise their own watermark, as readings do: no more is open at once than has to be.
void Emitter::mark_before_row(std::int64_t end_ns) {
  if (marks_) out_->mark(end_ns - 1);
}

void Emitter::add_empty(std::int64_t first_end, std::int64_t last_end) {
  if (!started_) return;
  if (empty_ == 0) first_empty_ = first_end;
  last_empty_ = last_end;
  empty_ += (static_cast<std::uint64_t>(last_end) - static_cast<std::uint64_t>(first_end)) /
                static_cast<std::uint64_t>(query_->slide_ns) +
            1;
}

void Emitter::emit_empty() {
  const std::uint64_t windows = std::exchange(empty_, 0);
  if (windows > kMostEmptyWindows) {
    std::string from;
    std::string to;
    append_rfc3339(from, first_empty_);
    append_rfc3339(to, last_empty_);
    log::warn(
        "query '{}': {} empty windows in a row, from {} to {}, get no rows: event time was set forward by more than {} "
        "of them at once; look for a sensor whose clock began wrong",
        query_->spec.name, windows, from, to, kMostEmptyWindows);
    started_ = query_->per_batch;
    return;
  }
  std::int64_t end = first_empty_;
  for (std::uint64_t i = 0; i < windows; ++i, end += query_->slide_ns) {
    mark_before_row(end);
    ledger_->rows += finalizer_.append_empty(saturating_subtract(end, query_->window_ns), end, *out_);
  }
}

std::uint64_t Emitter::bytes() const noexcept {
  return expected_.capacity() * sizeof(Expected) + numbers_.capacity() * sizeof(std::uint32_t);
}

}  // namespace weir::execute
