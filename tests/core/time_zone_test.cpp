#include "core/time_zone.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/posix_zone.hpp"

namespace weir {
namespace {

/// A local time as if it were UTC.
std::int64_t local(const char* text) {
  std::tm fields{};
  EXPECT_NE(strptime(text, "%Y-%m-%d %H:%M:%S", &fields), nullptr) << text;
  return timegm(&fields);
}

/// The C library's own reading of the zone files.
class LibraryZone {
 public:
  explicit LibraryZone(const std::string& name) {
    setenv("TZ", name.c_str(), 1);
    tzset();
  }
  ~LibraryZone() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
  LibraryZone(const LibraryZone&) = delete;
  LibraryZone& operator=(const LibraryZone&) = delete;

  [[nodiscard]] std::int64_t to_local(std::int64_t utc) const {
    const std::time_t seconds = utc;
    std::tm fields{};
    localtime_r(&seconds, &fields);
    return utc + fields.tm_gmtoff;
  }
};

std::vector<std::string> zone_names() {
  std::ifstream table("/usr/share/zoneinfo/zone.tab");
  std::vector<std::string> names;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#') {
      continue;
    }
    std::istringstream columns(line);
    std::string country;
    std::string coordinates;
    std::string name;
    columns >> country >> coordinates >> name;
    names.push_back(name);
  }
  return names;
}

TEST(TimeZone, Offset_NeedsNoFile) {
  EXPECT_EQ(TimeZone("UTC").to_utc(1'000'000), 1'000'000);
  EXPECT_EQ(TimeZone("+02:00").to_utc(7'200), 0);
  EXPECT_EQ(TimeZone("-03:30").to_utc(0), 12'600);
  EXPECT_TRUE(TimeZone("UTC").is_utc());
  EXPECT_TRUE(TimeZone("+00:00").is_utc());
  EXPECT_TRUE(TimeZone("Etc/UTC").is_utc());
  EXPECT_FALSE(TimeZone("+02:00").is_utc());
  EXPECT_FALSE(TimeZone("Europe/Berlin").is_utc());
}

TEST(TimeZone, SkippedHour_IsReadWithTheOffsetBefore) {
  const TimeZone berlin("Europe/Berlin");
  EXPECT_EQ(berlin.to_utc(local("2013-03-31 01:59:59")), local("2013-03-31 00:59:59"));
  EXPECT_EQ(berlin.to_utc(local("2013-03-31 02:00:00")), local("2013-03-31 01:00:00"));
  EXPECT_EQ(berlin.to_utc(local("2013-03-31 02:59:59")), local("2013-03-31 01:59:59"));
  EXPECT_EQ(berlin.to_utc(local("2013-03-31 03:00:00")), local("2013-03-31 01:00:00"));
}

TEST(TimeZone, RepeatedHour_IsTheEarlier) {
  const TimeZone berlin("Europe/Berlin");
  EXPECT_EQ(berlin.to_utc(local("2013-10-27 01:59:59")), local("2013-10-26 23:59:59"));
  EXPECT_EQ(berlin.to_utc(local("2013-10-27 02:00:00")), local("2013-10-27 00:00:00"));
  EXPECT_EQ(berlin.to_utc(local("2013-10-27 02:59:59")), local("2013-10-27 00:59:59"));
  EXPECT_EQ(berlin.to_utc(local("2013-10-27 03:00:00")), local("2013-10-27 02:00:00"));
}

TEST(TimeZone, YearsAfterTheFile_FollowItsFooter) {
  const TimeZone berlin("Europe/Berlin");
  EXPECT_EQ(berlin.to_utc(local("2200-07-01 12:00:00")), local("2200-07-01 10:00:00"));
  EXPECT_EQ(berlin.to_utc(local("2200-01-01 12:00:00")), local("2200-01-01 11:00:00"));
  const TimeZone sydney("Australia/Sydney");
  EXPECT_EQ(sydney.to_utc(local("2150-01-01 12:00:00")), local("2150-01-01 01:00:00"));
  EXPECT_EQ(sydney.to_utc(local("2150-07-01 12:00:00")), local("2150-07-01 02:00:00"));
}

TEST(TimeZone, EveryInstalledZone_AgreesWithTheCLibrary) {
  const std::vector<std::string> names = zone_names();
  ASSERT_GT(names.size(), 300U);
  std::mt19937_64 random(41);
  for (const std::string& name : names) {
    const TimeZone zone(name);
    const LibraryZone library(name);
    for (int i = 0; i < 100; ++i) {
      // 1900 to 2260.
      const std::int64_t utc = static_cast<std::int64_t>(random() % 11'360'000'000ULL) - 2'208'000'000;
      const std::int64_t wall = library.to_local(utc);
      const std::int64_t read = zone.to_utc(wall);
      // The same, or the earlier instant at which the clock showed the same.
      ASSERT_LE(read, utc) << name << " at " << utc;
      ASSERT_EQ(library.to_local(read), wall) << name << " at " << utc;
    }
  }
}

TEST(TimeZone, UnknownName_IsRefusedWithASuggestion) {
  try {
    const TimeZone zone("Europe/Berlim");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("Europe/Berlin"), std::string::npos) << error.what();
  }
  for (const char* const name : {"", "CEST", "+2:00", "+02:60", "+24:00", "02:00", "../../../etc/passwd", "/etc/passwd",
                                 "Europe/", "Europe", "zone.tab", "Europe/../Europe/Berlin"}) {
    EXPECT_THROW(TimeZone{name}, ConfigError) << name;
  }
}

std::string berlin_file() {
  std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ZoneFile, Whole_IsRead) {
  const std::string bytes = berlin_file();
  ASSERT_GT(bytes.size(), 100U);
  EXPECT_EQ(TimeZone::from_tzif("x", bytes).to_utc(local("2013-09-01 00:00:00")), local("2013-08-31 22:00:00"));
}

TEST(ZoneFile, CutOffAnywhere_IsRefused) {
  const std::string bytes = berlin_file();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(TimeZone::from_tzif("x", bytes.substr(0, size)), ConfigError) << size;
  }
}

TEST(ZoneFile, AnyByteChanged_IsRefusedOrReadButNeverFatal) {
  const std::string bytes = berlin_file();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0xff);
    try {
      static_cast<void>(TimeZone::from_tzif("the file", changed).to_utc(0));
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("the file"), std::string::npos);
    }
  }
}

