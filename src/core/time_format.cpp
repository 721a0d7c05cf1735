#include "core/time_format.hpp"

#include <array>
#include <cstddef>

#include "core/clock_time.hpp"
#include "core/error.hpp"

namespace weir {
namespace {

constexpr std::string_view kLetters = "YmdHMSfyjbBeIpzZsTFDRnt%";

constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// What the directives have found so far.
struct Found {
  ClockTime clock;
  bool has_day_of_year = false;
  unsigned day_of_year = 0;
  bool twelve_hours = false;
  bool afternoon = false;
  bool has_epoch = false;
  std::int64_t epoch_seconds = 0;
};

class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : p_(text.data()), end_(text.data() + text.size()) {}

  [[nodiscard]] bool done() const noexcept { return p_ == end_; }

  bool take(char c) noexcept {
    if (p_ == end_ || *p_ != c) {
      return false;
    }
    ++p_;
    return true;
  }

  bool blanks() noexcept {
    const char* const first = p_;
    while (p_ != end_ && is_blank(*p_)) {
      ++p_;
    }
    return p_ != first;
  }

  /// From `least` to `most` digits, most <= 9.
  bool number(int least, int most, unsigned& value) noexcept {
    int digits = 0;
    value = 0;
    for (; p_ != end_ && digits < most && is_digit(*p_); ++p_, ++digits) {
      value = value * 10 + static_cast<unsigned>(*p_ - '0');
    }
    return digits >= least;
  }

  /// `word` is in lower case, the text in any.
  bool word(std::string_view word) noexcept {
    if (static_cast<std::size_t>(end_ - p_) < word.size()) {
      return false;
    }
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char c = p_[i];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) {
        return false;
      }
    }
    p_ += word.size();
    return true;
  }

  bool month(unsigned& month) noexcept {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      if (word(kMonths[i]) || word(kMonths[i].substr(0, 3))) {
        month = static_cast<unsigned>(i + 1);
        return true;
      }
    }
    return false;
  }

  /// Z, +hh, +hhmm or +hh:mm, in seconds east of UTC.
  bool offset(std::int64_t& offset) noexcept {
    if (take('Z') || take('z')) {
      offset = 0;
      return true;
    }
    const bool west = take('-');
    unsigned hours = 0;
    unsigned minutes = 0;
    if ((!west && !take('+')) || !number(2, 2, hours)) {
      return false;
    }
    const bool colon = take(':');
    if ((colon || (p_ != end_ && is_digit(*p_))) && !number(2, 2, minutes)) {
      return false;
    }
    offset = std::int64_t{hours} * 3600 + minutes * 60;
    offset = west ? -offset : offset;
    return hours <= 23 && minutes <= 59;
  }

  bool epoch_seconds(std::int64_t& seconds) noexcept {
    const bool negative = take('-');
    std::int64_t value = 0;
    const char* const first = p_;
    for (; p_ != end_ && is_digit(*p_); ++p_) {
      if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
          __builtin_add_overflow(value, std::int64_t{*p_ - '0'}, &value)) {
        return false;
      }
    }
    seconds = negative ? -value : value;
    return p_ != first;
  }

  bool fraction(std::int64_t& nanos) noexcept { return take_fraction(p_, end_, nanos); }

 private:
  const char* p_;
  const char* end_;
};

