// Which members of a JSON object go into which slots of a reading: the schema's names and JSON pointers as a tree, and
// the walk that fills the slots from an object.
//
// The tree is immutable after construction. Included by the JSON decoder only, for simdjson's header is large.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decode/reading_writer.hpp"
#include "decode/token.hpp"

namespace weir::decode {

/// @brief The parts of a JSON pointer (RFC 6901) such as "/meta/id", with ~0 and ~1 resolved. Text that does not begin
/// with '/' is one part: a member's name.
std::vector<std::string> pointer_parts(std::string_view pointer);

/// A member that is wanted, or on the way to one.
struct JsonMember {
  explicit JsonMember(std::string member);

  std::string name;   ///< also the index of an array's element, in decimal
  bool plain = true;  ///< no character of the name can be written as an escape only
  // The first 8 bytes of the name and its closing quote, as one word in memory order, and which of them there are.
  std::uint64_t head = 0;
  std::uint64_t head_mask = 0;
  std::vector<std::size_t> slots;
  std::vector<JsonMember> children;

  /// @brief Adds a slot for what the parts say, from this member on.
  void add(const std::vector<std::string>& parts, std::size_t slot);
};

/// @brief Where the element of an array that begins at `at` ends: at the ',' or ']' behind it, or where the text does.
std::size_t end_of_json_element(std::string_view text, std::size_t at) noexcept;

/// @brief The tree of everything that the schema takes from the payload.
JsonMember json_members(const spec::Stream& stream, const ReadingWriter& writer);

/// @brief Length of the longest name: so many bytes after a JSON text must be readable, beyond simdjson's own.
std::size_t longest_name(const JsonMember& member);

/// @brief The child that `field`'s key names, or nullptr. `expected` is the child to try first; it is set to the one
/// after the match, for objects of a stream mostly have their members in one order.
const JsonMember* find_member(const JsonMember& parent, simdjson::ondemand::field& field, std::size_t& expected);

/// @brief Puts the wanted values of an object into their slots; the last of equal members counts. The texts live as
/// long as the parsed text and its parser's current document. @return false when the JSON is broken
bool read_members(simdjson::ondemand::object object, const JsonMember& wanted, std::vector<Token>& values);

/// @brief As read_members for one value, object or not.
bool read_value(simdjson::ondemand::value value, const JsonMember& wanted, std::vector<Token>& values);

}  // namespace weir::decode
