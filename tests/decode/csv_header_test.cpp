// What a user is told of the header of a CSV file.
#include "decode/csv_header.hpp"

#include <gtest/gtest.h>

#include <string>

#include "decode/decoding.hpp"

namespace weir::decode::testing {
namespace {

CsvOutlook look(std::string_view text, const std::string& separator = ",") {
  spec::Stream stream = make_stream(spec::FormatKind::csv, {key("machine")}, {field("temperature"), field("power")});
  stream.sources[0].format.separator = separator;
  stream.sources[0].path = "in.csv";
  batch::MessageView message;
  message.payload = text;
  message.starts_file = true;
  return look_at_csv(stream, stream.sources[0], message);
}

TEST(CsvHeader, AllMissingColumnsAreNamedWithThePlaceAndTheNearestNames) {
  const CsvOutlook outlook = look("\n\nt,machine,temprature,Powr,status\n1,a,2,3,ok\n");
  EXPECT_EQ(
      outlook.missing.text,
      "stream 'test', 'in.csv', line 3: the header lacks 'temperature' (did you mean 'temprature'?), 'power' (did you "
      "mean 'Powr'?); it has t, machine, temprature, Powr, status");
  EXPECT_EQ(outlook.missing.hint, "");
  EXPECT_EQ(outlook.row_names.text, "");
}

TEST(CsvHeader, AnotherSeparatorIsSeen) {
  EXPECT_EQ(look("t;machine;temperature;power\n1;a;2;3\n").missing.hint,
            "the separator seems to be another: separator = \";\"");
  EXPECT_EQ(look("\"t\"\t\"machine\"\t\"temperature\"\t\"power\"\r\n").missing.hint,
            "the separator seems to be another: separator = \"\\t\"");
  EXPECT_EQ(look("t machine temperature power\n").missing.hint, "the separator seems to be another: separator = \" \"");
  EXPECT_EQ(look("t,machine,temperature,power\n", ";").missing.hint,
            "the separator seems to be another: separator = \",\"");
  EXPECT_EQ(look("zeit|ort|wert\n").missing.hint, "the separator seems to be another: separator = \"|\"")
      << "whatever the names are";
  EXPECT_EQ(look("a header of one cell\n").missing.hint, "");
}

TEST(CsvHeader, ARowInItsPlaceAndOtherLineEndsAreSeen) {
  EXPECT_EQ(look("2025-03-01T10:00:00,m1,20.5,1\n").missing.hint,
            "the first line seems to be a row already: name the columns with columns = [...]");
  EXPECT_EQ(look("a,machine,temperature,power\n").missing.hint, "");
  EXPECT_EQ(look("m,1,2\n").missing.text,
            "stream 'test', 'in.csv', line 1: the header lacks 't', 'machine', 'temperature', 'power'; it has m, 1, 2")
      << "a value is no spelling";
  EXPECT_EQ(look("t,machine,temperature,power\r1,a,2,3\r").missing.hint,
            "the lines end with a carriage return alone: convert them to line feeds");
}

TEST(CsvHeader, TheSeparatorThatASpreadsheetNamesIsNoHeader) {
  EXPECT_EQ(look("sep=;\r\nt;machine;temperature;power\r\n", ";").missing.text, "");
  EXPECT_EQ(look("\nsep=;\nt;machine;temperature;power\n", ";").missing.text.substr(0, 24), "stream 'test', 'in.csv',")
      << "in the first line only";
}

TEST(CsvHeader, AWideHeaderIsCutOff) {
  std::string header = "t";
  for (int i = 0; i < 25; ++i) header += ",c" + std::to_string(i);
  const std::string text = look(header + "\n").missing.text;
  EXPECT_TRUE(text.ends_with("c17, c18 and 6 more")) << text;
}

TEST(CsvHeader, RowsThatAllBeginWithANameMore) {
  const CsvOutlook outlook = look("t,machine,temperature,power\n1,10,a,2,3\n2,11,a,2,3\n");
  EXPECT_EQ(outlook.missing.text, "");
  EXPECT_EQ(outlook.row_names.text, "stream 'test', 'in.csv': every row has 5 cells, but the header has 4 names");
  EXPECT_EQ(
      outlook.row_names.hint,
      "if each row begins with a number or name for which the header has none, as R writes it: columns = [\"row\", "
      "\"t\", \"machine\", \"temperature\", \"power\"], header = true");
  EXPECT_FALSE(look("\"t\",\"machine\",\"temperature\",\"power\"\n\"1\",10,\"a\",2,3\n").row_names.text.empty())
      << "with quotes";
}

TEST(CsvHeader, NothingSpeaksAgainstWhatCanBeRead) {
  for (const char* text :
       {"t,machine,temperature,power\n", "t,machine,temperature,power\n10,a,2,3\n",
        "t,machine,temperature,power\n10,a,2,3,\n", "t,machine,temperature,power\n1,10,a,2,3\n10,a,2,3\n",
        "power,temperature,x,machine,t\n", ""}) {
    const CsvOutlook outlook = look(text);
    EXPECT_EQ(outlook.missing.text, "") << text;
    EXPECT_EQ(outlook.row_names.text, "") << text;
  }
}

}  // namespace
}  // namespace weir::decode::testing
