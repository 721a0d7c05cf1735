// Panes in a checkpoint, the same bytes from every backend. docs/file-formats.md, section "Panes", has the layout.
//
// Canonical: panes ascend, groups within a pane ascend and have readings, bins and registers ascend. So equal state is
// equal bytes, and what one backend saved another one loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"
#include "state/serial.hpp"

namespace weir::execute {

/// A touched register of a HyperLogLog.
struct HllRegister {
  std::uint32_t index;  ///< below ops::kHllRegisters
  std::uint32_t rank;   ///< 1 … ops::kHllMaxRank
  friend bool operator==(const HllRegister&, const HllRegister&) = default;
};

/// Everything that one pane keeps for one group.
struct PaneGroup {
  std::uint32_t group = 0;
  std::uint64_t rows = 0;                           ///< readings, at least 1
  std::vector<ArgumentTotal> arguments;             ///< one each argument of the plan
  std::vector<QuantileBins> quantiles;              ///< one each argument with kPartQuantile
  std::vector<std::vector<HllRegister>> distincts;  ///< one each distinct aggregate
};

/// @brief How many arguments keep quantile bins, and how many aggregates are distinct().
std::size_t quantile_arguments(const plan::QueryPlan& query) noexcept;
std::size_t distinct_aggregates(const plan::QueryPlan& query) noexcept;

/// Writes panes: the constructor, then for each pane pane() and, if that says so, group() for each of its groups; last
/// finish().
class PaneEncoder {
 public:
  /// @param panes how many pane() calls follow
  PaneEncoder(const plan::QueryPlan& query, state::SectionWriter& out, std::uint64_t panes);
  /// The same for one pane alone, as it stands in its chunk: without the number of panes in front.
  PaneEncoder(const plan::QueryPlan& query, state::SectionWriter& out);
  /// @param start_ns ascending @param readings in the pane. @return false when an earlier checkpoint has the pane with
  /// as many readings: no groups then.
  bool pane(std::int64_t start_ns, std::uint64_t readings);
  /// @brief The next group of the pane; ids ascend, there is at least one.
  void group(const PaneGroup& group);
  /// @brief The next groups of the pane, without sketches. @param first id of the first one, the others follow
  /// @param rows readings each; a group with none is left out @param totals [group * arguments + argument]
  void groups(std::uint32_t first, std::span<const std::uint64_t> rows, const ArgumentTotal* totals);
  void finish();

 private:
  [[nodiscard]] inline char* head(char* to, std::uint32_t id, std::uint64_t rows) noexcept;
  [[nodiscard]] inline char* argument(char* to, std::uint16_t parts, std::uint64_t rows,
                                      const ArgumentTotal& total) const noexcept;
  [[nodiscard]] char* first_and_last(char* to, std::uint16_t parts, const ArgumentTotal& total) const noexcept;
  const plan::QueryPlan& query_;
  state::SectionWriter& section_;
  state::Writer& out_;
  std::size_t count_at_ = 0;  ///< where the number of the pane's groups stands
  std::uint32_t count_ = 0;   ///< 0: no pane is open
  std::int64_t start_ns_ = 0;
  std::uint32_t next_id_ = 0;  ///< the smallest that the next group can have
};

/// Reads them back and checks everything that a damaged file could break. @throws Error naming what is wrong.
class PaneDecoder {
 public:
  /// @param groups group ids known; every id in the panes is below
  PaneDecoder(const plan::QueryPlan& query, state::Reader& in, PaneNumbers numbers, std::uint32_t groups);
  /// @brief The start of the next pane; false after the last. The groups of the pane before must have been read.
  bool next_pane(std::int64_t& start_ns);
  /// @brief The next group of this pane; false after the last. `group` is reused storage.
  bool next_group(PaneGroup& group);

 private:
  [[nodiscard]] std::uint64_t number32() { return fixed_ ? in_.u32() : in_.varint(); }
  [[nodiscard]] std::uint64_t number64() { return fixed_ ? in_.u64() : in_.varint(); }
  void read_head(PaneGroup& group);
  void read_fixed(std::uint16_t parts, ArgumentTotal& total);
  void read_compact(std::uint16_t parts, std::uint64_t rows, ArgumentTotal& total);
  void read_argument(const plan::Argument& argument, std::uint64_t rows, ArgumentTotal& total);
  void read_bins(std::uint64_t values, QuantileBins& quantile);
  void read_registers(std::vector<HllRegister>& registers);
  const plan::QueryPlan& query_;
  state::Reader& in_;
  const bool fixed_;  ///< PaneNumbers
  std::uint32_t groups_;
  const std::size_t quantiles_;
  const std::size_t distincts_;
  std::uint64_t panes_left_ = 0;
  std::uint32_t groups_left_ = 0;
  std::int64_t start_ns_ = 0;
  bool first_pane_ = true;
  std::uint32_t next_id_ = 0;  ///< the smallest that the next group can have
};

}  // namespace weir::execute
