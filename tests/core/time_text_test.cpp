#include "core/time_text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace weir {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::optional<std::int64_t> read(TimeUnit unit, std::string_view text) {
  return TimeReader(unit).read(text);
}

std::string printed(std::int64_t ns) {
  std::string out = "x";
  append_rfc3339(out, ns);
  return out.substr(1);
}

TEST(Epoch, EachUnit_IsReadExactly) {
  EXPECT_EQ(read(TimeUnit::seconds, "1377986401"), 1'377'986'401 * kSecond);
  EXPECT_EQ(read(TimeUnit::seconds, "1377986401.000000001"), 1'377'986'401 * kSecond + 1);
  EXPECT_EQ(read(TimeUnit::milliseconds, "1377986401234"), 1'377'986'401'234'000'000);
  EXPECT_EQ(read(TimeUnit::milliseconds, "1377986401234.5"), 1'377'986'401'234'500'000);
  EXPECT_EQ(read(TimeUnit::microseconds, "1377986401234567.25"), 1'377'986'401'234'567'250);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "1377986401234567890"), 1'377'986'401'234'567'890);
  EXPECT_EQ(read(TimeUnit::seconds, "0"), 0);
  EXPECT_EQ(read(TimeUnit::seconds, "-1.5"), -1'500'000'000);
  EXPECT_EQ(read(TimeUnit::seconds, "1.3779864e9"), 1'377'986'400 * kSecond);
}

TEST(Epoch, DigitsBelowANanosecond_AreCutOffTowardThePast) {
  EXPECT_EQ(read(TimeUnit::seconds, "1.9999999999"), 1'999'999'999);
  EXPECT_EQ(read(TimeUnit::seconds, "-0.0000000001"), -1);
  EXPECT_EQ(read(TimeUnit::seconds, "-1.0000000000"), -kSecond);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "-1.5"), -2);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "1.99999999999999999999999999"), 1);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "-1e-30"), -1);
  EXPECT_EQ(read(TimeUnit::seconds, "0." + std::string(400, '9')), 999'999'999);
}

TEST(Epoch, Range_EndsAt64Bits) {
  EXPECT_EQ(read(TimeUnit::nanoseconds, "9223372036854775807"), kMax);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "9223372036854775808"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "-9223372036854775808"), kMin);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "-9223372036854775809"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::nanoseconds, "-9223372036854775808.1"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::seconds, "9223372036.8547758079"), kMax);
  EXPECT_EQ(read(TimeUnit::seconds, "9223372036.854775808"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::seconds, "-9223372036.854775808"), kMin);
  EXPECT_EQ(read(TimeUnit::seconds, "99999999999999999999999"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::seconds, "1e400"), std::nullopt);
}

TEST(Epoch, RefusesWhatIsNoNumber) {
  for (const TimeUnit unit : {TimeUnit::seconds, TimeUnit::milliseconds, TimeUnit::microseconds, TimeUnit::nanoseconds,
                              TimeUnit::automatic}) {
    for (const std::string_view text : {"", " ", "-", ".", "1 ", " 1", "1s", "nan", "inf", "1.2.3", "0x1", "1-2"}) {
      EXPECT_EQ(read(unit, text), std::nullopt) << text;
    }
  }
  EXPECT_EQ(read(TimeUnit::seconds, "2013-08-31T22:00:00Z"), std::nullopt);
}

