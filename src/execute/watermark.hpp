// The watermark of a stream: largest event time seen minus out_of_order, the smallest over the non-idle sources.
//
// The tracker turns a batch into a WatermarkTrace: the watermark as a monotone function of the row, so that every query
// finds the exact row at which one of its windows closes, however the readings were cut into batches.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "batch/batch.hpp"
#include "state/serial.hpp"

namespace weir::execute {

/// "no watermark yet"
inline constexpr std::int64_t kNoWatermark = std::numeric_limits<std::int64_t>::min();

/// The watermark over the rows of one batch. Refers to the batch; valid as long as its columns.
class WatermarkTrace {
 public:
  /// @brief The first position p in [from, size] such that the watermark after the rows and ticks before and at p is
  /// >= threshold; that is: p < size means "row p (or a tick right before row p) lifts it there"; p == size a tick after
  /// the last row. size + 1: not within this batch.
  [[nodiscard]] std::uint32_t reach(std::int64_t threshold, std::uint32_t from) const noexcept;
  /// @brief The watermark after the whole batch.
  [[nodiscard]] std::int64_t final() const noexcept { return final_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

 private:
  friend class WatermarkTracker;
  static constexpr std::uint32_t kChunk = 1024;
  // One source, no ticks: computed from the times themselves, with a running maximum at the end of each chunk.
  const std::int64_t* times_ = nullptr;
  std::int64_t out_of_order_ = 0;
  std::vector<std::int64_t> chunk_end_;  ///< watermark after each chunk
  // Otherwise: spelt out. steps_[i] = (row, watermark from just before/at that row on), strictly rising.
  bool explicit_ = false;
  struct Step {
    std::uint32_t row;
    std::int64_t watermark;
  };
  std::vector<Step> steps_;
  std::int64_t before_ = kNoWatermark;
  std::int64_t final_ = kNoWatermark;
  std::uint32_t size_ = 0;
};

class WatermarkTracker {
 public:
  WatermarkTracker(std::size_t sources, std::int64_t out_of_order_ns);
  /// @brief Takes in the rows and ticks of the batch; `trace` is reused storage.
  void advance(const batch::Batch& batch, WatermarkTrace& trace);
  [[nodiscard]] std::int64_t watermark() const noexcept { return watermark_; }
  /// @brief The watermark of one source alone (kNoWatermark before its first reading).
  [[nodiscard]] std::int64_t watermark(std::size_t source) const noexcept;
  void save(state::Writer& out) const;
  void load(state::Reader& in);

 private:
  struct SourceState {
    std::int64_t newest = kNoWatermark;  ///< largest event time
    bool counts = true;                  ///< neither idle nor finished
  };
  void recompute();
  std::vector<SourceState> sources_;
  std::int64_t out_of_order_;
  std::int64_t watermark_ = kNoWatermark;
};

}  // namespace weir::execute
