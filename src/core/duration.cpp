#include "core/duration.hpp"

#include <fmt/core.h>

#include <cstddef>
#include <iterator>
#include <limits>

#include "core/decimal.hpp"
#include "core/int128.hpp"

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;
constexpr std::uint64_t kWeek = 7 * kDay;

// "µs" twice: the micro sign U+00B5 and the Greek letter U+03BC look the same.
constexpr Unit kDurationUnits[] = {{"ns", 1},         {"us", 1'000},  {"\u00b5s", 1'000}, {"\u03bcs", 1'000},
                                   {"ms", 1'000'000}, {"s", kSecond}, {"m", kMinute},     {"min", kMinute},
                                   {"h", kHour},      {"d", kDay},    {"w", kWeek}};

constexpr Unit kByteUnits[] = {{"b", 1},
                               {"kb", 1'000},
                               {"mb", 1'000'000},
                               {"gb", 1'000'000'000},
                               {"tb", 1'000'000'000'000},
                               {"pb", 1'000'000'000'000'000},
                               {"kib", 1ULL << 10U},
                               {"mib", 1ULL << 20U},
                               {"gib", 1ULL << 30U},
                               {"tib", 1ULL << 40U},
                               {"pib", 1ULL << 50U}};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// `digits[.digits]` at the front of `text`, which is removed; value = mantissa / 10^fraction_digits.
struct Number {
  std::uint64_t mantissa = 0;
  int fraction_digits = 0;
};
std::optional<Number> take_number(std::string_view& text) noexcept {
  std::size_t end = 0;
  std::size_t point = std::string_view::npos;
  while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && point == std::string_view::npos))) {
    if (text[end] == '.') {
      point = end;
    }
    ++end;
  }
  if (end == 0 || point == 0 || point == end - 1) {
    return std::nullopt;
  }
  std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  if (point != std::string_view::npos) {
    while (digits.back() == '0') {
      digits.remove_suffix(1);
    }
  }
  Number number;
  bool in_fraction = false;
  for (const char c : digits) {
    if (c == '.') {
      in_fraction = true;
      continue;
    }
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (__builtin_mul_overflow(number.mantissa, std::uint64_t{10}, &number.mantissa) ||
        __builtin_add_overflow(number.mantissa, digit, &number.mantissa)) {
      return std::nullopt;
    }
    number.fraction_digits += in_fraction ? 1 : 0;
  }
  return number;
}

/// number·unit, when it is a whole number that fits 64 bits.
std::optional<std::uint64_t> scale(const Number& number, std::uint64_t unit) noexcept {
  if (number.fraction_digits > kMaxPlaces) {
    return std::nullopt;  // no unit has so many factors of ten
  }
  const UInt128 product = UInt128{number.mantissa} * unit;
  const auto divisor = static_cast<std::uint64_t>(pow10(number.fraction_digits));
  const UInt128 quotient = product / divisor;
  if (product % divisor != 0 || quotient > std::numeric_limits<std::uint64_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(quotient);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  if (text == "0") {
    return Duration{0};
  }
  if (text.empty()) {
    return std::nullopt;
  }
  std::uint64_t total = 0;
  while (!text.empty()) {
    const std::optional<Number> number = take_number(text);
    if (!number) {
      return std::nullopt;
    }
    std::size_t length = 0;
    while (length < text.size() && !is_digit(text[length]) && text[length] != '.') {
      ++length;
    }
    const std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    std::optional<std::uint64_t> part;
    for (const Unit& unit : kDurationUnits) {
      if (unit.name == name) {
        part = scale(*number, unit.size);
      }
    }
    if (!part || __builtin_add_overflow(total, *part, &total)) {
      return std::nullopt;
    }
  }
  if (total > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return Duration{static_cast<std::int64_t>(total)};
}

std::string to_string(Duration duration) {
  const std::int64_t count = duration.count();
  if (count == 0) {
    return "0s";
  }
  const auto bits = static_cast<std::uint64_t>(count);
  const std::uint64_t magnitude = count < 0 ? std::uint64_t{0} - bits : bits;
  std::uint64_t rest = magnitude;
  std::string out = count < 0 ? "-" : "";
  // Whole weeks only by themselves: "8d" reads better than "1w1d".
  if (rest % kWeek == 0) {
    return out + std::to_string(rest / kWeek) + 'w';
  }
  for (const Unit& unit : {Unit{"d", kDay}, Unit{"h", kHour}, Unit{"m", kMinute}}) {
    if (rest >= unit.size) {
      out += std::to_string(rest / unit.size);
      out += unit.name;
      rest %= unit.size;
    }
  }
  if (rest == 0) {
    return out;
  }
  int places = 9;
  std::string_view unit = "s";
  if (magnitude < 1'000) {
    places = 0;
    unit = "ns";
  } else if (magnitude < 1'000'000) {
    places = 3;
    unit = "us";
  } else if (magnitude < kSecond) {
    places = 6;
    unit = "ms";
  }
  append_decimal(out, rest, places);
  out += unit;
  return out;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept {
  const std::optional<Number> number = take_number(text);
  if (!number) {
    return std::nullopt;
  }
  if (text.empty()) {
    return scale(*number, 1);
  }
  if (text.front() == ' ') {
    text.remove_prefix(1);
  }
  for (const Unit& unit : kByteUnits) {
    bool same = unit.name.size() == text.size();
    for (std::size_t i = 0; same && i < text.size(); ++i) {
      const char c = text[i];
      same = unit.name[i] == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    if (same) {
      return scale(*number, unit.size);
    }
  }
  return std::nullopt;
}

std::string bytes_to_string(std::uint64_t bytes) {
  constexpr std::string_view kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1023.95 would print as "1024.0".
  while (value >= 1023.95 && unit + 1 < std::size(kNames)) {
    value /= 1024.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace weir
