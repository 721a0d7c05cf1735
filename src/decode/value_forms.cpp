#include "decode/value_forms.hpp"

#include <algorithm>
#include <array>

#include "core/decimal.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "decode/lines.hpp"

namespace weir::decode {
namespace {

bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') <= 9;
}

/// The digits at `at`.
std::size_t digits_at(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

/// What may stand behind a number as its unit: "°C", "%", "kWh", "m3"; nothing that may be a part of the number.
bool begins_a_unit(std::string_view text) noexcept {
  const std::size_t at = text.find_first_not_of(" \t");
  if (at == std::string_view::npos) return true;
  constexpr std::string_view kSigns = "%/\"'$#";
  const char c = text[at];
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || static_cast<unsigned char>(c) >= 0x80 || kSigns.find(c) != std::string_view::npos;
}

/// How many bytes of the text from `at` on are such a sign between groups of digits. A blank and an apostrophe stand
/// for those that typesetting has in their place.
std::size_t group_sign_at(std::string_view text, std::size_t at, std::string_view sign) noexcept {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with(sign)) return sign.size();
  using namespace std::string_view_literals;
  constexpr std::array kBlanks{"\u00A0"sv, "\u202F"sv, "\u2009"sv};
  constexpr std::array kApostrophes{"\u2019"sv};
  const std::span<const std::string_view> others =
      sign == " " ? std::span<const std::string_view>(kBlanks)
                  : std::span<const std::string_view>(kApostrophes).first(sign == "'" ? 1 : 0);
  for (const std::string_view other : others) {
    if (rest.starts_with(other)) return other.size();
  }
  return 0;
}

bool equal_word(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

bool contains(const std::vector<std::string>& words, std::string_view text) noexcept {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr Token kOn{"1", Token::Kind::number};
constexpr Token kOff{"0", Token::Kind::number};

}  // namespace

ValueForms::ValueForms(const spec::Stream& stream, const spec::Format& format)
    : stream_(stream),
      decimal_(format.decimal),
      thousands_(format.thousands),
      values_(stream.schema.fields.size()),
      numbers_(stream.schema.fields.size()),
      said_(stream.schema.fields.size()) {
  plain_ = stream.missing.empty() && !stream.lenient && decimal_ == '.' && thousands_.empty() &&
           std::none_of(stream.schema.fields.begin(), stream.schema.fields.end(),
                        [](const spec::Field& field) { return field.is_switch || field.strip_unit; });
}

bool ValueForms::is_missing(std::string_view text) const noexcept {
  return contains(stream_.missing, text);
}

Token ValueForms::read_switch(const Token& value) const noexcept {
  if (value.kind == Token::Kind::boolean) return value.text == "true" ? kOn : kOff;
  if (contains(stream_.true_words, value.text)) return kOn;
  if (contains(stream_.false_words, value.text)) return kOff;
  if (equal_word(value.text, "true")) return kOn;
  if (equal_word(value.text, "false")) return kOff;
  const ParsedDecimal number = parse_decimal(value.text, 0);
  if (number.status == DecimalStatus::ok && (number.units == 0 || number.units == 1)) return value;
  return {value.text, Token::Kind::no_number};
}

std::string_view ValueForms::read_number(std::string_view text, bool strip_unit, std::string& number) const {
  if (decimal_ == '.' && thousands_.empty() && !strip_unit) return text;
  number.clear();
  std::size_t at = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  number.append(text.substr(0, at));
  std::size_t digits = digits_at(text, at);
  number.append(text.substr(at, digits));
  at += digits;
  // Groups of three behind one to three digits, all the way to the decimal sign.
  const bool may_be_grouped = !thousands_.empty() && digits >= 1 && digits <= 3;
  while (may_be_grouped) {
    const std::size_t sign = group_sign_at(text, at, thousands_);
    if (sign == 0 || digits_at(text, at + sign) != 3) break;
    number.append(text.substr(at + sign, 3));
    at += sign + 3;
  }
  if (at < text.size() && text[at] == decimal_) {
    const std::size_t fraction = digits_at(text, at + 1);
    number.push_back('.');
    number.append(text.substr(at + 1, fraction));
    at += 1 + fraction;
    digits += fraction;
  }
  if (digits == 0) return {};
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '-' || text[at + 1] == '+') ? 1 : 0;
    if (const std::size_t exponent = digits_at(text, at + 1 + sign); exponent > 0) {
      number.append(text.substr(at, 1 + sign + exponent));
      at += 1 + sign + exponent;
    }
  }
  const bool all = at == text.size() || (strip_unit && begins_a_unit(text.substr(at)));
  return all ? std::string_view(number) : std::string_view();
}

void ValueForms::say_ignored(std::size_t field, const Token& value) {
  if (said_[field]) return;
  said_[field] = true;
  log::warn("stream '{}': {} of field '{}' is no number and left out, here and from now on (lenient = true)",
            stream_.name,
            value.kind == Token::Kind::container ? std::string("an array or object")
                                                 : "\"" + printable(value.text.substr(0, 40)) + "\"",
            stream_.schema.fields[field].name);
}

std::span<const Token> ValueForms::apply(std::span<const Token> fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const spec::Field& field = stream_.schema.fields[i];
    Token value = fields[i];
    if (value.kind == Token::Kind::text) value.text = trimmed(value.text);
    if (!value.missing() && value.kind != Token::Kind::container && is_missing(value.text)) value = {};
    if (!value.missing() && value.kind != Token::Kind::container) {
      if (field.is_switch) {
        value = read_switch(value);
      } else if (value.kind == Token::Kind::text) {
        value.text = read_number(value.text, field.strip_unit, numbers_[i]);
        if (value.text.empty()) value = {fields[i].text, Token::Kind::no_number};
      }
    }
    if (stream_.lenient && !field.required && !value.missing()) {
      const bool number = (value.kind == Token::Kind::number || value.kind == Token::Kind::text) &&
                          parse_decimal(value.text, field.places).status != DecimalStatus::not_a_number;
      if (!number) {
        say_ignored(i, fields[i]);
        value = {};
      }
    }
    values_[i] = value;
  }
  return values_;
}

}  // namespace weir::decode
