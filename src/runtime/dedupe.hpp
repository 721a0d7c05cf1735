// Drops readings that were delivered twice (semantics §7): same key tuple and same event time, or same declared
// sequence number, as a reading whose windows are still open. Used by the engine's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "batch/batch.hpp"
#include "state/serial.hpp"

namespace weir::runtime {

class Dedupe {
 public:
  /// @param sequence_field the field that identifies a reading together with its keys; -1: the event time does
  explicit Dedupe(int sequence_field);
  /// @brief Removes the duplicates among the batch's rows. Returns how many.
  std::uint64_t remove(batch::Batch& batch);
  /// @brief Nothing older than this is remembered from now on: such readings are late everywhere.
  void forget_before(std::int64_t event_time_ns) { horizon_ = event_time_ns; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return table_.size() * sizeof(Entry); }
  void save(state::Writer& out) const;
  void load(state::Reader& in);

 private:
  struct Entry {
    std::int64_t identity;
    std::int64_t time;
    std::uint32_t key;
    bool used = false;
  };
  bool insert(std::uint32_t key, std::int64_t identity, std::int64_t time);
  void rebuild();
  std::vector<Entry> table_;
  std::size_t used_ = 0;
  std::int64_t horizon_;
  int sequence_field_;
  std::vector<std::uint8_t> keep_;
};

/// @brief Keeps the rows of [begin, size) whose flag is not 0 (keep[i] is for row begin + i), in order, and moves the
/// marks that lie between rows along. Returns how many rows were removed.
std::uint32_t compact(batch::Batch& batch, std::uint32_t begin, const std::vector<std::uint8_t>& keep);

}  // namespace weir::runtime
