#include "core/time_text.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/clock_time.hpp"
#include "core/decimal.hpp"
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

/// "2013-08-31T22:00:00", as long as every RFC 3339 time is at least.
constexpr std::size_t kClockSize = 19;

std::optional<std::int64_t> read_rfc3339(std::string_view text, const TimeZone* zone) noexcept {
  if (text.size() < kClockSize) {
    return std::nullopt;
  }
  const char* p = text.data();
  const char* const end = p + text.size();
  bool wrong =
      p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':' || (p[10] != 'T' && p[10] != ' ' && p[10] != 't');
  ClockTime clock;
  clock.date.year = two_digits(p, wrong) * 100 + two_digits(p + 2, wrong);
  clock.date.month = two_digits(p + 5, wrong);
  clock.date.day = two_digits(p + 8, wrong);
  clock.hour = two_digits(p + 11, wrong);
  clock.minute = two_digits(p + 14, wrong);
  clock.second = two_digits(p + 17, wrong);
  if (wrong) {
    return std::nullopt;
  }
  p += kClockSize;
  if (p != end && *p == '.') {
    ++p;
    if (!take_fraction(p, end, clock.nanos)) {
      return std::nullopt;
    }
  }
  if (p != end && (*p == 'Z' || *p == 'z')) {
    clock.has_offset = true;
    ++p;
  } else if (end - p == 6 && (*p == '+' || *p == '-') && p[3] == ':') {
    const unsigned hours = two_digits(p + 1, wrong);
    const unsigned minutes = two_digits(p + 4, wrong);
    if (wrong || hours > 23 || minutes > 59) {
      return std::nullopt;
    }
    clock.has_offset = true;
    clock.offset = std::int64_t{hours} * 3600 + minutes * 60;
    clock.offset = *p == '-' ? -clock.offset : clock.offset;
    p = end;
  }
  if (p != end) {
    return std::nullopt;
  }
  return clock.to_ns(zone);
}

void put_two(char* p, unsigned value) noexcept {
  p[0] = static_cast<char>('0' + value / 10);
  p[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

struct TimeReader::Form {
  std::optional<TimeZone> zone;  ///< empty: UTC
  std::optional<TimeFormat> format;
};

TimeReader::TimeReader(TimeUnit unit, const std::string& format, const std::string& zone) : unit_(unit) {
  auto form = std::make_shared<Form>();
  form->zone.emplace(zone);
  if (form->zone->is_utc()) {
    form->zone.reset();
  }
  if (unit == TimeUnit::format) {
    form->format.emplace(format);
  }
  form_ = std::move(form);
}

std::optional<std::int64_t> TimeReader::read(std::string_view text) const noexcept {
  const TimeZone* const zone = form_->zone ? &*form_->zone : nullptr;
  switch (unit_) {
    case TimeUnit::automatic:
      // No number has '-' in both places.
      if (text.size() >= kClockSize && text[4] == '-' && text[7] == '-') {
        return read_rfc3339(text, zone);
      }
      return read_epoch_by_magnitude(text);
    case TimeUnit::seconds:
      return read_epoch(text, 9);
    case TimeUnit::milliseconds:
      return read_epoch(text, 6);
    case TimeUnit::microseconds:
      return read_epoch(text, 3);
    case TimeUnit::nanoseconds:
      return read_epoch(text, 0);
    case TimeUnit::rfc3339:
      return read_rfc3339(text, zone);
    case TimeUnit::format:
      return form_->format->read(text, zone);
  }
  return std::nullopt;
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
