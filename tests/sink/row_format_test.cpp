#include "sink/row_format.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using batch::ValueType;
using test::count;
using test::kNoon;
using test::kSecond;
using test::null;
using test::plug_load;
using test::real;
using test::Rows;
using test::units;

std::string json_row(const batch::ResultTable& table, std::size_t row = 0) {
  std::string out;
  append_json_row(out, table, row);
  return out;
}
std::string csv_row(const batch::ResultTable& table, std::size_t row = 0) {
  std::string out;
  append_csv_row(out, table, row);
  return out;
}
std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
std::string csv_field(std::string_view text) {
  std::string out;
  append_csv_field(out, text);
  return out;
}

TEST(RowFormat, JsonIsTheRowOfTheInterfacePage) {
  Rows rows(plug_load());
  rows.add(kNoon + 128 * kSecond, {"0", "0", "11"}, {count(64), real(12.25), units(800), units(14'100'000)});
  EXPECT_EQ(json_row(rows.table()),
            R"({"query":"plug_load","window_start":"2013-08-31T22:00:00Z","window_end":"2013-08-31T22:02:08Z",)"
            R"_("house":"0","household":"0","plug":"11","count":64,"avg(load)":12.25,"peak":0.8,"p99":14.1})_");
}

TEST(RowFormat, CsvHasTheSameMembersAndTheRevision) {
  Rows rows(plug_load());
  rows.add(kNoon + 128 * kSecond, {"0", "a,b", "11"}, {count(64), real(12.25), units(800), null()}, 2);
  std::string header;
  append_csv_header(header, rows.shape());
  EXPECT_EQ(header, "query,window_start,window_end,house,household,plug,count,avg(load),peak,p99,revision");
  EXPECT_EQ(csv_row(rows.table()), "plug_load,2013-08-31T22:00:00Z,2013-08-31T22:02:08Z,0,\"a,b\",11,64,12.25,0.8,,2");
}

TEST(RowFormat, PlainNamesAreThoseOfTheColumnsAlone) {
  batch::ResultShape shape{"q", {"max(k)"}, {}};
  shape.columns.push_back({"avg(load)", ValueType::count, 0, "avg_load"});
  Rows rows(shape);
  rows.add(kNoon, {"x"}, {count(1)});
  RowFormat format(rows.shape(), spec::ColumnNames::plain);
  std::string json;
  format.append_json_with_id(json, rows.table(), 0);
  EXPECT_TRUE(json.ends_with(R"~("max(k)":"x","avg_load":1,"id":"q|x|2013-08-31T22:00:00Z|0"})~")) << json;
  std::string header;
  append_csv_header(header, rows.shape(), spec::ColumnNames::plain);
  EXPECT_EQ(header, "query,window_start,window_end,max(k),avg_load,revision");
}

TEST(RowFormat, ARevisionIsTheLastMember) {
  Rows rows(test::small());
  rows.add(kNoon, {"x"}, {count(1)}, 3);
  EXPECT_TRUE(json_row(rows.table()).ends_with(R"("count":1,"revision":3})"));
}

TEST(RowFormat, EveryTypeAtItsLimits) {
  const Int128 largest = std::numeric_limits<std::int64_t>::max();
  Rows rows({"q",
             {},
             {{"c", ValueType::count, 0},
              {"d", ValueType::decimal, 18},
              {"s", ValueType::decimal, 0},
              {"r", ValueType::real, 0}}});
  rows.add(0, {}, {count(std::numeric_limits<std::uint64_t>::max()), units(-1), units(largest * 1000), real(1e300)});
  rows.add(1, {}, {count(0), units(0), units(-7), real(-0.0)}, 0, 1);
  rows.add(2, {}, {null(), null(), null(), null()});
  rows.add(3, {}, {count(1), units(1), units(1), real(std::numeric_limits<double>::infinity())});
  rows.add(4, {}, {count(1), units(1), units(1), real(std::nan(""))});
  EXPECT_TRUE(
      json_row(rows.table(), 0)
          .ends_with(R"("c":18446744073709551615,"d":-0.000000000000000001,"s":9223372036854775807000,"r":1e+300})"))
      << json_row(rows.table(), 0);
  EXPECT_EQ(json_row(rows.table(), 1),
            R"({"query":"q","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:00.000000001Z",)"
            R"("c":0,"d":0,"s":-7,"r":0})");
  EXPECT_TRUE(json_row(rows.table(), 2).ends_with(R"("c":null,"d":null,"s":null,"r":null})"));
  EXPECT_TRUE(json_row(rows.table(), 3).ends_with(R"("r":null})"));
  EXPECT_TRUE(json_row(rows.table(), 4).ends_with(R"("r":null})"));
  EXPECT_TRUE(csv_row(rows.table(), 2).ends_with("Z,,,,,0"));
  EXPECT_TRUE(csv_row(rows.table(), 4).ends_with(",,0"));
}

TEST(RowFormat, OneFormatServesWindowsInAnyOrder) {
  Rows rows(test::small());
  for (const std::int64_t end : {kNoon, kNoon, kNoon + kSecond, kNoon}) rows.add(end, {"x"}, {count(1)});
  rows.add(kNoon, {"x"}, {count(1)}, 0, 3 * kSecond);  // same end, another start
  RowFormat format(rows.shape());
  for (std::size_t row = 0; row < rows.table().size(); ++row) {
    std::string out;
    format.append_json(out, rows.table(), row);
    EXPECT_EQ(out, json_row(rows.table(), row));
  }
}

