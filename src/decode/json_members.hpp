// Which members of a JSON object go into which slots of a reading: the schema's names and JSON pointers as a tree, and
// the walk that fills the slots from an object.
//
// The tree is immutable after construction. Included by the JSON decoder only, for simdjson's header is large.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decode/json_strings.hpp"
#include "decode/reading_writer.hpp"
#include "decode/token.hpp"

namespace weir::decode {

/// @brief The parts of a JSON pointer (RFC 6901) such as "/meta/id", with ~0 and ~1 resolved. Text that does not begin
/// with '/' is one part: a member's name.
std::vector<std::string> pointer_parts(std::string_view pointer);

struct JsonSelection;

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
  std::vector<JsonSelection> selection;  ///< of an array's elements by what they say of themselves; one or none

  /// @brief Adds a slot for what the parts say, from this member on. A part "[name=value]" is the element of an array
  /// whose member `name` has that value.
  /// @param slots how many there are; what elements hold until it is known which they are takes further ones
  void add(std::span<const std::string> parts, std::size_t slot, std::size_t& slots);
  JsonMember& child(std::string_view child_name);
};

/// Elements of an array that are chosen by a member of theirs, as in "/values/[type=P1]/value". All of them are read
/// alike into slots of their own, for that member may stand behind the others.
struct JsonSelection {
  struct Choice {
    std::size_t name_slot = 0;  ///< holds the member that says which element it is
    std::string value;
    std::vector<std::pair<std::size_t, std::size_t>> moved;  ///< from the element's slot to the one that is wanted
  };
  JsonMember element{""};
  std::vector<Choice> choices;
};

/// @brief Where the element of an array that begins at `at` ends: at the ',' or ']' behind it, or where the text does.
std::size_t end_of_json_element(std::string_view text, std::size_t at) noexcept;

/// @brief The tree of everything that the schema takes from the payload.
/// @param slots in: of the writer; out: how many values must have room for
JsonMember json_members(const spec::Stream& stream, const ReadingWriter& writer, std::size_t& slots);

/// @brief Length of the longest name: so many bytes after a JSON text must be readable, beyond simdjson's own.
std::size_t longest_name(const JsonMember& member);

/// @brief The child that `field`'s key names, or nullptr. `expected` is the child to try first; it is set to the one
/// after the match, for objects of a stream mostly have their members in one order.
const JsonMember* find_member(const JsonMember& parent, simdjson::ondemand::field& field, std::size_t& expected);

/// @brief Puts the wanted values of an object into their slots; the last of equal members counts. The texts live as
/// long as the parsed text and its parser's current document, and `strings`. A string is looked into where a member
/// inside it is wanted; one that holds no JSON has none. @return false when the JSON is broken
bool read_members(simdjson::ondemand::object object, const JsonMember& wanted, std::vector<Token>& values,
                  JsonStrings& strings);

/// @brief As read_members for an array.
bool read_elements(simdjson::ondemand::array array, const JsonMember& wanted, std::vector<Token>& values,
                   JsonStrings& strings);

/// @brief As read_members for one value, object or not.
bool read_value(simdjson::ondemand::value value, const JsonMember& wanted, std::vector<Token>& values,
                JsonStrings& strings);

}  // namespace weir::decode
