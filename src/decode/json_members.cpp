#include "decode/json_members.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace weir::decode {
namespace {

namespace ondemand = simdjson::ondemand;

/// The characters of a key as they stand, up to its closing quote, if none of them is an escape.
bool same_raw_key(const char* raw, const JsonMember& member) noexcept {
  std::uint64_t head = 0;
  std::memcpy(&head, raw, sizeof head);
  if ((head & member.head_mask) != member.head || !member.plain) {
    return false;
  }
  return member.name.size() < sizeof head ||
         (std::memcmp(raw, member.name.data(), member.name.size()) == 0 && raw[member.name.size()] == '"');
}

bool has_escape(const char* raw) noexcept {
  // The parser has found the closing quote, so there is an end.
  for (; *raw != '"'; ++raw) {
    if (*raw == '\\') {
      return true;
    }
  }
  return false;
}

void set(std::vector<Token>& values, const JsonMember& member, const Token& token) noexcept {
  for (const std::size_t slot : member.slots) {
    values[slot] = token;
  }
}

/// What an equal member that came earlier held is gone.
void forget_children(std::vector<Token>& values, const JsonMember& member) noexcept {
  for (const JsonMember& child : member.children) {
    set(values, child, {});
    forget_children(values, child);
  }
  for (const JsonSelection& selection : member.selection) {
    for (const JsonSelection::Choice& choice : selection.choices) {
      for (const auto& [from, to] : choice.moved) {
        values[to] = {};
      }
    }
  }
}

std::size_t digits_at(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (end < text.size() && static_cast<unsigned char>(text[end] - '0') <= 9) {
    ++end;
  }
  return end - at;
}

/// As RFC 8259 writes numbers. The parser looks at their first character only.
bool is_number(std::string_view text) noexcept {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) {
    return false;
  }
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, ++at);
    if (fraction == 0) {
      return false;
    }
    at += fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    at += at < text.size() && (text[at] == '+' || text[at] == '-') ? 1U : 0U;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) {
      return false;
    }
    at += exponent;
  }
  return at == text.size();
}

// Longer than they look: a token's text has readable bytes after it.
constexpr char kTrue[16] = "true";
constexpr char kFalse[16] = "false";

/// A scalar's own characters; simdjson's token reaches to the next one.
std::string_view raw_token(ondemand::value& value) noexcept {
  std::string_view raw = value.raw_json_token();
  while (!raw.empty() && static_cast<unsigned char>(raw.back()) <= ' ') {
    raw.remove_suffix(1);
  }
  return raw;
}

/// Libraries that write JSON by hand print what is no number as C or Python does: that is no JSON, and no reason to
/// refuse the other members. @return false for anything else
bool read_no_number(ondemand::value& value, const JsonMember& wanted, std::vector<Token>& values) noexcept {
  const std::string_view raw = raw_token(value);
  const std::string_view word = raw.substr(raw.starts_with('-') || raw.starts_with('+') ? 1 : 0);
  for (const std::string_view known : {"NaN", "nan", "NAN", "Infinity", "infinity", "inf", "Inf", "INF"}) {
    if (word == known) {
      set(values, wanted, {raw, Token::Kind::no_number});
      return true;
    }
  }
  return false;
}

bool read_string(ondemand::value& value, Token& token) {
  const std::string_view raw = raw_token(value);
  token.kind = Token::Kind::text;
  if (raw.size() >= 2 && std::memchr(raw.data(), '\\', raw.size()) == nullptr) {
    token.text = raw.substr(1, raw.size() - 2);
    return true;
  }
  return value.get_string().get(token.text) == simdjson::SUCCESS;
}

/// The members of JSON in a string, if it is any.
bool read_inside(std::string_view text, const JsonMember& wanted, std::vector<Token>& values, JsonStrings& strings) {
  const std::size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  if (first == text.size() || (text[first] != '{' && text[first] != '[')) {
    return true;
  }
  if (strings.full()) {
    return false;
  }
  ondemand::document* const document = strings.parse(text.substr(first));
  ondemand::object object;
  ondemand::array array;
  const bool whole =
      document != nullptr &&
      (text[first] == '{'
           ? document->get_object().get(object) == simdjson::SUCCESS && read_members(object, wanted, values, strings)
           : document->get_array().get(array) == simdjson::SUCCESS && read_elements(array, wanted, values, strings)) &&
      document->current_location().error() != simdjson::SUCCESS;
  if (!whole) {
    forget_children(values, wanted);  // a text that only begins like JSON
  }
  return true;
}

