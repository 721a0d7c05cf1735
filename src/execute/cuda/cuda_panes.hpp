// A query's panes on a device.
//
//   accumulate()  cuda_accumulate.cpp  rows of a batch → chunks on the device → cells of panes
//   close()       cuda_close.cpp       panes → totals of a window, what `having` keeps of them, copied back in time
//   the rest      cuda_panes.cpp       what goes with a batch; checkpoints
//
// Owned and called by the engine's thread. Everything is queued: copies in the upload's stream, kernels in `compute_`;
// the host waits when a stage or a result buffer comes round again, and in finish(). When a call throws DeviceError the
// panes are lost (fallback_panes.hpp takes over).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "execute/cuda/cell_layout.hpp"
#include "execute/cuda/chunk_upload.hpp"
#include "execute/cuda/code_store.hpp"
#include "execute/cuda/device_memory.hpp"
#include "execute/cuda/key_tables.hpp"
#include "execute/cuda/memory_plan.hpp"
#include "execute/cuda/pane_ring.hpp"
#include "execute/cuda/pane_snapshot.hpp"
#include "execute/cuda/plan_image.hpp"
#include "execute/cuda/tuning.hpp"

namespace weir::execute::cuda {

class CudaPanes final : public QueryPanes {
 public:
  /// Allocates all that worst_case() says. All but extent and tuning outlive the panes.
  /// @param host whose threads do what the host has to do; nullptr: the calling one alone
  /// @throws kernels::DeviceError when the device has no room
  CudaPanes(kernels::Device& device, const plan::QueryPlan& query, WindowConsumer& consumer, const Extent& extent,
            const Tuning& tuning = {}, Backend* host = nullptr);
  ~CudaPanes() override;

  void begin(const batch::Batch& batch, const GroupView& groups) override;
  void accumulate(RowRange rows, const Horizon& horizon) override;
  void close(std::int64_t end_ns, std::int64_t keep_from) override;
  void take_stragglers(std::vector<Straggler>& out) override;
  void revise(std::int64_t end_ns, std::span<const std::uint32_t> groups) override;
  void finish(StepCounts& counts, std::vector<std::uint32_t>& late_rows, std::size_t late_rows_limit) override;
  [[nodiscard]] bool occupied(std::int64_t& first_start, std::int64_t& last_end) const override;
  void save(state::SectionWriter& out) const override;
  void load(state::Reader& in, PaneNumbers numbers, std::int64_t closed_end, std::uint32_t groups) override;
  [[nodiscard]] std::uint64_t bytes() const override;

  /// @brief For benchmarks: runs the kernels of the last chunk again, which lies on the device, and waits. What the
  /// panes hold means nothing after that.
  void repeat_step(std::uint32_t times);

  /// @brief Bytes on the host, and on the device exactly those that the panes allocate when they are made
  /// (memory_plan.hpp): nothing is allocated after that, except for sketches. Their size depends on the readings; it is
  /// assumed (tuning.hpp), allocated, and doubled where it does not suffice.
  [[nodiscard]] static MemoryNeed worst_case(const kernels::Device& device, const plan::QueryPlan& query,
                                             const Extent& extent, const Tuning& tuning);

