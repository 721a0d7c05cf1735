// Drops readings that were delivered twice (semantics §9): same key tuple and same event time, or same declared
// sequence number, as a reading whose windows are still open. Used by the engine's thread.
//
// A repeat is recognised if the first one is among the last `max_remembered` readings of the stream, repeats included:
// a bound that the readings alone decide. A reading without a sequence number has no identity and is no repeat.
//
// Readings are remembered in blocks, in the order in which they came; a hash table finds them. A block only ever grows
// and goes as a whole, so a checkpoint writes the blocks that grew. Blocks with many forgotten readings are emptied
// into new ones when the table is built anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "batch/batch.hpp"
#include "state/section_writer.hpp"
#include "state/serial.hpp"

namespace weir::runtime {

class Dedupe {
 public:
  /// @param sequence_field the field that identifies a reading together with its keys; -1: the event time does
  Dedupe(int sequence_field, std::uint32_t max_remembered);
  /// @brief Removes the duplicates among the batch's rows. Returns how many.
  std::uint64_t remove(batch::Batch& batch);
  /// @brief Nothing older than this is remembered from now on: such readings are late everywhere.
  void forget_before(std::int64_t event_time_ns) { horizon_ = event_time_ns; }
  /// @brief Keys get other ids. @param ids [old key id] → new one; any number of no key for one that was released, of
  /// which nothing may be remembered
  void renumber(std::span<const std::uint32_t> ids);
  /// @brief max_remembered was too small: so many readings at least were forgotten while their windows were open.
  [[nodiscard]] std::uint64_t forgotten_early() const noexcept { return forgotten_early_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  [[nodiscard]] static std::uint64_t worst_case_bytes(std::uint32_t max_remembered) noexcept;
  /// @brief A chunk for each block; the ids of these chunks are the only ones of the section from 2^63 on.
  void save(state::SectionWriter& section) const;
  /// @param rows_known the entries have the number of their row; in the first format they had none
  void load(state::Reader& in, bool rows_known = true);

 private:
  static constexpr std::uint32_t kBlockEntries = 4096;
  struct Entry {
    std::int64_t identity;
    std::int64_t time;
    std::uint32_t key;
    std::uint32_t row;  ///< after the block's first
  };
  struct Block {
    std::uint64_t serial = 0;  ///< never used again
    std::uint64_t first_row = 0;
    std::uint32_t size = 0;
    std::int64_t newest = 0;  ///< event time; all of it is forgotten once the horizon is beyond
    std::unique_ptr<Entry[]> entries;
  };
  /// Of the hash table.
  struct Slot {
    std::uint32_t tag = 0;       ///< upper half of the hash
    std::uint32_t position = 0;  ///< of the entry, plus 1; 0: free
  };
  struct Reading {
    std::uint32_t key;
    std::int64_t identity;
    std::int64_t time;
    std::uint64_t row;  ///< its number in the stream
  };

  bool insert(const Reading& reading);
  [[nodiscard]] std::uint32_t append(const Reading& reading);
  [[nodiscard]] const Block& block_of(std::uint32_t position) const noexcept {
    return blocks_[(position - 1) / kBlockEntries];
  }
  [[nodiscard]] bool in_reach(const Block& block, const Entry& entry) const noexcept {
    return block.first_row + entry.row + max_remembered_ + 1 >= next_row_;  // next_row_ is behind the one at hand
  }
  [[nodiscard]] bool remembered(const Block& block, const Entry& entry) const noexcept {
    return entry.time >= horizon_ && in_reach(block, entry);
  }
  void rebuild();
  [[nodiscard]] std::uint64_t drop_forgotten();
  void fill_table(std::uint64_t entries);

  std::vector<Slot> table_;
  std::uint64_t used_ = 0;  ///< slots
  std::vector<Block> blocks_;
  std::uint64_t stored_ = 0;  ///< entries of all blocks
  std::uint64_t next_serial_ = 0;
  std::uint64_t next_row_ = 0;
  std::uint64_t forgotten_early_ = 0;
  std::int64_t horizon_;
  int sequence_field_;
  std::uint32_t max_remembered_;
  std::vector<std::uint8_t> keep_;
};

}  // namespace weir::runtime
