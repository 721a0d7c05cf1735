// One stream of a replay: reads recorded files in its own thread, so that the order of several inputs is decided by the
// data alone (the one with the smallest watermark is read next), at full speed or paced by event time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/arrival_clock.hpp"
#include "runtime/pipeline.hpp"
#include "runtime/stream_feed.hpp"
#include "runtime/stream_replay.hpp"
#include "source/source.hpp"

namespace weir::runtime {

class ReplayStream final : public StreamReplay {
 public:
  ReplayStream(const StreamFeed::Wiring& wiring, const StreamResume& resume, const ReplayOptions& options);
  ~ReplayStream() override;

 private:
  struct Input;
  void work() override;
  void open_inputs(bool resume);
  void read_one();
  void read_merged();
  bool next_message(Input& input);
  bool refill(Input& input);
  void decode_next(Input& input);
  void pace(std::int64_t newest);
  [[nodiscard]] bool stopping() const noexcept { return pacer_.stopped() || feed_.stopped(); }

  StreamFeed::Wiring wiring_;
  const plan::StreamPlan& plan_;
  StreamResume resume_;
  ReplayOptions options_;
  StreamFeed feed_;
  ArrivalClock clock_;  ///< of a stream in arrival time
  std::vector<std::unique_ptr<Input>> inputs_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace weir::runtime
