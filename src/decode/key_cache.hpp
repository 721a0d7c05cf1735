// From the raw bytes of a reading's keys straight to the id, in front of the key dictionary.
//
// Each text has two places, next to each other; a newer text displaces an older one. The bytes must determine the key
// tuple (for CSV the cells with the separators between them, elsewhere length-prefixed values); then a hit is exact,
// for the whole text is compared. Its owner clears it when the dictionary gives its ids anew. One decoder owns it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "decode/small_text.hpp"

namespace weir::decode {

class KeyCache {
 public:
  /// Longer texts are not cached: an entry is one cache line.
  static constexpr std::size_t kMaxBytes = 56;
  /// With more keys than these, more and more of them displace each other.
  static constexpr std::size_t kMostKeys = std::size_t{1} << 17U;

  /// @brief Hashes a text and begins to load its entry, some rows before find() needs it. 7 bytes after the text must
  /// be readable.
  [[nodiscard]] std::uint64_t prepare(std::string_view text) const noexcept {
    const std::uint64_t hash = hash_of(text);
    if (entries_) {
      __builtin_prefetch(&entries_[hash >> shift_]);
    }
    return hash;
  }

  /// @brief The id stored for `text`, whose hash prepare() gave.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text, std::uint64_t hash) const noexcept {
    if (!entries_ || text.empty()) {
      return std::nullopt;
    }
    const std::size_t place = static_cast<std::size_t>(hash >> shift_);
    if (entries_[place].is(text)) {
      return entries_[place].id;
    }
    if (entries_[place ^ 1U].is(text)) {
      return entries_[place ^ 1U].id;
    }
    return std::nullopt;
  }

  /// @brief Stores the id of `text` where it is short enough. @param keys ids given so far: with them the cache grows
  void insert(std::string_view text, std::uint64_t hash, std::uint32_t id, std::size_t keys) {
    if (text.empty() || text.size() > kMaxBytes) {
      return;
    }
    if (!entries_ || (keys > capacity() / 4 && shift_ > kSmallestShift)) {
      grow(keys);
    }
    std::size_t place = static_cast<std::size_t>(hash >> shift_);
    if (entries_[place].size != 0 && entries_[place ^ 1U].size == 0) {
      place ^= 1U;
    }
    Entry& entry = entries_[place];
    entry.id = id;
    entry.size = static_cast<std::uint32_t>(text.size());
    for (std::size_t i = 0; i < words_of(text.size()); ++i) {
      entry.words[i] = load_word(text, i);
    }
  }

  void clear() noexcept { entries_.reset(); }

  /// @brief The most that it takes with so many keys; while it grows, the old table is still there.
  [[nodiscard]] static std::uint64_t worst_case_bytes(std::uint64_t keys) noexcept {
    const std::uint64_t entries = std::clamp(std::bit_ceil(4 * keys), std::uint64_t{1} << (64U - kLargestShift),
                                             std::uint64_t{1} << (64U - kSmallestShift));
    return entries * sizeof(Entry) * 3 / 2;
  }

 private:
  // 64 KiB at first; at most 16 MiB. A quarter full at most (up to 65,536 keys): hardly any key finds both places
  // taken.
  static constexpr unsigned kLargestShift = 64 - 10;
  static constexpr unsigned kSmallestShift = 64 - 18;

  struct alignas(64) Entry {
    std::uint64_t words[kMaxBytes / 8] = {};
    std::uint32_t id = 0;
    std::uint32_t size = 0;  ///< 0: empty

    [[nodiscard]] bool is(std::string_view text) const noexcept {
      if (size != text.size()) {
        return false;
      }
      for (std::size_t i = 0; i < words_of(text.size()); ++i) {
        if (words[i] != load_word(text, i)) {
          return false;
        }
      }
      return true;
    }
  };

  [[nodiscard]] std::size_t capacity() const noexcept { return std::size_t{1} << (64U - shift_); }

  /// Starts over with an empty, larger table: the entries come back with the next readings.
  void grow(std::size_t keys) {
    while (keys > capacity() / 4 && shift_ > kSmallestShift) {
      --shift_;
    }
    entries_ = std::make_unique<Entry[]>(capacity());
  }

  static std::uint64_t hash_of(std::string_view text) noexcept {
    if (text.size() > kMaxBytes) {
      return 0;
    }
    // Multiplication by 2^64 / golden ratio spreads the low bits upward, where the place is taken from.
    constexpr std::uint64_t kMultiplier = 0x9E37'79B9'7F4A'7C15U;
    std::uint64_t hash = text.size();
    for (std::size_t i = 0; i < words_of(text.size()); ++i) {
      hash = (hash ^ load_word(text, i)) * kMultiplier;
      hash ^= hash >> 32U;
    }
    return hash * kMultiplier;
  }

  std::unique_ptr<Entry[]> entries_;
  unsigned shift_ = kLargestShift;
};

}  // namespace weir::decode
