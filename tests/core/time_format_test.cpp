#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/time_text.hpp"

namespace weir {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMidnight = 1'377'986'400 * kSecond;  // 2013-08-31T22:00:00Z

std::optional<std::int64_t> read(const std::string& format, std::string_view text, const std::string& zone = "UTC") {
  return TimeReader(TimeUnit::format, format, zone).read(text);
}

TEST(TimeFormat, Letters_AreRead) {
  EXPECT_EQ(read("%Y-%m-%d %H:%M:%S", "2013-08-31 22:00:00"), kMidnight);
  EXPECT_EQ(read("%FT%TZ", "2013-08-31T22:00:00Z"), kMidnight);
  EXPECT_EQ(read("%D %R", "08/31/13 22:00"), kMidnight);
  EXPECT_EQ(read("%Y%m%d%H%M%S", "20130831220000"), kMidnight);
  EXPECT_EQ(read("%d.%m.%Y %H:%M", "31.8.2013 22:00"), kMidnight);
  EXPECT_EQ(read("%d %b %Y %I:%M %p", "31 Aug 2013 10:00 PM"), kMidnight);
  EXPECT_EQ(read("%d %B %Y %I:%M %p", "31 august 2013 10:00 pm"), kMidnight);
  EXPECT_EQ(read("%Y %j %H", "2013 243 22"), kMidnight);
  EXPECT_EQ(read("%y-%m-%e %H", "13-08-31 22"), kMidnight);
  EXPECT_EQ(read("%Y-%m-%e", "2013-09- 1"), kMidnight + 2 * 3600 * kSecond);
  EXPECT_EQ(read("%Y-%m-%d%n%H%t%M", "2013-08-31 \t 22  00"), kMidnight);
  EXPECT_EQ(read("100%% %Y-%m-%dT%H", "100% 2013-08-31T22"), kMidnight);
}

TEST(TimeFormat, Fraction_AnyNumberOfDigits) {
  EXPECT_EQ(read("%F %T.%f", "2013-08-31 22:00:00.5"), kMidnight + kSecond / 2);
  EXPECT_EQ(read("%F %T,%f", "2013-08-31 22:00:00,0000000019"), kMidnight + 1);
  EXPECT_EQ(read("%F %T.%f", "2013-08-31 22:00:00."), std::nullopt);
}

TEST(TimeFormat, Epoch_SecondsWithAFraction) {
  EXPECT_EQ(read("%s", "1377986400"), kMidnight);
  EXPECT_EQ(read("t=%s.%f;", "t=1377986400.25;"), kMidnight + kSecond / 4);
  EXPECT_EQ(read("%s", "-1"), -kSecond);
  EXPECT_EQ(read("%s", "99999999999999999999"), std::nullopt);
  EXPECT_EQ(read("%s", "9999999999"), std::nullopt);
}

TEST(TimeFormat, Offset_InTheTextWinsOverTheZone) {
  for (const std::string_view text : {"2013-09-01 00:00 +02:00", "2013-09-01 00:00 +0200", "2013-09-01 00:00 +02",
                                      "2013-08-31 22:00 Z", "2013-08-31 18:30 -0330"}) {
    EXPECT_EQ(read("%F %R %z", text, "America/New_York"), kMidnight) << text;
  }
  EXPECT_EQ(read("%F %R %Z", "2013-08-31 22:00 UTC", "America/New_York"), kMidnight);
  EXPECT_EQ(read("%F %R %Z", "2013-08-31 22:00 gmt", "America/New_York"), kMidnight);
  EXPECT_EQ(read("%F %R %Z", "2013-08-31 22:00 CET"), std::nullopt);
  EXPECT_EQ(read("%F %R", "2013-09-01 00:00", "Europe/Berlin"), kMidnight);
  EXPECT_EQ(read("%F %R", "2013-09-01 00:00", "+02:00"), kMidnight);
}

TEST(TimeFormat, TwelveHours_TwelveIsTheFirst) {
  EXPECT_EQ(read("%F %I %p", "1970-01-01 12 AM"), 0);
  EXPECT_EQ(read("%F %I %p", "1970-01-01 12 PM"), 12 * 3600 * kSecond);
  EXPECT_EQ(read("%F %p %I", "1970-01-01 PM 1"), 13 * 3600 * kSecond);
  EXPECT_EQ(read("%F %I %p", "1970-01-01 0 AM"), std::nullopt);
  EXPECT_EQ(read("%F %I %p", "1970-01-01 13 AM"), std::nullopt);
}

TEST(TimeFormat, PartsThatAreNotNamed_AreTheFirst) {
  EXPECT_EQ(read("%Y", "1970"), 0);
  EXPECT_EQ(read("%Y-%m", "1970-02"), 31 * 86'400 * kSecond);
}

TEST(TimeFormat, TwoDigitYear_69IsTheFirstOfTheTwentiethCentury) {
  EXPECT_EQ(read("%y", "69"), -365 * 86'400 * kSecond);
  EXPECT_EQ(read("%y", "68"), read("%Y", "2068"));
  EXPECT_EQ(read("%y", "00"), read("%Y", "2000"));
}

TEST(TimeFormat, DayOfYear_EndsWithTheYear) {
  EXPECT_NE(read("%Y %j", "2012 366"), std::nullopt);
  EXPECT_EQ(read("%Y %j", "2013 366"), std::nullopt);
  EXPECT_EQ(read("%Y %j", "2013 0"), std::nullopt);
}

TEST(TimeFormat, Text_MustBeConsumedEntirely) {
  EXPECT_EQ(read("%F", "2013-08-31 "), std::nullopt);
  EXPECT_EQ(read("%F", "2013-08-31T"), std::nullopt);
  EXPECT_EQ(read("%F ", "2013-08-31"), std::nullopt);
  EXPECT_EQ(read("%F", ""), std::nullopt);
  EXPECT_EQ(read("%F", "2013-13-01"), std::nullopt);
  EXPECT_EQ(read("%F", "2013-02-29"), std::nullopt);
  EXPECT_EQ(read("%F %H", "2013-02-28 25"), std::nullopt);
  EXPECT_EQ(read("%Y%n%m", "201302"), std::nullopt);
  EXPECT_EQ(read("%b %Y", "Foo 2013"), std::nullopt);
}

TEST(TimeFormat, Construction_RefusesUnknownLettersAndPatternsWithoutAYear) {
  EXPECT_THROW(TimeReader(TimeUnit::format, "%Y %Q"), ConfigError);
  EXPECT_THROW(TimeReader(TimeUnit::format, "%Y %"), ConfigError);
  EXPECT_THROW(TimeReader(TimeUnit::format, "%H:%M"), ConfigError);
  EXPECT_THROW(TimeReader(TimeUnit::format, ""), ConfigError);
  try {
    const TimeReader reader(TimeUnit::format, "%Y %Q");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("%Q"), std::string::npos) << error.what();
  }
}

TEST(TimeFormat, RandomInstants_AgreeWithTheCLibrary) {
  // strftime takes the fields as local time for %s.
  ASSERT_EQ(setenv("TZ", "UTC0", 1), 0);
  tzset();
  std::mt19937_64 random(31);
  for (const char* const format :
       {"%Y-%m-%d %H:%M:%S", "%d %b %Y %T", "%B %e, %Y %I:%M:%S %p", "%j/%Y %R:%S", "%s", "%FT%T%z", "%D %T"}) {
    const TimeReader reader(TimeUnit::format, format);
    for (int i = 0; i < 2'000; ++i) {
      // 1970 to 2067, where two digits say the year.
      const auto seconds = static_cast<std::time_t>(random() % 3'061'000'000ULL);
      std::tm fields{};
      gmtime_r(&seconds, &fields);
      char text[80];
      ASSERT_NE(std::strftime(text, sizeof text, format, &fields), 0U);
      const std::optional<std::int64_t> ns = reader.read(text);
      ASSERT_EQ(ns, seconds * kSecond) << format << " of " << text;
    }
  }
}

}  // namespace
}  // namespace weir
