#include "runtime/dedupe.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "core/decimal.hpp"

namespace weir::runtime {
namespace {

constexpr std::uint64_t kSmallestTable = 1024;
constexpr std::uint32_t kNoKey = 0xFFFF'FFFFU;  // of what is forgotten, and was of a key that is no more
// Chunk ids of blocks, apart from those of the section's other chunks.
constexpr std::uint64_t kFirstId = std::uint64_t{1} << 63U;

std::uint64_t mix(std::uint32_t key, std::int64_t identity) noexcept {
  // splitmix64's finaliser (Steele, Lea, Flood 2014): every input bit reaches every output bit.
  std::uint64_t x = static_cast<std::uint64_t>(identity) + 0x9E37'79B9'7F4A'7C15ULL * (std::uint64_t{key} + 1);
  x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EBULL;
  return x ^ (x >> 31U);
}

// A third full at most when it is made, two thirds before the next is made.
std::uint64_t table_size(std::uint64_t entries) noexcept {
  std::uint64_t size = kSmallestTable;
  while (size < entries * 3) {
    size *= 2;
  }
  return size;
}

// So many entries are stored at most, remembered or not, before those that are forgotten are dropped.
std::uint64_t most_stored(std::uint32_t max_remembered) noexcept {
  return std::max<std::uint64_t>(2 * std::uint64_t{max_remembered}, kSmallestTable);
}

}  // namespace

Dedupe::Dedupe(int sequence_field, std::uint32_t max_remembered)
    : table_(kSmallestTable),
      horizon_(std::numeric_limits<std::int64_t>::min()),
      sequence_field_(sequence_field),
      max_remembered_(max_remembered) {}

std::uint32_t Dedupe::append(const Reading& reading) {
  const auto fits = [&](const Block& block) {
    return block.size < kBlockEntries && reading.row >= block.first_row &&
           reading.row - block.first_row <= std::numeric_limits<std::uint32_t>::max();
  };
  if (blocks_.empty() || !fits(blocks_.back())) {
    blocks_.push_back(
        {next_serial_++, reading.row, 0, reading.time, std::make_unique_for_overwrite<Entry[]>(kBlockEntries)});
  }
  Block& block = blocks_.back();
  block.entries[block.size++] = {reading.identity, reading.time, reading.key,
                                 static_cast<std::uint32_t>(reading.row - block.first_row)};
  block.newest = std::max(block.newest, reading.time);
  ++stored_;
  return static_cast<std::uint32_t>((blocks_.size() - 1) * kBlockEntries + block.size);
}

bool Dedupe::insert(const Reading& reading) {
  if ((used_ + 1) * 3 > table_.size() * 2 ||
      stored_ >= std::min(most_stored(max_remembered_), std::uint64_t{table_.size()})) {
    rebuild();
  }
  const std::uint64_t hash = mix(reading.key, reading.identity);
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  std::size_t at = hash & (table_.size() - 1);
  for (; table_[at].position != 0; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at].tag != tag) {
      continue;
    }
    const Block& block = block_of(table_[at].position);
    const Entry& known = block.entries[(table_[at].position - 1) % kBlockEntries];
    if (known.identity == reading.identity && known.key == reading.key) {
      if (remembered(block, known)) {
        return false;
      }
      table_[at].position = append(reading);  // the other one is out of every window: this one is new
      return true;
    }
  }
  table_[at] = {tag, append(reading)};
  ++used_;
  return true;
}

// Forgotten entries are dropped when there is no more room, so the cost is spread over the insertions that took it.
void Dedupe::rebuild() {
  const std::uint64_t alive = drop_forgotten();
  fill_table(alive);
}

/// Returns how many are remembered.
std::uint64_t Dedupe::drop_forgotten() {
  std::vector<Block> old = std::exchange(blocks_, {});
  std::vector<Block> thin;
  std::uint64_t alive = 0;
  stored_ = 0;
  for (Block& block : old) {
    std::uint32_t left = 0;
    std::uint64_t early = 0;
    for (std::uint32_t i = 0; i < block.size; ++i) {
      left += remembered(block, block.entries[i]) ? 1U : 0U;
      early += block.entries[i].time >= horizon_ && !in_reach(block, block.entries[i]) ? 1U : 0U;
    }
    alive += left;
    if (left >= kBlockEntries / 4 * 3) {
      stored_ += block.size;
      blocks_.push_back(std::move(block));
    } else {
      forgotten_early_ += early;
      if (left > 0) {
        thin.push_back(std::move(block));
      }
    }
  }
  // Their entries go into blocks of their own, which the next readings go on filling. Each is released once it is
  // empty.
  bool first = true;
  for (Block& block : thin) {
    for (std::uint32_t i = 0; i < block.size; ++i) {
      const Entry& entry = block.entries[i];
      if (!remembered(block, entry)) {
        continue;
      }
      const Reading reading{entry.key, entry.identity, entry.time, block.first_row + entry.row};
      if (std::exchange(first, false)) {
        blocks_.push_back(
            {next_serial_++, reading.row, 0, reading.time, std::make_unique_for_overwrite<Entry[]>(kBlockEntries)});
      }
      static_cast<void>(append(reading));
    }
    block.entries.reset();
  }
  return alive;
}

