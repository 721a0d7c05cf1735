// Things that are expensive to make, used again. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace weir::execute::cpu {

/// Between one round and the next some are taken and later given. What was free through kRounds rounds is released: a
/// need that goes up and down from round to round finds all that it had, and a single large one does not hold memory
/// for ever.
template <class T>
class FreeList {
 public:
  static constexpr int kRounds = 8;

  void begin_round() {
    if (++round_ < kRounds) return;
    free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(std::min(least_, free_.size())));
    least_ = free_.size();
    round_ = 0;
  }
  /// @brief The one that was given last; none where none is free.
  [[nodiscard]] std::optional<T> take() {
    if (free_.empty()) return std::nullopt;
    std::optional<T> taken(std::move(free_.back()));
    free_.pop_back();
    least_ = std::min(least_, free_.size());
    return taken;
  }
  void give(T thing) { free_.push_back(std::move(thing)); }
  [[nodiscard]] const std::vector<T>& free() const noexcept { return free_; }

 private:
  std::vector<T> free_;
  std::size_t least_ = 0;  ///< that were free at once since the last release
  int round_ = 0;
};

}  // namespace weir::execute::cpu
