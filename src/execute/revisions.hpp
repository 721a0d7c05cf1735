// Which rows of closed windows changed since they were emitted, and how often each was computed again.
//
// Owned by the QueryRunner of a query with allowed_lateness, used by the engine's thread. Late readings are rare, so
// this is kept by row, not by pane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "execute/backend.hpp"
#include "state/serial.hpp"

namespace weir::execute {

class Revisions {
 public:
  /// A row: window end and group.
  using Row = std::pair<std::int64_t, std::uint32_t>;

  Revisions(std::int64_t window_ns, std::int64_t slide_ns) : window_ns_(window_ns), slide_ns_(slide_ns) {}

  /// @brief Marks every row that the stragglers change: of windows with expired_end < end <= closed_end.
  void mark(const std::vector<Straggler>& stragglers, std::int64_t expired_end, std::int64_t closed_end);
  /// @brief The marked rows, ascending, each once. Valid until the next call of mark() or clear().
  [[nodiscard]] const std::vector<Row>& marked();
  void clear() noexcept { marked_.clear(); }

  /// @brief The revision number of a row that is computed again now: 1 the first time.
  std::uint32_t next_number(Row row) { return ++numbers_[row]; }
  /// @brief Forgets the numbers of windows with end <= expired_end, which are never marked again; those that still are
  /// go out once more.
  void forget(std::int64_t expired_end);

  [[nodiscard]] std::uint64_t bytes() const noexcept;
  void save(state::Writer& out) const;
  /// @throws Error when a group is not below `groups`.
  void load(state::Reader& in, std::uint32_t groups);

 private:
  void compact();

  std::int64_t window_ns_;
  std::int64_t slide_ns_;
  std::vector<Row> marked_;
  std::size_t compacted_ = 0;  ///< so many at the beginning are ascending, each once
  std::map<Row, std::uint32_t> numbers_;
};

}  // namespace weir::execute
