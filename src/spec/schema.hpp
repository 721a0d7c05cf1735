// The shape of a stream's readings: which keys and fields a row has. Plain data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::spec {

/// A key: a string that says which sensor.
struct Key {
  std::string name;
  std::string path;  ///< where in the payload (JSON pointer such as "/meta/id"); empty: the member `name` or the topic
                     ///< capture `{name}`
};

/// A numeric field: an exact decimal with `places` decimal places.
struct Field {
  std::string name;
  int places = 6;           ///< 0 … 18
  std::string path;         ///< where in the payload; empty: the member or column `name`
  bool required = false;    ///< a reading without it is malformed; otherwise the field is null there
  bool is_switch = false;   ///< on or off, which count 1 and 0; `places` is 0
  bool strip_unit = false;  ///< of a text, a unit behind the number is left out
};

struct Schema {
  std::vector<Key> keys;
  std::vector<Field> fields;

  [[nodiscard]] std::optional<std::size_t> key_index(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> field_index(std::string_view name) const;
};

}  // namespace weir::spec
