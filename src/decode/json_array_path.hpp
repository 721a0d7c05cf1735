// The way to readings in an array inside a JSON document, and what the objects on it hold for all of them.
//
// Owned by one decoder, used by its thread. Included by the JSON decoder only, for simdjson's header is large.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "decode/json_members.hpp"
#include "decode/json_strings.hpp"
#include "decode/token.hpp"

namespace weir::decode {

class JsonArrayPath {
 public:
  /// @param pointer to the array; empty: the document itself is a reading or an array of them
  /// @param members what a reading consists of; must outlive the path
  /// @param slots of a reading; @param padding bytes after a text that must be readable
  JsonArrayPath(const std::string& pointer, const JsonMember& members, std::size_t slots, std::size_t padding);

  [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }

  /// @brief The array's text, or that of an object in its place; false where there is none, or the document is broken.
  /// It lives as long as the document, or until the next call where it stands in a string.
  bool find(simdjson::ondemand::document& document, std::string_view& found);

  /// @brief Values that the reading lacks are those of the objects on the way, the nearest first.
  void inherit(std::vector<Token>& values) const;

  /// @brief Gives back what rare messages took.
  void release_above(std::size_t bytes) { strings_.release_above(bytes); }

 private:
  bool follow_object(simdjson::ondemand::object object, std::size_t level, std::string_view& found);
  bool follow_array(simdjson::ondemand::array array, std::size_t level, std::string_view& found);
  bool follow_value(simdjson::ondemand::value value, std::size_t level, std::string_view& found);
  bool follow_string(std::string_view text, std::size_t level, std::string_view& found);
  void forget_below(std::size_t level, std::string_view& found);

  const std::vector<std::string> parts_;
  const JsonMember& members_;
  JsonStrings strings_;
  std::vector<std::vector<Token>> enclosing_;  // one for each object on the way
};

}  // namespace weir::decode
