// The watermark of a stream: largest event time seen minus out_of_order, the smallest over the non-idle sources.
//
// A live stream's never passes the arrival clock: a reading that is ahead of its arrival (Batch::ahead) lifts it to the
// arrival, and Tick::arrival_clock then on to its event time as time passes. So one fast clock does not make the
// readings of all others late.
//
// The tracker turns a batch into a WatermarkTrace: the watermark as a monotone function of the row, so that every query
// finds the exact row at which one of its windows closes, however the readings were cut into batches. Both belong to
// the engine's thread.
//
// A source counts from the start, so one that has not delivered yet holds the watermark back. An idle or finished one
// does not; it counts again from just before its next reading on. When none counts the watermark stays where it is
// until Tick::watermark lifts it. It never goes back, but where the arrival clock itself was set back
// (Batch::clock_set_back_ns): what the clock had made of it before was wrong, and time begins anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "batch/batch.hpp"
#include "state/serial.hpp"

namespace weir::execute {

class Backend;

/// "no watermark yet"
inline constexpr std::int64_t kNoWatermark = std::numeric_limits<std::int64_t>::min();

/// The watermark over the rows of one batch. Refers to the batch; valid as long as its columns.
class WatermarkTrace {
 public:
  /// @brief The first position p in [from, size] such that the watermark after the rows and ticks before and at p is
  /// >= threshold; that is: p < size means "row p (or a tick right before row p) lifts it there"; p == size a tick
  /// after the last row. size + 1: not within this batch.
  [[nodiscard]] std::uint32_t reach(std::int64_t threshold, std::uint32_t from) const noexcept;
  /// @brief Where reach(threshold, …) answered `position`: the watermark after the one tick or row that lifted it
  /// there, without those that follow at the same position.
  [[nodiscard]] std::int64_t passing(std::int64_t threshold, std::uint32_t position) const noexcept;
  /// @brief The watermark after row `position` and the ticks before it; position == size: after the whole batch.
  [[nodiscard]] std::int64_t at(std::uint32_t position) const noexcept;
  /// @brief The largest event time among the rows before `position`, those of earlier batches included; kNoWatermark
  /// when there is none.
  [[nodiscard]] std::int64_t newest_before(std::uint32_t position) const noexcept;
  /// @brief The watermark after the whole batch.
  [[nodiscard]] std::int64_t final() const noexcept { return final_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  /// Time went back before the first row.
  struct NewBeginning {
    std::int64_t clock;      ///< the arrival clock now
    std::int64_t watermark;  ///< where it stands now
    std::int64_t newest;     ///< the largest event time before
  };
  [[nodiscard]] const std::optional<NewBeginning>& new_beginning() const noexcept { return new_beginning_; }

 private:
  friend class WatermarkTracker;
  /// Rows between two maxima that are kept: reach() scans at most so many, and 64 maxima serve a buffer of 65,536 rows.
  static constexpr std::uint32_t kChunk = 1024;

  /// Rows of one source without a tick between them: after row r the watermark is
  /// max(base, min(cap, largest time of the source up to r - out_of_order)), times held at the arrival.
  struct Span {
    std::uint32_t begin = 0;
    std::size_t first_chunk = 0;         ///< index in chunk_newest_
    std::int64_t base = kNoWatermark;    ///< the watermark before the first row, its ticks included
    std::int64_t cap = kNoWatermark;     ///< what the other sources allow
    std::int64_t own = kNoWatermark;     ///< what the source had reached before the first row
    std::int64_t newest = kNoWatermark;  ///< the largest time of any source before the first row
    std::int64_t after = kNoWatermark;   ///< the watermark after the last row
  };
  [[nodiscard]] std::vector<Span>::const_iterator first_span_reaching(std::int64_t threshold) const noexcept;
  [[nodiscard]] std::size_t span_of(std::uint32_t position) const noexcept;
  [[nodiscard]] std::int64_t own_before(const Span& span, std::uint32_t position) const noexcept;

  const std::int64_t* times_ = nullptr;  ///< of the batch, or held_
  std::vector<std::int64_t> held_;       ///< the batch's times, held at the arrival, where any is ahead of it
  std::vector<std::pair<std::uint32_t, std::int64_t>> ahead_;  ///< row, largest event time of rows ahead up to it
  std::int64_t out_of_order_ = 0;
  std::vector<Span> spans_;                 ///< ascending begins; at least one
  std::vector<std::int64_t> chunk_newest_;  ///< largest time of the span's source up to the end of each chunk of it
  std::int64_t final_ = kNoWatermark;
  std::uint32_t size_ = 0;
  std::optional<NewBeginning> new_beginning_;
};

class WatermarkTracker {
 public:
  WatermarkTracker(std::size_t sources, std::int64_t out_of_order_ns);
  /// @brief Takes in the rows and ticks of the batch; `trace` is reused storage. With a backend, its threads share the
  /// pass over the event times.
  void advance(const batch::Batch& batch, WatermarkTrace& trace, Backend* backend = nullptr);
  [[nodiscard]] std::int64_t watermark() const noexcept { return watermark_; }
  /// @brief The watermark of one source alone (kNoWatermark before its first reading).
  [[nodiscard]] std::int64_t watermark(std::size_t source) const noexcept;
  /// @brief The largest event time seen, kNoWatermark before the first reading.
  [[nodiscard]] std::int64_t newest() const noexcept { return newest_; }
  /// @brief The source that holds the watermark where it is while another one is further, if there is one.
  [[nodiscard]] std::optional<std::size_t> holder() const noexcept;
  void save(state::Writer& out) const;
  /// @throws Error when the state is damaged or belongs to another number of sources.
  void load(state::Reader& in);

 private:
  struct SourceState {
    std::int64_t newest = kNoWatermark;   ///< largest event time
    std::int64_t reached = kNoWatermark;  ///< likewise, held at the arrival clock
    bool counts = true;                   ///< neither idle nor finished
  };
  /// The smallest watermark of the sources that count, `except` left out; the largest instant when none does.
  [[nodiscard]] std::int64_t smallest(std::size_t except) const noexcept;
  void lift();
  /// The arrival clock was set back: nothing stands beyond it any more. True when the watermark went back.
  bool begin_anew(std::int64_t clock);
  void hold_at_arrival(const batch::Batch& batch, WatermarkTrace& trace) const;
  /// Appends the largest time of each chunk.
  static void append_chunks(const std::int64_t* times, std::uint32_t count, Backend* backend,
                            std::vector<std::int64_t>& out);
  void apply(const batch::Tick& tick);

  std::vector<SourceState> sources_;
  std::int64_t out_of_order_;
  std::int64_t newest_ = kNoWatermark;
  std::int64_t watermark_ = kNoWatermark;
};

}  // namespace weir::execute
