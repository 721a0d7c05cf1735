// Where in a JSON payload a value stands: elements that are chosen by what they say of themselves, JSON inside strings,
// equal members, and values with odd spacing.
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

spec::Stream stream_of(std::vector<spec::Key> keys, std::vector<spec::Field> fields,
                       spec::SourceKind kind = spec::SourceKind::file) {
  return testing::make_stream(spec::FormatKind::json, std::move(keys), std::move(fields), kind);
}

/// Particulate matter as sensors with that firmware send it.
spec::Stream particles() {
  return stream_of({key("id")}, {field("p1", 2, "/values/[type=P1]/value"), field("p2", 2, "/values/[type=P2]/value")});
}

std::vector<Row> rows_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.file(text, true).finish();
  EXPECT_TRUE(decoding.refusals().empty()) << decoding.refusals()[0];
  return decoding.rows();
}

TEST(JsonPaths, ElementsChosenByAMember) {
  EXPECT_EQ(
      rows_of(particles(),
              R"({"t":1,"id":"a","values":[{"type":"P1","value":"3.4"},{"value":5,"type":"P2"},{"type":"T","value":9}]}
{"t":2,"values":[{"type":"P2","value":7}],"id":"a"}
{"t":3,"id":"b","values":[{"type":"T"},{"type":null,"value":1},{"value":2},5,[],"x",{"type":"P1","value":-1}]})"),
      (std::vector<Row>{{1 * kSecond, {"a"}, {340, 500}},
                        {2 * kSecond, {"a"}, {kNullUnits, 700}},
                        {3 * kSecond, {"b"}, {-100, kNullUnits}}}));
}

