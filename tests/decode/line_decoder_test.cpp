#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "decode/decoding.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using testing::field;
using testing::key;
using testing::Refusal;
using testing::Row;

constexpr std::int64_t kTime = 1'465'839'830'100'400'200;

spec::Stream line_stream(std::vector<spec::Key> keys, std::vector<spec::Field> fields,
                         spec::SourceKind kind = spec::SourceKind::file) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::line, std::move(keys), std::move(fields), kind);
  stream.time = {};
  return stream;
}

spec::Stream weather() {
  return line_stream({key("location")}, {field("temperature"), field("humidity", 0)});
}

std::vector<Row> rows_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.file(text, true).finish();
  EXPECT_TRUE(decoding.refusals().empty()) << decoding.refusals()[0];
  return decoding.rows();
}

std::vector<Refusal> refusals_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.file(text, true).finish();
  EXPECT_EQ(decoding.received(), decoding.rows().size() + decoding.refusals().size());
  return decoding.refusals();
}

/// The lines that the log gets while this lives.
class Log {
 public:
  Log() {
    log::set_writer([this](log::Level, std::string_view line) { lines.emplace_back(line); }, log::Level::info);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { log::set_writer({}, log::Level::warning); }
  std::vector<std::string> lines;
};

TEST(LineDecoder, TagsAreKeysAndFieldsAreFields) {
  EXPECT_EQ(rows_of(weather(),
                    "weather,location=us-midwest,season=summer temperature=82.5,wind=\"SW\",humidity=71i "
                    "1465839830100400200\n"
                    "weather,location=us-east humidity=70i,temperature=80 1465839830100400201\n"
                    "weather,location=us-east temperature=79.0005 1465839830100400202"),
            (std::vector<Row>{{kTime, {"us-midwest"}, {82'500, 71}},
                              {kTime + 1, {"us-east"}, {80'000, 70}},
                              {kTime + 2, {"us-east"}, {79'000, kNullUnits}}}));
}

TEST(LineDecoder, EveryTypeOfValue) {
  const auto value = [](std::string_view text, int places) {
    Decoding decoding(line_stream({}, {field("v", places)}));
    decoding.file("m v=" + std::string(text) + " 1465839830100400200\n");
    return decoding.refusals().empty() ? decoding.rows().at(0).fields[0] : kNullUnits;
  };
  EXPECT_EQ(value("1", 3), 1'000);
  EXPECT_EQ(value("1.0", 3), 1'000);
  EXPECT_EQ(value("-1.234456e+2", 3), -123'446);
  EXPECT_EQ(value("1E3", 0), 1'000);
  EXPECT_EQ(value(".5", 3), 500);
  EXPECT_EQ(value("5.", 3), 5'000);
  EXPECT_EQ(value("12i", 3), 12'000);
  EXPECT_EQ(value("-12i", 3), -12'000);
  EXPECT_EQ(value("9223372036854775807i", 0), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(value("12u", 3), 12'000);
  EXPECT_EQ(value("\"21.5\"", 3), 21'500);
  EXPECT_EQ(value("0.1", 18), 100'000'000'000'000'000);
}

TEST(LineDecoder, ValuesThatAreNoNumber) {
  const auto reason = [](std::string_view text) {
    const auto refusals =
        refusals_of(line_stream({}, {field("v", 0)}), "m v=" + std::string(text) + " 1465839830100400200\n");
    return refusals.size() == 1 ? refusals[0].reason : Malformed::unreadable;
  };
  for (const char* const text :
       {"1.5i", "-1u", "+1i", "i", "u", "1I", "NaN", "inf", "0x10", "\"warm\"", "\"\"", "1ii", "warm"}) {
    EXPECT_EQ(reason(text), Malformed::not_a_number) << text;
  }
  EXPECT_EQ(reason("9223372036854775808i"), Malformed::out_of_range);
  EXPECT_EQ(reason("18446744073709551615u"), Malformed::out_of_range);
}

TEST(LineDecoder, BooleansInEverySpelling) {
  const spec::Stream stream = line_stream({key("b")}, {field("v", 0)});
  for (const char* const text : {"t", "T", "true", "True", "TRUE"}) {
    EXPECT_EQ(rows_of(stream, "m b=" + std::string(text) + ",v=1 1465839830100400200\n"),
              (std::vector<Row>{{kTime, {"true"}, {1}}}));
  }
  for (const char* const text : {"f", "F", "false", "False", "FALSE"}) {
    EXPECT_EQ(rows_of(stream, "m b=" + std::string(text) + ",v=1 1465839830100400200\n"),
              (std::vector<Row>{{kTime, {"false"}, {1}}}));
  }
}

TEST(LineDecoder, EscapesInNames) {
  const spec::Stream stream = line_stream({key("m", "_measurement"), key("a", "tag, = key"), key("b", "back\\slash")},
                                          {field("v", 0, "f, = k")});
  EXPECT_EQ(rows_of(stream,
                    "my\\,mea\\ sure=ment,tag\\,\\ \\=\\ key=a\\,\\ \\=\\ b,back\\slash=c:\\dir "
                    "f\\,\\ \\=\\ k=7 1465839830100400200\n"),
            (std::vector<Row>{{kTime, {"my,mea sure=ment", "a, = b", "c:\\dir"}, {7}}}));
  // A backslash in front of a backslash is one; the second escapes.
  EXPECT_EQ(rows_of(line_stream({key("a")}, {field("v", 0)}), "m,a=x\\\\\\,y v=1 1465839830100400200\n")[0].keys[0],
            "x\\\\,y");
}

TEST(LineDecoder, EscapesInStrings) {
  const spec::Stream stream = line_stream({key("s")}, {field("v", 0)});
  EXPECT_EQ(rows_of(stream, R"(m s="a \"quoted\" \\ c:\dir\n, x=1 y",v=2 1465839830100400200)"),
            (std::vector<Row>{{kTime, {R"(a "quoted" \ c:\dir\n, x=1 y)"}, {2}}}));
  EXPECT_EQ(rows_of(stream, R"(m s="ends in \\",v=2 1465839830100400200)")[0].keys[0], "ends in \\");
}

TEST(LineDecoder, StringsHoldLineBreaks) {
  const spec::Stream stream = line_stream({key("s")}, {field("v", 0)});
  const std::string text =
      "m s=\"one\ntwo\r\n\n# three\",v=2 1465839830100400200\nm s=\"four\",v=3 1465839830100400201\n";
  const std::vector<Row> expected{{kTime, {"one\ntwo\r\n\n# three"}, {2}}, {kTime + 1, {"four"}, {3}}};
  EXPECT_EQ(rows_of(stream, text), expected);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    if (text[cut] != '\n') {
      continue;
    }
    Decoding decoding(stream);
    decoding.file(text.substr(0, cut + 1), true);
    decoding.file(text.substr(cut + 1)).finish();
    EXPECT_EQ(decoding.rows(), expected) << cut;
    EXPECT_TRUE(decoding.refusals().empty()) << cut;
  }
}

TEST(LineDecoder, AStrayQuoteCostsItsLine) {
  const spec::Stream stream = line_stream({}, {field("v", 0)});
  std::string text = "m s=\"stray,v=1 1465839830100400200\nm s=\"a b\",v=2 1465839830100400201\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "m v=3 1465839830100400202\n";
  }
  text += "m s=\"last,v=4 1465839830100400203\nm v=5 1465839830100400204\n";
  Decoding decoding(stream);
  decoding.file(text, true);
  EXPECT_TRUE(decoding.holds_back());
  decoding.finish();
  EXPECT_EQ(decoding.rows().size(), 10'002U);
  EXPECT_EQ(decoding.refusals(),
            (std::vector<Refusal>{{Malformed::bad_payload, "m s=\"stray,v=1 1465839830100400200"},
                                  {Malformed::bad_payload, "m s=\"last,v=4 1465839830100400203"}}));
  EXPECT_FALSE(decoding.holds_back());
}

TEST(LineDecoder, AnOpenStringIsBounded) {
  const spec::Stream stream = line_stream({}, {field("v", 0)});
  Decoding decoding(stream);
  decoding.file("m s=\"open,v=1\n", true);
  for (int i = 0; i < 6'000; ++i) {
    decoding.file("m v=1 1465839830100400200\n");
  }
  EXPECT_FALSE(decoding.holds_back());
  EXPECT_EQ(decoding.rows().size(), 6'000U);
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "m s=\"open,v=1"}}));
}

TEST(LineDecoder, BlankLinesCommentsAndBlanks) {
  EXPECT_EQ(rows_of(weather(),
                    "# weather,location=a temperature=1 1\n\n  \t\n  # indented\n"
                    "  weather,location=a   temperature=1   1465839830100400200  \r\n"
                    "weather,location=b temperature=2 1465839830100400200\r\n"),
            (std::vector<Row>{{kTime, {"a"}, {1'000, kNullUnits}}, {kTime, {"b"}, {2'000, kNullUnits}}}));
}

TEST(LineDecoder, ABrokenLineCostsItself) {
  const spec::Stream stream = line_stream({}, {field("v", 0)});
  for (const std::string line : {"m", "m,a=b", "m,a=b 1465839830100400200", ",a=b v=1", "m, v=1", "m,a v=1", "m,=b v=1",
                                 "m,a=b=c v=1", "m =1", "m v=", "m v=1, w=2", "m v=1,", "m v=1 1465839830100400200 2",
                                 "m v=\"x\"y 1", "m v=\"x", "m v=1=2", "ERROR: sensor not found"}) {
    Decoding decoding(stream);
    decoding.file("m v=1 1465839830100400200\n" + line + "\nm v=2 1465839830100400201\n").finish();
    EXPECT_EQ(decoding.rows(), (std::vector<Row>{{kTime, {}, {1}}, {kTime + 1, {}, {2}}})) << line;
    EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, line}})) << line;
  }
}

TEST(LineDecoder, PrecisionOfTimestamps) {
  const auto time_of = [](TimeUnit unit, std::string_view timestamp) {
    spec::Stream stream = line_stream({}, {field("v", 0)});
    stream.time.unit = unit;
    return rows_of(stream, "m v=1 " + std::string(timestamp) + "\n").at(0).time;
  };
  EXPECT_EQ(time_of(TimeUnit::automatic, "1465839830100400200"), kTime);
  EXPECT_EQ(time_of(TimeUnit::nanoseconds, "1465839830100400200"), kTime);
  EXPECT_EQ(time_of(TimeUnit::microseconds, "1465839830100400"), 1'465'839'830'100'400'000);
  EXPECT_EQ(time_of(TimeUnit::milliseconds, "1465839830100"), 1'465'839'830'100'000'000);
  EXPECT_EQ(time_of(TimeUnit::seconds, "1465839830"), 1'465'839'830'000'000'000);
  EXPECT_EQ(time_of(TimeUnit::nanoseconds, "-1"), -1);
  EXPECT_EQ(refusals_of(line_stream({}, {field("v", 0)}), "m v=1 noon\n"),
            (std::vector<Refusal>{{Malformed::bad_time, "m v=1 noon"}}));
}

TEST(LineDecoder, ADoubtfulPrecisionIsNamedOnce) {
  const Log log;
  EXPECT_EQ(rows_of(line_stream({}, {field("v", 0)}), "m v=1 1465839830\nm v=1 1465839831\n").size(), 2U);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(
      log.lines[0],
      "stream 'test': timestamp 1465839830 was taken for nanoseconds since 1970, 1970-01-01T00:00:01.46583983Z; for "
      "another precision say time = { unit = \"s\" }, \"ms\" or \"us\"; if this is meant, \"ns\"");
}

TEST(LineDecoder, APointWithoutATimestampHasItsArrivals) {
  const std::string point = "m v=1\n";
  Decoding live(line_stream({}, {field("v", 0)}));
  live.file(point);
  EXPECT_EQ(live.rows(), (std::vector<Row>{{Decoding::kArrival, {}, {1}}}));

  Decoding recorded(line_stream({}, {field("v", 0)}));
  recorded.arrival = 0;
  recorded.file(point);
  EXPECT_EQ(recorded.refusals(), (std::vector<Refusal>{{Malformed::missing_time, "m v=1"}}));

  spec::Stream by_arrival = line_stream({}, {field("v", 0)});
  by_arrival.time.arrival = true;
  Decoding arrived(by_arrival);
  arrived.file("m v=1 1465839830100400200\n");
  EXPECT_EQ(arrived.rows(), (std::vector<Row>{{Decoding::kArrival, {}, {1}}}));
}

TEST(LineDecoder, TimeFromAFieldOrATag) {
  spec::Stream stream = line_stream({}, {field("v", 0)});
  stream.time.field = "at";
  EXPECT_EQ(rows_of(stream, "m at=\"2016-06-13T17:43:50Z\",v=1 5\nm,at=1465839831 v=2 5\n"),
            (std::vector<Row>{{1'465'839'830'000'000'000, {}, {1}}, {1'465'839'831'000'000'000, {}, {2}}}));
  EXPECT_EQ(refusals_of(stream, "m v=1 1465839830100400200\n"),
            (std::vector<Refusal>{{Malformed::missing_time, "m v=1 1465839830100400200"}}));
}

TEST(LineDecoder, ATagComesBeforeAFieldOfItsName) {
  const spec::Stream stream = line_stream({key("id")}, {field("v", 0)});
  const std::vector<Row> rows =
      rows_of(stream,
              "m,id=tag id=\"field\",v=1 1465839830100400200\nm id=\"field\",v=1 1465839830100400200\n"
              "m id=7i,v=1 1465839830100400200\nm,id= id=\"field\",v=1 1465839830100400200\n");
  EXPECT_EQ(rows[0].keys[0], "tag");
  EXPECT_EQ(rows[1].keys[0], "field");
  EXPECT_EQ(rows[2].keys[0], "7");
  EXPECT_EQ(rows[3].keys[0], "field");
  EXPECT_EQ(refusals_of(stream, "m,id= v=1 1465839830100400200\n")[0].reason, Malformed::missing_key);
}

TEST(LineDecoder, OfEqualNamesTheLastCounts) {
  EXPECT_EQ(rows_of(line_stream({key("a")}, {field("v", 0)}), "m,a=x,a=y v=1,v=2 1465839830100400200\n"),
            (std::vector<Row>{{kTime, {"y"}, {2}}}));
}

TEST(LineDecoder, OtherMeasurementsAreNoReadings) {
  spec::Stream stream = line_stream({key("m", "_measurement")}, {field("v", 0)});
  const std::string text =
      "cpu v=1 1465839830100400200\nmem w=2 1465839830100400200\nair\\ 2 v=3 1465839830100400200\n"
      "disk s=\"x\ny\",w=1\ncpu broken\n";
  Decoding all(stream);
  all.file(text);
  EXPECT_EQ(all.rows(), (std::vector<Row>{{kTime, {"cpu"}, {1}}, {kTime, {"air 2"}, {3}}}));
  EXPECT_EQ(all.refusals(), (std::vector<Refusal>{{Malformed::missing_field, "mem w=2 1465839830100400200"},
                                                  {Malformed::missing_field, "disk s=\"x\ny\",w=1"},
                                                  {Malformed::bad_payload, "cpu broken"}}));

  stream.sources[0].format.measurements = {"air 2", "mem"};
  Decoding some(stream);
  some.file(text).finish();
  EXPECT_EQ(some.rows(), (std::vector<Row>{{kTime, {"air 2"}, {3}}}));
  EXPECT_EQ(some.refusals(), (std::vector<Refusal>{{Malformed::missing_field, "mem w=2 1465839830100400200"},
                                                   {Malformed::bad_payload, "cpu broken"}}));
  EXPECT_EQ(some.received(), 3U);
}

TEST(LineDecoder, AMeasurementThatNeverComesIsNamed) {
  spec::Stream stream = weather();
  stream.sources[0].format.measurements = {"wether"};
  const Log log;
  EXPECT_TRUE(rows_of(stream, "weather v=1\ncpu v=1\nweather v=1\n").empty());
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(
      log.lines[0],
      "stream 'test': no line is of measurement 'wether', there is 'weather', 'cpu'; nothing was read (did you mean "
      "'weather'?)");
}

TEST(LineDecoder, AMeasurementThatDoesNotComeIsNamedWhileTheSourceGoesOn) {
  spec::Stream stream = weather();
  stream.sources[0].format.measurements = {"x"};
  const Log log;
  Decoding decoding(stream);
  for (int i = 0; i < 999; ++i) {
    decoding.file("cpu v=1\n");
  }
  EXPECT_TRUE(log.lines.empty());
  decoding.file("cpu v=1\ncpu v=1\n").finish();
  EXPECT_EQ(
      log.lines,
      (std::vector<std::string>{"stream 'test': no line is of measurement 'x', there is 'cpu'; nothing was read"}));
}

TEST(LineDecoder, SeveralPointsInAMessage) {
  spec::Stream stream = line_stream({key("room"), key("host")}, {field("v", 0)}, spec::SourceKind::mqtt);
  stream.sources[0].topics = {"home/{room}/x"};
  Decoding decoding(stream);
  decoding.topic("home/hall/x", "m,host=a v=1 1465839830100400200\nm,host=b v=2");
  EXPECT_EQ(decoding.rows(), (std::vector<Row>{{kTime, {"hall", "a"}, {1}}, {Decoding::kArrival, {"hall", "b"}, {2}}}));
  decoding.topic("home/hall/x", "m,host=a s=\"open");
  EXPECT_EQ(decoding.refusals().size(), 1U);
  EXPECT_FALSE(decoding.holds_back());
}

TEST(LineDecoder, LongPoints) {
  const spec::Stream stream = line_stream({}, {field("v", 0)});
  const std::string text(std::size_t{1} << 19U, 'x');
  EXPECT_EQ(rows_of(stream, "m s=\"" + text + "\",v=1 1465839830100400200\n"), (std::vector<Row>{{kTime, {}, {1}}}));
  EXPECT_EQ(refusals_of(stream, "m s=\"" + text + text + "\",v=1 1465839830100400200\n")[0].reason,
            Malformed::too_large);
}

}  // namespace
}  // namespace weir::decode
