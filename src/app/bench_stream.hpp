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
#include "state/checkpoint_store.hpp"

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

/// The same readings in the engine's columns: batches of the default size, as decoders leave them.
class EngineBlock {
 public:
  EngineBlock(const StreamShape& shape, const std::vector<HandReading>& readings);
  /// @brief Moves all event times on by the length of the block. Not to be measured.
  void repeat();
  [[nodiscard]] const std::vector<std::unique_ptr<batch::Batch>>& batches() const noexcept { return batches_; }

 private:
  std::int64_t length_ns_;
  std::vector<std::unique_ptr<batch::Batch>> batches_;
};

/// The engine with everything behind the decoder: watermark, runner, backend, result rows. count, sum, min, max.
class BenchEngine {
 public:
  BenchEngine(const StreamShape& shape, unsigned threads);
  ~BenchEngine();

  /// @brief Runs over the block.
  void run(const EngineBlock& block);
  /// @brief Keys, watermark and panes.
  void save(state::CheckpointDraft& draft) const;
  /// @brief Of an engine that has run over nothing.
  void load(const state::Checkpoint& checkpoint);

  /// @brief The windows' rows, if set: for checking, not while measuring.
  void (*on_rows)(void* context, const batch::ResultTable& rows) = nullptr;
  void* context = nullptr;
  /// @brief The key of a row's group.
  [[nodiscard]] static std::uint32_t key_of(std::string_view group);
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint64_t bytes() const { return runner_->bytes(); }

 private:
  void take(batch::ResultTable& rows);

  plan::Plan plan_;
  batch::KeyDictionary keys_;
  std::unique_ptr<execute::Backend> backend_;
  std::unique_ptr<execute::QueryRunner> runner_;
  execute::WatermarkTracker tracker_;
  execute::WatermarkTrace trace_;
  std::unique_ptr<batch::ResultTable> table_;
  std::vector<std::uint32_t> late_;
  std::uint64_t rows_ = 0;
};

}  // namespace weir::app
