// When each key of a stream was last heard, so that those that are long silent can give their places to new ones
// (key_ttl). Owned and used by the engine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "batch/batch.hpp"
#include "core/large_array.hpp"
#include "state/serial.hpp"

namespace weir::runtime {

class KeyAges {
 public:
  explicit KeyAges(std::int64_t ttl_ns) : ttl_ns_(ttl_ns) {}

  /// @brief The readings of a batch were heard.
  void note(const batch::Batch& batch);
  /// @brief A flag for each key id: 0 for those whose newest reading is older than key_ttl before `late_before`.
  /// @param late_before readings with an event time before are late for every query
  [[nodiscard]] std::vector<std::uint8_t> heard_lately(std::int64_t late_before) const;
  /// @brief Keys get new ids, in their order. @param kept a flag for each
  void keep(std::span<const std::uint8_t> kept);

  [[nodiscard]] static std::uint64_t worst_case_bytes(std::uint32_t max_keys) noexcept {
    return std::uint64_t{max_keys} * (2 * sizeof(std::int64_t) + 1);  // an array that doubles, and the flags
  }
  void save(state::Writer& out) const;
  /// @throws Error when it is not of `keys` keys
  void load(state::Reader& in, std::uint32_t keys);
  /// @brief The state was saved without: all of `keys` keys were heard at `time_ns`.
  void assume(std::uint32_t keys, std::int64_t time_ns) { newest_.assign(keys, time_ns); }

 private:
  std::int64_t ttl_ns_;
  LargeVector<std::int64_t> newest_;  ///< [key id] event time
};

}  // namespace weir::runtime
