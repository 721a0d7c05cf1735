// A pane as it is at one moment, for a checkpoint, to be encoded later by whoever needs the bytes. The cells of a
// closed pane are borrowed; those of one that still fills are copied, which takes a fraction of the time that encoding
// does.
//
//   engine's thread   ImageMemory::begin_checkpoint(); PaneImage for each large pane that changed
//   any thread        PaneImage::make(), on the store's
//
// An image uses the sections and sketches of the panes that it was taken of; these finish() their images before they
// go.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "execute/cpu/cell_memory.hpp"
#include "execute/cpu/free_list.hpp"
#include "execute/cpu/pane.hpp"
#include "execute/cpu/section.hpp"
#include "execute/cpu/sketch.hpp"
#include "execute/pane_codec.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"
#include "state/serial.hpp"

namespace weir::execute::cpu {

/// What the bytes of a pane are made with: constant while panes live.
struct PaneFormat {
  const plan::QueryPlan& query;
  const std::vector<std::unique_ptr<Section>>& sections;
  const std::vector<Sketch>& sketches;
  std::size_t quantiles;
  std::size_t distincts;
};

/// The raw cells of one layer or shadow of a pane.
struct PaneCells {
  const std::byte* memory;
  std::uint32_t capacity;  ///< groups
  const PaneLayout* layout;

  [[nodiscard]] ConstCells raw(std::size_t section) const noexcept {
    return memory + layout->raw_offset(section, capacity);
  }
};

/// @brief Writes the groups of a pane, which the encoder has begun. @param parts all layers and shadows @param codes
/// [sketch] codes of all parts, in any order; sorted by this
void encode_pane(const PaneFormat& format, std::span<const PaneCells> parts, std::vector<std::vector<GroupCode>>& codes,
                 std::uint32_t groups, PaneEncoder& encoder);

/// Memory of panes and their images, used again from checkpoint to checkpoint. Thread-safe.
class ImageMemory {
 public:
  /// @brief What some checkpoints had no use for is released.
  void begin_checkpoint();
  [[nodiscard]] CellMemory& cells() noexcept { return cells_; }
  state::Writer take_writer();
  void give_writer(state::Writer writer);
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  CellMemory cells_;
  mutable std::mutex mutex_;  // guards what follows
  FreeList<state::Writer> writers_;
};

class PaneImage final : public state::DeferredChunk {
 public:
  enum class Cells : std::uint8_t { lent, copied };

  /// @param readings in all parts
  PaneImage(std::shared_ptr<ImageMemory> memory, const PaneFormat& format, std::int64_t start, std::uint64_t readings,
            std::span<const Pane* const> parts, std::uint32_t groups, Cells cells);
  ~PaneImage() override;
  [[nodiscard]] bool made() const noexcept override { return made_.load(std::memory_order_acquire); }
  Made make() override;

  /// @brief Bytes of the raw cells of these parts.
  [[nodiscard]] static std::size_t bytes(std::span<const Pane* const> parts) noexcept;

 private:
  struct Part {
    std::shared_ptr<CellBlock> cells;  ///< nullptr where there are none
    std::uint32_t capacity;
  };
  void release_cells();

  const std::shared_ptr<ImageMemory> memory_;
  const PaneFormat format_;
  const PaneLayout layout_;
  const std::int64_t start_;
  const std::uint64_t readings_;
  const std::uint32_t groups_;
  const Cells cells_;
  std::mutex mutex_;  // guards what follows, until made_
  std::vector<Part> parts_;
  std::vector<std::vector<GroupCode>> codes_;  ///< [sketch]
  state::Writer bytes_;
  std::atomic<bool> made_ = false;
};

}  // namespace weir::execute::cpu
