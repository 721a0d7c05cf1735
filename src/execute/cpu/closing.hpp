// What one close() has to do, decided before its threads start. Reused storage of CpuPanes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "execute/cpu/cpu_panes.hpp"

namespace weir::execute::cpu {

struct CpuPanes::Closing {
  /// Readings that a worker added to a pane of its own.
  struct Merge {
    Pane* into;
    std::unique_ptr<Pane> shadow;
  };
  std::vector<Merge> merges;
  std::vector<Pane*> entering;
  std::vector<Pane*> leaving;
  std::vector<Pane*> recycled;                          ///< their raw cells are cleared
  std::vector<std::shared_ptr<CellBlock>> left_behind;  ///< of panes that are recycled while a checkpoint reads them
  std::vector<Pane*> stacked;                           ///< panes of the new front stack, newest first
  const Pane* front = nullptr;                          ///< its front cells and the back make up the window
  const Pane* direct = nullptr;                         ///< the only pane of a window that shares none
  std::size_t leave_store = 0;                          ///< panes, from the oldest on, that are recycled
  bool restart = false;                                 ///< nothing that entered before belongs to this window
  bool flip = false;                                    ///< the back becomes the front
  bool slides = false;   ///< one pane enters, at most one leaves, no nulls: sections may do it in one pass
  bool derived = false;  ///< totals come from what sections derived, not from `direct`

  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return merges.capacity() * sizeof(Merge) +
           (entering.capacity() + leaving.capacity() + recycled.capacity() + stacked.capacity()) * sizeof(void*) +
           left_behind.capacity() * sizeof(std::shared_ptr<CellBlock>);
  }
  void clear() {
    merges.clear();
    entering.clear();
    leaving.clear();
    recycled.clear();
    left_behind.clear();
    stacked.clear();
    front = nullptr;
    direct = nullptr;
    leave_store = 0;
    restart = flip = slides = derived = false;
  }
};

}  // namespace weir::execute::cpu