TEST(ZoneFile, Directory_ComesFromTheEnvironment) {
  const std::filesystem::path directory =
      std::filesystem::path(::testing::TempDir()) / ("weir_zone_" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  std::filesystem::copy_file("/usr/share/zoneinfo/Europe/Berlin", directory / "Here");
  setenv("TZDIR", directory.c_str(), 1);
  EXPECT_EQ(TimeZone("Here").to_utc(local("2013-09-01 00:00:00")), local("2013-08-31 22:00:00"));
  EXPECT_THROW(TimeZone("Europe/Berlin"), ConfigError);
  unsetenv("TZDIR");
  std::filesystem::remove_all(directory);
}

TEST(PosixZone, Rules_OfEachKind) {
  const std::optional<PosixZone> month = parse_posix_zone("EST5EDT,M3.2.0,M11.1.0");
  ASSERT_TRUE(month);
  EXPECT_EQ(month->daylight_begins(2024), local("2024-03-10 07:00:00"));
  EXPECT_EQ(month->daylight_ends(2024), local("2024-11-03 06:00:00"));
  const std::optional<PosixZone> no_leap = parse_posix_zone("AAA0BBB-2,J60/0,J365/24");
  ASSERT_TRUE(no_leap);
  EXPECT_EQ(no_leap->daylight_begins(2023), local("2023-03-01 00:00:00"));
  EXPECT_EQ(no_leap->daylight_begins(2024), local("2024-03-01 00:00:00"));
  EXPECT_EQ(no_leap->daylight_ends(2024), local("2024-12-31 22:00:00"));
  const std::optional<PosixZone> zero_based = parse_posix_zone("<-03>3<-02>,59/-1,365/167:59:59");
  ASSERT_TRUE(zero_based);
  EXPECT_EQ(zero_based->daylight_begins(2024), local("2024-02-29 02:00:00"));
  EXPECT_EQ(zero_based->daylight_ends(2024), local("2025-01-07 01:59:59"));
  const std::optional<PosixZone> none = parse_posix_zone("IST-5:30");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->daylight);
  EXPECT_EQ(none->standard_offset, 19'800);
}

TEST(PosixZone, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M13.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J365", "CET-1CEST,J366,J365", "CET-1CEST,366,0",
        "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1", "<>-1", "CET-1:60", "CET-168",
        "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.0.0,M10.5.0"}) {
    EXPECT_FALSE(parse_posix_zone(text)) << text;
  }
}

}  // namespace
}  // namespace weir
