#include "core/posix_zone.hpp"

#include <cstddef>

#include "core/civil.hpp"

namespace weir {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Takes the string apart from its front.
class Parser {
 public:
  explicit Parser(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] bool done() const noexcept { return text_.empty(); }

  bool take(char c) noexcept {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }

  bool name() noexcept {
    if (take('<')) {
      const std::size_t end = text_.find('>');
      if (end == std::string_view::npos || end == 0) {
        return false;
      }
      text_.remove_prefix(end + 1);
      return true;
    }
    std::size_t length = 0;
    while (length < text_.size() && is_letter(text_[length])) {
      ++length;
    }
    text_.remove_prefix(length);
    return length >= 3;
  }

  bool number(unsigned largest, unsigned& value) noexcept {
    if (text_.empty() || !is_digit(text_.front())) {
      return false;
    }
    value = 0;
    while (!text_.empty() && is_digit(text_.front())) {
      value = value * 10 + static_cast<unsigned>(text_.front() - '0');
      if (value > largest) {
        return false;
      }
      text_.remove_prefix(1);
    }
    return true;
  }

  /// [+-]hh[:mm[:ss]] in seconds.
  bool time(std::int64_t& seconds) noexcept {
    const bool negative = take('-');
    if (!negative) {
      take('+');
    }
    unsigned hours = 0;
    unsigned minutes = 0;
    unsigned rest = 0;
    if (!number(167, hours) || (take(':') && (!number(59, minutes) || (take(':') && !number(59, rest))))) {
      return false;
    }
    seconds = std::int64_t{hours} * 3600 + minutes * 60 + rest;
    seconds = negative ? -seconds : seconds;
    return true;
  }

  bool change(YearlyChange& change) noexcept {
    if (take('M')) {
      change.kind = YearlyChange::Kind::month_week_day;
      if (!number(12, change.month) || change.month == 0 || !take('.') || !number(5, change.week) || change.week == 0 ||
          !take('.') || !number(6, change.day)) {
        return false;
      }
    } else if (take('J')) {
      change.kind = YearlyChange::Kind::julian_no_leap;
      if (!number(365, change.day) || change.day == 0) {
        return false;
      }
    } else {
      change.kind = YearlyChange::Kind::zero_based_day;
      if (!number(365, change.day)) {
        return false;
      }
    }
    return !take('/') || time(change.seconds);
  }

 private:
  std::string_view text_;
};

/// Seconds of local time since the epoch.
std::int64_t local_seconds(const YearlyChange& change, std::int64_t year) noexcept {
  const std::int64_t new_year = days_from_civil({.year = year, .month = 1, .day = 1});
  std::int64_t day = 0;
  switch (change.kind) {
    case YearlyChange::Kind::month_week_day: {
      const std::int64_t first = days_from_civil({.year = year, .month = change.month, .day = 1});
      // 1970-01-01 was a Thursday, number 4.
      const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;
      std::int64_t offset = (change.day + 7 - weekday) % 7 + std::int64_t{change.week - 1} * 7;
      if (offset >= days_in_month(year, change.month)) {
        offset -= 7;
      }
      day = first + offset;
      break;
    }
    case YearlyChange::Kind::julian_no_leap:
      day = new_year + change.day - 1 + (is_leap_year(year) && change.day >= 60 ? 1 : 0);
      break;
    case YearlyChange::Kind::zero_based_day:
      day = new_year + change.day;
      break;
  }
  return day * kSecondsPerDay + change.seconds;
}

}  // namespace

std::int64_t PosixZone::daylight_begins(std::int64_t year) const noexcept {
  return local_seconds(begin, year) - standard_offset;
}

std::int64_t PosixZone::daylight_ends(std::int64_t year) const noexcept {
  return local_seconds(end, year) - daylight_offset;
}

std::optional<PosixZone> parse_posix_zone(std::string_view text) noexcept {
  PosixZone zone;
  Parser parser(text);
  std::int64_t west = 0;
  if (!parser.name() || !parser.time(west)) {
    return std::nullopt;
  }
  zone.standard_offset = -west;
  if (parser.done()) {
    return zone;
  }
  if (!parser.name()) {
    return std::nullopt;
  }
  zone.daylight = true;
  zone.daylight_offset = zone.standard_offset + 3600;
  if (!parser.take(',')) {
    if (!parser.time(west) || !parser.take(',')) {
      return std::nullopt;
    }
    zone.daylight_offset = -west;
  }
  if (!parser.change(zone.begin) || !parser.take(',') || !parser.change(zone.end) || !parser.done()) {
    return std::nullopt;
  }
  return zone;
}

}  // namespace weir
