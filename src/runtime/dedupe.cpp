#include "runtime/dedupe.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>

namespace weir::runtime {
namespace {

constexpr std::size_t kSmallestTable = 1024;

std::uint64_t mix(std::uint32_t key, std::int64_t identity) noexcept {
  // splitmix64's finaliser (Steele, Lea, Flood 2014): every input bit reaches every output bit.
  std::uint64_t x = static_cast<std::uint64_t>(identity) + 0x9E37'79B9'7F4A'7C15ULL * (std::uint64_t{key} + 1);
  x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EBULL;
  return x ^ (x >> 31U);
}

}  // namespace

std::uint32_t compact(batch::Batch& batch, std::uint32_t begin, const std::vector<std::uint8_t>& keep) {
  const std::uint32_t size = batch.size();
  std::uint32_t to = begin;
  // Marks are ascending, so one walk serves all three kinds.
  std::size_t run = 0;
  std::size_t tick = 0;
  std::size_t interval = 0;
  const auto move_marks = [&](std::uint32_t row) {
    for (; run < batch.runs.size() && batch.runs[run].row <= row; ++run) {
      batch.runs[run].row = std::min(batch.runs[run].row, batch.runs[run].row < begin ? batch.runs[run].row : to);
    }
    for (; tick < batch.ticks.size() && batch.ticks[tick].row <= row; ++tick) {
      batch.ticks[tick].row = batch.ticks[tick].row < begin ? batch.ticks[tick].row : to;
    }
    for (; interval < batch.interval_ends.size() && batch.interval_ends[interval].row <= row; ++interval) {
      batch.interval_ends[interval].row =
          batch.interval_ends[interval].row < begin ? batch.interval_ends[interval].row : to;
    }
  };
  for (std::uint32_t row = begin; row < size; ++row) {
    move_marks(row);
    if (keep[row - begin] == 0) {
      continue;
    }
    if (to != row) {
      batch.times()[to] = batch.times()[row];
      batch.keys()[to] = batch.keys()[row];
      for (std::size_t i = 0; i < batch.fields(); ++i) {
        batch.field(i)[to] = batch.field(i)[row];
      }
    }
    ++to;
  }
  move_marks(size);
  batch.set_size(to);
  return size - to;
}

Dedupe::Dedupe(int sequence_field)
    : table_(kSmallestTable), horizon_(std::numeric_limits<std::int64_t>::min()), sequence_field_(sequence_field) {}

std::uint32_t Dedupe::append(std::uint32_t key, std::int64_t identity, std::int64_t time) {
  if (blocks_.empty() || blocks_.back().size == kBlockEntries) {
    blocks_.push_back({next_serial_++, 0, time, std::make_unique_for_overwrite<Entry[]>(kBlockEntries)});
  }
  Block& block = blocks_.back();
  block.entries[block.size++] = {identity, time, key};
  block.newest = std::max(block.newest, time);
  return static_cast<std::uint32_t>((blocks_.size() - 1) * kBlockEntries + block.size);
}

bool Dedupe::insert(std::uint32_t key, std::int64_t identity, std::int64_t time) {
  if ((used_ + 1) * 2 > table_.size()) {
    rebuild();
  }
  const std::uint64_t hash = mix(key, identity);
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  std::size_t at = hash & (table_.size() - 1);
  for (; table_[at].position != 0; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at].tag != tag) {
      continue;
    }
    const Entry& known = entry(table_[at].position);
    if (known.identity == identity && known.key == key) {
      if (known.time >= horizon_) {
        return false;
      }
      table_[at].position = append(key, identity, time);  // the other one is out of every window: this one is new
      return true;
    }
  }
  table_[at] = {tag, append(key, identity, time)};
  ++used_;
  return true;
}

// Entries behind the horizon are dropped when the table fills up, so the cost is spread over the insertions that filled
// it.
void Dedupe::rebuild() {
  std::vector<Block> old = std::exchange(blocks_, {});
  std::vector<Entry> moved;
  std::size_t alive = 0;
  for (Block& block : old) {
    const Entry* const begin = block.entries.get();
    const Entry* const end = begin + block.size;
    const auto lives = [this](const Entry& entry) { return entry.time >= horizon_; };
    const auto left = static_cast<std::size_t>(std::count_if(begin, end, lives));
    alive += left;
    if (left * 2 <= kBlockEntries) {
      std::copy_if(begin, end, std::back_inserter(moved), lives);
    } else {
      blocks_.push_back(std::move(block));
    }
  }
  // The last one that is kept may take more.
  if (!blocks_.empty() && blocks_.back().size < kBlockEntries) {
    std::copy(blocks_.back().entries.get(), blocks_.back().entries.get() + blocks_.back().size,
              std::back_inserter(moved));
    blocks_.pop_back();
  }
  for (const Entry& entry : moved) {
    static_cast<void>(append(entry.key, entry.identity, entry.time));
  }

  std::size_t size = kSmallestTable;
  while (size < (alive + 1) * 4) {
    size *= 2;
  }
  table_.assign(size, {});
  used_ = 0;
  std::uint32_t position = 0;
  for (const Block& block : blocks_) {
    position = static_cast<std::uint32_t>((&block - blocks_.data()) * kBlockEntries);
    for (std::uint32_t i = 0; i < block.size; ++i) {
      ++position;
      const Entry& entry = block.entries[i];
      if (entry.time < horizon_) {
        continue;
      }
      const std::uint64_t hash = mix(entry.key, entry.identity);
      std::size_t at = hash & (size - 1);
      while (table_[at].position != 0) {
        at = (at + 1) & (size - 1);
      }
      table_[at] = {static_cast<std::uint32_t>(hash >> 32U), position};
      ++used_;
    }
  }
}

std::uint64_t Dedupe::remove(batch::Batch& batch) {
  const std::uint32_t size = batch.size();
  keep_.assign(size, 1);
  std::uint64_t removed = 0;
  for (std::uint32_t row = 0; row < size; ++row) {
    const std::int64_t time = batch.times()[row];
    const std::int64_t identity =
        sequence_field_ >= 0 ? batch.field(static_cast<std::size_t>(sequence_field_))[row] : time;
    if (time >= horizon_ && !insert(batch.keys()[row], identity, time)) {
      keep_[row] = 0;
      ++removed;
    }
  }
  if (removed > 0) {
    compact(batch, 0, keep_);
  }
  return removed;
}

std::uint64_t Dedupe::bytes() const noexcept {
  return table_.size() * sizeof(Slot) + blocks_.size() * (sizeof(Block) + kBlockEntries * sizeof(Entry));
}

void Dedupe::save(state::SectionWriter& section) const {
  constexpr std::uint64_t kFirstId = std::uint64_t{1} << 63U;
  std::uint64_t entries = 0;
  for (const Block& block : blocks_) {
    entries += block.newest >= horizon_ ? block.size : 0;
  }
  section.out().i64(horizon_);
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
    }
  }
  section.end_chunk();
}

void Dedupe::load(state::Reader& in) {
  table_.assign(kSmallestTable, {});
  used_ = 0;
  blocks_.clear();
  horizon_ = in.i64();
  constexpr std::size_t kEntryBytes = 4 + 8 + 8;
  for (std::uint64_t left = in.count(kEntryBytes); left > 0; --left) {
    const std::uint32_t key = in.u32();
    const std::int64_t identity = in.i64();
    const std::int64_t time = in.i64();
    // A block is saved with what it holds beside, which was forgotten.
    if (time >= horizon_) {
      insert(key, identity, time);
    }
  }
}

}  // namespace weir::runtime
