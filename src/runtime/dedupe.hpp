// Drops readings that were delivered twice (semantics §7): same key tuple and same event time, or same declared
// sequence number, as a reading whose windows are still open. Used by the engine's thread.
//
// Readings are remembered in blocks, in the order in which they came; a hash table finds them. A block only ever grows
// and goes as a whole, so a checkpoint writes the blocks that grew. Blocks that hold little but what is forgotten are
// emptied into the newest one when the table is built anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "batch/batch.hpp"
#include "state/section_writer.hpp"
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
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  /// @brief A chunk for each block; the ids of these chunks are the only ones of the section from 2^63 on.
  void save(state::SectionWriter& section) const;
  void load(state::Reader& in);

 private:
  static constexpr std::uint32_t kBlockEntries = 4096;
  struct Entry {
    std::int64_t identity;
    std::int64_t time;
    std::uint32_t key;
  };
  struct Block {
    std::uint64_t serial = 0;  ///< never used again
    std::uint32_t size = 0;
    std::int64_t newest = 0;  ///< event time; all of it is forgotten once the horizon is beyond
    std::unique_ptr<Entry[]> entries;
  };
  /// Of the hash table.
  struct Slot {
    std::uint32_t tag = 0;       ///< upper half of the hash
    std::uint32_t position = 0;  ///< of the entry, plus 1; 0: free
  };

  bool insert(std::uint32_t key, std::int64_t identity, std::int64_t time);
  [[nodiscard]] std::uint32_t append(std::uint32_t key, std::int64_t identity, std::int64_t time);
  [[nodiscard]] const Entry& entry(std::uint32_t position) const noexcept {
    return blocks_[(position - 1) / kBlockEntries].entries[(position - 1) % kBlockEntries];
  }
  void rebuild();

  std::vector<Slot> table_;
  std::size_t used_ = 0;  ///< slots
  std::vector<Block> blocks_;
  std::uint64_t next_serial_ = 0;
  std::int64_t horizon_;
  int sequence_field_;
  std::vector<std::uint8_t> keep_;
};

/// @brief Keeps the rows of [begin, size) whose flag is not 0 (keep[i] is for row begin + i), in order, and moves the
/// marks that lie between rows along. Returns how many rows were removed.
std::uint32_t compact(batch::Batch& batch, std::uint32_t begin, const std::vector<std::uint8_t>& keep);

}  // namespace weir::runtime