void Dedupe::fill_table(std::uint64_t entries) {
  if (const std::uint64_t size = table_size(entries); size != table_.size()) {
    table_ = {};  // the old one goes before the new one comes
    table_.resize(size);
  } else {
    std::fill(table_.begin(), table_.end(), Slot{});
  }
  used_ = 0;
  const std::uint64_t mask = table_.size() - 1;
  for (const Block& block : blocks_) {
    auto position = static_cast<std::uint32_t>((&block - blocks_.data()) * kBlockEntries);
    for (std::uint32_t i = 0; i < block.size; ++i) {
      ++position;
      const Entry& entry = block.entries[i];
      if (!remembered(block, entry)) {
        continue;
      }
      const std::uint64_t hash = mix(entry.key, entry.identity);
      std::size_t at = hash & mask;
      while (table_[at].position != 0) {
        at = (at + 1) & mask;
      }
      table_[at] = {static_cast<std::uint32_t>(hash >> 32U), position};
      ++used_;
    }
  }
}

void Dedupe::renumber(std::span<const std::uint32_t> ids) {
  const std::uint64_t alive = drop_forgotten();
  for (Block& block : blocks_) {
    block.serial = next_serial_++;  // a checkpoint has to take it anew
    for (std::uint32_t i = 0; i < block.size; ++i) {
      std::uint32_t& key = block.entries[i].key;
      key = key < ids.size() ? ids[key] : kNoKey;
    }
  }
  fill_table(alive);
}

std::uint64_t Dedupe::remove(batch::Batch& batch) {
  const std::uint32_t size = batch.size();
  const std::int64_t* const identities =
      sequence_field_ >= 0 ? batch.field(static_cast<std::size_t>(sequence_field_)) : batch.times();
  keep_.assign(size, 1);
  std::uint64_t removed = 0;
  for (std::uint32_t row = 0; row < size; ++row) {
    const std::uint64_t number = next_row_++;
    const std::int64_t time = batch.times()[row];
    const bool identified = sequence_field_ < 0 || identities[row] != kNullUnits;
    if (identified && time >= horizon_ && !insert({batch.keys()[row], identities[row], time, number})) {
      keep_[row] = 0;
      ++removed;
    }
  }
  if (removed > 0) {
    batch.keep_rows(keep_);
  }
  return removed;
}

std::uint64_t Dedupe::bytes() const noexcept {
  return table_.size() * sizeof(Slot) + blocks_.size() * (sizeof(Block) + kBlockEntries * sizeof(Entry));
}

std::uint64_t Dedupe::worst_case_bytes(std::uint32_t max_remembered) noexcept {
  // Blocks that are emptied are there until the last of their entries has moved; the list of blocks grows by doubling.
  const std::uint64_t blocks = most_stored(max_remembered) / kBlockEntries * 4 / 3 + 3;
  return table_size(max_remembered) * sizeof(Slot) + blocks * (3 * sizeof(Block) + kBlockEntries * sizeof(Entry));
}

void Dedupe::save(state::SectionWriter& section) const {
  std::uint64_t entries = 0;
  for (const Block& block : blocks_) {
    entries += block.newest >= horizon_ ? block.size : 0;
  }
  section.out().i64(horizon_);
  section.out().u64(next_row_);
  section.out().u64(entries);
  for (const Block& block : blocks_) {
    if (block.newest < horizon_ || !section.begin_chunk(kFirstId | block.serial, block.size)) {
      continue;
    }
    for (std::uint32_t i = 0; i < block.size; ++i) {
      const Entry& entry = block.entries[i];
      section.out().u32(entry.key);
      section.out().i64(entry.identity);
      section.out().i64(entry.time);
      section.out().u64(block.first_row + entry.row);
    }
  }
  section.end_chunk();
}

void Dedupe::load(state::Reader& in, bool rows_known) {
  blocks_.clear();
  stored_ = 0;
  horizon_ = in.i64();
  next_row_ = rows_known ? in.u64() : 0;
  const std::size_t entry_bytes = 4 + 8 + 8 + (rows_known ? 8 : 0);
  std::uint64_t left = in.count(entry_bytes);
  if (!rows_known) {
    next_row_ = left;
  }
  fill_table(0);
  for (std::uint64_t number = 0; left > 0; --left, ++number) {
    Reading reading{};
    reading.key = in.u32();
    reading.identity = in.i64();
    reading.time = in.i64();
    reading.row = rows_known ? in.u64() : number;
    // A block is saved with what it holds beside, which was forgotten.
    if (reading.time >= horizon_ && reading.row + max_remembered_ >= next_row_) {
      insert(reading);
    }
  }
}

}  // namespace weir::runtime
