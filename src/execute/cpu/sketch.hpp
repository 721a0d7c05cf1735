// Quantile and distinct sketches: sparse counts of codes in each pane, and of the codes in the open window.
//
// Both are invertible. A quantile's codes are its bins, with the number of values in each. A HyperLogLog's codes are
// (register, rank) pairs; the window counts in how many panes a pair occurs, so a pane can leave again, and a register
// is the largest rank that is left. A group can have no more codes than it has distinct keys, which bounds the memory.
//
// Owned by a query's panes. Threads may enter, emit and leave at the same time for disjoint groups.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "execute/backend.hpp"
#include "execute/cpu/code_counts.hpp"
#include "execute/cpu/section.hpp"
#include "execute/pane_codec.hpp"

namespace weir::execute::cpu {

class Sketch {
 public:
  enum class Kind : std::uint8_t { quantile, distinct };

  /// @param source quantile: index of the argument; distinct: index of the schema's key
  /// @param output its position among the quantile arguments, or among the distinct aggregates
  Sketch(Kind kind, std::size_t source, std::size_t output) : kind_(kind), source_(source), output_(output) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] std::size_t source() const noexcept { return source_; }
  [[nodiscard]] std::size_t output() const noexcept { return output_; }

  void grow(std::uint32_t groups) { window_.resize(groups); }
  [[nodiscard]] std::uint64_t bytes() const noexcept;

  /// @brief Adds rows to a pane's codes. @param keys the rows' key ids @param hashes [key id], only for distinct
  void scatter(CodeCounts& pane, const RowSet& rows, const std::uint32_t* keys, const std::uint64_t* hashes) const;
  /// @brief The same for late rows of a pane that has entered the window.
  void scatter_late(CodeCounts& pane, const RowSet& rows, const std::uint32_t* keys, const std::uint64_t* hashes);
  /// @brief Merges the codes of one thread into those of the pane.
  void merge(CodeCounts& into, const CodeCounts& from) const;

  void reset(GroupRange groups) noexcept;
  void enter(const CodeCounts& pane, GroupRange groups);
  void leave(const CodeCounts& pane, GroupRange groups);

  /// @brief The window's bins, or its estimate, of `group` go to entry `entry`.
  void emit(std::uint32_t group, WindowTotals& totals, std::size_t entry) const;

  /// One code of one group in one pane or window.
  struct Code {
    std::uint32_t code;
    std::uint64_t count;
  };
  /// @brief The bins or the estimate of ascending codes (equal ones allowed) to an entry.
  void emit(std::span<const Code> codes, WindowTotals& totals, std::size_t entry) const;

  // Checkpoints.
  void write(std::span<const Code> codes, PaneGroup& group) const;
  void read(const PaneGroup& group, CodeCounts& pane) const;

 private:
  [[nodiscard]] std::uint32_t code_of(const RowSet& rows, std::uint32_t i, const std::uint32_t* keys,
                                      const std::uint64_t* hashes) const noexcept;
  [[nodiscard]] bool has_code(const RowSet& rows, std::uint32_t i) const noexcept;
  void add_to_window(std::uint32_t group, std::uint32_t code, std::uint64_t count);

  Kind kind_;
  std::size_t source_;
  std::size_t output_;
  std::vector<std::vector<Code>> window_;  ///< [group] → ascending codes with their counts
};

/// A code with the group that it belongs to, for putting the codes of several panes in order.
struct GroupCode {
  std::uint32_t group;
  std::uint32_t code;
  std::uint64_t count;
  friend bool operator<(const GroupCode& a, const GroupCode& b) noexcept {
    return a.group != b.group ? a.group < b.group : a.code < b.code;
  }
};

/// @brief Appends a pane's codes; those of `groups` (ascending) only, if any are given.
void append_codes(const CodeCounts& pane, std::span<const std::uint32_t> groups, std::vector<GroupCode>& out);

/// @brief The sketches that a query needs: quantile arguments in order, then distinct aggregates in order.
std::vector<Sketch> make_sketches(const plan::QueryPlan& query);

}  // namespace weir::execute::cpu