TEST(JsonPaths, WhatIsNotChosenIsAbsent) {
  Decoding decoding(particles());
  decoding.file(R"({"t":1,"id":"a","values":[]}
{"t":1,"id":"a","values":{"type":"P1","value":1}}
{"t":1,"id":"a"}
{"t":1,"id":"a","values":[{"type":"P1"}]}
{"t":1,"id":"a","values":[{"type":"P1","value":{}}]}
{"t":1,"id":"a","values":[{"type":"P1","value":1}}
)");
  decoding.finish();
  std::vector<Malformed> reasons;
  for (const Refusal& refusal : decoding.refusals()) {
    reasons.push_back(refusal.reason);
  }
  EXPECT_EQ(reasons,
            (std::vector<Malformed>{Malformed::missing_field, Malformed::missing_field, Malformed::missing_field,
                                    Malformed::missing_field, Malformed::not_a_number, Malformed::bad_payload}));
  EXPECT_TRUE(decoding.rows().empty());
}

TEST(JsonPaths, AnArrayOfNamesAndValuesIsOneReading) {
  spec::Stream stream = stream_of({key("id", "/[type=id]/value")},
                                  {field("p1", 1, "/[type=P1]/value"), field("p2", 1, "/[type=P2]/value")});
  stream.time.field = "/[type=time]/value";
  const std::string one =
      R"([{"type":"time","value":5},{"type":"P1","value":3},{"type":"id","value":"a"},{"type":"P2","value":4.5}])";
  const std::vector<Row> expected{{5 * kSecond, {"a"}, {30, 45}}};
  EXPECT_EQ(rows_of(stream, one), expected);
  EXPECT_EQ(rows_of(stream, one + "\n" + one + one + " " + one).size(), 4U);
  std::string spread;
  for (const char c : one) {
    spread += c == '{' || c == ',' ? std::string(1, c) + "\n" : std::string(1, c);
  }
  EXPECT_EQ(rows_of(stream, spread), expected);
  stream.sources[0].kind = spec::SourceKind::mqtt;
  EXPECT_EQ(rows_of(stream, spread), expected);
  EXPECT_EQ(rows_of(stream, one), expected);
}

TEST(JsonPaths, RowsAreArrays) {
  spec::Stream stream = stream_of({key("id", "/1")}, {field("p1", 1, "/2")});
  stream.time.field = "/0";
  const std::vector<Row> expected{{5 * kSecond, {"a"}, {30}}, {6 * kSecond, {"b"}, {45}}};
  for (const char* text : {"[[5,\"a\",3],[6,\"b\",4.5]]", "[5,\"a\",3]\n[6,\"b\",4.5]\n",
                           "[\n[5,\"a\",3],\n[6,\"b\",4.5]\n]\n", "[[5,\"a\",3],\n[6,\"b\",4.5]]\n",
                           "[\n  [\n    5,\n    \"a\",\n    3\n  ],\n  [\n    6,\n    \"b\",\n    4.5\n  ]\n]\n",
                           "[ [5,\"a\",3], [6,\"b\",4.5,null] ]"}) {
    EXPECT_EQ(rows_of(stream, text), expected) << text;
  }
  for (const char* text : {"[[5,\"a\",3],[6,\"b\",4.5]]", "[5,\"a\",3]\n[6,\"b\",4.5]\n"}) {
    spec::Stream messages = stream;
    messages.sources[0].kind = spec::SourceKind::mqtt;
    EXPECT_EQ(rows_of(messages, text), expected) << text;
  }
  spec::Stream inside = stream;
  inside.sources[0].format.array_path = "/results/0/values";
  EXPECT_EQ(rows_of(inside, R"({"results":[{"columns":["time","id","v"],"values":[[5,"a",3],[6,"b",4.5]]}]})"),
            expected);
}

TEST(JsonPaths, ElementsAreChosenInsideElements) {
  spec::Stream stream =
      stream_of({}, {field("v", 0, "/rooms/[name=hall]/sensors/[id=7]/v"), field("w", 0, "/rooms/[name=den]/v")});
  EXPECT_EQ(rows_of(stream, R"({"t":1,"rooms":[{"sensors":[{"v":1,"id":6},{"v":2,"id":7}],"name":"hall"},)"
                            R"({"name":"attic","sensors":[{"id":7,"v":3}]},{"v":4,"name":"den"}]})"),
            (std::vector<Row>{{1 * kSecond, {}, {2, 4}}}));
}

TEST(JsonPaths, ElementsAreChosenByNumbersSwitchesAndEscapedTexts) {
  spec::Stream stream = stream_of({}, {field("a", 0, "/x/[n=1.50]/v"), field("b", 0, "/x/[n=true]/v"),
                                       field("c", 0, "/x/[n=a~1b=c]/v"), field("d", 0, "/x/[m=\xC3\xA4]/v")});
  EXPECT_EQ(
      rows_of(stream, R"({"t":1,"x":[{"n":1.50,"v":1},{"n":true,"v":2},{"n":"a\/b=c","v":3},{"m":"\u00e4","v":4}]})"),
      (std::vector<Row>{{1 * kSecond, {}, {1, 2, 3, 4}}}));
}

TEST(JsonPaths, OfElementsThatSayTheSameTheLastCounts) {
  EXPECT_EQ(rows_of(particles(), R"({"t":1,"id":"a","values":[{"type":"P1","value":1},{"type":"P2","value":2},)"
                                 R"({"type":"P1","value":3},{"type":"P2"}]})"),
            (std::vector<Row>{{1 * kSecond, {"a"}, {300, kNullUnits}}}));
  EXPECT_EQ(
      rows_of(particles(), R"({"t":1,"id":"a","values":[{"type":"P1","value":1}],"values":[{"type":"P2","value":2}]})"),
      (std::vector<Row>{{1 * kSecond, {"a"}, {kNullUnits, 200}}}));
}

TEST(JsonPaths, ElementsAreChosenInsideReadings) {
  spec::Stream stream = particles();
  stream.sources[0].format.array_path = "/readings";
  EXPECT_EQ(rows_of(stream, R"({"id":"a","readings":[{"t":1,"values":[{"type":"P1","value":1}]},)"
                            R"({"t":2,"values":[{"type":"P2","value":2}]}]})"),
            (std::vector<Row>{{1 * kSecond, {"a"}, {100, kNullUnits}}, {2 * kSecond, {"a"}, {kNullUnits, 200}}}));
  EXPECT_EQ(rows_of(particles(), R"([{"t":1,"id":"a","values":[{"type":"P1","value":1}]},)"
                                 R"({"t":2,"id":"a","values":[{"type":"P2","value":2}]}])"),
            (std::vector<Row>{{1 * kSecond, {"a"}, {100, kNullUnits}}, {2 * kSecond, {"a"}, {kNullUnits, 200}}}));
}

TEST(JsonPaths, JsonInsideAString) {
  spec::Stream stream = stream_of({key("id"), key("room", "/payload/room")}, {field("v", 1, "/payload/v")});
  stream.time.field = "/payload/t";
  EXPECT_EQ(rows_of(stream, R"({"id":"a","payload":"{\"t\":1,\"v\":20.1,\"room\":\"h\\u00e4ll\"}"}
{"payload":" {\"v\":\"3\",\"room\":\"\\\"q\\\"\",\"t\":2} ","id":"b"}
{"payload":{"v":4,"room":"plain","t":3},"id":"c"}
)"),
            (std::vector<Row>{{1 * kSecond, {"a", "h\xC3\xA4ll"}, {201}},
                              {2 * kSecond, {"b", "\"q\""}, {30}},
                              {3 * kSecond, {"c", "plain"}, {40}}}));
}

TEST(JsonPaths, AStringInAStringAndAnArrayInAString) {
  EXPECT_EQ(rows_of(stream_of({}, {field("v", 0, "/a/b/1")}), R"({"t":1,"a":"{\"b\":\"[5,6]\"}"})"),
            (std::vector<Row>{{1 * kSecond, {}, {6}}}));
  EXPECT_EQ(rows_of(stream_of({}, {field("v", 0, "/a/[n=x]/v")}), R"({"t":1,"a":"[{\"n\":\"x\",\"v\":7}]"})"),
            (std::vector<Row>{{1 * kSecond, {}, {7}}}));
}

TEST(JsonPaths, AStringThatHoldsNoJsonHasNoMembers) {
  const spec::Stream stream = stream_of({}, {field("v", 0, "/a/v"), field("w", 0)});
  for (const char* const text : {"", "warm", "{", "{\\\"v\\\":1", "{\\\"v\\\":1} 2", "[1,", "{\\\"v\\\":01}", "7"}) {
    EXPECT_EQ(rows_of(stream, "{\"t\":1,\"w\":2,\"a\":\"" + std::string(text) + "\"}"),
              (std::vector<Row>{{1 * kSecond, {}, {kNullUnits, 2}}}))
        << text;
  }
  // The string itself can still be a key.
  EXPECT_EQ(rows_of(stream_of({key("a")}, {field("v", 0, "/a/v")}), R"({"t":1,"a":"{\"v\":1}"})"),
            (std::vector<Row>{{1 * kSecond, {R"({"v":1})"}, {1}}}));
}

TEST(JsonPaths, TooManyStringsWithJsonAreRefused) {
  std::string text = R"({"t":1)";
  for (int i = 0; i < 2'000; ++i) {
    text += R"(,"a":"{\"v\":1}")";
  }
  Decoding decoding(stream_of({}, {field("v", 0, "/a/v")}));
  decoding.file(text + "}\n{\"t\":1,\"a\":\"{\\\"v\\\":2}\"}\n");
  EXPECT_EQ(decoding.rows(), (std::vector<Row>{{1 * kSecond, {}, {2}}}));
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, text + "}"}}));
}