TEST(RowFormat, AnIdNamesQueryGroupWindowAndRevision) {
  Rows rows({"q|1", {"a", "b"}, {{"count", ValueType::count, 0}}});
  rows.add(kNoon, {"x|y", "50%\n"}, {count(1)}, 2);
  std::string out;
  RowFormat(rows.shape()).append_json_with_id(out, rows.table(), 0);
  EXPECT_EQ(out, json_row(rows.table()).substr(0, json_row(rows.table()).size() - 1) +
                     R"(,"id":"q%7C1|x%7Cy|50%25\u000a|2013-08-31T22:00:00Z|2"})");
}

TEST(RowFormat, NamesAreEscapedToo) {
  Rows rows({"q\"", {"k\\"}, {{"max(\"x\")", ValueType::count, 0}}});
  rows.add(kNoon, {"v"}, {count(1)});
  EXPECT_TRUE(json_row(rows.table()).starts_with(R"({"query":"q\"","window)"));
  EXPECT_TRUE(json_row(rows.table()).ends_with(R"_("k\\":"v","max(\"x\")":1})_"));
  EXPECT_TRUE(csv_row(rows.table()).starts_with(R"("q""",2013)"));
  std::string header;
  append_csv_header(header, rows.shape());
  EXPECT_EQ(header, R"_(query,window_start,window_end,k\,"max(""x"")",revision)_");
}

TEST(JsonString, EscapesWhatJsonForbids) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a\"b\\c/d\x7F"), "\"a\\\"b\\\\c/d\x7F\"");
  EXPECT_EQ(json_string(std::string_view("\0\n\t\x1F", 4)), R"("\u0000\u000a\u0009\u001f")");
  EXPECT_EQ(json_string("grün €\U0001F600"), "\"grün €\U0001F600\"");
}

TEST(JsonString, ReplacesEachMaximalPartOfBrokenUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  // The Unicode standard, chapter 3, tables 3-8 to 3-11.
  EXPECT_EQ(json_string("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), '"' + r + r + r + r + r + r + r + r + "A\"");
  EXPECT_EQ(json_string("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), '"' + r + r + r + r + r + r + r + r + "A\"");
  EXPECT_EQ(json_string("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), '"' + r + r + r + r + r + "A" + r + r + "B\"");
  EXPECT_EQ(json_string("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), '"' + r + r + r + r + "A\"");
  EXPECT_EQ(json_string("\xE2\x82"), '"' + r + '"');
}

TEST(JsonString, AnyBytesMakeAStringThatAParserReads) {
  std::mt19937_64 random(20130831);
  simdjson::dom::parser parser;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) {
      // Mostly bytes of multi-byte sequences, so that many are almost right.
      c = static_cast<char>(random() % 3 == 0 ? random() % 256 : 0x80 + random() % 128);
    }
    std::string_view read;
    ASSERT_EQ(parser.parse("[" + json_string(text) + "]").at(0).get(read), simdjson::SUCCESS)
        << testing::PrintToString(text);
    if (simdjson::validate_utf8(text)) {
      EXPECT_EQ(read, text);
    }
  }
}

TEST(CsvField, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("a\"b\""), "\"a\"\"b\"\"\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
  EXPECT_EQ(csv_field("a\rb"), "\"a\rb\"");
}

TEST(RowFormat, DifferentKeysHaveDifferentIds) {
  std::set<std::string> ids;
  const std::vector<std::string> keys{
      "caf\xE9", "caf\xE8", "caf\xEF\xBF\xBD", "caf%E9",   "caf%25E9",    "caf|", "caf%7C", "caf",
      "",        "\xFF",    "\xFF\xFF",        "\xE2\x82", "\xE2\x82\xAC"};
  for (const std::string& key : keys) {
    Rows rows(test::small());
    rows.add(kNoon, {key}, {count(1)});
    std::string text;
    RowFormat(rows.shape()).append_json_with_id(text, rows.table(), 0);
    ids.insert(text.substr(text.find("\"id\":")));
  }
  EXPECT_EQ(ids.size(), keys.size());
}

TEST(RowFormat, ReadingsOfOneKeyAndInstantHaveIdsOfTheirOwn) {
  batch::ResultShape shape = test::small();
  shape.readings = true;
  batch::ResultTable table(shape);
  const std::string_view key = "k";
  const batch::Value value = count(7);
  table.append({kNoon, kNoon, 0, 41}, &key, &value);
  table.append({kNoon, kNoon, 0, 42}, &key, &value);
  RowFormat format(shape);
  std::string text;
  format.append_json_with_id(text, table, 0);
  format.append_json_with_id(text, table, 1);
  EXPECT_EQ(text,
            R"({"query":"q","time":"2013-08-31T22:00:00Z","k":"k","count":7,"id":"q|k|2013-08-31T22:00:00Z|41"})"
            R"({"query":"q","time":"2013-08-31T22:00:00Z","k":"k","count":7,"id":"q|k|2013-08-31T22:00:00Z|42"})");
}

}  // namespace
}  // namespace weir::sink
