// Messages as large as they may be: what is in them is read, or refused for its size, in memory that is planned.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "decode/csv_record.hpp"
#include "decode/decoding.hpp"
#include "decode/senml_pack.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using testing::field;
using testing::key;
using testing::make_stream;

constexpr std::size_t kReadings = 40'500;  // more than a mebibyte of them

spec::Stream json_stream(spec::SourceKind kind) {
  spec::Stream stream = make_stream(spec::FormatKind::json, {key("id")}, {field("v", 0)}, kind);
  stream.time.arrival = true;
  return stream;
}

/// Elements that are hard to cut, each reading followed by one that is none.
std::string array_of(std::size_t readings, std::size_t& refused) {
  const std::vector<std::string> wrong{R"({"id":"b","v":tru})", R"("],[")", "7", R"({"id":"c\"]}","v":"n/a"})",
                                       "[1,[2]]"};
  std::string text = "[ ";
  refused = 0;
  for (std::size_t i = 0; i < readings; ++i) {
    text += fmt::format(R"({} {{ "id" : "a\\\"]}}", "x":[{{"y":"]"}},[]], "v":{}}} )", i == 0 ? "" : ",", i);
    if (i % 1000 == 999) {
      text += ", " + wrong[refused++ % wrong.size()];
    }
  }
  return text + " ]";
}

TEST(LargeMessage, AnArrayOfJsonReadingsIsReadElementByElement) {
  for (const bool path : {false, true}) {
    spec::Stream stream = json_stream(spec::SourceKind::mqtt);
    stream.sources[0].format.array_path = path ? "/values" : "";
    Decoding decoding(stream, 1000);
    std::size_t refused = 0;
    const std::string array = array_of(kReadings, refused);
    ASSERT_GT(array.size(), kLongestReading);
    decoding.topic("t", path ? R"({"values":)" + array + "}" : array);
    // With a path the whole document has to be JSON.
    if (path) {
      EXPECT_EQ(decoding.rows().size() + decoding.refusals().size(), kReadings + refused);
      continue;
    }
    ASSERT_EQ(decoding.rows().size(), kReadings);
    EXPECT_EQ(decoding.rows()[7].keys[0], R"(a\"]})");
    EXPECT_EQ(decoding.rows()[7].fields[0], 7);
    EXPECT_EQ(decoding.refusals().size(), refused);
  }
}

TEST(LargeMessage, AnArrayThatWasCutOffIsRefusedAndOneThatBreaksOffCostsItsRest) {
  std::size_t refused = 0;
  const std::string array = array_of(kReadings, refused);
  const std::string open = array.substr(0, array.size() - 2);
  for (const char* const rest : {"", R"(,{"id":"b","v":1})"}) {
    Decoding cut_off(json_stream(spec::SourceKind::mqtt), 1000);
    cut_off.topic("t", open + rest);
    EXPECT_EQ(cut_off.rows().size(), 0U) << rest;
    EXPECT_EQ(cut_off.refusals().size(), 1U) << rest;
  }
  for (const char* const rest : {R"(,{"id":"b ])", R"(,{"id":"b" ])", ",[ ]"}) {
    Decoding broken(json_stream(spec::SourceKind::mqtt), 1000);
    broken.topic("t", open + rest);
    EXPECT_EQ(broken.rows().size(), kReadings) << rest;
    EXPECT_EQ(broken.refusals().size(), refused + 1) << rest;
    EXPECT_EQ(broken.refusals().back().reason, Malformed::bad_payload);
  }
}

TEST(LargeMessage, OneReadingMayNotBeLargerThanAMebibyte) {
  const std::string large = R"({"id":"b","v":2,"x":")" + std::string(kLongestReading, 'x') + "\"}";
  const std::string small = R"({"id":"a","v":1})";
  Decoding alone(json_stream(spec::SourceKind::mqtt));
  alone.topic("t", large).topic("t", small);
  EXPECT_EQ(alone.rows().size(), 1U);
  ASSERT_EQ(alone.refusals().size(), 1U);
  EXPECT_EQ(alone.refusals()[0].reason, Malformed::too_large);
  Decoding element(json_stream(spec::SourceKind::mqtt));
  element.topic("t", "[" + small + "," + large + "," + small + "]");
  EXPECT_EQ(element.rows().size(), 2U);
  ASSERT_EQ(element.refusals().size(), 1U);
  EXPECT_EQ(element.refusals()[0].reason, Malformed::too_large);
}

TEST(LargeMessage, ASenmlPackHasSoManyRecords) {
  for (const std::size_t more : {0U, 1U}) {
    std::string pack = R"([{"n":"v","v":1,"bt":1700000000})";
    for (std::size_t i = 1; i < SenmlPack::kMostRecords + more; ++i) {
      pack += R"(,{"n":"v","v":1})";
    }
    SenmlPack reader(TimeUnit::automatic);
    pack += "]";
    const std::size_t size = pack.size();
    pack.append(64, '\0');
    EXPECT_EQ(reader.read({pack.data(), size}, 0), more == 0);
    EXPECT_EQ(reader.records().size(), more == 0 ? SenmlPack::kMostRecords : 0U);
  }
}

TEST(LargeMessage, AHeaderWithMillionsOfColumnsIsLookedAtAsFarAsTheyCount) {
  spec::Stream stream = make_stream(spec::FormatKind::csv, {key("id")}, {field("v", 0)});
  stream.time.arrival = true;
  std::string header = "id,v";
  std::string row = "a,1";
  for (std::size_t i = 2; i < kMostColumns + 1000; ++i) {
    header += ",c";
    row += ",";
  }
  Decoding decoding(stream);
  decoding.file(header + "\n" + row + "\n", true);
  ASSERT_EQ(decoding.rows().size(), 1U);
  EXPECT_EQ(decoding.rows()[0].keys[0], "a");
  Decoding beyond(stream);
  beyond.file(header.substr(4) + ",id,v\n" + row + "\n", true);
  EXPECT_EQ(beyond.rows().size(), 0U) << "no column that is wanted is among those that count";
  EXPECT_EQ(beyond.refusals().size(), 1U);
}

}  // namespace
}  // namespace weir::decode
