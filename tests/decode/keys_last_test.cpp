// A reading that is refused takes no place among the keys, whatever the reason and the format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "decode/decoding.hpp"
#include "decode/key_cache.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using ::testing::ElementsAreArray;
using testing::field;
using testing::key;
using testing::make_stream;

constexpr std::int64_t kLatest = 1'700'001'000'000'000'000;  // 1,700,001,000 s

/// A reading of key `key` with the texts of its time and of its two fields; empty: absent.
struct Format {
  const char* name;
  spec::Stream stream;
  std::string (*line)(const std::string& key, const std::string& time, const std::string& v, const std::string& w);
  std::vector<std::string> blamed;  ///< for each reading of the test that is refused
};

std::string json(const std::string& key, const std::string& time, const std::string& v, const std::string& w) {
  std::string line = fmt::format(R"({{"id":"{}")", key);
  for (const auto& [name, text] : {std::pair{"t", time}, std::pair{"v", v}, std::pair{"w", w}}) {
    if (!text.empty()) {
      line += fmt::format(R"(,"{}":{})", name, text);
    }
  }
  return line + "}\n";
}

std::string csv(const std::string& key, const std::string& time, const std::string& v, const std::string& w) {
  return fmt::format("{},{},{},{}\n", time, key, v, w);
}

std::string quoted_csv(const std::string& key, const std::string& time, const std::string& v, const std::string& w) {
  return fmt::format("{},\"{}\",{},{}\n", time, key, v, w);
}

std::string senml(const std::string& key, const std::string& time, const std::string& v, const std::string& w) {
  std::string line = fmt::format(R"([{{"bn":"{}")", key);
  line += time.empty() ? "" : fmt::format(R"(,"bt":{})", time);
  line += "}";
  for (const auto& [name, text] : {std::pair{"volt", v}, std::pair{"watt", w}}) {
    if (!text.empty()) {
      line += fmt::format(R"(,{{"n":"{}","v":{}}})", name, text);
    }
  }
  return line + "]\n";
}

std::vector<Format> formats() {
  const std::vector<spec::Field> fields{field("v", 3, {}, true), field("w")};
  spec::Stream columns = make_stream(spec::FormatKind::csv, {key("id")}, fields);
  columns.sources[0].format.columns = {"t", "id", "v", "w"};
  spec::Stream pack =
      make_stream(spec::FormatKind::senml, {key("id", "bn")}, {field("v", 3, "volt", true), field("w", 3, "watt")});
  pack.time.field.clear();
  // Nobody alone for a time that is too far ahead, and for keys that are too long together.
  const std::vector<std::string> blamed{"v", "v", "v", "w", "t", "", "t", ""};
  return {{"json", make_stream(spec::FormatKind::json, {key("id")}, fields), json, blamed},
          {"csv", columns, csv, blamed},
          {"csv with quotes", columns, quoted_csv, blamed},
          {"senml", pack, senml, {"volt", "volt", "volt", "watt", "", "", "", ""}}};
}

TEST(KeysLast, ARefusedReadingTakesNoPlace) {
  for (Format& format : formats()) {
    // Also where keys are looked up in the dictionary, ahead and without a cache.
    for (const std::uint32_t known : {0U, static_cast<std::uint32_t>(KeyCache::kMostKeys) + 1}) {
      format.stream.max_keys = known + 2;
      Decoding decoding(format.stream);
      decoding.latest_time = kLatest;
      decoding.know_keys(known);
      std::string text;
      text += format.line("x0", "1700000001", "1e30", "");  // out_of_range
      text += format.line("x1", "1700000001", "", "1");     // missing_field
      text += format.line("x2", "1700000001", "\"n/a\"", "1");
      text += format.line("x3", "1700000001", "1", "1e30");
      text += format.line("x4", "\"yesterday\"", "1", "1");
      text += format.line("x5", "1700001001", "1", "1");  // future
      text += format.line("x6", "1e30", "1", "1");
      text += format.line(std::string(257, 'x'), "1700000001", "1", "1");
      text += format.line("a", "1700000001", "1", "");
      text += format.line("b", "1700000002", "2", "2");
      decoding.file(text);
      ASSERT_EQ(decoding.rows().size(), 2U) << format.name << ", " << known << " keys known";
      EXPECT_EQ(decoding.rows()[0].keys, (std::vector<std::string>{"a"}));
      EXPECT_EQ(decoding.rows()[1].keys, (std::vector<std::string>{"b"}));
      EXPECT_EQ(decoding.refusals().size(), 8U) << format.name;
      EXPECT_THAT(decoding.blamed(), ElementsAreArray(format.blamed)) << format.name;
      for (const testing::Refusal& refusal : decoding.refusals()) {
        EXPECT_NE(refusal.reason, Malformed::too_many_keys) << format.name << ": " << refusal.sample;
      }
      decoding.file(format.line("c", "1700000003", "3", "3"));
      EXPECT_EQ(decoding.refusals().back().reason, Malformed::too_many_keys) << format.name;
    }
  }
}

