// The hour that a local clock shows twice, and the one that it leaves out.
#include <gtest/gtest.h>

#include <string>

#include "core/local_clock.hpp"
#include "core/time_text.hpp"

namespace weir {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t utc(const std::string& text) {
  return TimeReader(TimeUnit::rfc3339).read(text).value();
}

TimeReader berlin(Overlap overlap, Gap gap = Gap::before) {
  TimeForm form;
  form.zone = "Europe/Berlin";
  form.overlap = overlap;
  form.gap = gap;
  return TimeReader(form);
}

TEST(LocalClock, TheHourThatComesTwiceIsTheFirstOrTheSecond) {
  for (const char* const text : {"2025-10-26 02:00:00", "2025-10-26 02:30:00", "2025-10-26 02:59:59.5"}) {
    const std::int64_t second = utc(std::string(text) + "+01:00");
    EXPECT_EQ(berlin(Overlap::first).read(text), second - 3600 * kSecond) << text;
    EXPECT_EQ(berlin(Overlap::second).read(text), second) << text;
  }
  for (const Overlap overlap : {Overlap::first, Overlap::second, Overlap::order}) {
    EXPECT_EQ(berlin(overlap).read("2025-10-26 01:59:59"), utc("2025-10-25T23:59:59Z"));
    EXPECT_EQ(berlin(overlap).read("2025-10-26 03:00:00"), utc("2025-10-26T02:00:00Z"));
    EXPECT_EQ(berlin(overlap).read("2025-10-26T02:30:00+02:00"), utc("2025-10-26T00:30:00Z"));
  }
}

TEST(LocalClock, InOrderTheSecondHourBeginsWhereLocalTimeGoesBack) {
  const TimeReader reader = berlin(Overlap::order);
  ASSERT_TRUE(reader.needs_order());
  LocalOrder order;
  const std::pair<const char*, const char*> times[] = {{"2025-10-26 01:30:00", "2025-10-25T23:30:00Z"},
                                                       {"2025-10-26 02:00:00", "2025-10-26T00:00:00Z"},
                                                       {"2025-10-26 02:00:00", "2025-10-26T00:00:00Z"},
                                                       {"2025-10-26 02:50:00", "2025-10-26T00:50:00Z"},
                                                       {"2025-10-26 02:00:00", "2025-10-26T01:00:00Z"},
                                                       {"2025-10-26 02:00:00", "2025-10-26T01:00:00Z"},
                                                       {"2025-10-26 02:59:00", "2025-10-26T01:59:00Z"},
                                                       {"2025-10-26 03:10:00", "2025-10-26T02:10:00Z"},
                                                       // A year later it begins with the first again.
                                                       {"2026-10-25 02:10:00", "2026-10-25T00:10:00Z"},
                                                       {"2026-10-25 02:05:00", "2026-10-25T01:05:00Z"}};
  for (const auto& [text, expected] : times) {
    EXPECT_EQ(reader.read(text, &order), utc(expected)) << text;
  }
  EXPECT_FALSE(berlin(Overlap::first).needs_order());
  EXPECT_FALSE(TimeReader(TimeForm{TimeUnit::automatic, {}, "UTC", Overlap::order, Gap::before}).needs_order());
}

TEST(LocalClock, TheHourThatIsLeftOutIsReadOrRefused) {
  EXPECT_EQ(berlin(Overlap::first).read("2025-03-30 02:30:00"), utc("2025-03-30T01:30:00Z"));
  const TimeReader strict = berlin(Overlap::first, Gap::refused);
  for (const char* const text : {"2025-03-30 02:00:00", "2025-03-30 02:59:59"}) {
    EXPECT_EQ(strict.read(text), std::nullopt) << text;
  }
  EXPECT_EQ(strict.read("2025-03-30 01:59:59"), utc("2025-03-30T00:59:59Z"));
  EXPECT_EQ(strict.read("2025-03-30 03:00:00"), utc("2025-03-30T01:00:00Z"));
  EXPECT_EQ(strict.read("2025-10-26 02:30:00"), utc("2025-10-26T00:30:00Z"));
}

TEST(LocalClock, TheFirstFormatThatFitsCounts) {
  const TimeReader reader(TimeForm{TimeUnit::format, {"%FT%T.%f%z", "%FT%T%z", "%d.%m.%Y"}, "UTC", {}, {}});
  EXPECT_EQ(reader.read("2025-03-01T10:15:00.5-0700"), utc("2025-03-01T17:15:00.5Z"));
  EXPECT_EQ(reader.read("2025-03-01T10:15:01-0700"), utc("2025-03-01T17:15:01Z"));
  EXPECT_EQ(reader.read("1.3.2025"), utc("2025-03-01T00:00:00Z"));
  EXPECT_EQ(reader.read("noon"), std::nullopt);
}

TEST(LocalClock, BasicAndShortFormsOfIso8601) {
  const std::pair<const char*, const char*> times[] = {{"20250301T101500Z", "2025-03-01T10:15:00Z"},
                                                       {"20250301T1015+0200", "2025-03-01T08:15:00Z"},
                                                       {"20250301T10", "2025-03-01T10:00:00Z"},
                                                       {"20250301t101500.25", "2025-03-01T10:15:00.25Z"},
                                                       {"20250301T101500,5-01:30", "2025-03-01T11:45:00.5Z"},
                                                       {"2025-03-01T10", "2025-03-01T10:00:00Z"},
                                                       {"2025-03-01 10Z", "2025-03-01T10:00:00Z"},
                                                       {"2025-03-01T10+01", "2025-03-01T09:00:00Z"}};
  for (const TimeUnit unit : {TimeUnit::automatic, TimeUnit::rfc3339}) {
    for (const auto& [text, expected] : times) {
      EXPECT_EQ(TimeReader(unit).read(text), utc(expected)) << text;
    }
    for (const char* const text :
         {"20250301T", "20250301T1", "20250301T101", "20250301T101500.", "20251301T10", "20250301T25", "2025-03-01T1",
          "2025-03-01T10X", "2025-03-01T10:", "20250301T10150"}) {
      EXPECT_EQ(TimeReader(unit).read(text), std::nullopt) << text;
    }
  }
}

}  // namespace
}  // namespace weir
