// Which rows of closed windows changed since they were emitted, and how often each was computed again.
//
// Owned by the QueryRunner of a query with allowed_lateness, used by the engine's thread. Late readings are rare, so
// only windows that had one are kept, each with a number for every group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/large_array.hpp"
#include "execute/backend.hpp"
#include "state/serial.hpp"

namespace weir::execute {

class Revisions {
 public:
  /// A row: window end and group.
  using Row = std::pair<std::int64_t, std::uint32_t>;

  Revisions(std::int64_t window_ns, std::int64_t slide_ns, std::uint32_t max_groups)
      : window_ns_(window_ns), slide_ns_(slide_ns), max_groups_(max_groups) {}

  /// @brief Marks every row that the stragglers change: of windows with expired_end < end <= closed_end.
  void mark(const std::vector<Straggler>& stragglers, std::int64_t expired_end, std::int64_t closed_end);
  /// @brief Calls on(end, groups) for each window with marked rows, by their ends; the groups ascend. The rows of a
  /// window are no longer marked when it is called. It may call next_number().
  template <class On>
  void take_marked(const On& on) {
    for (auto& [end, window] : windows_) {
      if (!window.marked) continue;
      window.marked = false;
      groups_.clear();
      for (std::size_t group = 0; group < window.numbers.size(); ++group) {
        if ((window.numbers[group] & kMark) == 0) continue;
        window.numbers[group] &= ~kMark;
        groups_.push_back(static_cast<std::uint32_t>(group));
      }
      on(end, groups_);
    }
  }

  /// @brief The revision number of a row that is computed again now: 1 the first time.
  std::uint32_t next_number(Row row) { return ++at(row) & ~kMark; }
  /// @brief Forgets the numbers of windows with end <= expired_end, which are never marked again; those that still are
  /// go out once more.
  void forget(std::int64_t expired_end);

  /// @brief Windows that it has numbers of; and how many there are at once that are closed and not expired.
  [[nodiscard]] std::size_t windows() const noexcept { return windows_.size(); }
  [[nodiscard]] static std::uint64_t windows_kept(std::int64_t lateness_ns, std::int64_t slide_ns) noexcept {
    return static_cast<std::uint64_t>(lateness_ns / slide_ns) + 2;
  }

  /// @brief Groups get other ids. @param ids [old group] → new group, kNoGroup for one that is no more
  void renumber(std::span<const std::uint32_t> ids);

  [[nodiscard]] std::uint64_t bytes() const noexcept;
  /// @brief The most it takes if it is told to forget() whenever windows() is above windows_kept().
  [[nodiscard]] static std::uint64_t worst_case_bytes(std::uint32_t max_groups, std::int64_t lateness_ns,
                                                      std::int64_t slide_ns) noexcept;
  void save(state::Writer& out) const;
  /// @throws Error when a group is not below `groups`.
  void load(state::Reader& in, std::uint32_t groups);

 private:
  static constexpr std::uint32_t kMark = 0x8000'0000;
  struct Window {
    LargeVector<std::uint32_t> numbers;  ///< [group] → how often computed again, and kMark
    bool marked = false;                 ///< some row is
  };
  std::uint32_t& at(Row row);
  void mark(Row row) {
    at(row) |= kMark;
    windows_[row.first].marked = true;
  }

  std::int64_t window_ns_;
  std::int64_t slide_ns_;
  std::uint32_t max_groups_;
  std::map<std::int64_t, Window> windows_;  ///< by end
  std::vector<std::uint32_t> groups_;
};

}  // namespace weir::execute
