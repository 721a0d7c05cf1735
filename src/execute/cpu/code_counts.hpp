// A hash table from (group, code) to a count: what a pane keeps for quantile() and distinct(), whose codes are few of
// many. Codes are quantile bins, or touched registers of a HyperLogLog; its owner says which.
//
// Open addressing with linear probing, at most 2/3 full. Nothing is ever erased but all at once. One thread at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace weir::execute::cpu {

/// Codes take the low 20 bits of a key, the group the others.
inline constexpr int kCodeBits = 20;

class CodeCounts {
 public:
  struct Entry {
    std::uint64_t key = kFree;
    std::uint64_t count = 0;
    [[nodiscard]] std::uint32_t group() const noexcept { return static_cast<std::uint32_t>(key >> kCodeBits); }
    [[nodiscard]] std::uint32_t code() const noexcept {
      return static_cast<std::uint32_t>(key & ((std::uint64_t{1} << kCodeBits) - 1));
    }
  };

  /// @brief Adds to the count of (group, code). True when it was not there before.
  bool add(std::uint32_t group, std::uint32_t code, std::uint64_t count) {
    if (3 * (used_ + 1) > 2 * entries_.size()) grow();
    const std::uint64_t key = (std::uint64_t{group} << kCodeBits) | code;
    Entry& entry = find(key);
    const bool fresh = entry.key == kFree;
    used_ += fresh ? 1U : 0U;
    entry.key = key;
    entry.count += count;
    return fresh;
  }

  /// @brief Calls on(entry) for every entry, in no particular order.
  template <class On>
  void each(const On& on) const {
    if (used_ == 0) return;
    for (const Entry& entry : entries_) {
      if (entry.key != kFree) on(entry);
    }
  }

  [[nodiscard]] bool empty() const noexcept { return used_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  /// @brief Of a table that `codes` entries have been added to one by one.
  [[nodiscard]] static std::uint64_t worst_case_bytes(std::uint64_t codes) noexcept {
    return std::max(kSmallest, std::bit_ceil(codes + (codes + 1) / 2)) * sizeof(Entry);
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

  /// @brief Empties the table, keeps its memory.
  void clear() noexcept {
    if (used_ == 0) return;
    for (Entry& entry : entries_) entry = Entry{};
    used_ = 0;
  }

 private:
  static constexpr std::uint64_t kSmallest = 64;
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};

  Entry& find(std::uint64_t key) noexcept {
    const std::uint64_t mask = entries_.size() - 1;
    // Fibonacci hashing: the product's high bits depend on all of the key's.
    std::uint64_t slot = ((key * 0x9E37'79B9'7F4A'7C15U) >> 32) & mask;
    while (entries_[slot].key != kFree && entries_[slot].key != key) slot = (slot + 1) & mask;
    return entries_[slot];
  }

  void grow() {
    std::vector<Entry> before(std::max<std::size_t>(kSmallest, entries_.size() * 2));
    before.swap(entries_);
    for (const Entry& entry : before) {
      if (entry.key != kFree) find(entry.key) = entry;
    }
  }

  std::vector<Entry> entries_;  ///< a power of two
  std::size_t used_ = 0;
};

}  // namespace weir::execute::cpu
