// The segments of an open journal: appending, going over to the next one, making durable, letting go.
//
// It has no lock of its own: it shares the journal's, which makes an append and the state around it one step. What says
// "lock held" is called with it, the rest without it. Locks are taken in this order: that of releasing, the journal's,
// those inside of the supply and the finisher.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/posix_file.hpp"
#include "journal/durable_journal.hpp"
#include "journal/live_segment.hpp"
#include "journal/recovery.hpp"
#include "journal/segment_finisher.hpp"
#include "journal/segment_supply.hpp"

namespace weir::journal {

/// @brief The segment that goes on behind what was found, not begun. Made before anything is changed, so that a disk
/// without room refuses the start. @throws FileError, Error
std::shared_ptr<LiveSegment> make_first_segment(const DurableOptions& options, RecoveredSegments& found);

class SegmentChain {
 public:
  /// @param found what there was, put in order; the first new segment goes on from it
  /// @param first that one, not begun
  /// @param mutex the journal's
  /// @param changed called with the lock held when append() may succeed again, or nothing will any more
  /// @throws Error when there cannot be a new segment
  SegmentChain(const DurableOptions& options, const RecoveredSegments& found, std::shared_ptr<LiveSegment> first,
               std::mutex& mutex, std::function<void()> changed);
  /// Completes the active segment, durably, unless the journal has failed.
  ~SegmentChain();
  SegmentChain(const SegmentChain&) = delete;
  SegmentChain& operator=(const SegmentChain&) = delete;

  /// @brief Gives the record its number and appends it; false when there is no segment with room for it now: wait for
  /// `changed`. The end of a segment is kept free for records that are no messages. Lock held.
  bool append(Record& record);
  /// @brief The segment after `segment`, or nullptr where that is the active one; nullptr: the first. Each can be asked
  /// for once, in their order. Lock held.
  std::shared_ptr<LiveSegment> after(const LiveSegment* segment);
  /// @brief Every record before `number` survives a power cut when it returns true; false when the journal has failed.
  /// Those who wait at the same time share one sync. Lock held, and given up meanwhile.
  bool sync_before(std::unique_lock<std::mutex>& lock, std::uint64_t number);
  /// @brief Number of the next record. Lock held.
  [[nodiscard]] std::uint64_t next_number() const noexcept { return next_number_; }
  /// @brief One line; empty: none. For good: what was not synced once is never promised again. Lock held.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  /// @brief The same for whoever passes it on; a failure that nobody was told of is a notice at the end.
  [[nodiscard]] const std::string& tell_failure() noexcept {
    told_of_failure_ = true;
    return failure_;
  }
  [[nodiscard]] bool disk_full() const noexcept { return supply_->disk_full(); }

  /// @brief Removes segments whose records all lie before `number`, never the active one. What cannot be removed is
  /// tried again by the next call. Without the lock.
  void release_before(std::uint64_t number) noexcept;

 private:
  void tell_the_last_of(const RecoveredSegments& found);
  bool rotate(std::uint64_t bytes);
  void use(std::shared_ptr<LiveSegment> segment);
  void completed(const LiveSegment& segment);
  void supply_changed(const std::string& failure);
  void tell_of_removal();
  void set_failure(const std::string& what);
  std::string next_to_release(std::uint64_t number);

  const DurableOptions& options_;
  std::mutex& mutex_;
  const std::function<void()> changed_;
  const std::uint64_t reserve_;

  std::mutex release_mutex_;
  std::condition_variable synced_;
  std::shared_ptr<LiveSegment> active_;
  std::deque<std::shared_ptr<LiveSegment>> to_read_;  // not yet asked for
  std::vector<std::shared_ptr<LiveSegment>> unsynced_;
  std::deque<SegmentName> kept_;  // all there are, the active one last
  std::uint64_t next_number_ = 0;
  std::uint64_t synced_number_ = 0;
  bool syncing_ = false;
  bool told_of_removal_ = false;
  std::string failure_;
  bool told_of_failure_ = false;

  std::optional<SegmentFinisher> finisher_;
  std::optional<SegmentSupply> supply_;
};

}  // namespace weir::journal
