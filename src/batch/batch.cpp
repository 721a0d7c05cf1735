#include "batch/batch.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace weir::batch {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector

constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + kAlignment - 1) & ~(kAlignment - 1);
}

class HostColumnMemory final : public ColumnMemory {
 public:
  void* allocate(std::size_t bytes) override {
    void* const memory = std::aligned_alloc(kAlignment, aligned(bytes));
    if (memory == nullptr) {
      throw std::bad_alloc();
    }
    std::memset(memory, 0, aligned(bytes));
    return memory;
  }
  void release(void* memory, std::size_t /*bytes*/) noexcept override { std::free(memory); }
};

}  // namespace

ColumnMemory& host_column_memory() {
  static HostColumnMemory memory;
  return memory;
}

std::uint64_t Batch::bytes(std::size_t fields, std::uint32_t capacity) noexcept {
  return aligned(capacity * sizeof(std::uint32_t)) + (fields + 1) * aligned(capacity * sizeof(std::int64_t));
}

Batch::Batch(std::size_t fields, std::uint32_t capacity, ColumnMemory& memory) : memory_(memory), capacity_(capacity) {
  block_ = memory_.allocate(bytes(fields, capacity));
  auto* next = static_cast<unsigned char*>(block_);
  const auto take = [&next](std::size_t column_bytes) {
    void* const column = next;
    next += aligned(column_bytes);
    return column;
  };
  times_ = static_cast<std::int64_t*>(take(capacity * sizeof(std::int64_t)));
  keys_ = static_cast<std::uint32_t*>(take(capacity * sizeof(std::uint32_t)));
  fields_.reserve(fields);
  for (std::size_t i = 0; i < fields; ++i) {
    fields_.push_back(static_cast<std::int64_t*>(take(capacity * sizeof(std::int64_t))));
  }
}

Batch::~Batch() {
  memory_.release(block_, bytes(fields_.size(), capacity_));
}

void Batch::clear() noexcept {
  size_ = 0;
  runs.clear();
  ticks.clear();
  interval_ends.clear();
  ahead.clear();
  clock_set_back_ns.reset();
  key_count = 0;
  may_have_nulls = false;
  end_of_input = false;
  received = 0;
  shed = 0;
  rounded = 0;
  malformed = {};
  payload_bytes = 0;
  positions.clear();
  at_message_boundary = true;
  newest_arrival_ns = std::numeric_limits<std::int64_t>::min();
  release_keys = false;
  newest_time_ns = std::numeric_limits<std::int64_t>::min();
  times_read = {};
  open_interval_end_ns = std::numeric_limits<std::int64_t>::min();
}

void Batch::keep_rows(std::span<const std::uint8_t> keep) noexcept {
  std::uint32_t to = 0;
  // Marks are ascending, so one walk serves all three kinds.
  std::size_t run = 0;
  std::size_t tick = 0;
  std::size_t interval = 0;
  std::size_t ahead_kept = 0;
  auto next_ahead = ahead.begin();
  const auto move_marks = [&](std::uint32_t row) {
    for (; run < runs.size() && runs[run].row <= row; ++run) {
      runs[run].row = to;
    }
    for (; tick < ticks.size() && ticks[tick].row <= row; ++tick) {
      ticks[tick].row = to;
    }
    for (; interval < interval_ends.size() && interval_ends[interval].row <= row; ++interval) {
      interval_ends[interval].row = to;
    }
  };
  for (std::uint32_t row = 0; row < size_; ++row) {
    move_marks(row);
    if (next_ahead != ahead.end() && next_ahead->row == row) {
      if (keep[row] != 0) {
        ahead[ahead_kept++] = {to, next_ahead->arrival_ns};
      }
      ++next_ahead;
    }
    if (keep[row] == 0) {
      continue;
    }
    if (to != row) {
      times_[to] = times_[row];
      keys_[to] = keys_[row];
      for (std::int64_t* const column : fields_) {
        column[to] = column[row];
      }
    }
    ++to;
  }
  move_marks(size_);
  ahead.resize(ahead_kept);
  size_ = to;
}

}  // namespace weir::batch
