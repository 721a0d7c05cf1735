// Panes in memory: cells of every section for every group, kept in ascending order of time, sparse in time.
//
// A pane exists only when it holds a reading, so a gap or a reading far ahead costs nothing in between. Panes that are
// no longer needed go to a pool and come back empty: in the steady state nothing is allocated. Cells count in 32 bits;
// a pane that has taken as many readings as that is continued in another pane with the same start, a layer. Whoever
// walks over panes meets layers as panes of their own and needs no special case.
//
// Owned by a query's panes and its engine thread. While readings are accumulated, other threads write to shadows: panes
// of their own that are merged into the real one before anybody looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "execute/cpu/cell_memory.hpp"
#include "execute/cpu/code_counts.hpp"
#include "execute/cpu/section.hpp"

namespace weir::execute::cpu {

/// Where in a pane's memory the cells of each section lie: raw cells of all sections, then front cells of all.
class PaneLayout {
 public:
  /// @param fronts whether windows overlap, so that sections that cannot subtract need front cells
  PaneLayout(const std::vector<std::unique_ptr<Section>>& sections, bool fronts);
  [[nodiscard]] std::size_t sections() const noexcept { return raw_.size(); }
  [[nodiscard]] std::size_t raw_offset(std::size_t section, std::uint32_t groups) const noexcept;
  [[nodiscard]] std::size_t front_offset(std::size_t section, std::uint32_t groups) const noexcept;
  [[nodiscard]] bool has_front(std::size_t section) const noexcept { return front_[section] > 0; }
  /// @brief Bytes of the cells of a pane for `groups` groups, with or without front cells.
  [[nodiscard]] std::size_t bytes(std::uint32_t groups, bool fronts) const noexcept;

 private:
  std::vector<std::size_t> raw_;    ///< bytes of a group
  std::vector<std::size_t> front_;  ///< likewise; 0: none
};

struct Pane {
  std::int64_t start = 0;
  std::uint64_t rows = 0;      ///< readings in the raw cells, those with a null included
  std::uint32_t capacity = 0;  ///< groups that there are cells for
  bool fronts = false;         ///< has front cells
  bool nulls = false;          ///< may hold readings whose first argument is null
  bool wide = false;           ///< a value beyond kNarrow may have entered its cells
  const PaneLayout* layout = nullptr;
  std::shared_ptr<CellBlock> cells;            ///< may be lent to a checkpoint once the pane is closed
  std::byte* memory = nullptr;                 ///< theirs
  std::vector<CodeCounts> codes;               ///< [sketch]
  std::vector<std::unique_ptr<Pane>> shadows;  ///< [worker - 1], empty or nullptr where there is none

  void set_cells(std::shared_ptr<CellBlock> block, std::uint32_t groups) noexcept {
    cells = std::move(block);
    memory = cells == nullptr ? nullptr : cells->data();
    capacity = groups;
  }
  /// @brief A checkpoint reads the raw cells: they must not be written.
  [[nodiscard]] bool lent() const noexcept { return cells != nullptr && cells->lent(); }
  [[nodiscard]] Cells raw(std::size_t section) const noexcept { return memory + layout->raw_offset(section, capacity); }
  [[nodiscard]] Cells front(std::size_t section) const noexcept {
    return memory + layout->front_offset(section, capacity);
  }
  [[nodiscard]] bool has_shadows() const noexcept;
  /// @brief The part of `groups` that there are cells for; may be empty.
  [[nodiscard]] GroupRange within(GroupRange groups) const noexcept {
    return {groups.begin, groups.end < capacity ? groups.end : groups.begin < capacity ? capacity : groups.begin};
  }
};

class PaneStore {
 public:
  /// All arguments that are references outlive the store.
  PaneStore(const std::vector<std::unique_ptr<Section>>& sections, std::size_t sketches, bool fronts,
            std::uint32_t max_groups, CellMemory& memory);

  // The panes, ascending by start; layers of one start lie together, the newest last.
  [[nodiscard]] std::size_t size() const noexcept { return panes_.size() - head_; }
  [[nodiscard]] Pane& operator[](std::size_t i) const noexcept { return *panes_[head_ + i].pane; }
  [[nodiscard]] std::int64_t start(std::size_t i) const noexcept { return panes_[head_ + i].start; }
  /// @brief The first position whose start is >= `start`. Quick near the oldest and the newest pane.
  [[nodiscard]] std::size_t lower_bound(std::int64_t start) const noexcept;

  /// @brief The pane that takes readings of `start`: the newest layer, made when there is none, with cells for `groups`
  /// groups that nobody reads. `made` says whether it is new.
  Pane& at(std::int64_t start, std::uint32_t groups, bool& made);
  /// @brief Another, empty layer of the same start.
  Pane& add_layer(std::int64_t start, std::uint32_t groups);
  /// @brief Puts a pane in its place, as the newest layer of its start.
  void insert(std::unique_ptr<Pane> pane);
  /// @brief An empty pane that is not in the store, without front cells.
  std::unique_ptr<Pane> take_shadow(std::int64_t start, std::uint32_t groups);
  /// @brief Gives back a pane whose raw cells are empty again.
  void recycle_shadow(std::unique_ptr<Pane> pane);
  /// @brief Gives back the oldest `count` panes, whose raw cells are empty again, or who lost theirs to a checkpoint:
  /// those have `cells` == nullptr.
  void recycle_oldest(std::size_t count);
  /// @brief Gives the pane cells for `groups` groups, keeping what it has.
  void ensure(Pane& pane, std::uint32_t groups);
  void clear();

  /// @brief Asks for a small pane's memory, which a long window has not touched for a long time: positions `i` is
  /// needed soon, the one after it later.
  void prefetch(std::size_t i) const noexcept;

  [[nodiscard]] const PaneLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] std::uint32_t capacity_for(std::uint32_t groups);
  /// @brief Without cells, which are counted by their CellMemory.
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  std::unique_ptr<Pane> make(std::int64_t start, std::uint32_t groups, bool fronts);
  void allocate(Pane& pane, std::uint32_t capacity) const;
  void take_back(Pane& pane) const;
  void reset(Pane& pane) const noexcept;

  const std::vector<std::unique_ptr<Section>>& sections_;
  std::size_t sketches_;
  PaneLayout layout_;
  std::uint32_t max_groups_;
  CellMemory& memory_;
  std::uint32_t capacity_ = 0;  ///< of panes made from now on
  /// The start beside the pane, so that a search does not wait for the memory of panes.
  struct Slot {
    std::int64_t start;
    std::unique_ptr<Pane> pane;
  };
  std::vector<Slot> panes_;  ///< from head_ on
  std::size_t head_ = 0;
  std::vector<std::unique_ptr<Pane>> free_;
  std::vector<std::unique_ptr<Pane>> free_shadows_;
};

}  // namespace weir::execute::cpu
