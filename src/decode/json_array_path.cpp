#include "decode/json_array_path.hpp"

#include <algorithm>
#include <utility>

#include "decode/lines.hpp"

namespace weir::decode {
namespace {

namespace ondemand = simdjson::ondemand;

bool ends(ondemand::document& document) {
  return document.current_location().error() != simdjson::SUCCESS;
}

}  // namespace

JsonArrayPath::JsonArrayPath(const std::string& pointer, const JsonMember& members, std::size_t slots,
                             std::size_t padding)
    : parts_(pointer.empty() ? std::vector<std::string>{} : pointer_parts(pointer)),
      members_(members),
      strings_(padding),
      enclosing_(parts_.size(), std::vector<Token>(slots)) {}

bool JsonArrayPath::find(ondemand::document& document, std::string_view& found) {
  for (std::vector<Token>& level : enclosing_) {
    std::fill(level.begin(), level.end(), Token{});
  }
  strings_.clear();
  ondemand::object object;
  ondemand::array array;
  bool read = false;
  if (document.get_object().get(object) == simdjson::SUCCESS) {
    read = follow_object(object, 0, found);
  } else if (document.get_array().get(array) == simdjson::SUCCESS) {
    read = follow_array(array, 0, found);
  }
  return read && !found.empty() && ends(document);
}

void JsonArrayPath::inherit(std::vector<Token>& values) const {
  for (auto level = enclosing_.rbegin(); level != enclosing_.rend(); ++level) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i].kind == Token::Kind::absent) {
        values[i] = (*level)[i];
      }
    }
  }
}

/// Follows the path from its part `level` on; on the way every object's wanted members are kept for the elements.
bool JsonArrayPath::follow_object(ondemand::object object, std::size_t level, std::string_view& found) {
  std::size_t expected = 0;
  for (auto item : object) {
    ondemand::field field;
    if (std::move(item).get(field) != simdjson::SUCCESS) {
      return false;
    }
    if (field.key().is_equal(parts_[level])) {
      forget_below(level, found);  // of an equal member that came earlier
      if (!follow_value(field.value(), level, found)) {
        return false;
      }
      continue;
    }
    const JsonMember* const member = find_member(members_, field, expected);
    if (member != nullptr && !read_value(field.value(), *member, enclosing_[level], strings_)) {
      return false;
    }
  }
  return true;
}

void JsonArrayPath::forget_below(std::size_t level, std::string_view& found) {
  found = {};
  for (++level; level < enclosing_.size(); ++level) {
    std::fill(enclosing_[level].begin(), enclosing_[level].end(), Token{});
  }
}

bool JsonArrayPath::follow_array(ondemand::array array, std::size_t level, std::string_view& found) {
  std::size_t index = 0;
  for (auto item : array) {
    ondemand::value element;
    if (item.get(element) != simdjson::SUCCESS) {
      return false;
    }
    if (std::to_string(index++) == parts_[level] && !follow_value(element, level, found)) {
      return false;
    }
  }
  return true;
}

bool JsonArrayPath::follow_value(ondemand::value value, std::size_t level, std::string_view& found) {
  const bool last = level + 1 == parts_.size();
  ondemand::json_type type{};
  ondemand::object object;
  ondemand::array array;
  if (value.type().get(type) != simdjson::SUCCESS) {
    return false;
  }
  if (type == ondemand::json_type::object && value.get_object().get(object) == simdjson::SUCCESS) {
    return last ? object.raw_json().get(found) == simdjson::SUCCESS : follow_object(object, level + 1, found);
  }
  if (type == ondemand::json_type::array && value.get_array().get(array) == simdjson::SUCCESS) {
    return last ? array.raw_json().get(found) == simdjson::SUCCESS : follow_array(array, level + 1, found);
  }
  std::string_view text;
  if (type == ondemand::json_type::string) {
    return value.get_string().get(text) == simdjson::SUCCESS && follow_string(text, level, found);
  }
  return true;
}

/// The path goes on in JSON that stands in a string; in any other text it ends.
bool JsonArrayPath::follow_string(std::string_view text, std::size_t level, std::string_view& found) {
  text = trimmed(text);
  if ((!text.starts_with('{') && !text.starts_with('[')) || strings_.full()) {
    return true;
  }
  ondemand::document* const document = strings_.parse(text);
  ondemand::object object;
  ondemand::array array;
  if (document == nullptr) {
    return false;
  }
  const bool last = level + 1 == parts_.size();
  if (text.starts_with('{')) {
    return document->get_object().get(object) == simdjson::SUCCESS &&
           (last ? object.raw_json().get(found) == simdjson::SUCCESS : follow_object(object, level + 1, found)) &&
           ends(*document);
  }
  return document->get_array().get(array) == simdjson::SUCCESS &&
         (last ? array.raw_json().get(found) == simdjson::SUCCESS : follow_array(array, level + 1, found)) &&
         ends(*document);
}

}  // namespace weir::decode
