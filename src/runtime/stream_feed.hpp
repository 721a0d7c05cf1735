// One stream's messages to sealed batches: decodes into the current batch, puts the marks between rows (interval ends,
// idle sources), seals full batches and hands them to the engine. Used by the stream's one decoding thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/row_writer.hpp"
#include "core/instant.hpp"
#include "decode/decoder.hpp"
#include "plan/plan.hpp"
#include "runtime/batch_flow.hpp"
#include "runtime/malformed_log.hpp"
#include "state/serial.hpp"

namespace weir::sink {
class DeadLetters;
}

namespace weir::runtime {

/// Which clock ends the batch intervals.
enum class IntervalClock : std::uint8_t {
  none,       ///< nobody asks for them
  arrival,    ///< the recorded arrival instants, through advance_arrival_clock()
  event_time  ///< replay of input without arrival: the running maximum of event time (semantics §3)
};

/// Rows that a replay leaves out or moves in time.
struct ReplayRange {
  std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();  ///< exclusive
  std::int64_t shift_ns = 0;                                      ///< added to every event time (--loop)
};

/// What a message held beside its readings.
struct MessageCounts {
  batch::MalformedCounts malformed{};
  std::uint64_t rounded = 0;
  std::uint64_t payload_bytes = 0;
  void add(const batch::Batch& staged);
};

class StreamFeed final : private batch::RowWriter::Owner {
 public:
  struct Wiring {
    std::size_t stream;
    const plan::Plan* plan;
    batch::KeyDictionary* keys;
    BatchPool* pool;
    BatchQueue* queue;
    sink::DeadLetters* dead_letters;  ///< may be nullptr
  };
  StreamFeed(const Wiring& wiring, IntervalClock clock);
  ~StreamFeed() override;

  /// @brief Decodes a message with the source's decoder. @param arrival_ns as recorded, not before the last one
  /// @param latest_time_ns, held_ns as RowWriter::begin_message() has them
  void message(const batch::MessageView& message, decode::Decoder& decoder, std::int64_t arrival_ns,
               std::int64_t latest_time_ns = kLatest, std::int64_t held_ns = kLatest);
  /// @brief Appends row `row` of `from` as a reading of `source` (several files merged by event time).
  void copy_row(const batch::Batch& from, std::uint32_t row, std::uint32_t source);
  /// @brief Adds what was counted beside the rows of a merged message.
  void add_counts(const MessageCounts& counts);
  /// @brief A malformed reading's text goes to the log, the first of its reason, and to the dead letters, as far as the
  /// interval's limit allows.
  void malformed(batch::Malformed reason, std::string_view sample, std::string_view member) override;
  void position(std::uint32_t source, std::uint64_t offset, std::string_view detail);
  /// @brief Lets a decoder hand on a reading that the end of its input completes.
  void finish_input(std::uint32_t source, decode::Decoder& decoder, std::int64_t arrival_ns,
                    std::int64_t latest_time_ns = kLatest, std::int64_t held_ns = kLatest);

  void tick(batch::Tick tick);
  /// @brief The arrival clock stands at `now_ns`: ends the intervals that are over, and for streams in arrival time
  /// lifts the watermark to their end. True when an interval ended.
  bool advance_arrival_clock(std::int64_t now_ns);
  /// @brief The arrival clock was set back to `now_ns`: hands the batch on, ends the open interval, and begins anew.
  void set_arrival_clock_back(std::int64_t now_ns);
  /// @brief Told of each reading ahead of its arrival, on this thread: key, event time, arrival.
  void set_on_ahead(std::function<void(std::uint32_t, std::int64_t, std::int64_t)> call) {
    on_ahead_ = std::move(call);
  }
  void shed(std::uint64_t messages);
  void set_range(const ReplayRange& range);

  /// @brief Hands the batch on, also an empty one, and takes a new one. False when the engine has stopped.
  bool seal();
  /// @brief Seals when the batch is more than half full; called at message boundaries, where a checkpoint may be taken.
  bool seal_if_full();
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// @brief The last batch: `ended` closes every open window. Then the stream is over.
  void finish(bool ended);

  [[nodiscard]] std::uint32_t rows() const noexcept { return batch_ ? batch_->size() : 0; }
  /// @brief Readings so far, also duplicates and those that a replay leaves out.
  [[nodiscard]] std::uint64_t readings() const noexcept { return handed_on_ + rows() + writer_.left_out(); }
  [[nodiscard]] std::int64_t newest_event_time() const noexcept { return newest_event_time_; }
  [[nodiscard]] std::int64_t oldest_event_time() const noexcept { return oldest_event_time_; }
  /// @brief Called before a batch is handed on, e.g. to put positions into it.
  void set_before_hand_on(std::function<void(batch::Batch&)> call) { before_hand_on_ = std::move(call); }
  /// @brief A checkpoint may be taken in the middle of a message: the positions count readings.
  void set_divisible_messages() { divisible_ = true; }
  /// @brief Whether a checkpoint may be taken after the last message: no decoder holds back a part of one.
  void set_boundary(bool boundary) {
    if (!stopped_) {
      batch_->at_message_boundary = boundary;
    }
  }
  /// @brief End of the interval that is being collected (event-time clock), for the checkpoint.
  [[nodiscard]] std::int64_t interval_end() const noexcept { return interval_end_; }
  void set_interval_end(std::int64_t end_ns) noexcept { interval_end_ = end_ns; }
  /// @brief Goes on with the keys where a checkpoint left off. @param newest_time_ns of all readings before
  /// @param next_release_ns when keys may be released next, by newest event time
  void set_key_clock(std::int64_t newest_time_ns, std::int64_t next_release_ns) noexcept {
    key_clock_ns_ = newest_time_ns;
    next_key_release_ns_ = next_release_ns;
  }

 private:
  batch::Batch& batch_full(batch::Batch& full) override;
  batch::Batch* keys_full(batch::Batch& full) override;
  batch::Batch& spill();
  void after_rows();
  void mark_event_time_intervals();
  void hand_on();
  void next_malformed_interval();
  [[nodiscard]] const std::string& name() const;

  Wiring wiring_;
  IntervalClock clock_;
  std::int64_t interval_ns_;
  std::int64_t interval_end_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t newest_event_time_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t oldest_event_time_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t key_clock_ns_ = kEarliest;  ///< newest event time of all of the stream's life
  std::int64_t next_key_release_ns_ = kEarliest;
  std::int64_t arrival_ns_ = 0;
  std::function<void(batch::Batch&)> before_hand_on_;
  std::function<void(std::uint32_t, std::int64_t, std::int64_t)> on_ahead_;
  std::uint64_t handed_on_ = 0;  ///< rows
  bool divisible_ = false;
  std::int64_t shift_ns_ = 0;   ///< of a replay's range
  std::uint32_t examined_ = 0;  ///< rows of the current batch that after_rows() has seen
  std::size_t ahead_examined_ = 0;
  std::unique_ptr<batch::Batch> batch_;
  batch::RowWriter writer_;
  MalformedLog malformed_log_;
  std::unique_ptr<batch::Batch> spill_;  ///< takes rows nobody wants once the engine has stopped
  bool stopped_ = false;
};

}  // namespace weir::runtime
