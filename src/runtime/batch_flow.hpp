// Batches between a stream's decoding thread and the engine: a pool of empty ones a stream, one queue of sealed ones.
//
// The pool is the back-pressure: a decoder that runs ahead waits for the engine to return a batch. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "batch/batch.hpp"

namespace weir::runtime {

/// Empty batches of one stream. Created up front; none is allocated later.
class BatchPool {
 public:
  BatchPool(std::size_t batches, std::size_t fields, std::uint32_t rows, batch::ColumnMemory& memory);
  /// @brief An empty batch; waits for one. nullptr once stop() was called.
  std::unique_ptr<batch::Batch> acquire();
  void release(std::unique_ptr<batch::Batch> batch);
  /// @brief Waits until the engine has returned every batch but the one that the caller has, or stop() was called.
  void wait_for_engine();
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<batch::Batch>> empty_;
  std::size_t batches_;
  bool stopped_ = false;
};

struct SealedBatch {
  std::size_t stream = 0;
  std::unique_ptr<batch::Batch> batch;  ///< nullptr: the stream ended
};

/// Sealed batches of all streams in the order of sealing. Bounded by the pools.
class BatchQueue {
 public:
  void push(SealedBatch sealed);
  /// @brief Waits for the next one; false once close() was called and the queue is empty.
  bool pop(SealedBatch& out);
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable pushed_;
  std::deque<SealedBatch> sealed_;
  bool closed_ = false;
};

}  // namespace weir::runtime
