// Brings rows of a batch to the device: only the columns that the plan reads, each in the narrowest encoding that is
// exact.
//
//   keys    32 bits as they are
//   fields  32 bits when all values of the chunk fit and none is the smallest int32; else the 64-bit column
//   times   32-bit offsets from the chunk's smallest, in ns, us, ms or s, when that is exact; else the 64-bit column
//
// What is narrowed goes through a page-locked stage, together with the chunk's small tables, in one copy; a column that
// keeps its width is copied straight from the batch. Stages take turns, so a chunk is encoded while the one before
// is copied and the one before that is in its kernel. Where device and host share memory, columns of mapped batches are
// read in place.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "batch/batch.hpp"
#include "execute/backend.hpp"
#include "execute/cuda/device_memory.hpp"
#include "plan/plan.hpp"

namespace weir::execute::cuda {

/// Which columns a plan reads.
struct ColumnNeeds {
  bool times = false;
  bool keys = false;
  std::vector<bool> fields;
};

/// @brief The columns that a query reads; times also when rows have to find their pane.
ColumnNeeds columns_of(const plan::QueryPlan& query);

class ChunkUpload {
 public:
  /// @param host whose threads narrow columns together; nullptr: the calling one alone
  ChunkUpload(kernels::Device& device, const plan::QueryPlan& query, Backend* host = nullptr);

  /// @brief The smallest and the largest of the times of these rows.
  std::pair<std::int64_t, std::int64_t> span(const batch::Batch& batch, RowRange rows) const;

  /// @brief Encodes rows and copies them; launches in `compute` may use the result until release().
  /// @param oldest the smallest time among the rows
  /// @param newest the largest
  kernels::ChunkView upload(const batch::Batch& batch, RowRange rows, std::int64_t oldest, std::int64_t newest,
                            std::span<const kernels::PaneTarget> panes, const kernels::Stream& compute);
  /// @brief The launches that read the last upload are in `compute`.
  void release(const kernels::Stream& compute);
  /// @brief Of the last upload: the largest magnitude of a field's values.
  [[nodiscard]] std::uint64_t magnitude(std::size_t field) const noexcept { return magnitudes_[field]; }

  [[nodiscard]] std::size_t host_bytes() const noexcept;
  [[nodiscard]] std::size_t device_bytes() const noexcept;
  struct Bytes {
    std::uint64_t host = 0;  ///< page-locked
    std::uint64_t device = 0;
  };
  /// @brief What uploads of at most so many rows into so many panes need.
  [[nodiscard]] static Bytes planned_bytes(const plan::QueryPlan& query, std::uint32_t rows, std::uint64_t panes);
  /// @brief Allocates that.
  void reserve(std::uint32_t rows, std::uint64_t panes);

 private:
  struct Stage {
    explicit Stage(kernels::Device& device) : host(device), memory(device), released(device.make_event()) {}
    PinnedArray<std::byte> host;
    DeviceArray<std::byte> memory;
    kernels::Event released;  ///< nobody reads what was here any more
    bool used = false;
  };
  static constexpr std::size_t kStages = 3;

  /// How a stage is divided: tables and narrow columns, which go through the host's part, then columns of full width.
  struct StageBytes {
    std::size_t tables;
    std::size_t narrow;  ///< tables included
    std::size_t all;
  };
  static StageBytes stage_bytes(const ColumnNeeds& needs, std::uint32_t rows, std::uint64_t panes);
  template <class Work>
  void over_rows(std::uint32_t rows, const Work& work) const;
  template <std::uint64_t kUnit>
  bool try_offsets(const std::int64_t* times, std::uint32_t rows, std::int64_t base, std::int64_t newest,
                   std::uint32_t* out) const;
  std::byte* place(Stage& stage, std::size_t bytes, std::size_t& offset) const noexcept;
  const void* copy_column(Stage& stage, const void* column, std::size_t bytes);
  kernels::TimeColumn encode_times(Stage& stage, const std::int64_t* times, std::uint32_t rows, std::int64_t oldest,
                                   std::int64_t newest);
  kernels::FieldColumn encode_field(Stage& stage, const std::int64_t* values, std::uint32_t rows,
                                    std::uint64_t& magnitude);

  kernels::Device& device_;
  Backend* host_;
  ColumnNeeds needs_;
  kernels::Stream copies_;
  kernels::Event copied_;
  std::vector<Stage> stages_;
  std::size_t current_ = 0;
  std::size_t staged_ = 0;  ///< bytes of the current stage that its one copy takes
  std::size_t direct_ = 0;  ///< where columns begin that are copied straight
  std::vector<std::uint64_t> magnitudes_;
  std::vector<kernels::FieldColumn> columns_;
};

}  // namespace weir::execute::cuda