 private:
  /// A window on its way to the consumer.
  struct Result {
    explicit Result(kernels::Device& device)
        : groups(device),
          totals(device),
          size(device),
          size_here(device),
          panes(device),
          panes_here(device),
          wanted(device),
          wanted_here(device),
          done(device.make_event()) {}
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
    bool revision = false;
    bool pending = false;
    std::uint32_t revised = 0;  ///< entries of a revision
    DeviceArray<std::uint32_t> groups;
    DeviceArray<kernels::Word> totals;
    DeviceArray<std::uint32_t> size;  ///< entries; whether `having` refused a group
    PinnedArray<std::uint32_t> size_here;
    // What its kernel reads: addresses of panes and then of fronts; the groups of a revision.
    DeviceArray<kernels::Word*> panes;
    PinnedArray<kernels::Word*> panes_here;
    DeviceArray<std::uint32_t> wanted;
    PinnedArray<std::uint32_t> wanted_here;
    Codes codes;
    kernels::Event done;
  };
  // cuda_accumulate.cpp
  void step(RowRange rows, const Horizon& horizon);
  void run_step();
  void find_panes(RowRange rows, const Horizon& horizon, std::int64_t oldest, std::int64_t newest);
  void add_target(std::int64_t start);
  [[nodiscard]] Accumulation choose(RowRange rows) const;
  [[nodiscard]] bool skewed(RowRange rows) const;
  [[nodiscard]] bool sums_fit(std::uint32_t rows) const noexcept;
  [[nodiscard]] std::size_t shared_bytes() const noexcept;

  // cuda_close.cpp
  Result& next_result();
  void list_panes(Result& result);
  void gather(Result& result);
  void deliver(Result& result);
  void deliver_all();
  void close_codes(Result& result, std::int64_t leave);
  void emit_codes(const Codes& codes, std::size_t& next, std::uint32_t group, std::size_t entry);

  // cuda_panes.cpp
  void reserve();
  void use_groups(std::uint32_t groups);
  void read_codes(const PaneGroup& group, Codes& codes) const;

  kernels::Device& device_;
  const plan::QueryPlan& query_;
  WindowConsumer& consumer_;
  const Tuning tuning_;
  const MemoryPlan memory_;
  kernels::Stream compute_;
  kernels::Stream results_stream_;
  CellLayout layout_;
  PlanImage plan_;
  std::size_t quantiles_;
  std::size_t distincts_;

  // The batch.
  const batch::Batch* batch_ = nullptr;
  GroupView view_;
  KeyTables keys_;
  ChunkUpload upload_;
  std::uint64_t rows_ = 0;            ///< since finish()
  std::uint64_t straggler_rows_ = 0;  ///< since take_stragglers()
  kernels::StepView last_step_;
  Accumulation last_way_ = Accumulation::global;
  std::vector<kernels::PaneTarget> targets_;
  std::vector<std::int64_t> starts_;
  DeviceArray<std::uint64_t> counters_;
  PinnedArray<std::uint64_t> counters_here_;
  DeviceArray<std::uint32_t> late_rows_;
  DeviceArray<kernels::StragglerEntry> stragglers_;
  DeviceArray<kernels::Word*> row_cells_;
  DeviceArray<std::uint64_t> sort_keys_;
  DeviceArray<std::uint64_t> sorted_keys_;
  DeviceArray<std::uint32_t> sort_rows_;
  DeviceArray<std::uint32_t> sorted_rows_;

  // State.
  PaneRing panes_;
  mutable CodeStore codes_;  ///< save() settles them
  std::shared_ptr<PaneSnapshot> snapshot_;
  mutable std::map<std::int64_t, std::shared_ptr<PaneImage>> images_;  ///< [start] of panes as they still are
  std::uint32_t groups_ = 0;                                           ///< groups that may have readings
  std::int64_t window_begin_;  ///< of the next window to close; panes before it have left
  std::int64_t entered_end_;   ///< panes before it have entered
  std::int64_t front_end_;     ///< panes before it are in the front stack
  bool rebuild_ = false;       ///< what is derived has to be derived anew
  DeviceArray<kernels::Word> running_;
  DeviceArray<std::uint8_t> dirty_;

  // Windows.
  DeviceArray<std::uint32_t> flags_;
  DeviceArray<std::uint32_t> positions_;
  DeviceArray<kernels::Word> dense_;
  std::vector<Result> results_;
  std::size_t next_ = 0;
  PinnedArray<std::uint32_t> groups_here_;
  PinnedArray<kernels::Word> totals_here_;  ///< what is on its way from the device
  WindowTotals totals_;
};

}  // namespace weir::execute::cuda