bool read_directive(char letter, Cursor& cursor, Found& found) noexcept {
  unsigned value = 0;
  switch (letter) {
    case 'Y':
      if (!cursor.number(4, 4, value)) {
        return false;
      }
      found.clock.date.year = value;
      return true;
    case 'y':
      // POSIX: 69 to 99 are in the twentieth century.
      if (!cursor.number(2, 2, value)) {
        return false;
      }
      found.clock.date.year = value + (value >= 69 ? 1900 : 2000);
      return true;
    case 'm':
      return cursor.number(1, 2, found.clock.date.month);
    case 'b':
    case 'B':
      return cursor.month(found.clock.date.month);
    case 'e':
      cursor.take(' ');
      [[fallthrough]];
    case 'd':
      return cursor.number(1, 2, found.clock.date.day);
    case 'j':
      found.has_day_of_year = true;
      return cursor.number(1, 3, found.day_of_year);
    case 'H':
      found.twelve_hours = false;
      return cursor.number(1, 2, found.clock.hour);
    case 'I':
      found.twelve_hours = true;
      return cursor.number(1, 2, found.clock.hour);
    case 'p':
      found.afternoon = cursor.word("pm");
      return found.afternoon || cursor.word("am");
    case 'M':
      return cursor.number(1, 2, found.clock.minute);
    case 'S':
      return cursor.number(1, 2, found.clock.second);
    case 'f':
      return cursor.fraction(found.clock.nanos);
    case 'z':
      found.clock.has_offset = true;
      return cursor.offset(found.clock.offset);
    case 'Z':
      found.clock.has_offset = true;
      found.clock.offset = 0;
      return cursor.word("utc") || cursor.word("gmt");
    case 's':
      found.has_epoch = true;
      return cursor.epoch_seconds(found.epoch_seconds);
    default:  // n and t
      return cursor.blanks();
  }
}

}  // namespace

TimeFormat::TimeFormat(const std::string& pattern) {
  append(pattern, pattern);
  bool has_year = false;
  for (const Step& step : steps_) {
    has_year = has_year || step.letter == 'Y' || step.letter == 'y' || step.letter == 's';
  }
  if (!has_year) {
    throw ConfigError("time format '" + pattern + "' has no year", "use %Y, %y or %s (epoch seconds)");
  }
}

void TimeFormat::append(const std::string& pattern, const std::string& whole) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      steps_.push_back({'\0', pattern[i]});
      continue;
    }
    ++i;
    const char letter = i < pattern.size() ? pattern[i] : '\0';
    if (letter == '\0' || kLetters.find(letter) == std::string_view::npos) {
      std::string known;
      for (const char c : kLetters) {
        known += known.empty() ? "one of: %" : " %";
        known += c;
      }
      throw ConfigError(
          "time format '" + whole + "': unknown '%" + (letter == '\0' ? "" : std::string(1, letter)) + "'", known);
    }
    switch (letter) {
      case '%':
        steps_.push_back({'\0', '%'});
        break;
      case 'T':
        append("%H:%M:%S", whole);
        break;
      case 'R':
        append("%H:%M", whole);
        break;
      case 'F':
        append("%Y-%m-%d", whole);
        break;
      case 'D':
        append("%m/%d/%y", whole);
        break;
      default:
        steps_.push_back({letter, '\0'});
    }
  }
}

std::optional<std::int64_t> TimeFormat::read(std::string_view text, const LocalClock* local,
                                             LocalOrder* order) const noexcept {
  Cursor cursor(text);
  Found found;
  for (const Step& step : steps_) {
    if (!(step.letter == '\0' ? cursor.take(step.literal) : read_directive(step.letter, cursor, found))) {
      return std::nullopt;
    }
  }
  if (!cursor.done()) {
    return std::nullopt;
  }
  if (found.has_epoch) {
    return join_seconds(found.epoch_seconds, found.clock.nanos);
  }
  if (found.twelve_hours) {
    if (found.clock.hour < 1 || found.clock.hour > 12) {
      return std::nullopt;
    }
    found.clock.hour = found.clock.hour % 12 + (found.afternoon ? 12U : 0U);
  }
  if (found.has_day_of_year) {
    const unsigned days = is_leap_year(found.clock.date.year) ? 366 : 365;
    if (found.day_of_year < 1 || found.day_of_year > days) {
      return std::nullopt;
    }
    found.clock.date =
        civil_from_days(days_from_civil({.year = found.clock.date.year, .month = 1, .day = 1}) + found.day_of_year - 1);
  }
  return found.clock.to_ns(local, order);
}

}  // namespace weir
