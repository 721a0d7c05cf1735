#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>

#include "decode/decoding.hpp"
#include "decode/senml_pack.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using testing::field;
using testing::key;
using testing::Refusal;
using testing::Row;

constexpr std::int64_t kSecond = 1'000'000'000;

spec::Stream senml_stream(std::vector<spec::Key> keys, std::vector<spec::Field> fields,
                          spec::SourceKind kind = spec::SourceKind::mqtt) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::senml, std::move(keys), std::move(fields), kind);
  stream.time = {};
  return stream;
}

/// One reading a record: its name is the key, its value the field.
spec::Stream by_record() {
  return senml_stream({key("sensor", "n")}, {field("value", 3, "v")});
}
/// One reading a moment: the records' names are fields.
spec::Stream by_name(std::vector<spec::Key> keys = {key("device", "bn")}) {
  return senml_stream(std::move(keys), {field("temperature"), field("humidity")});
}

std::vector<Row> rows_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.topic("x", text);
  EXPECT_TRUE(decoding.refusals().empty()) << decoding.refusals()[0];
  return decoding.rows();
}

TEST(SenmlDecoder, RecordsOfRfc8428) {
  // RFC 8428, section 5.1.2 and 5.1.3 (times shortened to what the text needs).
  EXPECT_EQ(rows_of(by_record(), R"([
     {"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1,"bt":1.276020076001e+09,"bu":"A","bver":5},
     {"n":"current","t":-5,"v":1.2},
     {"n":"current","t":-4,"v":1.3}])"),
            (std::vector<Row>{{1'276'020'076'001'000'000, {"urn:dev:ow:10e2073a01080063:voltage"}, {120'100}},
                              {1'276'020'071'001'000'000, {"urn:dev:ow:10e2073a01080063:current"}, {1'200}},
                              {1'276'020'072'001'000'000, {"urn:dev:ow:10e2073a01080063:current"}, {1'300}}}));
}

TEST(SenmlDecoder, BaseNameAloneIsAName) {
  EXPECT_EQ(rows_of(by_record(), R"([{"bn":"dev1","bt":1700000000,"v":23.1}])"),
            (std::vector<Row>{{1'700'000'000 * kSecond, {"dev1"}, {23'100}}}));
}

TEST(SenmlDecoder, SmallTimesAreRelativeToNow) {
  const std::vector<Row> rows = rows_of(
      by_record(),
      R"([{"n":"a","v":1},{"n":"b","v":1,"t":-2.5},{"n":"c","v":1,"t":268435455},{"n":"d","v":1,"t":268435456}])");
  EXPECT_EQ(rows[0].time, Decoding::kArrival);
  EXPECT_EQ(rows[1].time, Decoding::kArrival - 2'500'000'000);
  EXPECT_EQ(rows[2].time, Decoding::kArrival + 268'435'455 * kSecond);
  EXPECT_EQ(rows[3].time, 268'435'456 * kSecond);
}

TEST(SenmlDecoder, UnitOfTimes) {
  const std::string draft = R"({{"e":[{{"n":"a","v":"1","t":"5"}}],"bt":{}}})";
  const auto time_of = [&](TimeUnit unit, std::string_view bt) {
    spec::Stream stream = by_record();
    stream.time.unit = unit;
    return rows_of(stream, fmt::format(fmt::runtime(draft), bt)).at(0).time;
  };
  constexpr std::int64_t kBase = 1'422'748'800 * kSecond;
  EXPECT_EQ(time_of(TimeUnit::automatic, "1422748800"), kBase + 5 * kSecond);
  EXPECT_EQ(time_of(TimeUnit::automatic, "1422748800000"), kBase + 5'000'000);
  EXPECT_EQ(time_of(TimeUnit::automatic, "\"1422748800000\""), kBase + 5'000'000);
  EXPECT_EQ(time_of(TimeUnit::automatic, "1422748800000000"), kBase + 5'000);
  EXPECT_EQ(time_of(TimeUnit::automatic, "1422748800000000000"), kBase + 5);
  EXPECT_EQ(time_of(TimeUnit::milliseconds, "1422748800000"), kBase + 5'000'000);
  EXPECT_EQ(time_of(TimeUnit::seconds, "1422748800"), kBase + 5 * kSecond);
}

TEST(SenmlDecoder, BaseValuesAreAddedExactly) {
  EXPECT_EQ(
      rows_of(by_record(),
              R"([{"bn":"a","bt":1700000000,"bv":20.001,"v":1.369},{"v":-0.371},{"bv":null,"v":1e1},{"v":0.0005}])"),
      (std::vector<Row>{{1'700'000'000 * kSecond, {"a"}, {21'370}},
                        {1'700'000'000 * kSecond, {"a"}, {19'630}},
                        {1'700'000'000 * kSecond, {"a"}, {30'001}},
                        {1'700'000'000 * kSecond, {"a"}, {20'002}}}));  // 20.0015 rounds to even
}

TEST(SenmlDecoder, SumsOfDecimals) {
  const auto sum = [](std::string_view base, std::string_view value) {
    std::string text;
    return std::string(senml_sum({base, Token::Kind::number}, {value, Token::Kind::text}, text).text);
  };
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("9223372036854775807", "-0.000000000000000001"), "9223372036854775806.999999999999999999");
  EXPECT_EQ(sum("-1.5", "+.5"), "-1");
  EXPECT_EQ(sum("1.", "-0.25"), "0.75");
  EXPECT_EQ(sum("-0.75", "0.5"), "-0.25");
  EXPECT_EQ(sum("1e3", "2.5E-1"), "1000.25");
  EXPECT_EQ(sum("12345678901234567", "1e-3"), "12345678901234567.001");
  EXPECT_EQ(sum("warm", "1"), "warm");
  EXPECT_EQ(sum("1", "warm"), "warm");
  EXPECT_EQ(sum("1", "1e30"), "1e30");
}

TEST(SenmlDecoder, SumIsAFieldOfItsOwn) {
  const spec::Stream stream = senml_stream({key("n")}, {field("v"), field("s")});
  EXPECT_EQ(rows_of(stream, R"([{"n":"a","bt":1700000000,"bs":100,"v":1,"s":5},{"n":"b","s":7}])"),
            (std::vector<Row>{{1'700'000'000 * kSecond, {"a"}, {1'000, 105'000}},
                              {1'700'000'000 * kSecond, {"b"}, {kNullUnits, 107'000}}}));
}

TEST(SenmlDecoder, ABaseAloneIsTheValue) {
  const spec::Stream stream = senml_stream({key("n")}, {field("v"), field("s")});
  EXPECT_EQ(rows_of(stream, R"([{"bt":1700000000,"bv":20},{"n":"b"},{"v":1.5,"n":"c"},{"s":2,"n":"d"},
                                {"bs":100,"n":"e"},{"n":"f","v":1},{"n":"g","s":-1},{"n":"h","vs":"on"}])"),
            (std::vector<Row>{{1'700'000'000 * kSecond, {"b"}, {20'000, kNullUnits}},
                              {1'700'000'000 * kSecond, {"c"}, {21'500, kNullUnits}},
                              {1'700'000'000 * kSecond, {"d"}, {20'000, 2'000}},
                              {1'700'000'000 * kSecond, {"e"}, {20'000, 100'000}},
                              {1'700'000'000 * kSecond, {"f"}, {21'000, 100'000}},
                              {1'700'000'000 * kSecond, {"g"}, {20'000, 99'000}}}));
}

TEST(SenmlDecoder, PacksOfLaterVersionsAreRefusedWhole) {
  for (const char* const version : {"11", "\"11\"", "10.5", "1e9", "true", "null", "\"x\""}) {
    const std::string pack = fmt::format(R"([{{"n":"a","bt":1700000000,"v":1}},{{"n":"b","bver":{},"v":2}}])", version);
    const bool none = std::string_view(version) == "null";
    for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
      Decoding decoding(senml_stream({key("sensor", "n")}, {field("value", 3, "v")}, kind));
      decoding.file(pack + "\n").finish();
      EXPECT_EQ(decoding.rows().size(), none ? 2U : 0U) << version;
      EXPECT_EQ(decoding.blamed(), none ? std::vector<std::string>{} : std::vector<std::string>{"bver"}) << version;
    }
  }
  for (const char* const version : {"10", "5", "1"}) {
    EXPECT_EQ(rows_of(by_record(), fmt::format(R"([{{"bver":{},"n":"a","v":1}}])", version)).size(), 1U);
  }
  // What is broken is not blamed on the version of the pack before it.
  Decoding decoding(by_record());
  decoding.topic("x", R"([{"bver":11,"n":"a","v":1}])").topic("x", "[{]");
  EXPECT_EQ(decoding.blamed(), (std::vector<std::string>{"bver", ""}));
}

TEST(SenmlDecoder, RecordedTimesAreRelativeToTheNewestOne) {
  Decoding decoding(by_record());
  decoding.arrival = 0;
  decoding.topic("x", R"([{"n":"a","t":-5,"v":1}])")
      .topic("x", R"([{"n":"a","bt":1700000000,"v":2},{"n":"a","t":-100,"v":3}])")
      .topic("x", R"([{"n":"a","t":-5,"v":4},{"n":"a","v":5}])");
  EXPECT_EQ(decoding.rows(), (std::vector<Row>{{1'700'000'000 * kSecond, {"a"}, {2'000}},
                                               {1'699'999'900 * kSecond, {"a"}, {3'000}},
                                               {1'699'999'995 * kSecond, {"a"}, {4'000}},
                                               {1'700'000'000 * kSecond, {"a"}, {5'000}}}));
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::missing_time, R"([{"n":"a","t":-5,"v":1}])"}}));
  EXPECT_EQ(decoding.blamed(), (std::vector<std::string>{"t"}));
}

