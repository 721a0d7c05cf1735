// The CPU backend's threads: a fixed number, the calling thread being one of them.
//
// run() divides work into pieces of some microseconds and returns when all are done. Every thread has a share of
// neighbouring pieces, the same one in every run over as many pieces, and takes what is left of the others when it is
// done: a thread that the system is slow to wake costs nothing, for the caller does its pieces and waits only for
// threads that have begun. Between runs the threads look out for the next one for a short while before they go to
// sleep. One thread calls run().
#pragma once

#include <atomic>
#include <cstddef>
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

  /// @brief Calls task(worker, piece) once for each piece in [0, pieces); worker < threads() is the thread that runs
  /// it, 0 the caller. @throws what a task threw, after all threads ended; then some pieces may not have been run.
  template <class Task>
  void run(std::size_t pieces, const Task& task) {
    if (pieces <= 1 || threads_.empty()) {
      for (std::size_t piece = 0; piece < pieces; ++piece) task(0U, piece);
      return;
    }
    dispatch(
        pieces,
        [](const void* context, unsigned worker, std::size_t piece) {
          (*static_cast<const Task*>(context))(worker, piece);
        },
        &task);
  }

 private:
  using Call = void (*)(const void*, unsigned, std::size_t);
  struct alignas(64) Share {
    std::atomic<std::size_t> next{0};
    std::exception_ptr error;  ///< of the worker whose share it is
  };
  void dispatch(std::size_t pieces, Call call, const void* context);
  void end() noexcept;
  void serve(unsigned worker);
  [[nodiscard]] bool enter() noexcept;
  void work(unsigned worker) noexcept;

  static constexpr std::uint32_t kOpen = 0x8000'0000;

  // Written by run() before gate_ opens, read by threads that have entered.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  std::size_t pieces_ = 0;
  std::unique_ptr<Share[]> shares_;  ///< [worker]
  std::atomic<bool> stop_{false};
  // On lines of their own: one is written by the caller only, the other by every thread.
  alignas(64) std::atomic<std::uint32_t> round_{0};
  alignas(64) std::atomic<std::uint32_t> gate_{0};  ///< kOpen while a run takes threads, and how many are inside
  std::vector<std::jthread> threads_;
};

}  // namespace weir::execute::cpu
