// Where the parts of a plan's arguments lie in the cells of the device, and cells as the totals that the rest of the
// engine knows. Immutable; used by the engine's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "execute/backend.hpp"
#include "execute/pane_codec.hpp"
#include "kernels/cell.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cuda {

class CellLayout {
 public:
  explicit CellLayout(const plan::QueryPlan& query);

  [[nodiscard]] const std::vector<kernels::Part>& parts() const noexcept { return parts_; }
  /// @brief The parts of argument `a`: [first, first + count) of parts().
  [[nodiscard]] std::uint32_t first_part(std::size_t a) const noexcept { return first_[a]; }
  [[nodiscard]] std::uint32_t part_count(std::size_t a) const noexcept { return first_[a + 1] - first_[a]; }
  [[nodiscard]] std::uint32_t words() const noexcept { return words_; }
  [[nodiscard]] std::uint32_t front_words() const noexcept { return front_words_; }
  /// @brief The word that counts the values of an argument.
  [[nodiscard]] std::uint16_t count_word(std::size_t a) const noexcept {
    return counted_[a] ? parts_[first_[a]].word : std::uint16_t{0};
  }
  /// @brief The first word of a part that an argument has.
  [[nodiscard]] std::uint16_t word_of(std::size_t a, kernels::PartKind kind) const noexcept;
  /// @brief Whether some argument has first or last.
  [[nodiscard]] bool pairs() const noexcept { return pairs_; }

  /// @brief Readings in a cell.
  [[nodiscard]] static std::uint64_t rows(const kernels::Word* cell) noexcept { return cell[0]; }
  /// @brief The totals of a cell, one each argument.
  void read(const kernels::Word* cell, ArgumentTotal* totals) const noexcept;
  /// @brief The cell of a group that a checkpoint holds.
  void write(const PaneGroup& group, kernels::Word* cell) const noexcept;
  /// @brief An empty cell.
  void clear(kernels::Word* cell) const noexcept;

 private:
  std::vector<kernels::Part> parts_;
  std::vector<std::uint32_t> first_;  ///< [argument], and one more
  std::vector<bool> counted_;         ///< [argument] has a count of its own
  std::uint32_t words_ = 0;
  std::uint32_t front_words_ = 0;
  bool pairs_ = false;
};

}  // namespace weir::execute::cuda