/// The value of a part "[name=value]" that chooses an element, and the name; nothing for any other part.
std::optional<std::pair<std::string_view, std::string_view>> choice_of(std::string_view part) noexcept {
  const std::size_t equals = part.find('=');
  if (!part.starts_with('[') || !part.ends_with(']') || equals == std::string_view::npos || equals == 1) {
    return std::nullopt;
  }
  return std::pair(part.substr(1, equals - 1), part.substr(equals + 1, part.size() - equals - 2));
}

bool says(const Token& token, std::string_view value) noexcept {
  return !token.missing() && token.kind != Token::Kind::container && token.text == value;
}

}  // namespace

JsonMember::JsonMember(std::string member) : name(std::move(member)) {
  plain = std::none_of(name.begin(), name.end(),
                       [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  const std::string quoted = name + '"';
  const std::size_t size = std::min(quoted.size(), sizeof head);
  std::memcpy(&head, quoted.data(), size);
  std::memset(&head_mask, 0xFF, size);
}

JsonMember& JsonMember::child(std::string_view child_name) {
  auto found =
      std::find_if(children.begin(), children.end(), [&](const JsonMember& child) { return child.name == child_name; });
  if (found == children.end()) {
    found = children.insert(found, JsonMember(std::string(child_name)));
  }
  return *found;
}

void JsonMember::add(std::span<const std::string> parts, std::size_t slot, std::size_t& slots_used) {
  if (parts.empty()) {
    slots.push_back(slot);
    return;
  }
  const auto chosen = choice_of(parts.front());
  if (!chosen) {
    child(parts.front()).add(parts.subspan(1), slot, slots_used);
    return;
  }
  if (selection.empty()) {
    selection.emplace_back();
  }
  JsonMember& element = selection.front().element;
  std::vector<JsonSelection::Choice>& choices = selection.front().choices;
  JsonMember& name_member = element.child(chosen->first);
  if (name_member.slots.empty()) {
    name_member.slots.push_back(slots_used++);
  }
  const std::size_t name_slot = name_member.slots.front();
  auto choice = std::find_if(choices.begin(), choices.end(), [&](const JsonSelection::Choice& known) {
    return known.name_slot == name_slot && known.value == chosen->second;
  });
  if (choice == choices.end()) {
    choice = choices.insert(choice, {name_slot, std::string(chosen->second), {}});
  }
  const std::size_t own = slots_used++;
  choice->moved.emplace_back(own, slot);
  element.add(parts.subspan(1), own, slots_used);
}

std::vector<std::string> pointer_parts(std::string_view pointer) {
  if (!pointer.starts_with('/')) {
    return {std::string(pointer)};
  }
  std::vector<std::string> parts;
  for (std::size_t at = 1; at <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at), pointer.size());
    std::string part;
    for (; at < end; ++at) {
      if (pointer[at] == '~' && at + 1 < end && (pointer[at + 1] == '0' || pointer[at + 1] == '1')) {
        part += pointer[++at] == '0' ? '~' : '/';
      } else {
        part += pointer[at];
      }
    }
    parts.push_back(std::move(part));
    at = end + 1;
  }
  return parts;
}

std::size_t end_of_json_element(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      at += c == '\\' ? 1U : 0U;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      return at;
    } else if (depth > 0 && (c == '}' || c == ']')) {
      --depth;
    }
  }
  return text.size();
}

JsonMember json_members(const spec::Stream& stream, const ReadingWriter& writer, std::size_t& slots) {
  JsonMember root{""};
  const auto add = [&](const std::string& name, const std::string& path, std::size_t slot) {
    if (path.starts_with('/')) {
      root.add(pointer_parts(path), slot, slots);
    } else {
      root.child(path.empty() ? name : path).slots.push_back(slot);
    }
  };
  if (!stream.time.arrival) {
    add({}, stream.time.field, ReadingWriter::kTimeSlot);
    for (std::size_t part = 0; part < stream.time.more_fields.size(); ++part) {
      add({}, stream.time.more_fields[part], writer.time_slot(part));
    }
  }
  for (std::size_t i = 0; i < stream.schema.keys.size(); ++i) {
    add(stream.schema.keys[i].name, stream.schema.keys[i].path, writer.key_slot(i));
  }
  for (std::size_t i = 0; i < stream.schema.fields.size(); ++i) {
    add(stream.schema.fields[i].name, stream.schema.fields[i].path, writer.field_slot(i));
  }
  return root;
}