TEST(SenmlDecoder, UnitIsAKey) {
  const spec::Stream stream = senml_stream({key("n"), key("u")}, {field("v")});
  const std::vector<Row> rows = rows_of(stream, R"([{"bn":"a","bu":"Cel","v":1},{"u":"%RH","v":2}])");
  EXPECT_EQ(rows[0].keys, (std::vector<std::string>{"a", "Cel"}));
  EXPECT_EQ(rows[1].keys, (std::vector<std::string>{"a", "%RH"}));
}

TEST(SenmlDecoder, RecordsWithoutANumberAreNoReadings) {
  EXPECT_EQ(rows_of(by_record(), R"([{"bn":"a/"},{"n":"x","vs":"on"},{"n":"y","vb":true},{"n":"z","v":1}])").size(),
            1U);
}

TEST(SenmlDecoder, FieldsByName) {
  EXPECT_EQ(rows_of(by_name(), R"([{"bn":"dev1/","bt":1700000000,"n":"temperature","v":21.5},{"n":"humidity","v":40},
                                   {"n":"light","v":9},{"n":"temperature","t":10,"v":22},{"n":"humidity","t":10,"v":41}])"),
            (std::vector<Row>{{1'700'000'000 * kSecond, {"dev1/"}, {21'500, 40'000}},
                              {1'700'000'010 * kSecond, {"dev1/"}, {22'000, 41'000}}}));
}

TEST(SenmlDecoder, FieldsOneSeriesAfterTheOther) {
  std::string pack = R"([{"bn":"d","bt":1700000000})";
  for (const char* const name : {"temperature", "humidity"}) {
    for (int t = 0; t < 100; ++t) {
      pack += fmt::format(R"(,{{"n":"{}","t":{},"v":{}}})", name, t, t + (name[0] == 't' ? 0 : 1000));
    }
  }
  const std::vector<Row> rows = rows_of(by_name(), pack + "]");
  ASSERT_EQ(rows.size(), 100U);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const auto units = static_cast<std::int64_t>(t) * 1000;
    EXPECT_EQ(rows[t], (Row{1'700'000'000 * kSecond + units * 1'000'000, {"d"}, {units, units + 1'000'000}}));
  }
}

TEST(SenmlDecoder, RepeatedFieldIsAnotherReading) {
  EXPECT_EQ(rows_of(by_name(), R"([{"bn":"d","bt":1700000000},{"n":"temperature","v":1},{"n":"temperature","v":2},
                                   {"n":"humidity","v":3},{"n":"humidity","v":4},{"n":"humidity","v":5}])"),
            (std::vector<Row>{{1'700'000'000 * kSecond, {"d"}, {1'000, 3'000}},
                              {1'700'000'000 * kSecond, {"d"}, {2'000, 4'000}},
                              {1'700'000'000 * kSecond, {"d"}, {kNullUnits, 5'000}}}));
}

TEST(SenmlDecoder, DevicesOfOnePackStayApart) {
  EXPECT_EQ(
      rows_of(by_name(), R"([{"bn":"d1/","bt":1700000000,"n":"temperature","v":1},{"bn":"d2/","n":"temperature","v":2},
                                   {"bn":"d1/","n":"humidity","v":3}])"),
      (std::vector<Row>{{1'700'000'000 * kSecond, {"d1/"}, {1'000, 3'000}},
                        {1'700'000'000 * kSecond, {"d2/"}, {2'000, kNullUnits}}}));
}

TEST(SenmlDecoder, FieldByResolvedName) {
  const spec::Stream stream = senml_stream({}, {field("t", 1, "dev1/temperature")});
  EXPECT_EQ(
      rows_of(stream, R"([{"bn":"dev1/","n":"temperature","v":1},{"bn":"dev2/","n":"temperature","v":2}])").size(), 1U);
}

TEST(SenmlDecoder, KeyFromATextRecord) {
  EXPECT_EQ(rows_of(by_name({key("source")}), R"([{"bt":1700000000,"n":"temperature","v":1},{"n":"source","vs":"abc"},
                                                  {"n":"temperature","v":2,"t":1}])"),
            (std::vector<Row>{{1'700'000'000 * kSecond, {"abc"}, {1'000, kNullUnits}},
                              {1'700'000'001 * kSecond, {"abc"}, {2'000, kNullUnits}}}));
}

TEST(SenmlDecoder, KeyRecordOfTheMomentComesFirst) {
  const std::vector<Row> rows =
      rows_of(by_name({key("source")}), R"([{"bn":"1/","n":"source","vs":"a"},{"n":"temperature","v":1},
                                            {"bn":"2/","n":"temperature","v":2},{"n":"source","vs":"b"}])");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].keys[0], "a");
  EXPECT_EQ(rows[1].keys[0], "b");
}

TEST(SenmlDecoder, KeyFromTheTopic) {
  spec::Stream stream = by_name({key("device")});
  stream.sources[0].topics = {"senml/{device}"};
  Decoding decoding(stream);
  decoding.topic("senml/d7", R"([{"n":"temperature","v":1}])");
  EXPECT_EQ(decoding.rows().at(0).keys[0], "d7");
}

TEST(SenmlDecoder, TimeFromARecordOrFromArrival) {
  spec::Stream stream = by_name({});
  stream.time.field = "stamp";
  stream.time.unit = TimeUnit::rfc3339;
  EXPECT_EQ(rows_of(stream, R"([{"n":"stamp","vs":"1970-01-01T00:00:05Z"},{"n":"temperature","v":1}])").at(0).time,
            5 * kSecond);
  Decoding decoding(stream);
  decoding.topic("x", R"([{"n":"temperature","v":1}])");
  EXPECT_EQ(decoding.refusals().at(0).reason, Malformed::missing_time);
  stream.time = {};
  stream.time.arrival = true;
  EXPECT_EQ(rows_of(stream, R"([{"n":"temperature","v":1,"bt":1700000007}])").at(0).time, Decoding::kArrival);
}

TEST(SenmlDecoder, EarlyDraft) {
  const spec::Stream stream =
      senml_stream({key("source")}, {field("temperature", 1), field("dust", 2)}, spec::SourceKind::file);
  Decoding decoding(stream);
  decoding.file(
      "1422748800000,{\"e\":[{\"u\":\"string\",\"n\":\"source\",\"sv\":\"ci4\"},{\"v\":\"8\",\"u\":\"far\",\"n\":"
      "\"temperature\"},"
      "{\"v\":\"411.02\",\"u\":\"per\",\"n\":\"dust\"}],\"bt\":1422748800000}\n"
      "no pack\n"
      "1,{\"e\":[{\"n\":\"source\",\"sv\":\"x\"},{\"n\":\"temperature\",\"v\":\"9.25\"}],\"bt\":1422748801000}\r\n");
  EXPECT_EQ(decoding.rows(), (std::vector<Row>{{1'422'748'800 * kSecond, {"ci4"}, {80, 41'102}},
                                               {1'422'748'801 * kSecond, {"x"}, {92, kNullUnits}}}));
  EXPECT_EQ(decoding.rounded(), 1U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "no pack"}}));
}

TEST(SenmlDecoder, OneRecordAloneIsAPack) {
  EXPECT_EQ(rows_of(by_record(), R"({"n":"a","bt":1700000000,"v":1})").size(), 1U);
}

TEST(SenmlDecoder, PayloadOfSeveralLines) {
  Decoding decoding(by_record());
  decoding.topic("x", "[{\"n\":\"a\",\"v\":1}]\n[{\"n\":\"b\",\"v\":2}]\n").topic("x", "[\n{\"n\":\"a\",\n\"v\":1}]\n");
  EXPECT_EQ(decoding.rows().size(), 3U);
  EXPECT_TRUE(decoding.refusals().empty());
}

TEST(SenmlDecoder, ReasonsForRefusal) {
  const std::vector<std::pair<std::string, Malformed>> cases{
      {"", Malformed::bad_payload},
      {"21.5", Malformed::bad_payload},
      {"[", Malformed::bad_payload},
      {R"([{"n":"a","v":1})", Malformed::bad_payload},
      {R"([{"n":"a","v":1}]])", Malformed::bad_payload},
      {R"([{"n":"a","v":1},5])", Malformed::bad_payload},
      {R"([{"n":"a","v":1,"must_":2}])", Malformed::bad_payload},
      {R"({"e":5})", Malformed::bad_payload},
      {R"({"e":[{"n":"a","v":1},[]]})", Malformed::bad_payload},
      {R"([{"n":"a","t":"noon","v":1}])", Malformed::bad_time},
      {R"([{"n":"a","t":true,"v":1}])", Malformed::bad_time},
      {R"([{"n":"a","bt":1e30,"v":1}])", Malformed::bad_time},
      {R"([{"v":1}])", Malformed::missing_key},
      {R"([{"n":"a","t":1}])", Malformed::missing_field},
      {R"([{"n":"a","vs":"on"}])", Malformed::missing_field},
      {R"([{"n":"a","v":"warm"}])", Malformed::not_a_number},
      {R"([{"n":"a","v":true}])", Malformed::not_a_number},
      {R"([{"n":"a","v":1e17}])", Malformed::out_of_range},
      {R"([{"n":"a","bv":1e30,"v":1}])", Malformed::out_of_range},
      {R"([{"n":"a","bv":"x","v":1}])", Malformed::not_a_number},
      {R"([{"n":"a","bv":9223372036854775,"v":9223372036854775}])", Malformed::out_of_range},
  };
  for (const auto& [text, reason] : cases) {
    Decoding decoding(by_record());
    decoding.topic("x", text);
    EXPECT_TRUE(decoding.rows().empty());
    EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{reason, text}}));
  }
}

