// Panes on a device that may be lost: when it is, they go on on the CPU as if nothing had happened.
//
// What a lost device held is gone, so this keeps what it takes to compute it again: the panes as they were at the last
// snapshot (as in a checkpoint), and since then every call, with the columns of every finished batch that the query
// reads. A snapshot is copied in the background; until it is here, the one before and all calls stay. When a call
// fails, a CPU backend loads the snapshot, gets the calls again, and then the one that failed; windows that the
// consumer already has are not handed to it again. No row is lost, none is repeated.
//
// A new snapshot is taken with every checkpoint, whose bytes it shares, and when the columns that are kept outgrow the
// one before; then it is waited for. It copies the panes that changed since the one before. Owned by the query runner
// and used by the engine's thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "execute/cuda/chunk_upload.hpp"
#include "kernels/launch/device.hpp"

namespace weir::execute::cuda {

class FallbackPanes final : public QueryPanes {
 public:
  /// Makes the panes on the device for the given consumer. @throws kernels::DeviceError
  using MakePanes = std::unique_ptr<QueryPanes> (*)(void* context, const plan::QueryPlan& query,
                                                    WindowConsumer& consumer, const Extent& extent);
  /// @param cpu outlives the panes, as do query and consumer
  /// @param keep_bytes columns that are kept before there is a snapshot
  FallbackPanes(MakePanes make, void* context, Backend& cpu, const plan::QueryPlan& query, WindowConsumer& consumer,
                const Extent& extent, std::size_t keep_bytes);
  ~FallbackPanes() override;

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

  /// @brief Bytes on the host that it may keep for a query whose panes take `pane_bytes`.
  [[nodiscard]] static std::uint64_t worst_case(std::uint64_t pane_bytes, std::size_t keep_bytes) noexcept {
    // Two snapshots, while one is under way.
    return 2 * pane_bytes + std::max<std::uint64_t>(keep_bytes, pane_bytes);
  }

 private:
  /// Counts what it hands on; hands on nothing while the CPU catches up.
  class Counted final : public WindowConsumer {
   public:
    explicit Counted(WindowConsumer& consumer) : consumer_(consumer) {}
    void window(const WindowTotals& totals) override;
    std::uint64_t delivered = 0;  ///< since the snapshot
    std::uint64_t skip = 0;       ///< so many more are already there

   private:
    WindowConsumer& consumer_;
  };

  enum class Kind : std::uint8_t { begin, accumulate, close, take, revise, finish };
  /// A call since the snapshot.
  struct Call {
    Kind kind;
    RowRange rows{};
    Horizon horizon{};
    std::int64_t end_ns = 0;
    std::int64_t keep_from = 0;
    std::vector<std::uint32_t> groups;
    std::unique_ptr<batch::Batch> columns;  ///< begin: of a finished batch; nullptr: the one at hand
  };

  template <class OnPanes>
  void guarded(const OnPanes& call);
  void lose(const std::exception& reason) const;
  void replay(Call& call) const;
  void keep_columns();
  void order_snapshot() const;
  void settle(bool wait) const;

  Backend& cpu_;
  const plan::QueryPlan& query_;
  const ColumnNeeds needs_;
  const Extent extent_;
  std::size_t keep_bytes_;
  // The const calls, save() and occupied(), may be the ones that find the device lost.
  mutable Counted consumer_;
  mutable std::unique_ptr<QueryPanes> panes_;
  mutable bool lost_ = false;
  const batch::Batch* batch_ = nullptr;
  GroupView view_;
  std::int64_t closed_end_ = kNothingClosed;
  std::uint32_t groups_ = 0;

  /// The panes as a checkpoint has them, [start], and what was so when they were like that.
  struct Snapshot {
    std::map<std::int64_t, std::shared_ptr<state::DeferredChunk>> panes;
    std::int64_t closed_end = kNothingClosed;
    std::uint32_t groups = 0;
    std::size_t calls = 0;        ///< of calls_ that are in it
    std::uint64_t delivered = 0;  ///< windows before it, since the snapshot before
  };
  mutable Snapshot snapshot_;                ///< all made
  mutable std::optional<Snapshot> ordered_;  ///< the next one, while some panes are on their way
  mutable std::size_t snapshot_bytes_ = 0;
  mutable std::vector<Call> calls_;
  mutable std::size_t kept_bytes_ = 0;
  mutable std::vector<std::unique_ptr<batch::Batch>> spare_;  ///< reused storage
};

}  // namespace weir::execute::cuda
