// Memory of panes' cells. A checkpoint reads the raw cells of a closed pane while the engine goes on: the block that
// they lie in is lent to it. Whoever has to write to them meanwhile leaves the block to the checkpoint and takes
// another one.
//
//   engine's thread   lend(); lent(), and only where nobody reads, writes to raw cells
//   any thread        reads, give_back()
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "core/large_array.hpp"
#include "execute/cpu/free_list.hpp"

namespace weir::execute::cpu {

class CellBlock {
 public:
  /// @param held counts the bytes of all blocks and outlives them
  CellBlock(std::size_t bytes, std::atomic<std::uint64_t>& held) : memory_(bytes), held_(held) { held_ += bytes; }
  ~CellBlock() { held_ -= memory_.size(); }
  CellBlock(const CellBlock&) = delete;
  CellBlock& operator=(const CellBlock&) = delete;

  [[nodiscard]] std::byte* data() const noexcept { return memory_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return memory_.size(); }
  /// @brief One reader more.
  void lend() noexcept { readers_.fetch_add(1, std::memory_order_relaxed); }
  /// @brief One reader less: it has read what it wanted.
  void give_back() noexcept { readers_.fetch_sub(1, std::memory_order_release); }
  /// @brief Somebody reads; nobody begins to between this and a write of the same thread.
  [[nodiscard]] bool lent() const noexcept { return readers_.load(std::memory_order_acquire) != 0; }

 private:
  LargeArray<std::byte> memory_;
  std::atomic<std::uint64_t>& held_;
  std::atomic<std::uint32_t> readers_ = 0;
};

/// All blocks of a query, and those that are free: what one checkpoint took is there for the next ones. Thread-safe.
class CellMemory {
 public:
  /// @brief A round of the free list: blocks that some checkpoints had no use for are released.
  void begin_checkpoint();
  /// @brief A block of at least `bytes`, its contents undefined. @throws std::bad_alloc
  [[nodiscard]] std::shared_ptr<CellBlock> take(std::size_t bytes);
  /// @brief Frees a block, unless somebody else has it too.
  void give(std::shared_ptr<CellBlock> block);
  /// @brief Of all blocks, with panes, lent or free.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return held_; }

 private:
  std::atomic<std::uint64_t> held_ = 0;
  std::mutex mutex_;  // guards what follows
  FreeList<std::shared_ptr<CellBlock>> free_;
};

}  // namespace weir::execute::cpu