TEST(JsonPaths, ReadingsInsideAString) {
  spec::Stream stream = stream_of({key("id")}, {field("v", 0)});
  stream.sources[0].format.array_path = "/data/values";
  EXPECT_EQ(
      rows_of(
          stream,
          R"({"id":"outer","data":"{\"id\":\"in\\u006eer\",\"values\":[{\"t\":1,\"v\":2},{\"t\":2,\"v\":3,\"id\":\"own\"}]}"}
{"data":{"values":"[{\"t\":3,\"v\":4}]"},"id":"outer"}
)"),
      (std::vector<Row>{{1 * kSecond, {"inner"}, {2}}, {2 * kSecond, {"own"}, {3}}, {3 * kSecond, {"outer"}, {4}}}));
  Decoding decoding(stream);
  decoding.file("{\"data\":\"{\\\"values\\\":[\"}\n{\"data\":\"warm\"}\n");
  EXPECT_EQ(decoding.refusals().size(), 2U);
}

TEST(JsonPaths, AMessageThatIsAString) {
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
    const spec::Stream stream = stream_of({key("id")}, {field("v", 0)}, kind);
    EXPECT_EQ(rows_of(stream, R"("{\"t\":1,\"id\":\"a\\u00e4\",\"v\":2}")"),
              (std::vector<Row>{{1 * kSecond, {"a\xC3\xA4"}, {2}}}));
    EXPECT_EQ(rows_of(stream, R"(" [{\"t\":1,\"id\":\"a\",\"v\":2},{\"t\":2,\"id\":\"a\",\"v\":3}]")"),
              (std::vector<Row>{{1 * kSecond, {"a"}, {2}}, {2 * kSecond, {"a"}, {3}}}));
    Decoding decoding(stream);
    decoding.file(R"("warm")").finish();
    EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, R"("warm")"}}));
  }
}