TEST(Automatic, Number_TheMagnitudeSaysTheUnit) {
  EXPECT_EQ(read(TimeUnit::automatic, "99999999999"), std::nullopt);  // seconds, in the year 5138
  EXPECT_EQ(read(TimeUnit::automatic, "9000000000"), 9'000'000'000 * kSecond);
  EXPECT_EQ(read(TimeUnit::automatic, "100000000000"), 100'000'000 * kSecond);
  EXPECT_EQ(read(TimeUnit::automatic, "-100000000000"), -100'000'000 * kSecond);
  EXPECT_EQ(read(TimeUnit::automatic, "1377986401.5"), 1'377'986'401'500'000'000);
  EXPECT_EQ(read(TimeUnit::automatic, "1377986401500"), 1'377'986'401'500'000'000);
  EXPECT_EQ(read(TimeUnit::automatic, "1377986401500.25"), 1'377'986'401'500'250'000);
  EXPECT_EQ(read(TimeUnit::automatic, "1377986401500000"), 1'377'986'401'500'000'000);
  EXPECT_EQ(read(TimeUnit::automatic, "1377986401500000000"), 1'377'986'401'500'000'000);
  EXPECT_EQ(read(TimeUnit::automatic, "100000000000000"), 100'000'000 * kSecond);
  EXPECT_EQ(read(TimeUnit::automatic, "99999999999999"), std::nullopt);     // milliseconds, in the year 5138
  EXPECT_EQ(read(TimeUnit::automatic, "99999999999999999"), std::nullopt);  // microseconds, in the year 5138
  EXPECT_EQ(read(TimeUnit::automatic, "100000000000000000"), 100'000'000'000'000'000);
  EXPECT_EQ(read(TimeUnit::automatic, "0.1234567890123456789"), 123'456'789);
  EXPECT_EQ(read(TimeUnit::automatic, "1.3779864e9"), 1'377'986'400 * kSecond);
}

TEST(Automatic, AnythingElse_IsRfc3339) {
  EXPECT_EQ(read(TimeUnit::automatic, "2013-08-31T22:00:01.5Z"), 1'377'986'401'500'000'000);
  EXPECT_EQ(read(TimeUnit::automatic, "2013-08-31"), 1'377'907'200 * kSecond);
}

TEST(Automatic, DigitsOfADate_AreNoEpochTime) {
  EXPECT_EQ(calendar_pattern("20131202"), "%Y%m%d");
  EXPECT_EQ(calendar_pattern("2013120221"), "%Y%m%d%H");
  EXPECT_EQ(calendar_pattern("201312022130"), "%Y%m%d%H%M");
  EXPECT_EQ(calendar_pattern("20131202213059"), "%Y%m%d%H%M%S");
  for (const std::string_view text : {"20131202", "2013120221", "201312022130", "20131202213059"}) {
    EXPECT_EQ(read(TimeUnit::automatic, text), std::nullopt) << text;
    EXPECT_EQ(TimeReader(TimeUnit::format, std::string(calendar_pattern(text))).read(text),
              read(TimeUnit::rfc3339, text.size() == 8    ? "2013-12-02"
                                      : text.size() == 10 ? "2013-12-02T21:00"
                                      : text.size() == 12 ? "2013-12-02T21:30"
                                                          : "2013-12-02T21:30:59"))
        << text;
  }
  EXPECT_EQ(read(TimeUnit::seconds, "2013120221"), 2'013'120'221 * kSecond);
  // No date of this century, or no date at all.
  for (const std::string_view text : {"1377986401", "2013139921", "2013020030", "20130230", "201312", "2013120225",
                                      "20131202.5", "1377986401500", "201312022", "-20131202"}) {
    EXPECT_EQ(calendar_pattern(text), "") << text;
    EXPECT_NE(read(TimeUnit::automatic, text), std::nullopt) << text;
  }
}

TEST(Rfc3339, Forms_AreRead) {
  const std::int64_t expected = 1'377'986'400 * kSecond;
  for (const std::string_view text : {"2013-08-31T22:00:00Z",       "2013-08-31t22:00:00z",
                                      "2013-08-31 22:00:00",        "2013-08-31 22:00:00Z",
                                      "2013-08-31T22:00:00",        "2013-09-01T00:00:00+02:00",
                                      "2013-08-31T18:30:00-03:30",  "2013-08-31T22:00:00-00:00",
                                      "2013-08-31T22:00:00.0Z",     "2013-08-31T22:00:00.00000000000000000000Z",
                                      "2013-08-31T22:00:00,0Z",     "2013-08-31T22:00",
                                      "2013-08-31 22:00Z",          "2013-09-01T00:00:00+0200",
                                      "2013-09-01T00:00+02",        "2013-08-31T18:30:00-0330",
                                      "2013-09-01T00:00+02:00",     "2013-09-01",
                                      "2013-08-31T24:00:00+02:00",  "2013-08-31 22:00:00 UTC",
                                      "2013-08-31 22:00:00 GMT",    "2013-08-31 22:00:00UTC",
                                      "2013-08-31 22:00:00.0 Z",    "2013-09-01 00:00:00 +0200",
                                      "2013-08-31T18:30:00 -03:30", "2013-09-01 00 +02",
                                      "2013/08/31 22:00:00",        "2013/08/31T22:00Z",
                                      "20130831T220000 UTC"}) {
    if (text == "2013-09-01") {
      EXPECT_EQ(TimeReader(TimeUnit::rfc3339, {}, "+02:00").read(text), expected);
      continue;
    }
    EXPECT_EQ(read(TimeUnit::rfc3339, text), expected) << text;
  }
}

TEST(Rfc3339, Fraction_AnyNumberOfDigitsIsCutOffTowardThePast) {
  EXPECT_EQ(read(TimeUnit::rfc3339, "1970-01-01T00:00:00.5Z"), 500'000'000);
  EXPECT_EQ(read(TimeUnit::rfc3339, "1970-01-01T00:00:00.123456789Z"), 123'456'789);
  EXPECT_EQ(read(TimeUnit::rfc3339, "1970-01-01T00:00:00.1234567899999Z"), 123'456'789);
  EXPECT_EQ(read(TimeUnit::rfc3339, "1969-12-31T23:59:59.9999999999Z"), -1);
  EXPECT_EQ(read(TimeUnit::rfc3339, "1969-12-31T23:59:59." + std::string(1000, '0') + "9"), -kSecond);
}

TEST(Rfc3339, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      "2013-08-31T22:00:00X",
                                      "2013-08-31T22:00:00Z ",
                                      " 2013-08-31T22:00:00Z",
                                      "2013-08-31  22:00:00",
                                      "2013-8-31T22:00:00Z",
                                      "2013/08-31T22:00:00Z",
                                      "2013-08/31T22:00:00Z",
                                      "2013-08-31T22:00:00 CET",
                                      "2013-08-31T22:00:00 utc",
                                      "2013-08-31 UTC",
                                      "2013-08-31T22:00:00 ",
                                      "2013-08-31T22.00.00Z",
                                      "2013-08-31T22:00:00.Z",
                                      "2013-08-31T22:00:00+2:00",
                                      "2013-08-31T22:00:00+24:00",
                                      "2013-08-31T22:00:00+02:60",
                                      "2013-08-31T22:00:00  +02:00",
                                      "2013-08-31T22:00:00ZZ",
                                      "2013-00-31T22:00:00Z",
                                      "2013-13-01T22:00:00Z",
                                      "2013-08-00T22:00:00Z",
                                      "2013-08-32T22:00:00Z",
                                      "2013-02-29T22:00:00Z",
                                      "2100-02-29T22:00:00Z",
                                      "2013-08-31T22:60:00Z",
                                      "2013-08-31T24:00:01Z",
                                      "2013-08-31T24:01",
                                      "2013-08-31T24:00:00.5Z",
                                      "2013-08-31T25:00",
                                      "2013-08-31T",
                                      "2013-08-31T22:0",
                                      "2013-08-31T22:00:0",
                                      "2013-08-31T22:00:00,",
                                      "2013-08-31T22:00:00+020",
                                      "2013-08-31T22:00:00+02:0",
                                      "2013-08-31Z",
                                      "2013-08-31+02:00",
                                      "2013-08-31T22:00:61Z",
                                      "+013-08-31T22:00:00Z",
                                      "2013-08-3/T22:00:00Z",
                                      "2013-08-31T22:0:000Z",
                                      "1377986400",
                                      "2013-08-31T22:00:00Z\n"}) {
    EXPECT_EQ(read(TimeUnit::rfc3339, text), std::nullopt) << text;
  }
  EXPECT_NE(read(TimeUnit::rfc3339, "2012-02-29T22:00:00Z"), std::nullopt);
  EXPECT_NE(read(TimeUnit::rfc3339, "2000-02-29T22:00:00Z"), std::nullopt);
}

TEST(Rfc3339, LeapSecond_IsTheNextSecondAndOnlyAtTheEndOfAUtcDay) {
  const std::optional<std::int64_t> next = read(TimeUnit::rfc3339, "2017-01-01T00:00:00Z");
  ASSERT_NE(next, std::nullopt);
  EXPECT_EQ(read(TimeUnit::rfc3339, "2016-12-31T23:59:60Z"), next);
  EXPECT_EQ(read(TimeUnit::rfc3339, "2017-01-01T05:29:60+05:30"), next);
  EXPECT_EQ(read(TimeUnit::rfc3339, "2016-12-31T23:59:60.5Z"), *next + kSecond / 2);
  EXPECT_EQ(TimeReader(TimeUnit::rfc3339, {}, "Europe/Berlin").read("2017-01-01 00:59:60"), next);
  EXPECT_EQ(read(TimeUnit::rfc3339, "2016-12-31T22:59:60Z"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::rfc3339, "2016-12-31T23:58:60Z"), std::nullopt);
}

TEST(Rfc3339, Range_EndsAt64Bits) {
  EXPECT_EQ(read(TimeUnit::rfc3339, "2262-04-11T23:47:16.854775807Z"), kMax);
  EXPECT_EQ(read(TimeUnit::rfc3339, "2262-04-11T23:47:16.854775808Z"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::rfc3339, "1677-09-21T00:12:43.145224192Z"), kMin);
  EXPECT_EQ(read(TimeUnit::rfc3339, "1677-09-21T00:12:43.145224191Z"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::rfc3339, "0000-01-01T00:00:00Z"), std::nullopt);
  EXPECT_EQ(read(TimeUnit::rfc3339, "9999-12-31T23:59:59Z"), std::nullopt);
}

TEST(Rfc3339, RandomInstants_AgreeWithTheCLibrary) {
  std::mt19937_64 random(21);
  for (int i = 0; i < 20'000; ++i) {
    const std::time_t seconds = static_cast<std::time_t>(random() % 18'400'000'000ULL) - 9'200'000'000;
    std::tm fields{};
    gmtime_r(&seconds, &fields);
    char text[40];
    ASSERT_NE(std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields), 0U);
    ASSERT_EQ(read(TimeUnit::rfc3339, text), seconds * kSecond) << text;
    ASSERT_EQ(printed(seconds * kSecond), text);
  }
}

TEST(Rfc3339, Append_HasOnlyTheFractionDigitsThatItNeeds) {
  EXPECT_EQ(printed(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(printed(500'000'000), "1970-01-01T00:00:00.5Z");
  EXPECT_EQ(printed(1'000'000), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(printed(1), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(printed(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(printed(1'377'986'400 * kSecond), "2013-08-31T22:00:00Z");
  EXPECT_EQ(printed(kMin), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(printed(kMax), "2262-04-11T23:47:16.854775807Z");
}

TEST(Rfc3339, Append_ReadsBackToTheSameInstant) {
  std::mt19937_64 random(22);
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<std::int64_t>(random());
    ASSERT_EQ(read(TimeUnit::rfc3339, printed(ns)), ns) << ns;
    ASSERT_EQ(read(TimeUnit::automatic, printed(ns)), ns) << ns;
  }
}

TEST(TimeReader, Copies_ReadTheSame) {
  TimeReader first(TimeUnit::format, "%d.%m.%Y %H:%M", "Europe/Berlin");
  TimeReader second;
  EXPECT_EQ(second.read("7"), 7 * kSecond);
  second = first;
  const TimeReader third(std::move(first));
  EXPECT_EQ(second.read("01.09.2013 00:00"), 1'377'986'400 * kSecond);
  EXPECT_EQ(third.read("01.09.2013 00:00"), 1'377'986'400 * kSecond);
}

TEST(WallClock, Now_IsThisCentury) {
  EXPECT_GT(wall_clock_ns(), 1'700'000'000 * kSecond);
  EXPECT_LT(wall_clock_ns(), 4'000'000'000 * kSecond);
}

}  // namespace
}  // namespace weir
