#include "app/hand_coded.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace weir::app {
namespace {

// Keys whose cells of all panes stay in the L1 cache while they are added up.
constexpr std::uint32_t kBlock = 128;

// Rows that somebody takes at a time; a power of two.
constexpr std::uint32_t kPiece = 4096;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

/// Threads that meet at barriers. They spin: the reference is not to lose time to a scheduler.
class HandCoded::Team {
 public:
  Team(HandCoded& owner, unsigned threads) : size_(threads) {
    for (unsigned t = 1; t < threads; ++t) {
      threads_.emplace_back([this, &owner, t] {
        while (meet(), !stop_) {
          owner.work(t);
        }
      });
    }
  }
  ~Team() {
    stop_ = true;
    meet();
  }
  void meet() noexcept {
    const std::uint32_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (std::uint32_t spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
      if (spins < 20'000) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
  }

 private:
  unsigned size_;
  bool stop_ = false;
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
  std::vector<std::jthread> threads_;
};

HandCoded::HandCoded(std::uint32_t keys, std::uint32_t pane_ms, std::uint32_t panes_per_window, unsigned threads)
    : keys_(keys),
      pane_ms_(pane_ms),
      panes_(panes_per_window),
      threads_(threads),
      ring_(std::size_t{keys} * panes_per_window, kEmpty),
      own_(threads - 1, std::vector<Cell>(keys, kEmpty)),
      rows_(threads),
      counts_(threads),
      team_(std::make_unique<Team>(*this, threads)) {}

HandCoded::~HandCoded() = default;

void HandCoded::run(std::span<const HandReading> block, std::uint32_t block_ms) {
  // Rows are written to a piece of memory that stays in the caches, as if somebody took them from there piece by piece.
  row_mask_ = on_rows == nullptr ? kPiece - 1 : ~std::uint32_t{0};
  for (auto& rows : rows_) {
    rows.resize(on_rows == nullptr ? kPiece : keys_);
  }
  auto next = block.begin();
  for (std::uint32_t end_ms = pane_ms_; end_ms <= block_ms; end_ms += pane_ms_) {
    const auto last =
        std::partition_point(next, block.end(), [=](const HandReading& reading) { return reading.time_ms < end_ms; });
    readings_ = {next, last};
    next = last;
    team_->meet();
    work(0);
    open_ = (open_ + 1) % panes_;
    for (unsigned t = 0; t < threads_ && on_rows != nullptr; ++t) {
      on_rows(context, {rows_[t].data(), counts_[t]});
    }
  }
}

void HandCoded::work(unsigned thread) {
  const std::size_t size = readings_.size();
  add(readings_.subspan(size * thread / threads_, size * (thread + 1) / threads_ - size * thread / threads_),
      thread == 0 ? cells(open_) : own_[thread - 1].data());
  team_->meet();
  const std::uint32_t begin = keys_ / threads_ * thread;
  const std::uint32_t end = thread + 1 == threads_ ? keys_ : keys_ / threads_ * (thread + 1);
  counts_[thread] = close(begin, end, rows_[thread].data());
  team_->meet();
}

void HandCoded::add(std::span<const HandReading> readings, Cell* cells) const {
  for (const HandReading& reading : readings) {
    Cell& cell = cells[reading.key];
    cell.sum += reading.value;
    cell.min = reading.value < cell.min ? reading.value : cell.min;
    cell.max = reading.value > cell.max ? reading.value : cell.max;
    ++cell.count;
  }
}

std::uint32_t HandCoded::close(std::uint32_t begin, std::uint32_t end, HandRow* rows) {
  const auto merge = [](Cell& into, const Cell& from) {
    into.sum += from.sum;
    into.min = from.min < into.min ? from.min : into.min;
    into.max = from.max > into.max ? from.max : into.max;
    into.count += from.count;
  };
  const std::uint32_t oldest = (open_ + 1) % panes_;
  std::uint32_t written = 0;
  std::array<Cell, kBlock> total;
  for (std::uint32_t first = begin; first < end; first += kBlock) {
    const std::uint32_t size = std::min(kBlock, end - first);
    for (auto& own : own_) {
      for (std::uint32_t k = 0; k < size; ++k) {
        merge(cells(open_)[first + k], own[first + k]);
        own[first + k] = kEmpty;
      }
    }
    std::copy_n(cells(open_) + first, size, total.begin());
    for (std::uint32_t pane = 0; pane < panes_; ++pane) {
      if (pane == open_) {
        continue;
      }
      for (std::uint32_t k = 0; k < size; ++k) {
        merge(total[k], cells(pane)[first + k]);
      }
    }
    for (std::uint32_t k = 0; k < size; ++k) {
      rows[written & row_mask_] = {first + k, total[k].count, total[k].sum, total[k].min, total[k].max};
      written += total[k].count > 0 ? 1U : 0U;
    }
    std::fill_n(cells(oldest) + first, size, kEmpty);
  }
  return written;
}

}  // namespace weir::app