TEST(JsonPaths, OfEqualMembersTheLastCountsEverywhere) {
  const spec::Stream stream = stream_of({key("k")}, {field("v", 0), field("w", 0, "/m/w")});
  EXPECT_EQ(rows_of(stream, R"({"t":1,"k":"old","v":1,"m":{"w":1},"k":"new","v":2,"t":3,"m":{"w":2,"w":4}})"),
            (std::vector<Row>{{3 * kSecond, {"new"}, {2, 4}}}));
  EXPECT_EQ(rows_of(stream, R"([{"t":1,"k":"old","v":1,"k":"new","\u0076":2}])"),
            (std::vector<Row>{{1 * kSecond, {"new"}, {2, kNullUnits}}}));
  EXPECT_EQ(rows_of(stream, R"({"t":1,"k":"a","v":1,"m":{"w":1},"m":{}})"),
            (std::vector<Row>{{1 * kSecond, {"a"}, {1, kNullUnits}}}));
  EXPECT_EQ(rows_of(stream, R"({"t":1,"k":"a","v":1,"m":{"w":1},"m":null})"),
            (std::vector<Row>{{1 * kSecond, {"a"}, {1, kNullUnits}}}));
}

TEST(JsonPaths, OfEqualMembersOnTheWayToTheReadingsTheLastCounts) {
  spec::Stream stream = stream_of({key("id")}, {field("v", 0)});
  stream.sources[0].format.array_path = "/data/values";
  EXPECT_EQ(rows_of(stream,
                    R"({"id":"outer","data":{"id":"one","values":[{"t":1,"v":1}]},"data":{"values":[{"t":2,"v":2}]}})"),
            (std::vector<Row>{{2 * kSecond, {"outer"}, {2}}}));
  EXPECT_EQ(rows_of(stream, R"({"id":"outer","data":{"values":[{"t":1,"v":1}],"values":[{"t":3,"v":3}]}})"),
            (std::vector<Row>{{3 * kSecond, {"outer"}, {3}}}));
  Decoding decoding(stream);
  decoding.file(R"({"id":"outer","data":{"values":[{"t":1,"v":1}]},"data":null})");
  EXPECT_EQ(decoding.refusals().size(), 1U);
  EXPECT_TRUE(decoding.rows().empty());
}

TEST(JsonPaths, OddSpacing) {
  const spec::Stream stream = stream_of({key("id")}, {field("v", 0)});
  const std::vector<Row> expected{{1 * kSecond, {"a"}, {1}}, {2 * kSecond, {"b"}, {2}}, {3 * kSecond, {"c"}, {3}}};
  const std::string a = R"({"t":1,"id":"a","v":1})";
  const std::string b = R"({"t":2,"id":"b","v":2})";
  const std::string c = R"({"t":3,"id":"c","v":3})";
  for (const std::string& text :
       {a + b + c, a + " " + b + "\t" + c, a + "\r\n\r\n" + b + "\n \n" + c, "\n  " + a + "\n\t" + b + c + "  \r\n",
        "[" + a + "," + b + "," + c + "]", " [ " + a + "\n,\n" + b + " ,\t" + c + "\n]\n",
        "[\n" + a + ",\n" + b + ",\n" + c + "\n]", "[" + a + "]\n[" + b + "," + c + "]", "[" + a + "][" + b + "]" + c,
        "[]\n" + a + "[]" + b + "\n[]" + c,
        std::string("{\n\n\"t\" :\r\n1\n,\"id\"\t:\"a\",\"v\":\n1 }") + b + "{\n\"t\":3,\"id\":\"c\",\n\"v\":3\n}"}) {
    EXPECT_EQ(rows_of(stream, text), expected) << text;
    // In blocks of one line each.
    Decoding decoding(stream);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
      decoding.file(text.substr(at, end - at), at == 0);
      at = end;
    }
    decoding.finish();
    EXPECT_EQ(decoding.rows(), expected) << text;
    EXPECT_TRUE(decoding.refusals().empty()) << text;
  }
}

}  // namespace
}  // namespace weir::decode
