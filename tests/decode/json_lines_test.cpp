// JSON values that span lines, several in one line, and what damage between them costs.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "decode/decoding.hpp"

namespace weir::decode {
namespace {

using testing::Decoding;
using testing::field;
using testing::key;
using testing::Refusal;
using testing::Row;

constexpr std::int64_t kSecond = 1'000'000'000;

spec::Stream sensor_stream() {
  return testing::make_stream(spec::FormatKind::json, {key("id")}, {field("v")});
}

constexpr const char* kManyLines =
    "[\n  {\n    \"t\": 1,\n    \"id\": \"a\",\n    \"v\": 1\n  },\n  {\"t\":2,\"id\":\"a\",\"v\":2},\n  "
    "{\"t\":3,\"id\":\"a\","
    "\"v\":3}]\n{\"t\":4,\"id\":\"a\",\n\"v\":4}{\"t\":5,\"id\":\"a\",\"v\":5} "
    "{\"t\":6,\"id\":\"a\",\"v\":6}\n[\n{\"t\":7,\"id\":"
    "\"a\",\"v\":7}\n,{\"t\":8,\"id\":\"a\",\"v\":8}\n]\n[{\"t\":9,\"id\":\"a\",\"v\":9}]\n";

TEST(JsonLines, ValuesMaySpanLinesAndSeveralMayStandInOne) {
  // However the lines come: all at once, one by one, or in two blocks.
  const std::string_view text = kManyLines;
  std::vector<std::size_t> ends;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1)) {
    ends.push_back(end + 1);
  }
  for (const std::size_t cut : ends) {
    Decoding two(sensor_stream());
    two.file(text.substr(0, cut), true).file(text.substr(cut)).finish();
    ASSERT_EQ(two.rows().size(), 9U) << cut;
    for (int i = 0; i < 9; ++i) {
      EXPECT_EQ(two.rows()[static_cast<std::size_t>(i)], (Row{(i + 1) * kSecond, {"a"}, {(i + 1) * 1'000}}));
    }
    EXPECT_TRUE(two.refusals().empty());
  }
  Decoding lines(sensor_stream());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    lines.file(text.substr(begin, end - begin), begin == 0);
    begin = end;
  }
  EXPECT_EQ(lines.finish().rows().size(), 9U);
  EXPECT_FALSE(lines.holds_back());
}

TEST(JsonLines, ACommaMayStandBehindAValue) {
  Decoding decoding(sensor_stream());
  decoding
      .file("{\"t\":1,\"id\":\"a\",\"v\":1},\n{\"t\":2,\"id\":\"a\",\n\"v\":2} ,{\"t\":3,\"id\":\"a\",\"v\":3},\r\n",
            true)
      .finish();
  EXPECT_EQ(decoding.rows().size(), 3U);
  EXPECT_TRUE(decoding.refusals().empty());
  // But nothing else, and not alone.
  Decoding broken(sensor_stream());
  broken.file("{\"t\":1,\"id\":\"a\",\"v\":1},\"x\":2}\n,,\n{\"t\":3,\"id\":\"a\",\"v\":3},,\n", true).finish();
  EXPECT_TRUE(broken.rows().empty());
  EXPECT_EQ(broken.refusals().size(), 3U);
}

TEST(JsonLines, DamageBetweenValuesOverLinesCostsItsOwnLine) {
  const std::string text =
      "{\n\"t\":1,\n\"id\":\"a\",\"v\":1\n}\n"  // good
      "{\"t\":2,\"id\":\"a\",\"v\":\n"          // cut off
      "{\"t\":3,\"id\":\"a\",\"v\":3}\n"
      "{\"t\":4,\"id\":\"a\",\"v\":4} x\n"       // something behind it
      "{\n\"t\":5,\n\"id\":\"a\",\n\"v\":\n}\n"  // a value without its value, over five lines
      "[{\"t\":6,\"id\":\"a\",\"v\":6},\n"       // an array that does not end
      "[{\"t\":7,\"id\":\"a\",\"v\":7}]\n"
      "{\"t\":8,\"id\":\"a\",\"v\":8}\n"
      "{\"t\":9,\"id\":\"a";
  for (const bool at_once : {true, false}) {
    Decoding decoding(sensor_stream(), 100);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = at_once ? text.size() : std::min(text.find('\n', at), text.size() - 1) + 1;
      decoding.file(text.substr(at, end - at), at == 0);
      at = end;
    }
    decoding.finish();
    std::vector<std::int64_t> seconds;
    for (const Row& row : decoding.rows()) {
      seconds.push_back(row.time / kSecond);
    }
    EXPECT_EQ(seconds, (std::vector<std::int64_t>{1, 3, 6, 7, 8}));
    std::vector<std::string> samples;
    for (const Refusal& refusal : decoding.refusals()) {
      samples.push_back(refusal.sample);
    }
    EXPECT_EQ(samples, (std::vector<std::string>{"{\"t\":2,\"id\":\"a\",\"v\":", "{\"t\":4,\"id\":\"a\",\"v\":4} x",
                                                 "{", "[", "{\"t\":9,\"id\":\"a"}));
  }
}

TEST(JsonLines, ReadingGoesOnInTheMiddleOfAnArrayOverLines) {
  Decoding decoding(sensor_stream());
  decoding.file("{\"t\":2,\"id\":\"a\",\"v\":2},\n{\"t\":3,\"id\":\"a\",\"v\":3}\n]\n").finish();
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_TRUE(decoding.refusals().empty());
}

}  // namespace
}  // namespace weir::decode
