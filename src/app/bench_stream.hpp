// A stream of readings in memory and an engine that runs over it: what `weir bench engine` and `sliding` measure.
//
// The stream is a block of whole slides that repeats for ever, later each time. Every sensor reports at its rate, with
// its own phase, so readings of one sensor are a whole round apart and neighbours in the stream are no neighbours in
// the cells. Values are a seeded random walk of thousandths.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/hand_coded.hpp"
#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "execute/backend.hpp"
#include "execute/query_runner.hpp"
#include "execute/watermark.hpp"
#include "plan/plan.hpp"

namespace weir::app {

struct StreamShape {
  std::uint32_t keys = 0;
  std::uint32_t hz = 0;       ///< readings a second and key
  std::uint32_t seconds = 0;  ///< of a block
  std::uint32_t window_s = 60;
  std::uint32_t slide_s = 10;
  [[nodiscard]] std::uint64_t readings() const noexcept { return std::uint64_t{keys} * hz * seconds; }
};

/// The readings of a block, in order of time.
std::vector<HandReading> make_readings(const StreamShape& shape);

/// The engine with everything behind the decoder: watermark, runner, backend, result rows. count, sum, min, max.
class BenchEngine {
 public:
  /// @param readings a block; copied into batches of the default size
  BenchEngine(const StreamShape& shape, const std::vector<HandReading>& readings, unsigned threads);
  ~BenchEngine();

  /// @brief Sets the event times of the next repetition of the block. Not to be measured.
  void prepare();
  /// @brief Runs over the block.
  void run();

  /// @brief The windows' rows, if set: for checking, not while measuring.
  void (*on_rows)(void* context, const batch::ResultTable& rows) = nullptr;
  void* context = nullptr;
  /// @brief The key of a row's group.
  [[nodiscard]] static std::uint32_t key_of(std::string_view group);
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint64_t bytes() const { return runner_->bytes(); }

 private:
  StreamShape shape_;
  plan::Plan plan_;
  batch::KeyDictionary keys_;
  std::unique_ptr<execute::Backend> backend_;
  std::unique_ptr<execute::QueryRunner> runner_;
  execute::WatermarkTracker tracker_;
  execute::WatermarkTrace trace_;
  std::vector<std::unique_ptr<batch::Batch>> batches_;
  std::unique_ptr<batch::ResultTable> table_;
  std::vector<std::uint32_t> late_;
  std::uint64_t rows_ = 0;
  std::uint64_t repetition_ = 0;
};

}  // namespace weir::app
