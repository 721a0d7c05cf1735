// The CPU backend's threads: a fixed number, the calling thread being one of them.
//
// run() hands every worker the same task and returns when all are done. Work comes in pieces of some ten microseconds,
// so the threads look out for the next piece for a short while before they go to sleep. One thread calls run().
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

namespace weir::execute::cpu {

class WorkerPool {
 public:
  /// @param threads in all, at least 1; threads - 1 are started.
  explicit WorkerPool(unsigned threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] unsigned threads() const noexcept { return static_cast<unsigned>(threads_.size()) + 1; }

  /// @brief Calls task(worker) for each worker in [0, workers), worker 0 on the calling thread; workers <= threads().
  /// @throws what a task threw, after all of them ended.
  template <class Task>
  void run(unsigned workers, const Task& task) {
    if (workers <= 1) {
      task(0U);
      return;
    }
    dispatch(
        workers, [](const void* context, unsigned worker) { (*static_cast<const Task*>(context))(worker); }, &task);
  }

 private:
  using Call = void (*)(const void*, unsigned);
  void dispatch(unsigned workers, Call call, const void* context);
  void serve(unsigned worker);

  // Written by run() before round_ rises, read by the threads after they saw it: round_ publishes them.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  unsigned workers_ = 0;
  bool stop_ = false;
  // On lines of their own: one is written by the caller only, the other by every thread.
  alignas(64) std::atomic<std::uint32_t> round_{0};
  alignas(64) std::atomic<std::uint32_t> running_{0};
  std::vector<std::exception_ptr> errors_;  ///< [worker]
  std::vector<std::jthread> threads_;
};

}  // namespace weir::execute::cpu
