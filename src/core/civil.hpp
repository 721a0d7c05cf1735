// The proleptic Gregorian calendar: days since 1970-01-01 and back. No state; any thread.
//
// Formulas: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil, civil_from_days): years
// begin in March, so that the leap day is a year's last, and 400 years are 146,097 days.
#pragma once

#include <cstdint>

namespace weir {

inline constexpr std::int64_t kSecondsPerDay = 86'400;

struct CivilDate {
  std::int64_t year = 1970;
  unsigned month = 1;  ///< 1 … 12
  unsigned day = 1;    ///< 1 … 31
};

constexpr bool is_leap_year(std::int64_t year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// @brief Days of a month, 1 <= month <= 12.
constexpr unsigned days_in_month(std::int64_t year, unsigned month) noexcept {
  constexpr std::uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

/// @brief Days from 1970-01-01 to a date of the calendar.
constexpr std::int64_t days_from_civil(CivilDate date) noexcept {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

/// @brief The date that lies `days` days after 1970-01-01.
constexpr CivilDate civil_from_days(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {.year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

}  // namespace weir
