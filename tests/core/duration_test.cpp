#include "core/duration.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace weir {
namespace {

using std::chrono::nanoseconds;

std::optional<std::int64_t> ns(std::string_view text) {
  const std::optional<Duration> duration = parse_duration(text);
  return duration ? std::optional(duration->count()) : std::nullopt;
}

TEST(Duration, Parse_EveryUnit) {
  const std::pair<std::string_view, std::int64_t> units[] = {
      {"1ns", 1},
      {"1us", 1'000},
      {"1\xc2\xb5s", 1'000},
      {"1\xce\xbcs", 1'000},
      {"1ms", 1'000'000},
      {"1s", 1'000'000'000},
      {"1m", 60'000'000'000},
      {"1min", 60'000'000'000},
      {"1h", 3'600'000'000'000},
      {"1d", 86'400'000'000'000},
      {"1w", 604'800'000'000'000},
  };
  for (const auto& [text, value] : units) {
    EXPECT_EQ(ns(text), value) << text;
  }
}

TEST(Duration, Parse_PairsAddUp) {
  EXPECT_EQ(ns("1h30m"), 5'400'000'000'000);
  EXPECT_EQ(ns("1m1m"), 120'000'000'000);
  EXPECT_EQ(ns("1s500ms"), 1'500'000'000);
  EXPECT_EQ(ns("0s"), 0);
  EXPECT_EQ(ns("0"), 0);
  EXPECT_EQ(ns("007s"), 7'000'000'000);
}

TEST(Duration, Parse_FractionsAreExactDownToANanosecond) {
  EXPECT_EQ(ns("1.5s"), 1'500'000'000);
  EXPECT_EQ(ns("0.1us"), 100);
  EXPECT_EQ(ns("0.000000001s"), 1);
  EXPECT_EQ(ns("1.50000000000000000000s"), 1'500'000'000);
  EXPECT_EQ(ns("0.0000000001s"), std::nullopt);
  EXPECT_EQ(ns("0.5ns"), std::nullopt);
  EXPECT_EQ(ns("0.0000000000001h"), std::nullopt);
  EXPECT_EQ(ns("0.00000000000000000001w"), std::nullopt);
}

TEST(Duration, Parse_RefusesWhatIsNone) {
  for (const std::string_view text :
       {"",    "1",     "10",     "00", "s",    "-1s",  "+1s",  "1 s", " 1s",  "1s ",   "1.s",
        ".5s", "1..5s", "1.5.5s", "1S", "1sec", "1e3s", "1h30", "nan", "1,5s", "1s-1s", "1\xc2s"}) {
    EXPECT_EQ(ns(text), std::nullopt) << text;
  }
}

TEST(Duration, Parse_RefusesWhatDoesNotFit) {
  EXPECT_EQ(ns("9223372036854775807ns"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ns("9223372036854775808ns"), std::nullopt);
  EXPECT_EQ(ns("9223372036854775807ns1ns"), std::nullopt);
  EXPECT_EQ(ns("18446744073709551615ns1ns"), std::nullopt);
  EXPECT_EQ(ns("9223372036.854775807s"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ns("9223372036.854775808s"), std::nullopt);
  EXPECT_EQ(ns("99999999999999999999999s"), std::nullopt);
  EXPECT_EQ(ns("20000w"), std::nullopt);
}

TEST(Duration, Text_IsTheOneThatUsersType) {
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"0", "0s"},         {"90s", "1m30s"},      {"250ms", "250ms"},    {"1500ms", "1.5s"},
      {"1500us", "1.5ms"}, {"999ns", "999ns"},    {"1001ns", "1.001us"}, {"60m", "1h"},
      {"24h", "1d"},       {"14d", "2w"},         {"8d", "8d"},          {"1d1ns", "1d0.000000001s"},
      {"128s", "2m8s"},    {"1h1ms", "1h0.001s"},
  };
  for (const auto& [typed, printed] : texts) {
    EXPECT_EQ(to_string(*parse_duration(typed)), printed) << typed;
  }
  EXPECT_EQ(to_string(nanoseconds(-1'500'000'000)), "-1.5s");
  EXPECT_EQ(to_string(nanoseconds(std::numeric_limits<std::int64_t>::min())), "-106751d23h47m16.854775808s");
}

TEST(Duration, Text_ReadsBackToTheSameDuration) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const Duration duration{static_cast<std::int64_t>(random() >> (1 + random() % 63))};
    const std::string text = to_string(duration);
    ASSERT_EQ(parse_duration(text), duration) << text;
  }
  const Duration longest{std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(parse_duration(to_string(longest)), longest);
}

TEST(Bytes, Parse_EveryUnit) {
  const std::pair<std::string_view, std::uint64_t> sizes[] = {
      {"0", 0},
      {"4096", 4096},
      {"1B", 1},
      {"1kB", 1'000},
      {"1KB", 1'000},
      {"1GB", 1'000'000'000},
      {"64MiB", 67'108'864},
      {"64 MiB", 67'108'864},
      {"64mib", 67'108'864},
      {"1.5GiB", 1'610'612'736},
      {"2TiB", 2'199'023'255'552},
      {"1PiB", 1'125'899'906'842'624},
      {"1 PB", 1'000'000'000'000'000},
      {"18446744073709551615", 18'446'744'073'709'551'615U},
  };
  for (const auto& [text, value] : sizes) {
    EXPECT_EQ(parse_bytes(text), value) << text;
  }
}

TEST(Bytes, Parse_RefusesWhatIsNoneOrDoesNotFit) {
  for (const std::string_view text : {"", "MiB", "-1", "1.5", "0.1KiB", "1M", "1  MiB", "1MiB ", " 1", "1 ", "1XB",
                                      "18446744073709551616", "16384PiB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(Bytes, Text_HasOneDecimalAndABinaryUnit) {
  EXPECT_EQ(bytes_to_string(0), "0 B");
  EXPECT_EQ(bytes_to_string(1023), "1023 B");
  EXPECT_EQ(bytes_to_string(1024), "1.0 KiB");
  EXPECT_EQ(bytes_to_string(12'897'485), "12.3 MiB");
  EXPECT_EQ(bytes_to_string(1'048'575), "1.0 MiB");
  EXPECT_EQ(bytes_to_string(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

}  // namespace
}  // namespace weir
