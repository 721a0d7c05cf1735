#include "execute/cpu/cell_memory.hpp"

#include <utility>

namespace weir::execute::cpu {

void CellMemory::begin_checkpoint() {
  const std::scoped_lock lock(mutex_);
  free_.begin_round();
}

std::shared_ptr<CellBlock> CellMemory::take(std::size_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    const auto block = free_.take();
    if (block && (*block)->size() >= bytes) return *block;
  }
  return std::make_shared<CellBlock>(bytes, held_);
}

void CellMemory::give(std::shared_ptr<CellBlock> block) {
  const std::scoped_lock lock(mutex_);
  if (block.use_count() == 1) free_.give(std::move(block));
}

}  // namespace weir::execute::cpu
