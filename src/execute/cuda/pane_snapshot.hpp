// Panes as they are at one moment, for a checkpoint: copied on the device and from there into page-locked memory while
// the device goes on, encoded later by whoever needs the bytes.
//
//   engine's thread   begin(), add() for each pane that changed, end(): nothing waits
//   any thread        PaneImage::make(), on the store's: waits for the copies, encodes all panes of the snapshot
//
// One snapshot is under way at a time; begin() makes the one before if nobody did. Cells travel through two buffers on
// the device, each for one pane, so the kernels behind wait only when the copies to the host are two panes late. Made
// by a query's panes, which close() it when they go; images outlive them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "execute/cuda/cell_layout.hpp"
#include "execute/cuda/code_store.hpp"
#include "execute/cuda/device_memory.hpp"
#include "execute/cuda/memory_plan.hpp"
#include "execute/cuda/pane_ring.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"

namespace weir::execute::cuda {

class PaneSnapshot;

/// A pane as a checkpoint has it, once it was made. Its version is the number of readings.
class PaneImage final : public state::DeferredChunk {
 public:
  PaneImage(std::shared_ptr<PaneSnapshot> snapshot, std::int64_t start)
      : snapshot_(std::move(snapshot)), start_(start) {}
  [[nodiscard]] bool made() const noexcept override { return made_.load(std::memory_order_acquire); }
  /// @throws kernels::DeviceError when the device was lost before the copies were here
  Made make() override;

 private:
  friend class PaneSnapshot;
  const std::shared_ptr<PaneSnapshot> snapshot_;
  const std::int64_t start_;
  std::atomic<bool> made_ = false;
  // Written before made_.
  std::uint64_t readings_ = 0;
  std::string bytes_;
};

class PaneSnapshot : public std::enable_shared_from_this<PaneSnapshot> {
 public:
  /// Panes on their way through the device at a time.
  static constexpr std::size_t kStages = 2;

  /// Allocates what a snapshot of all planned panes needs. All but `planned` outlive close().
  PaneSnapshot(kernels::Device& device, const plan::QueryPlan& query, const CellLayout& layout, const CodeStore& codes,
               const MemoryPlan& planned);

  /// @brief Begins a snapshot of `panes` panes. @param groups so many may have readings @param codes of each pane;
  /// empty without sketches. @throws kernels::DeviceError
  void begin(std::size_t panes, std::uint32_t groups, std::vector<Codes> codes);
  /// @brief Queues the copy of a pane in `compute`. @throws kernels::DeviceError
  std::shared_ptr<PaneImage> add(const DevicePane& pane, const kernels::Stream& compute);
  /// @throws kernels::DeviceError
  void end();

  /// @brief For the engine's thread. @throws kernels::DeviceError when another thread found the device lost
  void require_device() const;
  /// @brief Makes what is under way and gives back everything of the device. What cannot be made fails for good.
  void close() noexcept;
  /// @brief Bytes held, on the device and here. Waits for nobody.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  friend class PaneImage;
  /// Cells on their way to the host.
  struct Stage {
    explicit Stage(kernels::Device& device) : cells(device), copied(device.make_event()), free(device.make_event()) {}
    DeviceArray<kernels::Word> cells;
    kernels::Event copied;
    kernels::Event free;
  };
  /// What belongs to the device.
  struct Memory {
    explicit Memory(kernels::Device& device)
        : stages{Stage(device), Stage(device)},
          cells(device),
          stream(device.make_stream()),
          done(device.make_event()) {}
    std::array<Stage, kStages> stages;
    PinnedArray<kernels::Word> cells;  ///< [pane][group][words]
    kernels::Stream stream;
    kernels::Event done;

    [[nodiscard]] std::uint64_t bytes() const noexcept {
      std::uint64_t bytes = cells.bytes();
      for (const Stage& stage : stages) bytes += stage.cells.bytes();
      return bytes;
    }
  };

  void make_all();
  void encode(std::size_t index);
  void write_codes(const Codes& codes, std::size_t& next, PaneGroup& group) const;

  kernels::Device& device_;
  const plan::QueryPlan& query_;
  const CellLayout& layout_;
  const CodeStore& code_store_;
  const std::size_t quantiles_;
  std::atomic<bool> failed_ = false;
  std::atomic<std::uint64_t> bytes_ = 0;

  mutable std::mutex mutex_;                       // guards what follows
  std::unique_ptr<Memory> memory_;                 ///< nothing: closed
  std::vector<std::shared_ptr<PaneImage>> panes_;  ///< under way
  std::uint32_t groups_ = 0;
  std::vector<Codes> codes_;  ///< [pane]; empty without sketches
  bool ended_ = false;
};

}  // namespace weir::execute::cuda
