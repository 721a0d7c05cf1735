#include "execute/revisions.hpp"

#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "execute/instant.hpp"

namespace weir::execute {
namespace {

/// So many marks more than after the last compaction are let in before the next one.
constexpr std::size_t kSlack = 4096;

}  // namespace

void Revisions::mark(const std::vector<Straggler>& stragglers, std::int64_t expired_end, std::int64_t closed_end) {
  for (const Straggler& straggler : stragglers) {
    const std::int64_t after_pane = saturating_add(floor_multiple(straggler.pane_start, slide_ns_), slide_ns_);
    const std::int64_t first = std::max(after_pane, saturating_add(expired_end, slide_ns_));
    const std::int64_t last =
        std::min(floor_multiple(saturating_add(straggler.pane_start, window_ns_), slide_ns_), closed_end);
    for (std::int64_t end = first; end <= last;) {
      marked_.emplace_back(end, straggler.group);
      if (__builtin_add_overflow(end, slide_ns_, &end)) break;
    }
    if (marked_.size() > 2 * compacted_ + kSlack) compact();
  }
}

void Revisions::compact() {
  std::sort(marked_.begin(), marked_.end());
  marked_.erase(std::unique(marked_.begin(), marked_.end()), marked_.end());
  compacted_ = marked_.size();
}

const std::vector<Revisions::Row>& Revisions::marked() {
  compact();
  return marked_;
}

void Revisions::forget(std::int64_t expired_end) {
  if (numbers_.empty() || numbers_.begin()->first.first > expired_end) return;
  compact();
  for (auto number = numbers_.begin(); number != numbers_.end() && number->first.first <= expired_end;) {
    const bool still_marked = std::binary_search(marked_.begin(), marked_.end(), number->first);
    number = still_marked ? std::next(number) : numbers_.erase(number);
  }
}

std::uint64_t Revisions::bytes() const noexcept {
  constexpr std::uint64_t kNode = 64;  // about what a node of std::map takes here
  return marked_.capacity() * sizeof(Row) + numbers_.size() * kNode;
}

void Revisions::save(state::Writer& out) const {
  std::vector<Row> rows = marked_;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  out.u64(rows.size());
  for (const auto& [end, group] : rows) {
    out.i64(end);
    out.u32(group);
  }
  out.u64(numbers_.size());
  for (const auto& [row, number] : numbers_) {
    out.i64(row.first);
    out.u32(row.second);
    out.u32(number);
  }
}

void Revisions::load(state::Reader& in, std::uint32_t groups) {
  const auto read_row = [&] {
    const std::int64_t end = in.i64();
    const std::uint32_t group = in.u32();
    if (group >= groups) throw Error("the checkpoint is damaged: a revised row names an unknown group");
    return Row{end, group};
  };
  marked_.clear();
  numbers_.clear();
  const std::uint64_t rows = in.count(12);
  for (std::uint64_t i = 0; i < rows; ++i) {
    marked_.push_back(read_row());
  }
  const std::uint64_t numbers = in.count(16);
  for (std::uint64_t i = 0; i < numbers; ++i) {
    const Row row = read_row();
    numbers_[row] = in.u32();
  }
  compact();
}

}  // namespace weir::execute
