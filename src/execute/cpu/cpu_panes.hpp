// A query's panes on the CPU.
//
//   accumulate()  cpu_accumulate.cpp  rows of a batch → cells of panes, several threads
//   close()       cpu_close.cpp       panes → totals of a window, several threads over ranges of groups
//   save(), load() cpu_checkpoint.cpp panes to checkpoints and back
//   the rest      cpu_panes.cpp       what goes with a batch
//
// Owned and called by the engine's thread. Inside accumulate() each worker has its rows, its scratch and its own panes:
// worker 0 writes to the panes themselves, the others to shadows of them, which close() merges. Additions of integers
// commute, so the number of threads never shows.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "execute/cpu/filter.hpp"
#include "execute/cpu/pane.hpp"
#include "execute/cpu/pane_image.hpp"
#include "execute/cpu/section.hpp"
#include "execute/cpu/sketch.hpp"
#include "execute/cpu/tuning.hpp"
#include "execute/cpu/worker_pool.hpp"
#include "execute/pane_codec.hpp"
#include "ops/evaluate_columns.hpp"

namespace weir::execute::cpu {

class CpuPanes final : public QueryPanes {
 public:
  /// All but the tuning outlive the panes.
  CpuPanes(const plan::QueryPlan& query, WindowConsumer& consumer, WorkerPool& workers, const Tuning& tuning = {});
  ~CpuPanes() override;

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

  /// @brief The most that a query can hold with the panes and keys of `extent`, all of its groups in each pane, and
  /// `threads` threads.
  [[nodiscard]] static MemoryNeed worst_case(const plan::QueryPlan& query, const Extent& extent, unsigned threads);

 private:
  /// One thread's scratch and what it found out during accumulate().
  struct Worker;
  /// What close() has to do, decided before the threads start.
  struct Closing;

  // cpu_accumulate.cpp
  [[nodiscard]] std::uint32_t piece_rows(std::uint32_t rows) const noexcept;
  void accumulate_rows(Worker& worker, RowRange rows, const Horizon& horizon);
  void accumulate_chunk(Worker& worker, std::uint32_t first, std::uint32_t rows, const Horizon& horizon);
  std::uint32_t find_groups(Worker& worker, std::uint32_t first, std::uint32_t size, const std::uint32_t*& selected);
  void derive_columns(Worker& worker, std::uint32_t first, std::uint32_t rows);
  void split(Worker& worker, const Horizon& horizon, const std::uint32_t* selected, std::uint32_t size);
  void flush(Worker& worker, const std::uint32_t* selected, std::uint32_t begin, std::uint32_t end);
  void deposit(Worker& worker, std::int64_t start, const std::uint32_t* selected, const std::uint32_t* positions,
               std::uint32_t size);
  Pane* writable(Worker& worker, std::int64_t start, std::uint32_t rows);
  void scatter(Pane& pane, RowSet& rows, const std::uint32_t* keys) const;
  void add_deferred(Worker& worker, std::uint32_t row, const Horizon& horizon);
  void add_straggler(RowSet& rows, const std::uint32_t* keys, std::int64_t start);
  void raise_fronts(const RowSet& rows, Pane& pane, bool made);
  [[nodiscard]] bool in_gap(std::int64_t start) const noexcept;
  [[nodiscard]] std::int64_t pane_start(std::int64_t time) const noexcept;
  [[nodiscard]] const std::int64_t* input_times(std::uint32_t first) const noexcept { return batch_->times() + first; }
  /// From here on nothing is closed; readings before it have to reach more than their pane.
  [[nodiscard]] std::int64_t open_from(const Horizon& horizon) const noexcept {
    return horizon.closed_end > entered_end_ ? horizon.closed_end : entered_end_;
  }
  [[nodiscard]] const std::uint64_t* hashes_of(const Sketch& sketch) const noexcept {
    return sketch.kind() == Sketch::Kind::distinct ? view_.key_hashes[sketch.source()] : nullptr;
  }

