// The backend that runs on the CPU's cores, always there. One worker pool serves all queries, one query at a time.
#pragma once

#include <string>

#include "execute/backend.hpp"
#include "execute/cpu/tuning.hpp"
#include "execute/cpu/worker_pool.hpp"

namespace weir::execute::cpu {

class CpuBackend final : public Backend {
 public:
  /// @param threads at least 1
  explicit CpuBackend(unsigned threads, const Tuning& tuning = {}) : workers_(threads), tuning_(tuning) {}

  [[nodiscard]] std::string name() const override { return "cpu"; }
  [[nodiscard]] std::string description() const override;
  batch::ColumnMemory& column_memory() override { return batch::host_column_memory(); }
  [[nodiscard]] MemoryNeed worst_case(const plan::QueryPlan& query, const Extent& extent) const override;
  void run_pieces(std::size_t pieces, const std::function<void(std::size_t)>& piece) override;
  std::unique_ptr<QueryPanes> make_panes(const plan::QueryPlan& query, WindowConsumer& consumer,
                                         const Extent& extent) override;

 private:
  WorkerPool workers_;
  const Tuning tuning_;
};

}  // namespace weir::execute::cpu
