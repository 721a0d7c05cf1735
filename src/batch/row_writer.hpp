// How a decoder writes readings into the batch: fill the columns of the current row, then commit or reject it.
//
// Used by one thread. Nothing here is virtual but the two hooks, which are called once a full batch and once a
// malformed reading.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/malformed.hpp"
#include "core/decimal.hpp"
#include "core/instant.hpp"

namespace weir::batch {

class RowWriter {
 public:
  /// Who owns the batches and the dead letters.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// @brief The batch is full: seal it, hand it on, return an empty one (waits for the pool).
    virtual Batch& batch_full(Batch& full) = 0;
    /// @brief The dictionary has no room for a new key: hand the batch on as in batch_full(), wait until keys that are
    /// long silent are released, return an empty batch. nullptr, and nothing done: none can be released now.
    virtual Batch* keys_full(Batch& /*full*/) { return nullptr; }
    /// @brief A reading was refused; `sample` is its text (any length, any bytes), valid during the call.
    /// @param member the member or column that is to blame, as the configuration names it; empty: none alone
    virtual void malformed(Malformed reason, std::string_view sample, std::string_view member) = 0;
  };

  RowWriter(KeyDictionary& keys, Owner& owner) : keys_(&keys), owner_(&owner) {}

  /// @brief Writes into `batch` from now on.
  void attach(Batch& batch) noexcept {
    batch_ = &batch;
    times_ = batch.times();
    ids_ = batch.keys();
    row_ = batch.size();
    capacity_ = batch.capacity();
  }

  /// @brief Readings with an event time outside [from_ns, to_ns) were not asked for: they are neither received nor
  /// refused. The largest int64 as `to_ns` is no bound.
  void set_range(std::int64_t from_ns, std::int64_t to_ns) noexcept {
    from_ns_ = from_ns;
    to_ns_ = to_ns;
  }
  /// @brief Readings that were not asked for, so far.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }
  /// @brief Event times outside are refused as `bad_time`: what is computed from them would not be representable.
  void set_times(InstantRange times) noexcept { times_allowed_ = times; }

  /// @brief What the following readings have in common. @param latest_time_ns later event times are refused as `future`
  /// (arrival + max_ahead live; the largest int64 in a replay).
  /// @param held_ns readings with later event times are marked as ahead (arrival live; the largest int64 in a replay)
  void begin_message(std::uint32_t source, std::int64_t arrival_ns, std::int64_t latest_time_ns,
                     std::int64_t held_ns = kLatest) noexcept {
    arrival_ns_ = arrival_ns;
    held_ns_ = held_ns;
    latest_time_ns_ = latest_time_ns;
    times_taken_.first = std::max(times_allowed_.first, from_ns_);
    times_taken_.last = std::min({times_allowed_.last, latest_time_ns, to_ns_ == kLatest ? kLatest : to_ns_ - 1});
    if (batch_->runs.empty() || batch_->runs.back().source != source) {
      batch_->runs.push_back({row_, source});
    }
    source_ = source;
  }

  [[nodiscard]] std::int64_t arrival_ns() const noexcept { return arrival_ns_; }
  [[nodiscard]] KeyDictionary& keys() noexcept { return *keys_; }
  /// @brief For a new key that the dictionary has no room for: has long silent ones released, where the owner does such
  /// things. The current row's time and fields stay as they are. @return whether to try again: ids have changed
  bool release_keys();

  // The current row's columns. Set the time and every field, and last the key, which may take a new place in the
  // dictionary: a reading that is refused takes none. Then commit() once.
  void time(std::int64_t ns) noexcept { times_[row_] = ns; }
  /// @brief Whether a reading of the current row's time is taken; if not, refuse_time() and no commit().
  [[nodiscard]] bool takes_time() const noexcept { return times_taken_.contains(times_[row_]); }
  void key(std::uint32_t id) noexcept { ids_[row_] = id; }
  void field(std::size_t i, std::int64_t units) noexcept { batch_->field(i)[row_] = units; }
  void null_field(std::size_t i) noexcept {
    batch_->field(i)[row_] = kNullUnits;
    batch_->may_have_nulls = true;
  }

  /// @brief The current row is a reading, `rounded` of whose fields lost digits.
  void commit(std::uint32_t rounded = 0) {
    if (times_[row_] > held_ns_) [[unlikely]] {
      mark_ahead();
    }
    if (rounded != 0) [[unlikely]] {
      batch_->rounded += rounded;
    }
    ++batch_->received;
    batch_->set_size(++row_);
    if (row_ == capacity_) [[unlikely]] {
      next_batch();
    }
  }

  /// @brief The current reading's time is not taken: it is none to compute with, too far ahead of its arrival, or was
  /// not asked for.
  void refuse_time(std::string_view sample) {
    if (!times_allowed_.contains(times_[row_])) {
      reject(Malformed::bad_time, sample);
    } else if (times_[row_] > latest_time_ns_) {
      reject(Malformed::future, sample);
    } else {
      ++left_out_;
    }
  }

  /// @brief The current reading is malformed: counted, offered to the dead letters, its row reused.
  /// @param member as Owner::malformed() has it
  void reject(Malformed reason, std::string_view sample, std::string_view member = {}) {
    ++batch_->received;
    ++batch_->malformed[static_cast<std::size_t>(reason)];
    owner_->malformed(reason, sample, member);
  }

 private:
  void next_batch();
  void mark_ahead();

  KeyDictionary* keys_;
  Owner* owner_;
  Batch* batch_ = nullptr;
  std::int64_t* times_ = nullptr;
  std::uint32_t* ids_ = nullptr;
  std::uint32_t row_ = 0;
  std::uint32_t capacity_ = 0;
  std::uint32_t source_ = 0;
  std::int64_t arrival_ns_ = 0;
  std::int64_t latest_time_ns_ = 0;
  std::int64_t held_ns_ = 0;
  InstantRange times_allowed_;
  std::int64_t from_ns_ = kEarliest;
  std::int64_t to_ns_ = kLatest;
  InstantRange times_taken_;
  std::uint64_t left_out_ = 0;
  std::vector<std::int64_t> row_kept_;  ///< the current row while release_keys() changes the batch
};

}  // namespace weir::batch
