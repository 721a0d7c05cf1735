// Why a reading was refused. Each reason is counted by itself and named in the dead-letter file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::batch {

enum class Malformed : std::uint8_t {
  bad_payload,  ///< not JSON / not SenML / a broken CSV line
  missing_time,
  bad_time,
  future,  ///< more than max_ahead after its arrival
  missing_key,
  too_many_keys,
  missing_field,  ///< a required field, or every field, is absent
  not_a_number,
  out_of_range,
  wrong_columns,  ///< a CSV line with fewer columns than declared
  too_large,      ///< a message or line above max_message
  unreadable,     ///< a file that could not be read
  other_topic,    ///< a message whose topic matches no filter of its source
  key_too_long    ///< the texts of the keys together are longer than max_key_bytes
};
inline constexpr std::size_t kMalformedReasons = 14;
using MalformedCounts = std::array<std::uint64_t, kMalformedReasons>;

constexpr std::string_view name(Malformed reason) noexcept {
  constexpr std::array<std::string_view, kMalformedReasons> names{
      "bad_payload",  "missing_time", "bad_time",      "future",    "missing_key", "too_many_keys", "missing_field",
      "not_a_number", "out_of_range", "wrong_columns", "too_large", "unreadable",  "other_topic",   "key_too_long"};
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace weir::batch