std::size_t longest_name(const JsonMember& member) {
  std::size_t longest = member.name.size();
  for (const JsonMember& child : member.children) {
    longest = std::max(longest, longest_name(child));
  }
  for (const JsonSelection& selection : member.selection) {
    longest = std::max(longest, longest_name(selection.element));
  }
  return longest;
}

const JsonMember* find_member(const JsonMember& parent, ondemand::field& field, std::size_t& expected) {
  const std::vector<JsonMember>& children = parent.children;
  const char* const raw = field.key().raw();
  if (expected < children.size() && same_raw_key(raw, children[expected])) {
    return &children[expected++];
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (same_raw_key(raw, children[i])) {
      expected = i + 1;
      return &children[i];
    }
  }
  if (has_escape(raw)) {
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) {
      return nullptr;
    }
    for (const JsonMember& child : children) {
      if (child.name == key) {
        return &child;
      }
    }
  }
  return nullptr;
}

bool read_members(ondemand::object object, const JsonMember& wanted, std::vector<Token>& values, JsonStrings& strings) {
  std::size_t expected = 0;
  for (auto item : object) {
    ondemand::field field;
    if (std::move(item).get(field) != simdjson::SUCCESS) {
      return false;
    }
    const JsonMember* const member = find_member(wanted, field, expected);
    if (member != nullptr && !read_value(field.value(), *member, values, strings)) {
      return false;
    }
  }
  return true;
}

bool read_elements(ondemand::array array, const JsonMember& wanted, std::vector<Token>& values, JsonStrings& strings) {
  std::size_t index = 0;
  for (auto item : array) {
    ondemand::value element;
    if (item.get(element) != simdjson::SUCCESS) {
      return false;
    }
    if (!wanted.selection.empty()) {
      const JsonSelection& selection = wanted.selection.front();
      set(values, selection.element, {});
      if (!read_value(element, selection.element, values, strings)) {
        return false;
      }
      for (const JsonSelection::Choice& choice : selection.choices) {
        if (says(values[choice.name_slot], choice.value)) {
          for (const auto& [from, to] : choice.moved) {
            values[to] = values[from];
          }
        }
      }
      continue;
    }
    const std::string name = std::to_string(index++);
    for (const JsonMember& child : wanted.children) {
      if (child.name == name && !read_value(element, child, values, strings)) {
        return false;
      }
    }
  }
  return true;
}

bool read_value(ondemand::value value, const JsonMember& wanted, std::vector<Token>& values, JsonStrings& strings) {
  const bool looks_inside = !wanted.children.empty() || !wanted.selection.empty();
  forget_children(values, wanted);
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return read_no_number(value, wanted, values);
  }
  Token token;
  switch (type) {
    case ondemand::json_type::number:
      token = {raw_token(value), Token::Kind::number};
      if (!is_number(token.text)) {
        return read_no_number(value, wanted, values);
      }
      break;
    case ondemand::json_type::string:
      if (!read_string(value, token) || (looks_inside && !read_inside(token.text, wanted, values, strings))) {
        return false;
      }
      break;
    case ondemand::json_type::boolean: {
      bool yes = false;
      if (value.get_bool().get(yes) != simdjson::SUCCESS) {
        return false;
      }
      token = {yes ? std::string_view(kTrue, 4) : std::string_view(kFalse, 5), Token::Kind::boolean};
      break;
    }
    case ondemand::json_type::null: {
      if (read_no_number(value, wanted, values)) {
        return true;  // nan
      }
      bool is_null = false;
      if (value.is_null().get(is_null) != simdjson::SUCCESS || !is_null) {
        return false;
      }
      token.kind = Token::Kind::null;
      break;
    }
    case ondemand::json_type::object: {
      set(values, wanted, {{}, Token::Kind::container});
      ondemand::object object;
      return !looks_inside ||
             (value.get_object().get(object) == simdjson::SUCCESS && read_members(object, wanted, values, strings));
    }
    case ondemand::json_type::array: {
      set(values, wanted, {{}, Token::Kind::container});
      ondemand::array array;
      return !looks_inside ||
             (value.get_array().get(array) == simdjson::SUCCESS && read_elements(array, wanted, values, strings));
    }
  }
  set(values, wanted, token);
  return true;
}

}  // namespace weir::decode
