// Journal records to batches: decodes messages, keeps the arrival clock, decides when a source counts as idle. Decides
// by the records alone, so a journal that is read again (recovery, replay of a recording) gives the same batches' rows
// and marks as the first time. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/topic_pattern.hpp"
#include "decode/decoder.hpp"
#include "journal/record.hpp"
#include "runtime/ahead_watch.hpp"
#include "runtime/engine.hpp"
#include "runtime/stream_feed.hpp"

namespace weir::runtime {

class RecordFeed {
 public:
  /// The arrival clock and the first interval come from the checkpoint, or from the first record.
  RecordFeed(const StreamFeed::Wiring& wiring, const StreamResume& resume);
  RecordFeed(const RecordFeed&) = delete;
  RecordFeed& operator=(const RecordFeed&) = delete;

  /// @brief Takes the next record in the order of the journal.
  void take(const journal::Record& record);
  /// @brief The last batch: closes every window if the stream has `ended`.
  void finish(bool ended) { feed_.finish(ended); }

  /// @brief The clock is to be told (by a tick) when it reaches this instant; the smallest int64 before the first
  /// record.
  [[nodiscard]] std::int64_t next_tick() const noexcept { return feed_.interval_end(); }
  /// @brief Every source has finished.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// @brief Why sources gave up since the last start.
  [[nodiscard]] const std::vector<std::string>& failed_sources() const noexcept { return failed_sources_; }
  /// @brief The engine is gone.
  [[nodiscard]] bool stopped() const noexcept { return feed_.stopped(); }
  [[nodiscard]] StreamFeed& feed() noexcept { return feed_; }

 private:
  /// What a source's messages are held to, whatever the journal was written with.
  struct Admitted {
    bool mqtt = false;
    std::uint64_t max_message = 0;
    std::vector<TopicPattern> topics;
  };
  struct SourceState {
    std::int64_t last_arrival_ns = 0;  ///< of a reading
    bool idle = false;
    bool finished = false;
  };
  void message(const journal::Record& record);
  [[nodiscard]] std::optional<batch::Malformed> refusal(const batch::MessageView& message) const;
  void finished(const journal::Record& record);
  [[nodiscard]] bool nothing_held_back() const noexcept;
  void started(std::int64_t now_ns);
  void advance_clock(std::int64_t now_ns);
  void heard(std::uint32_t source);
  [[nodiscard]] std::int64_t held() const noexcept { return stream_.arrival_time ? kLatest : clock_ns_; }
  [[nodiscard]] std::int64_t latest() const noexcept;
  void check_idle(std::int64_t now_ns);
  void write_state(batch::FeedState& state) const;

  const plan::StreamPlan& stream_;
  std::int64_t interval_ns_;
  std::uint64_t longest_message_;  ///< a line with its end, or a block of shorter ones
  StreamFeed feed_;
  std::vector<std::unique_ptr<decode::Decoder>> decoders_;
  std::vector<Admitted> admitted_;  ///< [source]
  std::vector<SourceState> sources_;
  std::int64_t clock_ns_;
  AheadWatch ahead_watch_;
  std::uint64_t next_record_ = 0;
  bool ended_ = false;
  std::vector<std::string> failed_sources_;
};

}  // namespace weir::runtime