  // cpu_close.cpp
  void take_shadows(Closing& closing, std::int64_t before);
  void plan_close(Closing& closing, std::int64_t end_ns, std::int64_t keep_from);
  std::uint32_t close_groups(const Closing& closing, GroupRange groups);
  std::uint32_t close_block(const Closing& closing, GroupRange block, std::uint32_t entry);
  bool slide_block(const Closing& closing, GroupRange block, std::uint32_t entry, std::uint32_t& entries);
  std::uint32_t pick_block(const Closing& closing, GroupRange block, std::uint32_t entry);
  void merge_block(const Closing& closing, GroupRange block);
  void stack_block(const Closing& closing, GroupRange block);
  template <class On>
  void each_section(const Pane& pane, GroupRange block, std::size_t from, const On& on);
  void settle();
  void rebuild(std::int64_t closed_end);
  void move_entries(std::uint32_t from, std::uint32_t to, std::uint32_t count);
  void resize_totals(std::size_t entries);
  [[nodiscard]] std::uint32_t piece_groups(std::uint32_t groups) const noexcept;
  template <class Work>
  void over_groups(std::uint32_t groups, const Work& work);

  // cpu_panes.cpp
  void make_room(std::uint32_t groups);
  [[nodiscard]] std::size_t output_of(const Sketch& sketch, std::size_t entry) const noexcept {
    return entry * (sketch.kind() == Sketch::Kind::quantile ? quantiles_ : distincts_) + sketch.output();
  }

  // cpu_checkpoint.cpp
  void save_pane(std::span<const Pane* const> parts, PaneEncoder& encoder) const;
  void finish_images() const;
  [[nodiscard]] PaneFormat format() const noexcept { return {query_, sections_, sketches_, quantiles_, distincts_}; }
  void read_group(const PaneGroup& group, std::int64_t start);

  const plan::QueryPlan& query_;
  WindowConsumer& consumer_;
  WorkerPool& workers_;
  const Tuning tuning_;

  // What the plan asks for.
  std::vector<std::unique_ptr<Section>> sections_;
  std::vector<Sketch> sketches_;
  std::vector<double> scales_;           ///< [field] → 10^places
  std::vector<double> argument_scales_;  ///< [argument] → 10^places
  Filter filter_;
  bool direct_;             ///< a window is one pane and shares none: totals come straight from its cells
  bool needs_times_;        ///< first or last
  bool needs_keys_;         ///< distinct
  std::size_t cell_bytes_;  ///< of a group in a pane, raw
  std::size_t quantiles_;
  std::size_t distincts_;

  // The batch.
  const batch::Batch* batch_ = nullptr;
  GroupView view_;
  ops::ColumnInput input_;
  std::vector<const std::int64_t*> fields_;
  std::uint32_t same_ids_ = 0;  ///< for the first so many keys, group id = key id
  bool identity_ = false;       ///< ... and these are all
  bool nulls_ = false;          ///< some value may be null
  StepCounts counts_;
  std::vector<std::uint32_t> late_rows_;

  // State.
  const std::shared_ptr<ImageMemory> memory_ = std::make_shared<ImageMemory>();
  PaneStore panes_;
  std::uint32_t groups_ = 0;    ///< groups that may have readings
  std::uint32_t room_ = 0;      ///< groups that sections and sketches have room for
  std::int64_t window_begin_;   ///< of the next window to close; panes before it have left
  std::int64_t entered_end_;    ///< panes before it have entered
  std::int64_t front_end_;      ///< panes before it are in the front stack, the others in the back
  std::size_t null_panes_ = 0;  ///< panes with nulls that have entered and not left
  std::vector<Straggler> stragglers_;

  // Reused storage.
  std::vector<std::unique_ptr<Worker>> scratch_;
  std::mutex panes_mutex_;  ///< guards panes_ where a worker of several begins to write to a pane
  std::unique_ptr<Closing> closing_;
  std::vector<GroupRange> ranges_;  ///< [piece of the groups] → entries that it wrote
  WindowTotals totals_;

  mutable std::vector<std::weak_ptr<PaneImage>> images_;  ///< of the last checkpoint
};

}  // namespace weir::execute::cpu
