#include "execute/cpu/worker_pool.hpp"

#include <chrono>
#include <utility>

namespace weir::execute::cpu {
namespace {

// Longer than the runner needs between two pieces of one batch, far shorter than a batch interval.
constexpr std::chrono::microseconds kLookOut{50};

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns when `value` is no longer `old`: watches it for a while, then sleeps.
void await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) noexcept {
  const auto until = std::chrono::steady_clock::now() + kLookOut;
  do {
    for (int i = 0; i < 64; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < until);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

// NOLINTNEXTLINE(bugprone-throw-keyword-missing): the vector of what was thrown
WorkerPool::WorkerPool(unsigned threads) : errors_(threads) {
  threads_.reserve(threads - 1);
  for (unsigned worker = 1; worker < threads; ++worker) {
    threads_.emplace_back([this, worker] { serve(worker); });
  }
}

WorkerPool::~WorkerPool() {
  stop_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void WorkerPool::serve(unsigned worker) {
  for (std::uint32_t seen = 0;; ++seen) {
    await_change(round_, seen);
    if (stop_) return;
    if (worker < workers_) {
      try {
        call_(context_, worker);
      } catch (...) {
        errors_[worker] = std::current_exception();
      }
    }
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
  }
}

void WorkerPool::dispatch(unsigned workers, Call call, const void* context) {
  call_ = call;
  context_ = context;
  workers_ = workers;
  running_.store(static_cast<std::uint32_t>(threads_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  try {
    call(context, 0);
  } catch (...) {
    errors_[0] = std::current_exception();
  }
  for (std::uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    await_change(running_, left);
  }
  std::exception_ptr first;
  for (std::exception_ptr& error : errors_) {
    std::exception_ptr thrown = std::exchange(error, nullptr);
    if (!first) first = std::move(thrown);
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace weir::execute::cpu