TEST(KeysLast, ACapturedKeyOfARefusedReadingTakesNoPlace) {
  for (const bool raw : {true, false}) {
    spec::Stream stream = make_stream(raw ? spec::FormatKind::raw : spec::FormatKind::json, {key("id")}, {field("v")},
                                      spec::SourceKind::mqtt);
    stream.time.arrival = raw;
    stream.sources[0].topics = {"plant/{id}"};
    stream.max_keys = 1;
    Decoding decoding(stream);
    decoding.latest_time = raw ? Decoding::kArrival : kLatest;
    decoding.topic("plant/x0", raw ? "n/a" : R"({"t":1,"v":"n/a"})");
    decoding.topic("plant/x1", raw ? "1e30" : R"({"t":1700002000,"v":1})");
    decoding.topic("plant/a", raw ? "1" : R"([{"t":1700002000,"v":1},{"t":1,"v":1},{"t":1,"v":"n/a"}])");
    ASSERT_EQ(decoding.rows().size(), 1U);
    EXPECT_EQ(decoding.rows()[0].keys, (std::vector<std::string>{"a"}));
  }
}

TEST(KeysLast, AReadingOutsideTheReplayedRangeTakesNoPlace) {
  spec::Stream stream = make_stream(spec::FormatKind::json, {key("id")}, {field("v")});
  stream.max_keys = 1;
  Decoding decoding(stream);
  decoding.range(5'000'000'000, 6'000'000'000);
  decoding.file(json("x0", "4", "1", "") + json("x1", "6", "1", "") + json("a", "5", "1", ""));
  ASSERT_EQ(decoding.rows().size(), 1U);
  EXPECT_EQ(decoding.rows()[0].keys, (std::vector<std::string>{"a"}));
  EXPECT_EQ(decoding.received(), 1U);
}

TEST(KeysLast, ARefusedKeyRoundsNothing) {
  spec::Stream stream = make_stream(spec::FormatKind::json, {key("id")}, {field("v", 0)});
  stream.max_keys = 1;
  Decoding decoding(stream);
  decoding.file(json("a", "1", "1.5", "") + json("b", "1", "1.5", ""));
  EXPECT_EQ(decoding.rounded(), 1U);
}

TEST(KeysLast, AKeyMayBeAsLongAsConfigured) {
  spec::Stream stream = make_stream(spec::FormatKind::json, {key("id"), key("line")}, {field("v")});
  stream.max_key_bytes = 10;
  Decoding decoding(stream);
  const auto line = [](std::size_t bytes) {
    return fmt::format(R"({{"t":1,"id":"{}","line":"abc","v":1}})", std::string(bytes - 3, 'i'));
  };
  decoding.file(line(10) + "\n" + line(11) + "\n");
  EXPECT_EQ(decoding.rows().size(), 1U);
  ASSERT_EQ(decoding.refusals().size(), 1U);
  EXPECT_EQ(decoding.refusals()[0].reason, Malformed::key_too_long);
}

}  // namespace
}  // namespace weir::decode
