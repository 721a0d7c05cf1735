#include "execute/cpu/worker_pool.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace weir::execute::cpu {
namespace {

// Longer than the runner needs between two runs over one batch, far shorter than a batch interval.
constexpr std::chrono::microseconds kLookOut{200};

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
    // The one that is waited for may have been put on this core.
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < until);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

WorkerPool::WorkerPool(unsigned threads) : shares_(std::make_unique<Share[]>(threads)) {
  threads_.reserve(threads - 1);
  try {
    for (unsigned worker = 1; worker < threads; ++worker) {
      threads_.emplace_back([this, worker] { serve(worker); });
    }
  } catch (...) {
    end();  // those that could start wait for work, and are about to be joined
    throw;
  }
}

WorkerPool::~WorkerPool() {
  end();
}

void WorkerPool::end() noexcept {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void WorkerPool::serve(unsigned worker) {
  for (std::uint32_t seen = 0;;) {
    await_change(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    if (!enter()) continue;  // the run is over
    work(worker);
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) == 1) gate_.notify_one();
  }
}

bool WorkerPool::enter() noexcept {
  std::uint32_t gate = gate_.load(std::memory_order_relaxed);
  while ((gate & kOpen) != 0) {
    if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire, std::memory_order_relaxed)) return true;
  }
  return false;
}

void WorkerPool::work(unsigned worker) noexcept {
  const std::size_t workers = threads();
  try {
    for (std::size_t turn = 0; turn < workers; ++turn) {
      const std::size_t owner = (worker + turn) % workers;
      const std::size_t end = pieces_ * (owner + 1) / workers;
      std::atomic<std::size_t>& next = shares_[owner].next;
      for (std::size_t piece = next.fetch_add(1, std::memory_order_relaxed); piece < end;
           piece = next.fetch_add(1, std::memory_order_relaxed)) {
        call_(context_, worker, piece);
      }
    }
  } catch (...) {
    shares_[worker].error = std::current_exception();
  }
}

void WorkerPool::dispatch(std::size_t pieces, Call call, const void* context) {
  call_ = call;
  context_ = context;
  pieces_ = pieces;
  const std::size_t workers = threads();
  for (std::size_t w = 0; w < workers; ++w) shares_[w].next.store(pieces * w / workers, std::memory_order_relaxed);
  gate_.store(kOpen, std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(0);
  for (std::uint32_t inside = gate_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen; inside != 0;
       inside = gate_.load(std::memory_order_acquire)) {
    await_change(gate_, inside);
  }
  std::exception_ptr first;
  for (std::size_t w = 0; w < workers; ++w) {
    std::exception_ptr thrown = std::exchange(shares_[w].error, nullptr);
    if (!first) first = std::move(thrown);
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace weir::execute::cpu
