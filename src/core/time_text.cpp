#include "core/time_text.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/clock_time.hpp"
#include "core/decimal.hpp"
#include "core/local_clock.hpp"
#include "core/time_format.hpp"

namespace weir {
namespace {

/// floor(number · 10^places): nanoseconds, where the number's unit is 10^places of them.
std::optional<std::int64_t> read_epoch_any(std::string_view text, int places) noexcept {
  const ScaledDecimal scaled = scan_decimal(text, places);
  if (!scaled.valid || scaled.overflow) {
    return std::nullopt;
  }
  const Int128 magnitude = scaled.magnitude;
  const Int128 ns = scaled.negative ? -magnitude - (scaled.exact() ? 0 : 1) : magnitude;
  if (ns < std::numeric_limits<std::int64_t>::min() || ns > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(ns);
}

/// The same, with `plain` as scan_plain(text).
std::optional<std::int64_t> read_epoch(std::string_view text, const PlainDecimal& plain, int places) noexcept {
  std::int64_t ns = 0;
  if (!plain.valid || plain.fraction_digits > places ||
      __builtin_mul_overflow(plain.mantissa, kPowersOf10[places - plain.fraction_digits], &ns)) [[unlikely]] {
    return read_epoch_any(text, places);
  }
  return plain.negative ? -ns : ns;
}

std::optional<std::int64_t> read_epoch(std::string_view text, int places) noexcept {
  return read_epoch(text, scan_plain(text), places);
}

/// A number whose magnitude says its unit.
std::optional<std::int64_t> read_epoch_by_magnitude(std::string_view text) noexcept {
  const PlainDecimal plain = scan_plain(text);
  std::uint64_t whole = plain.mantissa;
  if (!plain.valid || plain.fraction_digits > kMaxPlaces) [[unlikely]] {
    const ScaledDecimal scaled = scan_decimal(text, 0);
    if (!scaled.valid || scaled.overflow) {
      return std::nullopt;
    }
    whole = scaled.magnitude;
  } else if (plain.fraction_digits > 0) {
    whole /= static_cast<std::uint64_t>(kPowersOf10[plain.fraction_digits]);
  }
  int places = 0;
  if (whole < 100'000'000'000) {
    places = 9;
  } else if (whole < 100'000'000'000'000) {
    places = 6;
  } else if (whole < 100'000'000'000'000'000) {
    places = 3;
  }
  return read_epoch(text, plain, places);
}

/// Two digits; `wrong` becomes true when they are none.
unsigned two_digits(const char* p, bool& wrong) noexcept {
  const unsigned tens = static_cast<unsigned>(p[0]) - unsigned{'0'};
  const unsigned ones = static_cast<unsigned>(p[1]) - unsigned{'0'};
  wrong = wrong || tens > 9 || ones > 9;
  return tens * 10 + ones;
}

/// "2013-08-31T22:00:00"
constexpr std::size_t kClockSize = 19;
constexpr std::size_t kDateSize = 10;
constexpr std::size_t kHourSize = 13;
constexpr std::size_t kMinuteSize = 16;

bool begins_with_a_date(std::string_view text) noexcept {
  return text.size() >= kDateSize && (text[4] == '-' || text[4] == '/') && text[7] == text[4];
}

/// Z, UTC, GMT, +01:00, +0100 or +01, perhaps behind a blank, which is all that is left of the text.
bool read_offset(const char* p, const char* end, ClockTime& clock) noexcept {
  p += end - p > 1 && *p == ' ' ? 1 : 0;
  const std::ptrdiff_t size = end - p;
  clock.has_offset = true;
  if (size == 1) {
    return *p == 'Z' || *p == 'z';
  }
  if (const std::string_view name(p, static_cast<std::size_t>(size)); name == "UTC" || name == "GMT") {
    return true;
  }
  if ((*p != '+' && *p != '-') || (size != 3 && size != 5 && (size != 6 || p[3] != ':'))) {
    return false;
  }
  bool wrong = false;
  const unsigned hours = two_digits(p + 1, wrong);
  const unsigned minutes = size == 3 ? 0 : two_digits(end - 2, wrong);
  clock.offset = std::int64_t{hours} * 3600 + minutes * 60;
  clock.offset = *p == '-' ? -clock.offset : clock.offset;
  return !wrong && hours <= 23 && minutes <= 59;
}

/// "20130831T22", "20130831T2200", "20130831T220000", each with a fraction of the last part of seconds and an offset.
constexpr std::size_t kBasicDateSize = 8;

bool begins_with_a_basic_date(std::string_view text) noexcept {
  return text.size() > kBasicDateSize && (text[kBasicDateSize] == 'T' || text[kBasicDateSize] == 't') &&
         static_cast<unsigned char>(text[0] - '0') <= 9;
}

std::optional<std::int64_t> read_basic(std::string_view text, const LocalClock* local, LocalOrder* order) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  bool wrong = false;
  ClockTime clock;
  clock.date.year = two_digits(p, wrong) * 100 + two_digits(p + 2, wrong);
  clock.date.month = two_digits(p + 4, wrong);
  clock.date.day = two_digits(p + 6, wrong);
  p += kBasicDateSize + 1;
  std::size_t parts = 0;
  for (unsigned* const part : {&clock.hour, &clock.minute, &clock.second}) {
    if (end - p < 2 || static_cast<unsigned char>(*p - '0') > 9) {
      break;
    }
    *part = two_digits(p, wrong);
    p += 2;
    ++parts;
  }
  if (parts == 3 && p != end && (*p == '.' || *p == ',')) {
    ++p;
    wrong = wrong || !take_fraction(p, end, clock.nanos);
  }
  if (wrong || parts == 0 || (p != end && !read_offset(p, end, clock))) {
    return std::nullopt;
  }
  return clock.to_ns(local, order);
}

/// RFC 3339, and the shorter forms of ISO 8601: a date alone, hours alone or with minutes, a comma before the fraction.
/// The date may have slashes, as nobody writes the year first and means anything else.
std::optional<std::int64_t> read_iso8601(std::string_view text, const LocalClock* local, LocalOrder* order) noexcept {
  if (!begins_with_a_date(text)) {
    return begins_with_a_basic_date(text) ? read_basic(text, local, order) : std::nullopt;
  }
  const char* p = text.data();
  const char* const end = p + text.size();
  bool wrong = false;
  ClockTime clock;
  clock.date.year = two_digits(p, wrong) * 100 + two_digits(p + 2, wrong);
  clock.date.month = two_digits(p + 5, wrong);
  clock.date.day = two_digits(p + 8, wrong);
  if (text.size() > kDateSize) {
    if (text.size() < kHourSize || (p[10] != 'T' && p[10] != ' ' && p[10] != 't')) {
      return std::nullopt;
    }
    clock.hour = two_digits(p + 11, wrong);
    if (text.size() == kHourSize || p[13] != ':') {
      return wrong || (text.size() > kHourSize && !read_offset(p + kHourSize, end, clock)) ? std::nullopt
                                                                                           : clock.to_ns(local, order);
    }
    if (text.size() < kMinuteSize) {
      return std::nullopt;
    }
    clock.minute = two_digits(p + 14, wrong);
    p += kMinuteSize;
    if (text.size() >= kClockSize && *p == ':') {
      clock.second = two_digits(p + 1, wrong);
      p += kClockSize - kMinuteSize;
      if (p != end && (*p == '.' || *p == ',')) {
        ++p;
        if (!take_fraction(p, end, clock.nanos)) {
          return std::nullopt;
        }
      }
    }
    if (p != end && !read_offset(p, end, clock)) {
      return std::nullopt;
    }
  }
  return wrong ? std::nullopt : clock.to_ns(local, order);
}

void put_two(char* p, unsigned value) noexcept {
  p[0] = static_cast<char>('0' + value / 10);
  p[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

struct TimeReader::Form {
  std::optional<LocalClock> local;  ///< empty: UTC
  std::vector<TimeFormat> formats;
};

TimeReader::TimeReader(TimeUnit unit, const std::string& format, const std::string& zone)
    : TimeReader(TimeForm{unit, {format}, zone, Overlap::first, Gap::before}) {}

TimeReader::TimeReader(const TimeForm& form) : unit_(form.unit) {
  auto read = std::make_shared<Form>();
  read->local.emplace(form.zone, form.overlap, form.gap);
  if (read->local->is_utc()) {
    read->local.reset();
  }
  if (form.unit == TimeUnit::format) {
    for (const std::string& format : form.formats) {
      read->formats.emplace_back(format);
    }
  }
  form_ = std::move(read);
}

bool TimeReader::needs_order() const noexcept {
  return form_->local && form_->local->needs_order();
}

std::optional<std::int64_t> TimeReader::read(std::string_view text, LocalOrder* order) const noexcept {
  const LocalClock* const local = form_->local ? &*form_->local : nullptr;
  switch (unit_) {
    case TimeUnit::automatic:
      // No number has '-' in both places.
      if (begins_with_a_date(text) || begins_with_a_basic_date(text)) {
        return read_iso8601(text, local, order);
      }
      return calendar_pattern(text).empty() ? read_epoch_by_magnitude(text) : std::nullopt;
    case TimeUnit::seconds:
      return read_epoch(text, 9);
    case TimeUnit::milliseconds:
      return read_epoch(text, 6);
    case TimeUnit::microseconds:
      return read_epoch(text, 3);
    case TimeUnit::nanoseconds:
      return read_epoch(text, 0);
    case TimeUnit::rfc3339:
      return read_iso8601(text, local, order);
    case TimeUnit::format:
      for (const TimeFormat& format : form_->formats) {
        if (const auto ns = format.read(text, local, order)) {
          return ns;
        }
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view calendar_pattern(std::string_view text) noexcept {
  constexpr std::string_view kPattern = "%Y%m%d%H%M%S";
  // Real epoch times begin with other digits until 2033.
  if (!text.starts_with("20") || text.size() < 8 || text.size() > 14 || text.size() % 2 != 0) {
    return {};
  }
  bool wrong = false;
  unsigned parts[7] = {};
  for (std::size_t i = 0; i < text.size() / 2; ++i) {
    parts[i] = two_digits(text.data() + 2 * i, wrong);
  }
  const unsigned month = parts[2];
  const unsigned day = parts[3];
  if (wrong || month - 1 > 11 || day - 1 >= days_in_month(parts[0] * 100 + parts[1], month) || parts[4] > 24 ||
      parts[5] > 59 || parts[6] > 60) {
    return {};
  }
  return kPattern.substr(0, text.size() - 2);  // a part has two digits and two characters of pattern, the year four
}

void append_rfc3339(std::string& out, std::int64_t ns) {
  std::int64_t seconds = ns / kNanosPerSecond;
  std::int64_t nanos = ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  std::int64_t days = seconds / kSecondsPerDay;
  std::int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  const auto year = static_cast<unsigned>(date.year);
  const auto second_of_day = static_cast<unsigned>(rest);
  char text[] = "0000-00-00T00:00:00.000000000Z";
  put_two(text, year / 100);
  put_two(text + 2, year % 100);
  put_two(text + 5, date.month);
  put_two(text + 8, date.day);
  put_two(text + 11, second_of_day / 3600);
  put_two(text + 14, second_of_day / 60 % 60);
  put_two(text + 17, second_of_day % 60);
  std::size_t size = kClockSize;
  if (nanos != 0) {
    size += 10;
    for (std::size_t i = size; i-- > kClockSize + 1; nanos /= 10) {
      text[i] = static_cast<char>('0' + nanos % 10);
    }
    while (text[size - 1] == '0') {
      --size;
    }
  }
  text[size++] = 'Z';
  out.append(text, size);
}

std::int64_t wall_clock_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace weir
