#include "execute/revisions.hpp"

#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "core/instant.hpp"

namespace weir::execute {
namespace {

/// About what a node of std::map takes beside its window.
constexpr std::uint64_t kNode = 64;

}  // namespace

std::uint32_t& Revisions::at(Row row) {
  LargeVector<std::uint32_t>& numbers = windows_[row.first].numbers;
  const std::size_t needed = std::size_t{row.second} + 1;
  if (needed > numbers.capacity()) {
    numbers.reserve(std::max(needed, std::min<std::size_t>(2 * numbers.capacity(), max_groups_)));
  }
  if (needed > numbers.size()) numbers.resize(needed);
  return numbers[row.second];
}

void Revisions::mark(const std::vector<Straggler>& stragglers, std::int64_t expired_end, std::int64_t closed_end) {
  for (const Straggler& straggler : stragglers) {
    const std::int64_t after_pane = saturating_add(floor_multiple(straggler.pane_start, slide_ns_), slide_ns_);
    const std::int64_t first = std::max(after_pane, saturating_add(expired_end, slide_ns_));
    const std::int64_t last =
        std::min(floor_multiple(saturating_add(straggler.pane_start, window_ns_), slide_ns_), closed_end);
    for (std::int64_t end = first; end <= last;) {
      mark({end, straggler.group});
      if (__builtin_add_overflow(end, slide_ns_, &end)) break;
    }
  }
}

void Revisions::forget(std::int64_t expired_end) {
  for (auto window = windows_.begin(); window != windows_.end() && window->first <= expired_end;) {
    window = window->second.marked ? std::next(window) : windows_.erase(window);
  }
}

std::uint64_t Revisions::bytes() const noexcept {
  std::uint64_t bytes = groups_.capacity() * sizeof(std::uint32_t);
  for (const auto& [end, window] : windows_) {
    bytes += kNode + sizeof(Window) + window.numbers.capacity() * sizeof(std::uint32_t);
  }
  return bytes;
}

std::uint64_t Revisions::worst_case_bytes(std::uint32_t max_groups, std::int64_t lateness_ns,
                                          std::int64_t slide_ns) noexcept {
  // As many again are marked before the next look.
  const std::uint64_t windows = 2 * windows_kept(lateness_ns, slide_ns);
  const std::uint64_t numbers = std::uint64_t{max_groups} * sizeof(std::uint32_t);
  return windows * (kNode + sizeof(Window) + numbers) + 2 * numbers;
}

void Revisions::renumber(std::span<const std::uint32_t> ids) {
  for (auto& [end, window] : windows_) {
    const LargeVector<std::uint32_t> old = std::exchange(window.numbers, {});
    for (std::size_t group = 0; group < old.size(); ++group) {
      if (old[group] != 0 && ids[group] != kNoGroup) at({end, ids[group]}) = old[group];
    }
  }
}

void Revisions::save(state::Writer& out) const {
  const auto write = [&](const auto& wanted, const auto& finish) {
    std::uint64_t rows = 0;
    for (const auto& [end, window] : windows_) {
      rows += static_cast<std::uint64_t>(std::count_if(window.numbers.begin(), window.numbers.end(), wanted));
    }
    out.u64(rows);
    for (const auto& [end, window] : windows_) {
      for (std::size_t group = 0; group < window.numbers.size(); ++group) {
        if (!wanted(window.numbers[group])) continue;
        out.i64(end);
        out.u32(static_cast<std::uint32_t>(group));
        finish(window.numbers[group]);
      }
    }
  };
  write([](std::uint32_t number) { return (number & kMark) != 0; }, [](std::uint32_t /*number*/) {});
  write([](std::uint32_t number) { return (number & ~kMark) != 0; },
        [&](std::uint32_t number) { out.u32(number & ~kMark); });
}

void Revisions::load(state::Reader& in, std::uint32_t groups) {
  const auto read_row = [&] {
    const std::int64_t end = in.i64();
    const std::uint32_t group = in.u32();
    if (group >= groups) throw Error("the checkpoint is damaged: a revised row names an unknown group");
    return Row{end, group};
  };
  windows_.clear();
  const std::uint64_t rows = in.count(12);
  for (std::uint64_t i = 0; i < rows; ++i) {
    mark(read_row());
  }
  const std::uint64_t numbers = in.count(16);
  for (std::uint64_t i = 0; i < numbers; ++i) {
    const Row row = read_row();
    at(row) |= in.u32() & ~kMark;
  }
}

}  // namespace weir::execute
