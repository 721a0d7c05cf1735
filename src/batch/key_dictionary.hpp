// Interns key tuples (the strings that say which sensor) to dense 32-bit ids.
//
// One thread (the stream's decoder) interns; other threads may read the entries of ids below a `size()` that was
// published to them (a sealed batch carries it). Entries never move, but in keep(), which nothing else may run beside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::batch {

class KeyDictionary {
 public:
  /// @param arity keys in a tuple, 0 or more (with 0 the only tuple is the empty one, id 0)
  /// @param max_keys most tuples held; further ones are refused
  KeyDictionary(std::size_t arity, std::uint32_t max_keys);
  ~KeyDictionary();
  KeyDictionary(const KeyDictionary&) = delete;
  KeyDictionary& operator=(const KeyDictionary&) = delete;

  /// @brief The id of the tuple, new or known; nothing when it is new and the dictionary is full.
  std::optional<std::uint32_t> intern(std::span<const std::string_view> tuple) { return intern(tuple, hash(tuple)); }
  /// @param hash hash() of the tuple
  std::optional<std::uint32_t> intern(std::span<const std::string_view> tuple, std::uint64_t hash);

  // Where there are more keys than caches hold, a lookup waits for memory twice: who knows what it will look up next
  // begins early, in two steps, some lookups apart.
  [[nodiscard]] static std::uint64_t hash(std::span<const std::string_view> tuple) noexcept;
  /// @brief First step: loads the place in the table.
  void prefetch(std::uint64_t hash) const noexcept;
  /// @brief Second step: loads the text that is there.
  void prefetch_entry(std::uint64_t hash) const noexcept;
  /// @brief Releases the tuples whose flag is 0. The others get new ids, in their order, and their texts new places.
  /// @param kept a flag for each id
  void keep(std::span<const std::uint8_t> kept);
  /// @brief How often ids were given anew: with another number, ids mean other tuples.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// @brief Room for so many keys in the table, max_keys at most.
  void reserve(std::uint32_t keys);

  [[nodiscard]] std::size_t arity() const noexcept { return arity_; }
  [[nodiscard]] std::uint32_t size() const noexcept;
  [[nodiscard]] std::uint32_t max_keys() const noexcept { return max_keys_; }
  /// @brief Key number `key` of tuple `id`. Valid as long as the dictionary.
  [[nodiscard]] std::string_view value(std::uint32_t id, std::size_t key) const noexcept;
  /// @brief Bytes held now, and the most that max_keys tuples of `tuple_bytes` text each can take.
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  [[nodiscard]] static std::uint64_t worst_case_bytes(std::size_t arity, std::uint32_t max_keys,
                                                      std::size_t tuple_bytes) noexcept;

 private:
  struct Impl;
  std::size_t arity_;
  std::uint32_t max_keys_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::batch
