#include "batch/row_writer.hpp"

namespace weir::batch {

void RowWriter::next_batch() {
  batch_->at_message_boundary = false;  // the message that is being decoded may have more readings
  attach(owner_->batch_full(*batch_));
  begin_message(source_, arrival_ns_, latest_time_ns_, held_ns_);
}

bool RowWriter::release_keys() {
  const std::int64_t time = times_[row_];
  row_kept_.resize(batch_->fields());
  for (std::size_t i = 0; i < row_kept_.size(); ++i) {
    row_kept_[i] = batch_->field(i)[row_];
  }
  const bool may_have_nulls = batch_->may_have_nulls;
  Batch* const next = owner_->keys_full(*batch_);
  if (next == nullptr) {
    return false;
  }
  attach(*next);
  begin_message(source_, arrival_ns_, latest_time_ns_, held_ns_);
  times_[row_] = time;
  for (std::size_t i = 0; i < row_kept_.size(); ++i) {
    batch_->field(i)[row_] = row_kept_[i];
  }
  batch_->may_have_nulls |= may_have_nulls;
  return true;
}

void RowWriter::mark_ahead() {
  batch_->ahead.reserve(capacity_);  // as many as there can be: what is foreseen
  batch_->ahead.push_back({row_, held_ns_});
}

}  // namespace weir::batch