TEST(SenmlDecoder, PackWithoutAnyFieldIsRefusedOnce) {
  Decoding decoding(by_name());
  decoding.topic("x", R"([{"bn":"a","n":"light","v":1},{"n":"dust","v":1}])")
      .topic("x", "[]")
      .topic("x", R"([{"bn":"a"}])");
  EXPECT_EQ(decoding.received(), 1U);
  EXPECT_EQ(decoding.refusals().at(0).reason, Malformed::missing_field);
}

TEST(SenmlDecoder, SchemaWithoutFieldsCountsMoments) {
  EXPECT_EQ(
      rows_of(senml_stream({key("bn")}, {}), R"([{"bn":"a","n":"x","v":1},{"n":"y","v":1},{"n":"x","t":1,"v":1}])")
          .size(),
      2U);
}

TEST(SenmlDecoder, ManyRecordsOfOneMoment) {
  std::string pack = "[";
  for (int i = 0; i < 50'000; ++i) {
    pack += fmt::format(R"({}{{"n":"temperature","v":{}}})", i == 0 ? "" : ",", i);
  }
  Decoding decoding(senml_stream({}, {field("temperature", 0)}), 1000);
  decoding.topic("x", pack + "]");
  ASSERT_EQ(decoding.rows().size(), 50'000U);
  EXPECT_EQ(decoding.rows()[49'999].fields[0], 49'999);
}

TEST(SenmlDecoder, EveryPrefixIsRefusedOnce) {
  const std::string text = R"([{"bn":"a","bt":1700000000,"n":"x\u0041","v":1.5},{"v":2,"vs":"x"}])";
  for (std::size_t size = 0; size < text.size(); ++size) {
    Decoding decoding(by_record());
    decoding.topic("x", text.substr(0, size));
    EXPECT_EQ(decoding.refusals().size(), 1U) << size;
    EXPECT_EQ(decoding.received(), 1U) << size;
  }
}

}  // namespace
}  // namespace weir::decode
