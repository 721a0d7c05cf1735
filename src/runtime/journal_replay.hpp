// Replays a stream from a recorded journal: its messages in their order with their arrival times, and its ticks, so the
// rows are those of the live run that wrote it.
#pragma once

#include <memory>
#include <string>

#include "journal/durable_journal.hpp"
#include "runtime/pipeline.hpp"
#include "runtime/record_feed.hpp"
#include "runtime/stream_replay.hpp"

namespace weir::runtime {

class JournalReplay final : public StreamReplay {
 public:
  /// @param path a segment, or a directory of them @throws Error when it cannot be read
  JournalReplay(const StreamFeed::Wiring& wiring, const StreamResume& resume, const ReplayOptions& options,
                const std::string& path);
  ~JournalReplay() override;

 private:
  void work() override;
  void replay();

  StreamFeed::Wiring wiring_;
  const ReplayOptions& options_;
  bool arrival_time_;
  bool ended_before_;
  bool grew_ = false;  // since it had ended
  std::unique_ptr<journal::JournalReader> reader_;
  std::unique_ptr<RecordFeed> feed_;
};

}  // namespace weir::runtime
