#include "sink/position_text.hpp"

#include <charconv>
#include <system_error>

#include "core/error.hpp"

namespace weir::sink {
namespace {

[[noreturn]] void damaged() {
  throw Error("the sink's position in the checkpoint is damaged");
}

template <class Number>
Number parse(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) damaged();
  return value;
}

}  // namespace

void append_field(std::string& out, std::string_view bytes) {
  out.append(std::to_string(bytes.size())).append(":").append(bytes).append(",");
}
void append_field(std::string& out, std::uint64_t value) {
  append_field(out, std::string_view(std::to_string(value)));
}
void append_field(std::string& out, std::int64_t value) {
  append_field(out, std::string_view(std::to_string(value)));
}

std::string_view PositionReader::bytes() {
  const std::size_t colon = rest_.substr(0, 21).find(':');  // 20 digits at most
  if (colon == std::string_view::npos) damaged();
  const auto length = parse<std::uint64_t>(rest_.substr(0, colon));
  rest_.remove_prefix(colon + 1);
  if (length >= rest_.size()) damaged();
  const std::string_view field = rest_.substr(0, static_cast<std::size_t>(length));
  if (rest_[field.size()] != ',') damaged();
  rest_.remove_prefix(field.size() + 1);
  return field;
}

std::uint64_t PositionReader::number() {
  return parse<std::uint64_t>(bytes());
}
std::int64_t PositionReader::signed_number() {
  return parse<std::int64_t>(bytes());
}

}  // namespace weir::sink
