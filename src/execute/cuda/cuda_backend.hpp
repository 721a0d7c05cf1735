// The backend that runs on a CUDA device, or on whatever else implements kernels/launch/device.hpp.
//
// One device serves all queries. Its calls come from the engine's thread, but for the columns' memory, which pools
// allocate where they are made.
#pragma once

#include <memory>
#include <string>

#include "execute/backend.hpp"
#include "execute/cuda/cuda_panes.hpp"
#include "kernels/launch/device.hpp"

namespace weir::execute::cuda {

/// Page-locked memory for batches, which the device copies from without help of the processor.
class PinnedColumns final : public batch::ColumnMemory {
 public:
  explicit PinnedColumns(kernels::Device& device) : device_(device) {}
  void* allocate(std::size_t bytes) override;
  void release(void* memory, std::size_t bytes) noexcept override;

 private:
  kernels::Device& device_;
};

class CudaBackend final : public Backend {
 public:
  /// @param threads of the CPU backend, which does the host's own work and takes over when the device is lost
  CudaBackend(std::unique_ptr<kernels::Device> device, unsigned threads, const Tuning& tuning = {});
  ~CudaBackend() override;

  [[nodiscard]] std::string name() const override { return device_->properties().name; }
  [[nodiscard]] std::string description() const override { return device_->properties().model; }
  batch::ColumnMemory& column_memory() override { return columns_; }
  [[nodiscard]] MemoryNeed worst_case(const plan::QueryPlan& query, const Extent& extent) const override;
  [[nodiscard]] std::uint64_t device_memory() const override { return device_->properties().memory; }
  void run_pieces(std::size_t pieces, const std::function<void(std::size_t)>& piece) override {
    cpu_->run_pieces(pieces, piece);
  }
  std::unique_ptr<QueryPanes> make_panes(const plan::QueryPlan& query, WindowConsumer& consumer,
                                         const Extent& extent) override;

  [[nodiscard]] kernels::Device& device() const noexcept { return *device_; }
  [[nodiscard]] const Tuning& tuning() const noexcept { return tuning_; }

 private:
  std::unique_ptr<kernels::Device> device_;
  std::unique_ptr<Backend> cpu_;
  PinnedColumns columns_;
  Tuning tuning_;
};

}  // namespace weir::execute::cuda
