#include <gtest/gtest.h>

#include <fmt/format.h>

#include "decode/decoding.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using testing::field;
using testing::key;
using testing::Refusal;
using testing::Row;

constexpr std::int64_t kSecond = 1'000'000'000;

spec::Stream sensor_stream(spec::SourceKind kind = spec::SourceKind::file) {
  return testing::make_stream(spec::FormatKind::json, {key("id")}, {field("v")}, kind);
}

/// The only refusal of one line.
Refusal refusal_of(const spec::Stream& stream, std::string_view line) {
  Decoding decoding(stream);
  decoding.file(line).finish();
  EXPECT_TRUE(decoding.rows().empty()) << line;
  EXPECT_EQ(decoding.refusals().size(), 1U) << line;
  EXPECT_EQ(decoding.received(), 1U);
  return decoding.refusals().empty() ? Refusal{} : decoding.refusals()[0];
}

std::vector<Row> rows_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.file(text).finish();
  EXPECT_TRUE(decoding.refusals().empty()) << decoding.refusals()[0];
  return decoding.rows();
}

TEST(JsonDecoder, ObjectIsOneReading) {
  EXPECT_EQ(rows_of(sensor_stream(), R"({"t":5,"id":"a","v":21.37})"),
            (std::vector<Row>{{5 * kSecond, {"a"}, {21'370}}}));
}

TEST(JsonDecoder, MembersComeInAnyOrderAndUnknownOnesAreIgnored) {
  EXPECT_EQ(rows_of(sensor_stream(),
                    R"({ "x" : {"t":9,"y":[1,{"v":3}]} , "v" : 1 , "z":"}{", "id" : "a" , "t" : 5, "w":null })"),
            (std::vector<Row>{{5 * kSecond, {"a"}, {1'000}}}));
}

TEST(JsonDecoder, LinesAreReadingsOrArraysOfReadings) {
  Decoding decoding(sensor_stream());
  decoding.file(
      "{\"t\":1,\"id\":\"a\",\"v\":1}\r\n\n[{\"t\":2,\"id\":\"b\",\"v\":2},{\"t\":3,\"id\":\"c\",\"v\":3}]\n{\"t\":4,"
      "\"id\":\"a\",\"v\":4}");
  EXPECT_EQ(decoding.rows(), (std::vector<Row>{{1 * kSecond, {"a"}, {1'000}},
                                               {2 * kSecond, {"b"}, {2'000}},
                                               {3 * kSecond, {"c"}, {3'000}},
                                               {4 * kSecond, {"a"}, {4'000}}}));
  EXPECT_TRUE(decoding.refusals().empty());
}

TEST(JsonDecoder, ByteOrderMarkIsPassedOver) {
  EXPECT_EQ(rows_of(sensor_stream(), "\xEF\xBB\xBF{\"t\":1,\"id\":\"a\",\"v\":1}\n").size(), 1U);
}

TEST(JsonDecoder, PayloadMayBePrettyPrinted) {
  Decoding decoding(sensor_stream(spec::SourceKind::mqtt));
  decoding.topic("x", "{\n  \"t\": 1,\n  \"id\": \"a\",\n  \"v\": 1\n}\n");
  decoding.topic("x", "[\n{\"t\":2,\"id\":\"a\",\"v\":1},\n{\"t\":3,\"id\":\"a\",\"v\":1}\n]");
  EXPECT_EQ(decoding.rows().size(), 3U);
  EXPECT_TRUE(decoding.refusals().empty());
}

TEST(JsonDecoder, PayloadMayBeLines) {
  Decoding decoding(sensor_stream(spec::SourceKind::mqtt));
  decoding.topic("x", "\n{\"t\":1,\"id\":\"a\",\"v\":1}\nnot JSON\n{\"t\":2,\"id\":\"a\",\"v\":1}\n");
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "not JSON"}}));
}

TEST(JsonDecoder, BrokenPayloadCountsOnce) {
  Decoding decoding(sensor_stream(spec::SourceKind::mqtt));
  decoding.topic("x", "{\n \"t\": 1,\n \"id\": \n}\n");
  decoding.topic("x", "");
  EXPECT_EQ(decoding.refusals().size(), 2U);
  EXPECT_EQ(decoding.received(), 2U);
}

TEST(JsonDecoder, NumbersAreReadFromTheirOwnCharacters) {
  // A double holds neither of these.
  const spec::Stream stream =
      testing::make_stream(spec::FormatKind::json, {}, {field("a", 0), field("b", 18), field("c", 2)});
  EXPECT_EQ(rows_of(stream, R"({"t":1,"a":9007199254740993,"b":0.123456789012345678,"c":1.005e2})"),
            (std::vector<Row>{{kSecond, {}, {9'007'199'254'740'993, 123'456'789'012'345'678, 10'050}}}));
}

TEST(JsonDecoder, DigitsBeyondThePlacesAreRoundedAndCounted) {
  Decoding decoding(sensor_stream());
  decoding.file(
      "{\"t\":1,\"id\":\"a\",\"v\":0.0005}\n{\"t\":1,\"id\":\"a\",\"v\":0.0015}\n{\"t\":1,\"id\":\"a\",\"v\":0.001}\n");
  ASSERT_EQ(decoding.rows().size(), 3U);
  EXPECT_EQ(decoding.rows()[0].fields[0], 0);
  EXPECT_EQ(decoding.rows()[1].fields[0], 2);
  EXPECT_EQ(decoding.rounded(), 2U);
}

TEST(JsonDecoder, RefusedReadingCountsNoRounding) {
  const spec::Stream stream = testing::make_stream(spec::FormatKind::json, {}, {field("a", 0), field("b", 0)});
  Decoding decoding(stream);
  decoding.file(R"({"t":1,"a":1.5,"b":"x"})");
  EXPECT_EQ(decoding.rounded(), 0U);
  EXPECT_EQ(decoding.refusals().at(0).reason, Malformed::not_a_number);
}

TEST(JsonDecoder, QuotedNumbersAreNumbers) {
  EXPECT_EQ(rows_of(sensor_stream(), R"({"t":"5","id":7,"v":"2\u0031.5"})"),
            (std::vector<Row>{{5 * kSecond, {"7"}, {21'500}}}));
}

TEST(JsonDecoder, KeysAreStringsNumbersOrBooleans) {
  const spec::Stream stream =
      testing::make_stream(spec::FormatKind::json, {key("a"), key("b"), key("c"), key("d")}, {field("v")});
  EXPECT_EQ(rows_of(stream, R"({"t":1,"a":"x\ny\u00e4","b":1.50,"c":true,"d":"","v":1})")[0].keys,
            (std::vector<std::string>{"x\ny\xC3\xA4", "1.50", "true", ""}));
}

TEST(JsonDecoder, LongKeysAreToldApart) {
  // Too long for the key cache; they differ at the end only.
  const std::string longest(100, 'k');
  Decoding decoding(sensor_stream());
  decoding.file(fmt::format("{{\"t\":1,\"id\":\"{0}1\",\"v\":1}}\n{{\"t\":1,\"id\":\"{0}2\",\"v\":1}}\n", longest));
  ASSERT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.rows()[0].keys[0], longest + "1");
  EXPECT_EQ(decoding.rows()[1].keys[0], longest + "2");
  EXPECT_EQ(
      refusal_of(sensor_stream(), fmt::format("{{\"t\":1,\"id\":\"{}\",\"v\":1}}", std::string(5000, 'k'))).reason,
      Malformed::key_too_long);
}

TEST(JsonDecoder, NeighbouringKeysAreNotRunTogether) {
  const spec::Stream stream = testing::make_stream(spec::FormatKind::json, {key("a"), key("b")}, {field("v")});
  const std::vector<Row> rows = rows_of(stream,
                                        "{\"t\":1,\"a\":\"x\",\"b\":\"yz\",\"v\":1}\n{\"t\":1,\"a\":\"xy\",\"b\":\"z\","
                                        "\"v\":1}\n{\"t\":1,\"a\":\"\",\"b\":\"xyz\",\"v\":1}\n");
  EXPECT_EQ(rows[0].keys, (std::vector<std::string>{"x", "yz"}));
  EXPECT_EQ(rows[1].keys, (std::vector<std::string>{"xy", "z"}));
  EXPECT_EQ(rows[2].keys, (std::vector<std::string>{"", "xyz"}));
}

TEST(JsonDecoder, AbsentFieldIsNullUnlessRequired) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::json, {}, {field("a"), field("b")});
  EXPECT_EQ(rows_of(stream, "{\"t\":1,\"a\":1}\n{\"t\":1,\"a\":null,\"b\":2}\n"),
            (std::vector<Row>{{kSecond, {}, {1'000, kNullUnits}}, {kSecond, {}, {kNullUnits, 2'000}}}));
  EXPECT_EQ(refusal_of(stream, R"({"t":1,"a":null})").reason, Malformed::missing_field);
  stream.schema.fields[1].required = true;
  EXPECT_EQ(refusal_of(stream, R"({"t":1,"a":1})").reason, Malformed::missing_field);
}

TEST(JsonDecoder, SchemaWithoutFieldsNeedsNone) {
  EXPECT_EQ(rows_of(testing::make_stream(spec::FormatKind::json, {key("id")}, {}), R"({"t":1,"id":"a"})").size(), 1U);
}

TEST(JsonDecoder, LastOfEqualMembersCounts) {
  EXPECT_EQ(rows_of(sensor_stream(), R"({"t":1,"v":1,"id":"a","v":2,"id":"b","t":2})"),
            (std::vector<Row>{{2 * kSecond, {"b"}, {2'000}}}));
  spec::Stream stream = sensor_stream();
  stream.schema.fields[0].path = "/m/v";
  EXPECT_EQ(rows_of(stream, R"({"t":1,"id":"a","m":{"v":1},"m":{"v":2}})"),
            (std::vector<Row>{{kSecond, {"a"}, {2'000}}}));
  EXPECT_EQ(refusal_of(stream, R"({"t":1,"id":"a","m":{"v":1},"m":{}})").reason, Malformed::missing_field);
  EXPECT_EQ(refusal_of(stream, R"({"t":1,"id":"a","m":{"v":1},"m":5})").reason, Malformed::missing_field);
}

TEST(JsonDecoder, WhatIsNoJsonNumberBreaksTheText) {
  for (const char* const number :
       {"01", "-01", "1.", "1.e3", "1e", "1e+", "-", "--1", "1abc", "0x1", "1_0", "-Infinite"}) {
    const std::string line = fmt::format(R"({{"t":1,"id":"a","v":{}}})", number);
    EXPECT_EQ(refusal_of(sensor_stream(), line).reason, Malformed::bad_payload) << line;
    const std::string key = fmt::format(R"({{"t":1,"id":{},"v":1}})", number);
    EXPECT_EQ(refusal_of(sensor_stream(), key).reason, Malformed::bad_payload) << key;
  }
  for (const char* const number : {"0", "-0", "0.5", "10", "1e3", "1E-3", "-1.25e+2"}) {
    const std::string line = fmt::format(R"({{"t":1,"id":{},"v":{}}})", number, number);
    EXPECT_EQ(rows_of(sensor_stream(), line).size(), 1U) << line;
  }
}

TEST(JsonDecoder, EscapedMemberNamesAreRecognised) {
  EXPECT_EQ(rows_of(sensor_stream(), R"({"\u0074":1,"i\u0064":"a","v":1})").size(), 1U);
  // The name of the field is backslash, n; JSON's "\n" is a line feed.
  const spec::Stream stream = testing::make_stream(spec::FormatKind::json, {}, {field("\\n"), field("v")});
  EXPECT_EQ(rows_of(stream, R"({"t":1,"\n":1,"v":2,"\\n":3})"), (std::vector<Row>{{kSecond, {}, {3'000, 2'000}}}));
}

TEST(JsonDecoder, PathsArePointers) {
  spec::Stream stream =
      testing::make_stream(spec::FormatKind::json, {key("id", "/meta/id"), key("first", "/tags/1")},
                           {field("a", 3, "/sensors/0/v"), field("b", 3, "/x~1y/~0"), field("c", 3, "other")});
  stream.time.field = "/meta/t";
  EXPECT_EQ(
      rows_of(stream,
              R"({"sensors":[{"v":1},{"v":9}],"meta":{"id":"m","t":7},"x/y":{"~":2},"tags":["p","q"],"other":3})"),
      (std::vector<Row>{{7 * kSecond, {"m", "q"}, {1'000, 2'000, 3'000}}}));
}

TEST(JsonDecoder, OneMemberMayServeTwice) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::json, {key("id", "t")}, {field("v", 0, "t")});
  EXPECT_EQ(rows_of(stream, R"({"t":12})"), (std::vector<Row>{{12 * kSecond, {"12"}, {12}}}));
}

TEST(JsonDecoder, ArrivalTime) {
  spec::Stream stream = sensor_stream();
  stream.time = {};
  stream.time.arrival = true;
  EXPECT_EQ(rows_of(stream, R"({"id":"a","v":1})")[0].time, Decoding::kArrival);
}

TEST(JsonDecoder, TimeAsText) {
  spec::Stream stream = sensor_stream();
  stream.time.unit = TimeUnit::automatic;
  const std::vector<Row> rows =
      rows_of(stream,
              "{\"t\":\"1970-01-01T00:00:01.5Z\",\"id\":\"a\",\"v\":1}\n{\"t\":\"1970-01-01T00:00:02Z\",\"id\":\"a\","
              "\"v\":1}\n{\"t\":\"1970-01-01T00:00:02Z\",\"id\":\"a\",\"v\":1}\n");
  EXPECT_EQ(rows[0].time, 1'500'000'000);
  EXPECT_EQ(rows[1].time, 2 * kSecond);
  EXPECT_EQ(rows[2].time, 2 * kSecond);
}

TEST(JsonDecoder, KeysComeFromTheTopic) {
  spec::Stream stream =
      testing::make_stream(spec::FormatKind::json, {key("line"), key("id")}, {field("v")}, spec::SourceKind::mqtt);
  stream.sources[0].topics = {"plant/{line}/state", "other/#"};
  Decoding decoding(stream);
  decoding.topic("plant/a/state", R"({"t":1,"id":"x","line":"ignored","v":1})");
  decoding.topic("plant/b/state", R"({"t":1,"id":"x","v":1})");
  decoding.topic("other/b", R"({"t":1,"id":"x","line":"payload","v":1})");
  decoding.topic("other/b", R"({"t":1,"id":"x","v":1})");
  decoding.topic("", R"({"t":1,"id":"x","line":"replayed","v":1})");
  ASSERT_EQ(decoding.rows().size(), 4U);
  EXPECT_EQ(decoding.rows()[0].keys, (std::vector<std::string>{"a", "x"}));
  EXPECT_EQ(decoding.rows()[1].keys, (std::vector<std::string>{"b", "x"}));
  EXPECT_EQ(decoding.rows()[2].keys, (std::vector<std::string>{"payload", "x"}));
  EXPECT_EQ(decoding.rows()[3].keys, (std::vector<std::string>{"replayed", "x"}));
  EXPECT_EQ(decoding.refusals().at(0).reason, Malformed::missing_key);
}

TEST(JsonDecoder, AllKeysFromTheTopic) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::json, {key("id")}, {field("v")}, spec::SourceKind::mqtt);
  stream.sources[0].topics = {"plant/{id}"};
  Decoding decoding(stream);
  decoding.topic("plant/a", R"([{"t":1,"v":1},{"t":2,"v":2}])")
      .topic("plant/b", R"({"t":1,"v":1})")
      .topic("x", R"({"t":1,"v":1})");
  ASSERT_EQ(decoding.rows().size(), 3U);
  EXPECT_EQ(decoding.rows()[1].keys[0], "a");
  EXPECT_EQ(decoding.rows()[2].keys[0], "b");
  EXPECT_EQ(decoding.refusals().at(0).reason, Malformed::missing_key);
}

TEST(JsonDecoder, ReasonsForRefusal) {
  const spec::Stream stream = sensor_stream();
  const std::vector<std::pair<std::string, Malformed>> cases{
      {R"({"id":"a","v":1})", Malformed::missing_time},
      {R"({"t":null,"id":"a","v":1})", Malformed::missing_time},
      {R"({"t":"noon","id":"a","v":1})", Malformed::bad_time},
      {R"({"t":true,"id":"a","v":1})", Malformed::bad_time},
      {R"({"t":[1],"id":"a","v":1})", Malformed::bad_time},
      {R"({"t":1e30,"id":"a","v":1})", Malformed::bad_time},
      {R"({"t":1,"v":1})", Malformed::missing_key},
      {R"({"t":1,"id":null,"v":1})", Malformed::missing_key},
      {R"({"t":1,"id":{"a":1},"v":1})", Malformed::missing_key},
      {R"({"t":1,"id":"a"})", Malformed::missing_field},
      {R"({"t":1,"id":"a","v":null})", Malformed::missing_field},
      {R"({"t":1,"id":"a","v":"warm"})", Malformed::not_a_number},
      {R"({"t":1,"id":"a","v":""})", Malformed::not_a_number},
      {R"({"t":1,"id":"a","v":true})", Malformed::not_a_number},
      {R"({"t":1,"id":"a","v":[1]})", Malformed::not_a_number},
      {R"({"t":1,"id":"a","v":"NaN"})", Malformed::not_a_number},
      {R"({"t":1,"id":"a","v":1x})", Malformed::bad_payload},
      {R"({"t":1,"id":"a","v":1e17})", Malformed::out_of_range},
      {R"({"t":1,"id":"a","v":NaN})", Malformed::not_a_number},
      {R"({"t":1,"id":"a","v":1}})", Malformed::bad_payload},
      {R"({"t":1,"id":"a","v":1} x)", Malformed::bad_payload},
      {R"({"t":1,"id":"a","v":1)", Malformed::bad_payload},
      {R"({"t":1,"id":"a,"v":1})", Malformed::bad_payload},
      {R"({"t":1,"id":"a" "v":1})", Malformed::bad_payload},
      {R"({"t":1,"id":"\q","v":1})", Malformed::bad_payload},
      {R"({"t":1,"id":tru,"v":1})", Malformed::bad_payload},
      {R"({"t":1,"id":nul,"v":1})", Malformed::bad_payload},
      {R"({t:1})", Malformed::bad_payload},
      {R"(21.5)", Malformed::bad_payload},
      {R"("text")", Malformed::bad_payload},
      {R"(null)", Malformed::bad_payload},
      {"{\"t\":1,\"id\":\"\xC3\x28\",\"v\":1}", Malformed::bad_payload},
      {"\x01\x02", Malformed::bad_payload},
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_EQ(refusal_of(stream, line), (Refusal{reason, line}));
  }
}

TEST(JsonDecoder, LoneSurrogateIsRefused) {
  EXPECT_EQ(refusal_of(sensor_stream(), R"({"t":1,"id":"\ud800","v":1})").reason, Malformed::bad_payload);
}

TEST(JsonDecoder, ReadingFromTheFutureIsRefused) {
  Decoding decoding(sensor_stream());
  decoding.latest_time = 5 * kSecond;
  decoding.file("{\"t\":5,\"id\":\"a\",\"v\":1}\n{\"t\":6,\"id\":\"a\",\"v\":1}\n");
  EXPECT_EQ(decoding.rows().size(), 1U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::future, R"({"t":6,"id":"a","v":1})"}}));
}

TEST(JsonDecoder, TooManyKeys) {
  spec::Stream stream = sensor_stream();
  stream.max_keys = 1;
  Decoding decoding(stream);
  decoding.file("{\"t\":1,\"id\":\"a\",\"v\":1}\n{\"t\":1,\"id\":\"b\",\"v\":1}\n{\"t\":1,\"id\":\"a\",\"v\":1}\n");
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::too_many_keys, R"({"t":1,"id":"b","v":1})"}}));
}

TEST(JsonDecoder, BrokenLineCostsOnlyItself) {
  Decoding decoding(sensor_stream());
  decoding.file("{\"t\":1,\"id\":\"a\",\"v\":1}\n{\"t\":2,\"id\":\"\n{\"t\":3,\"id\":\"a\",\"v\":3}\n");
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "{\"t\":2,\"id\":\""}}));
}

TEST(JsonDecoder, BrokenElementCostsOnlyItself) {
  Decoding decoding(sensor_stream());
  decoding.file(
      R"([{"t":1,"id":"a","v":1},{"t":2,,"v":2},{"t":3,"id":"a","v":3},{"t":4,"id":"a","v":"x"},{"t":5,"id":"a","v":5}])");
  ASSERT_EQ(decoding.rows().size(), 3U);
  EXPECT_EQ(decoding.rows()[1].time, 3 * kSecond);
  EXPECT_EQ(decoding.rows()[2].time, 5 * kSecond);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, R"({"t":2,,"v":2})"},
                                                       {Malformed::not_a_number, R"({"t":4,"id":"a","v":"x"})"}}));
}

TEST(JsonDecoder, ElementsThatAreNoObjectsAreRefusedOneByOne) {
  Decoding decoding(sensor_stream());
  decoding.file(R"([{"t":1,"id":"a","v":1}, 7, "x", [1,2], null, {"t":2,"id":"a","v":2}])");
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "7"},
                                                       {Malformed::bad_payload, "\"x\""},
                                                       {Malformed::bad_payload, "[1,2]"},
                                                       {Malformed::bad_payload, "null"}}));
}

TEST(JsonDecoder, ArrayThatBreaksOffKeepsWhatCameBefore) {
  Decoding decoding(sensor_stream());
  decoding.file(R"([{"t":1,"id":"a","v":1},{"t":2,"id":"a","v":2} {"t":3,"id":"a","v":3}])");
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.refusals().size(), 1U);
}

TEST(JsonDecoder, EmptyArrayIsNoReading) {
  Decoding decoding(sensor_stream());
  decoding.file("[]\n[ ]\n");
  EXPECT_EQ(decoding.received(), 0U);
}

TEST(JsonDecoder, EmptyObjectsInAnArray) {
  Decoding decoding(sensor_stream());
  decoding.file(R"([{},{"t":1,"id":"a","v":1},{}])");
  EXPECT_EQ(decoding.rows().size(), 1U);
  EXPECT_EQ(decoding.refusals().size(), 2U);
  EXPECT_EQ(decoding.refusals().at(1), (Refusal{Malformed::missing_time, "{}"}));
}

TEST(JsonDecoder, ReadingsInsideTheDocument) {
  spec::Stream stream = sensor_stream();
  stream.sources[0].format.array_path = "/data/0/values";
  Decoding decoding(stream);
  decoding.file(
      R"({"id":"outer","t":9,"data":[{"values":[{"t":1,"v":1},{"v":2},{"t":3,"id":"own","v":3}],"id":"inner"},{"values":[{"v":7}]}],"v":0})");
  EXPECT_EQ(decoding.rows(), (std::vector<Row>{{1 * kSecond, {"inner"}, {1'000}},
                                               {9 * kSecond, {"inner"}, {2'000}},
                                               {3 * kSecond, {"own"}, {3'000}}}));
  EXPECT_TRUE(decoding.refusals().empty());
}

TEST(JsonDecoder, ReadingsInsideTheDocumentAreSeparate) {
  spec::Stream stream = sensor_stream();
  stream.sources[0].format.array_path = "/values";
  Decoding decoding(stream);
  decoding.file(
      "{\"id\":\"a\\u0062\",\"values\":[{\"t\":1,\"v\":1},{\"t\":,\"v\":2},5,{\"t\":3,\"v\":3}]}\n{\"values\":[{\"t\":"
      "1,\"v\":1}]}\n{\"id\":\"c\",\"values\":{\"t\":4,\"v\":4}}\n{\"id\":\"d\"}\n{\"id\":\"e\",\"values\":[]}\n{"
      "\"id\":\"f\",\"values\":5}\n");
  EXPECT_EQ(decoding.rows(),
            (std::vector<Row>{
                {1 * kSecond, {"ab"}, {1'000}}, {3 * kSecond, {"ab"}, {3'000}}, {4 * kSecond, {"c"}, {4'000}}}));
  std::vector<Malformed> reasons;
  for (const Refusal& refusal : decoding.refusals()) {
    reasons.push_back(refusal.reason);
  }
  EXPECT_EQ(reasons, (std::vector<Malformed>{Malformed::bad_payload, Malformed::bad_payload, Malformed::missing_key,
                                             Malformed::bad_payload, Malformed::bad_payload}));
}

TEST(JsonDecoder, EveryPrefixIsRefusedOnce) {
  const std::string line = R"({"t":1,"id":"a\u00e4","x":[1,{"y":[]}],"v":-1.5e3})";
  for (std::size_t size = 1; size < line.size(); ++size) {
    EXPECT_EQ(refusal_of(sensor_stream(), line.substr(0, size)).reason, Malformed::bad_payload) << size;
  }
}

TEST(JsonDecoder, EveryPrefixOfAnArrayBalances) {
  const std::string line = R"([{"t":1,"id":"a","v":1},{"t":2,"id":"b","v":2},{"t":3,"id":"c","v":3}])";
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
    for (std::size_t size = 1; size < line.size(); ++size) {
      Decoding decoding(sensor_stream(kind));
      decoding.file(line.substr(0, size)).finish();
      EXPECT_GE(decoding.refusals().size(), 1U) << size;
      EXPECT_EQ(decoding.received(), decoding.rows().size() + decoding.refusals().size());
    }
  }
}

TEST(JsonDecoder, DeepNestingIsPassedOver) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(rows_of(sensor_stream(), R"({"t":1,"x":)" + deep + R"(,"id":"a","v":1})").size(), 1U);
  EXPECT_EQ(refusal_of(sensor_stream(), std::string(100'000, '[')).reason, Malformed::bad_payload);
  Decoding decoding(sensor_stream());
  decoding.file(deep);
  EXPECT_EQ(decoding.refusals().size(), 1U);
}

TEST(JsonDecoder, LargeDocument) {
  std::string text = "[";
  for (int i = 0; i < 20'000; ++i) {
    text += fmt::format("{}{{\"t\":{},\"id\":\"s{}\",\"v\":{}.5}}", i == 0 ? "" : ",", i, i % 100, i);
  }
  text += "]";
  Decoding decoding(sensor_stream(), 1024);
  decoding.file(text);
  ASSERT_EQ(decoding.rows().size(), 20'000U);
  EXPECT_EQ(decoding.rows()[19'999], (Row{19'999 * kSecond, {"s99"}, {19'999'500}}));
}

TEST(JsonDecoder, LongNamesDoNotReadPastThePayload) {
  const spec::Stream stream = testing::make_stream(spec::FormatKind::json, {}, {field(std::string(5000, 'n'))});
  EXPECT_EQ(refusal_of(stream, R"({"n":1})").reason, Malformed::missing_time);
}

}  // namespace
}  // namespace weir::decode
