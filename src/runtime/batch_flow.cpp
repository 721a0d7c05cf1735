#include "runtime/batch_flow.hpp"

#include <utility>

namespace weir::runtime {

BatchPool::BatchPool(std::size_t batches, std::size_t fields, std::uint32_t rows, batch::ColumnMemory& memory)
    : batches_(batches) {
  empty_.reserve(batches);
  for (std::size_t i = 0; i < batches; ++i) {
    empty_.push_back(std::make_unique<batch::Batch>(fields, rows, memory));
  }
}

std::unique_ptr<batch::Batch> BatchPool::acquire() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return stopped_ || !empty_.empty(); });
  if (stopped_) {
    return nullptr;
  }
  std::unique_ptr<batch::Batch> batch = std::move(empty_.back());
  empty_.pop_back();
  return batch;
}

void BatchPool::release(std::unique_ptr<batch::Batch> batch) {
  batch->clear();
  const std::scoped_lock lock(mutex_);
  empty_.push_back(std::move(batch));
  returned_.notify_one();
}

void BatchPool::wait_for_engine() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return stopped_ || empty_.size() + 1 >= batches_; });
}

void BatchPool::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  returned_.notify_all();
}

void BatchQueue::push(SealedBatch sealed) {
  const std::scoped_lock lock(mutex_);
  sealed_.push_back(std::move(sealed));
  pushed_.notify_one();
}

bool BatchQueue::pop(SealedBatch& out) {
  std::unique_lock lock(mutex_);
  pushed_.wait(lock, [this] { return closed_ || !sealed_.empty(); });
  if (sealed_.empty()) {
    return false;
  }
  out = std::move(sealed_.front());
  sealed_.pop_front();
  return true;
}

void BatchQueue::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  pushed_.notify_all();
}

}  // namespace weir::runtime
