// One stream of a live run: its journal, its sources, and the thread that tails the journal, decodes, and keeps the
// interval clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "journal/journal.hpp"
#include "runtime/engine.hpp"
#include "runtime/stream_feed.hpp"
#include "source/source.hpp"

namespace weir::runtime {

class LiveStream {
 public:
  LiveStream(const StreamFeed::Wiring& wiring, const StreamResume& resume);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  /// @brief Starts the worker, then the sources. @throws Error when a source cannot start.
  void start();
  /// @brief Sources stop; what they delivered is still decoded and handed to the engine; then the stream ends.
  void drain();
  /// @brief The engine is gone: give up at once.
  void abandon();

 private:
  void work();
  void advance_clock(std::int64_t now_ns);
  void check_idle(std::int64_t now_ns);
  void take(const journal::Record& record);

  StreamFeed::Wiring wiring_;
  const plan::StreamPlan& plan_;
  std::int64_t interval_ns_;
  StreamFeed feed_;
  std::unique_ptr<journal::Journal> journal_;
  std::vector<std::unique_ptr<decode::Decoder>> decoders_;
  std::vector<std::unique_ptr<source::Source>> sources_;
  struct SourceState {
    std::int64_t last_arrival_ns = 0;
    bool idle = false;
    bool finished = false;
  };
  std::vector<SourceState> states_;
  std::int64_t clock_ns_;
  bool ended_ = false;  ///< every source has finished
  std::thread worker_;
};

}  // namespace weir::runtime
