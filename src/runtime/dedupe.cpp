#include "runtime/dedupe.hpp"

#include <algorithm>
#include <limits>
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

bool Dedupe::insert(std::uint32_t key, std::int64_t identity, std::int64_t time) {
  if ((used_ + 1) * 2 > table_.size()) {
    rebuild();
  }
  std::size_t at = mix(key, identity) & (table_.size() - 1);
  for (; table_[at].used; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at].identity == identity && table_[at].key == key) {
      if (table_[at].time >= horizon_) {
        return false;
      }
      table_[at].time = time;  // the remembered one is out of every window: this is a new reading
      return true;
    }
  }
  table_[at] = {identity, time, key, true};
  ++used_;
  return true;
}

// Entries behind the horizon are dropped when the table fills up, so the cost is spread over the insertions that filled
// it.
void Dedupe::rebuild() {
  std::vector<Entry> old = std::exchange(table_, {});
  const auto alive = static_cast<std::size_t>(std::count_if(
      old.begin(), old.end(), [this](const Entry& entry) { return entry.used && entry.time >= horizon_; }));
  std::size_t size = kSmallestTable;
  while (size < (alive + 1) * 4) {
    size *= 2;
  }
  table_.resize(size);
  used_ = 0;
  for (const Entry& entry : old) {
    if (entry.used && entry.time >= horizon_) {
      insert(entry.key, entry.identity, entry.time);
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

void Dedupe::save(state::Writer& out) const {
  out.i64(horizon_);
  out.u64(static_cast<std::uint64_t>(
      std::count_if(table_.begin(), table_.end(), [this](const Entry& e) { return e.used && e.time >= horizon_; })));
  for (const Entry& entry : table_) {
    if (entry.used && entry.time >= horizon_) {
      out.u32(entry.key);
      out.i64(entry.identity);
      out.i64(entry.time);
    }
  }
}

void Dedupe::load(state::Reader& in) {
  table_.assign(kSmallestTable, {});
  used_ = 0;
  horizon_ = in.i64();
  for (std::uint64_t left = in.u64(); left > 0; --left) {
    const std::uint32_t key = in.u32();
    const std::int64_t identity = in.i64();
    insert(key, identity, in.i64());
  }
}

}  // namespace weir::runtime
