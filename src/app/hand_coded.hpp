// The reference of `weir bench engine`: what somebody would write by hand for this one query. Dense cells [pane][key]
// with doubles, panes in a ring, no event-time logic (the readings must be in order and complete), no exactness.
//
// Readings of a pane are found by bisection, so the loop over them has nothing but the update of a cell. With several
// threads each takes an equal part of a pane's readings into cells of its own; when the pane is over, each takes an
// equal part of the keys and adds up.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weir::app {

/// A reading as the hand-coded loop takes it: 16 bytes.
struct HandReading {
  std::uint32_t key;
  std::uint32_t time_ms;  ///< since the begin of the block that it is in
  double value;
};

/// A row of a window.
struct HandRow {
  std::uint32_t key;
  std::uint64_t count;
  double sum, min, max;
};

class HandCoded {
 public:
  HandCoded(std::uint32_t keys, std::uint32_t pane_ms, std::uint32_t panes_per_window, unsigned threads);
  ~HandCoded();
  HandCoded(const HandCoded&) = delete;
  HandCoded& operator=(const HandCoded&) = delete;

  /// @brief Goes over a block of readings that lasts `block_ms`, a whole number of panes; a window ends with each pane.
  void run(std::span<const HandReading> block, std::uint32_t block_ms);
  /// @brief Called with the rows of each window, in pieces, ascending keys, if set: for checking, not while measuring.
  void (*on_rows)(void* context, std::span<const HandRow> rows) = nullptr;
  void* context = nullptr;

 private:
  struct alignas(32) Cell {
    double sum;
    double min;
    double max;
    std::uint64_t count;
  };
  static constexpr Cell kEmpty{0.0, 1e300, -1e300, 0};
  class Team;

  void work(unsigned thread);
  void add(std::span<const HandReading> readings, Cell* cells) const;
  std::uint32_t close(std::uint32_t begin, std::uint32_t end, HandRow* rows);
  [[nodiscard]] Cell* cells(std::uint32_t pane) noexcept { return ring_.data() + std::size_t{pane} * keys_; }

  std::uint32_t keys_;
  std::uint32_t pane_ms_;
  std::uint32_t panes_;
  unsigned threads_;
  std::vector<Cell> ring_;                  ///< [pane][key]
  std::vector<std::vector<Cell>> own_;      ///< [thread - 1][key]: the open pane's cells of the other threads
  std::uint32_t open_ = 0;                  ///< the pane in the ring that readings go to
  std::span<const HandReading> readings_;   ///< of the open pane
  std::vector<std::vector<HandRow>> rows_;  ///< [thread]
  std::uint32_t row_mask_ = 0;
  std::vector<std::uint32_t> counts_;  ///< [thread] → rows that it wrote
  std::unique_ptr<Team> team_;
};

}  // namespace weir::app
