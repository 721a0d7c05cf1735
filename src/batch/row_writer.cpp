#include "batch/row_writer.hpp"

namespace weir::batch {

void RowWriter::next_batch() {
  batch_->at_message_boundary = false;  // the message that is being decoded may have more readings
  attach(owner_->batch_full(*batch_));
  begin_message(source_, arrival_ns_, latest_time_ns_, held_ns_);
}

void RowWriter::mark_ahead() {
  batch_->ahead.reserve(capacity_);  // as many as there can be: what is foreseen
  batch_->ahead.push_back({row_, held_ns_});
}

}  // namespace weir::batch
