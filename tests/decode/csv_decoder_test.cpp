#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>

#include "decode/decoding.hpp"
#include "decode/key_cache.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using testing::field;
using testing::key;
using testing::Refusal;
using testing::Row;

constexpr std::int64_t kSecond = 1'000'000'000;

spec::Stream csv_stream(std::vector<std::string> columns = {"t", "v", "id"}) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::csv, {key("id")}, {field("v")});
  stream.sources[0].format.columns = std::move(columns);
  return stream;
}

spec::Stream blanks_stream(std::vector<std::string> columns = {"t", "v", "id"}) {
  spec::Stream stream = csv_stream(std::move(columns));
  stream.sources[0].format.separator = " ";
  return stream;
}

std::vector<Row> rows_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.file(text, true);
  EXPECT_TRUE(decoding.refusals().empty()) << decoding.refusals()[0];
  return decoding.rows();
}

std::vector<Refusal> refusals_of(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream);
  decoding.file(text, true);
  decoding.finish();
  EXPECT_EQ(decoding.received(), decoding.rows().size() + decoding.refusals().size());
  return decoding.refusals();
}

TEST(CsvDecoder, LinesAreReadings) {
  EXPECT_EQ(
      rows_of(csv_stream(), "1,21.37,a\r\n2,-0.5,b\n\n3,4,a"),
      (std::vector<Row>{{1 * kSecond, {"a"}, {21'370}}, {2 * kSecond, {"b"}, {-500}}, {3 * kSecond, {"a"}, {4'000}}}));
}

TEST(CsvDecoder, ColumnsBetweenBlanks) {
  EXPECT_EQ(
      rows_of(blanks_stream(), "1 21.37     a\n  2\t-0.5 \t b  \r\n   \n3 4 a\r\n"),
      (std::vector<Row>{{1 * kSecond, {"a"}, {21'370}}, {2 * kSecond, {"b"}, {-500}}, {3 * kSecond, {"a"}, {4'000}}}));
}

TEST(CsvDecoder, FirstLineOfAFileIsTheHeader) {
  Decoding decoding(csv_stream({}));
  decoding.file("\xEF\xBB\xBFid, v ,x,\"t\"\na,1,x,5\n", true).file("b,2,x,6\n");
  decoding.file("v,t,id\n3,7,c\n", true);
  EXPECT_EQ(
      decoding.rows(),
      (std::vector<Row>{{5 * kSecond, {"a"}, {1'000}}, {6 * kSecond, {"b"}, {2'000}}, {7 * kSecond, {"c"}, {3'000}}}));
  EXPECT_EQ(decoding.received(), 3U);
}

TEST(CsvDecoder, HeaderBetweenBlanks) {
  EXPECT_EQ(rows_of(blanks_stream({}), "  v\tid   t\n1 a 5\n"), (std::vector<Row>{{5 * kSecond, {"a"}, {1'000}}}));
}

TEST(CsvDecoder, HeaderIsSkippedWhereColumnsAreDeclared) {
  spec::Stream stream = csv_stream();
  stream.sources[0].format.header = true;
  EXPECT_EQ(rows_of(stream, "time,value,sensor\n1,2,a\n"), (std::vector<Row>{{kSecond, {"a"}, {2'000}}}));
  Decoding decoding(stream);
  decoding.file("time,value,sensor\n1,2,a\n").file("2,2,a\n");
  EXPECT_EQ(decoding.rows().size(), 2U) << "not the beginning of a file";
}

TEST(CsvDecoder, HeaderWithoutADeclaredColumnRefusesEveryRow) {
  EXPECT_EQ(refusals_of(csv_stream({}), "t,value,id\n1,2,a\n2,3,b\n"),
            (std::vector<Refusal>{{Malformed::wrong_columns, "1,2,a"}, {Malformed::wrong_columns, "2,3,b"}}));
}

TEST(CsvDecoder, NextFileMayHaveTheColumn) {
  Decoding decoding(csv_stream({}));
  decoding.file("t,value,id\n1,2,a\n", true).file("t,v,id\n1,2,a\n", true);
  EXPECT_EQ(decoding.rows().size(), 1U);
  EXPECT_EQ(decoding.refusals().size(), 1U);
}

TEST(CsvDecoder, RowHasACellForEachName) {
  const spec::Stream stream = csv_stream({"t", "v", "id", "more"});
  EXPECT_EQ(rows_of(stream, "1,2,a,x\n1,2,a,\n1,2,a,x,\n1,2,a,x, ,,\n1,2,a,\"x\",\"\",\n1,2,a,,,,\r\n").size(), 6U);
  for (const char* const row :
       {"1,2", "1", "1,2,a", "1,2,a,x,y", "0,1,2,a,x", "1,2,a,x,,y", "1,2,a,x,\"y\"", "1,\"2\",a"}) {
    EXPECT_EQ(refusals_of(stream, fmt::format("{}\n", row)), (std::vector<Refusal>{{Malformed::wrong_columns, row}}));
  }
  // So it is with a header.
  EXPECT_EQ(refusals_of(csv_stream({}), "t,v,id\n1,2,a\n1,2,a,b\n1,2,a,\n"),
            (std::vector<Refusal>{{Malformed::wrong_columns, "1,2,a,b"}}));
  EXPECT_EQ(refusals_of(blanks_stream(), "1 2 \n1 2 \r\n"),
            (std::vector<Refusal>{{Malformed::wrong_columns, "1 2 "}, {Malformed::wrong_columns, "1 2 "}}));
}

TEST(CsvDecoder, OtherSeparators) {
  for (const char separator : {';', '\t', '|'}) {
    spec::Stream stream = csv_stream();
    stream.sources[0].format.separator = std::string(1, separator);
    const std::string line = fmt::format("1{0} 2.5 {0}a,b\n2{0}{0}\n", separator);
    Decoding decoding(stream);
    decoding.file(line);
    EXPECT_EQ(decoding.rows(), (std::vector<Row>{{kSecond, {"a,b"}, {2'500}}})) << separator;
    EXPECT_EQ(decoding.refusals().at(0).reason, Malformed::missing_key);
  }
}

TEST(CsvDecoder, BlanksAroundACellAreNotPartOfIt) {
  EXPECT_EQ(rows_of(csv_stream(), " 1 ,\t2, a b \r\n 1 , 2 , \"a\" \n"),
            (std::vector<Row>{{kSecond, {"a b"}, {2'000}}, {kSecond, {"a"}, {2'000}}}));
}

TEST(CsvDecoder, QuotedCells) {
  EXPECT_EQ(rows_of(csv_stream(), "1,\"2\",\"a,b\"\n\"1\",2,\"a\"\"b\"\"\"\r\n1,2,\"a\nb\"\n1,2,\"\"\"\"\n"),
            (std::vector<Row>{{kSecond, {"a,b"}, {2'000}},
                              {kSecond, {"a\"b\""}, {2'000}},
                              {kSecond, {"a\nb"}, {2'000}},
                              {kSecond, {"\""}, {2'000}}}));
}

TEST(CsvDecoder, QuotedCellsBetweenBlanks) {
  EXPECT_EQ(rows_of(blanks_stream(), "1 \"2\"   \"a b\"\n"), (std::vector<Row>{{kSecond, {"a b"}, {2'000}}}));
}

TEST(CsvDecoder, QuoteInsideACellIsACharacter) {
  EXPECT_EQ(rows_of(csv_stream(), "1,2,5\" pipe\n1,2,a\n")[0].keys[0], "5\" pipe");
}

TEST(CsvDecoder, QuotedLineBreakAcrossMessages) {
  Decoding decoding(csv_stream());
  decoding.file("1,1,a\n2,2,\"x\n");
  EXPECT_TRUE(decoding.holds_back());
  EXPECT_EQ(decoding.rows().size(), 1U);
  decoding.file("y\n");
  EXPECT_TRUE(decoding.holds_back());
  decoding.file("z\"\n3,3,b\n");
  EXPECT_FALSE(decoding.holds_back());
  EXPECT_EQ(decoding.rows(),
            (std::vector<Row>{
                {1 * kSecond, {"a"}, {1'000}}, {2 * kSecond, {"x\ny\nz"}, {2'000}}, {3 * kSecond, {"b"}, {3'000}}}));
  EXPECT_TRUE(decoding.refusals().empty());
}

TEST(CsvDecoder, QuoteWithoutEndCostsItsFirstLine) {
  const std::vector<Refusal> expected{{Malformed::bad_payload, "1,1,\"x"}};
  Decoding decoding(csv_stream());
  decoding.file("1,1,\"x\n2,2,b\n3,3,c\n");
  EXPECT_TRUE(decoding.rows().empty());
  decoding.finish();
  EXPECT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.refusals(), expected);
  EXPECT_FALSE(decoding.holds_back());

  Decoding next_file(csv_stream());
  next_file.file("1,1,\"x\n2,2,b\n").file("3,3,c\n", true);
  EXPECT_EQ(next_file.rows().size(), 2U);
  EXPECT_EQ(next_file.refusals(), expected);
}

TEST(CsvDecoder, QuoteWithoutEndDoesNotSwallowTheFile) {
  std::string text = "1,1,\"x\n";
  for (int i = 0; i < 20'000; ++i) {
    text += "2,2,b\n";
  }
  for (const std::size_t cut : {text.size(), std::size_t{7}, std::size_t{7 + 6 * 5000}, std::size_t{7 + 6 * 15'000}}) {
    Decoding decoding(csv_stream(), 4096);
    decoding.file(text.substr(0, cut)).file(text.substr(cut));
    EXPECT_FALSE(decoding.holds_back());
    EXPECT_EQ(decoding.rows().size(), 20'000U);
    EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "1,1,\"x"}}));
  }
}

TEST(CsvDecoder, TextAfterAClosingQuoteIsBroken) {
  EXPECT_EQ(refusals_of(csv_stream(), "1,1,\"x\"y\n1,1,a\n1,\"1\n2\"3,a\n2,2,a\n"),
            (std::vector<Refusal>{{Malformed::bad_payload, "1,1,\"x\"y"},
                                  {Malformed::bad_payload, "1,\"1"},
                                  {Malformed::wrong_columns, "2\"3,a"}}));
  EXPECT_EQ(refusals_of(blanks_stream(), "1 1 \"x\"y\n"),
            (std::vector<Refusal>{{Malformed::bad_payload, "1 1 \"x\"y"}}));
}

TEST(CsvDecoder, StrayQuoteCostsItsOwnLine) {
  Decoding decoding(csv_stream());
  decoding.file("1,1,a\n2,2,\"worn\n3,3,b\n4,4,c\n5,5,\"loose\n6,6,d\n").finish();
  EXPECT_EQ(decoding.rows().size(), 4U);
  EXPECT_EQ(decoding.refusals(),
            (std::vector<Refusal>{{Malformed::bad_payload, "2,2,\"worn"}, {Malformed::bad_payload, "5,5,\"loose"}}));
}

TEST(CsvDecoder, MessageMayBeginWithAByteOrderMark) {
  spec::Stream stream = csv_stream({"t", "v", "id"});
  stream.sources[0].kind = spec::SourceKind::mqtt;
  Decoding decoding(stream);
  decoding
      .topic("x",
             "\xEF\xBB\xBF"
             "1,1,a\n")
      .topic("x",
             "\xEF\xBB\xBF"
             "2,1,a\n");
  EXPECT_EQ(decoding.rows().size(), 2U);
}

TEST(CsvDecoder, CommentsAreSkipped) {
  for (spec::Stream stream : {csv_stream({}), blanks_stream({})}) {
    const bool blanks = stream.sources[0].format.separator == " ";
    stream.sources[0].format.comment = '#';
    EXPECT_EQ(
        rows_of(stream, blanks ? "# \"made\" by hand\nt v id\n#x\n1 2 a\n" : "# \"made\" by hand\nt,v,id\n#x\n1,2,a\n"),
        (std::vector<Row>{{kSecond, {"a"}, {2'000}}}));
  }
}

TEST(CsvDecoder, ReasonsForRefusal) {
  const std::vector<std::pair<std::string, Malformed>> cases{
      {",1,a", Malformed::missing_time},     {"\"\",1,a", Malformed::missing_time},
      {"noon,1,a", Malformed::bad_time},     {"1,1,", Malformed::missing_key},
      {"1,,a", Malformed::missing_field},    {"1,warm,a", Malformed::not_a_number},
      {"1,1 2,a", Malformed::not_a_number},  {"1,nan,a", Malformed::not_a_number},
      {"1,1e17,a", Malformed::out_of_range}, {"1,2", Malformed::wrong_columns},
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_EQ(refusals_of(csv_stream(), line), (std::vector<Refusal>{{reason, line}}));
  }
}

TEST(CsvDecoder, EmptyCellIsNullUnlessRequired) {
  spec::Stream stream = csv_stream({"t", "v", "id", "w"});
  stream.schema.fields.push_back(field("w"));
  EXPECT_EQ(rows_of(stream, "1,,a,5\n1,2,a,\n"),
            (std::vector<Row>{{kSecond, {"a"}, {kNullUnits, 5'000}}, {kSecond, {"a"}, {2'000, kNullUnits}}}));
  stream.schema.fields[1].required = true;
  EXPECT_EQ(refusals_of(stream, "1,2,a,\n").at(0).reason, Malformed::missing_field);
}

TEST(CsvDecoder, RoundedCellsAreCounted) {
  Decoding decoding(csv_stream());
  decoding.file("1,2.0005,a\n1,2.0015,a\n1,2.001,a\n");
  EXPECT_EQ(decoding.rows()[0].fields[0], 2'000);
  EXPECT_EQ(decoding.rows()[1].fields[0], 2'002);
  EXPECT_EQ(decoding.rounded(), 2U);
}

TEST(CsvDecoder, KeyColumnsApartAndTogether) {
  // Neighbouring key columns go through the cache of raw bytes, others through that of values.
  for (const std::vector<std::string>& columns :
       {std::vector<std::string>{"t", "v", "b", "a"}, std::vector<std::string>{"a", "t", "v", "b"}}) {
    spec::Stream stream = testing::make_stream(spec::FormatKind::csv, {key("a"), key("b")}, {field("v")});
    stream.sources[0].format.columns = columns;
    const bool together = columns[3] == "a";
    const auto line = [&](std::string_view a, std::string_view b) {
      return together ? fmt::format("1,1,{},{}\n", b, a) : fmt::format("{},1,1,{}\n", a, b);
    };
    const std::vector<Row> rows = rows_of(
        stream, line("x", "yz") + line("xy", "z") + line("x", "yz") + line(" x", "\"yz\"") + line("\"x\"", "yz "));
    ASSERT_EQ(rows.size(), 5U);
    EXPECT_EQ(rows[1].keys, (std::vector<std::string>{"xy", "z"}));
    for (const std::size_t i : {0U, 2U, 3U, 4U}) {
      EXPECT_EQ(rows[i].keys, (std::vector<std::string>{"x", "yz"})) << i;
    }
  }
}

TEST(CsvDecoder, OneColumn) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::csv, {}, {field("v")});
  stream.time = {};
  stream.time.arrival = true;
  stream.sources[0].format.columns = {"v"};
  EXPECT_EQ(rows_of(stream, "1\n\n \n2\r\n"),
            (std::vector<Row>{{Decoding::kArrival, {}, {1'000}}, {Decoding::kArrival, {}, {2'000}}}));
}

TEST(CsvDecoder, MqttPayloadStandsByItself) {
  spec::Stream stream = csv_stream({"t", "v"});
  stream.sources[0].kind = spec::SourceKind::mqtt;
  stream.sources[0].topics = {"plant/{id}"};
  Decoding decoding(stream);
  decoding.topic("plant/a", "1,1").topic("plant/b", "1,\"2").topic("plant/b", "3,3\n4,4");
  EXPECT_FALSE(decoding.holds_back());
  EXPECT_EQ(
      decoding.rows(),
      (std::vector<Row>{{1 * kSecond, {"a"}, {1'000}}, {3 * kSecond, {"b"}, {3'000}}, {4 * kSecond, {"b"}, {4'000}}}));
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::bad_payload, "1,\"2"}}));
}

TEST(CsvDecoder, KeysFromTopicAndCells) {
  spec::Stream stream =
      testing::make_stream(spec::FormatKind::csv, {key("line"), key("id")}, {field("v")}, spec::SourceKind::mqtt);
  stream.sources[0].topics = {"plant/{line}"};
  stream.sources[0].format.columns = {"t", "v", "id"};
  Decoding decoding(stream);
  decoding.topic("plant/a", "1,1,x\n1,1,y").topic("plant/b", "1,1,x");
  ASSERT_EQ(decoding.rows().size(), 3U);
  EXPECT_EQ(decoding.rows()[0].keys, (std::vector<std::string>{"a", "x"}));
  EXPECT_EQ(decoding.rows()[2].keys, (std::vector<std::string>{"b", "x"}));
}

TEST(CsvDecoder, LineLongerThanAChunk) {
  const std::string blanks(20'000, ' ');
  const std::string filler(20'000, 'x');
  const std::string columns_of_blanks = "1 1 a x\n2" + blanks + "2 b " + filler + "\n3 3 c x\n";
  EXPECT_EQ(rows_of(csv_stream({"t", "v", "id", "x"}), "1,1,a,x\n2," + blanks + "2,b," + filler + "\n3,3,c,x\n").size(),
            3U);
  EXPECT_EQ(rows_of(csv_stream(), "1,1,a\n2," + blanks + "2,b," + blanks + "\n3,3,c\n").size(), 3U);
  spec::Stream of_blanks = blanks_stream();
  of_blanks.sources[0].format.columns.emplace_back("x");
  EXPECT_EQ(rows_of(of_blanks, columns_of_blanks).size(), 3U);
}

TEST(CsvDecoder, SampleIsTheSameBesideAQuote) {
  // A quote in a line sends its neighbours the slow way too.
  const std::vector<Refusal> expected{{Malformed::wrong_columns, "yb\r"}, {Malformed::wrong_columns, "1 2"}};
  EXPECT_EQ(refusals_of(csv_stream(), "yb\r\r\n1 2\n"), expected);
  EXPECT_EQ(refusals_of(csv_stream(), "1,1,\"a\"\nyb\r\r\n1 2\n"), expected);
}

TEST(CsvDecoder, EveryPrefixBalances) {
  const std::string text = "1,1.5,a\r\n2,\"2.5\",\"b\"\"\nc\"\n#3,,\n4,4,d\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    Decoding decoding(csv_stream());
    decoding.file(text.substr(0, size)).finish();
    EXPECT_EQ(decoding.received(), decoding.rows().size() + decoding.refusals().size());
    EXPECT_FALSE(decoding.holds_back());
  }
}

// The oracle: splits character by character, knows three columns (time in whole seconds, units, key) and nothing else.
struct Expected {
  std::vector<Row> rows;
  std::size_t refused = 0;
};

Expected oracle(const std::string& text, bool blanks) {
  Expected expected;
  std::string line;
  for (const char c : text + "\n") {
    if (c != '\n') {
      line += c;
      continue;
    }
    std::vector<std::string> cells(1);
    for (const char d : line) {
      const bool blank = d == ' ' || d == '\t';
      if (blanks ? blank : d == ',') {
        cells.emplace_back();
      } else if (!blank) {
        cells.back() += d;
      }
    }
    if (blanks) {
      std::erase(cells, "");
    }
    const bool empty = line.find_first_not_of(" \t") == std::string::npos;
    line.clear();
    if (empty) {
      continue;
    }
    while (!blanks && cells.size() > 3 && cells.back().empty()) {
      cells.pop_back();
    }
    bool good = cells.size() == 3;
    for (std::size_t i = 0; good && i < 3; ++i) {
      good = !cells[i].empty() && (i == 2 || cells[i].find_first_not_of("0123456789") == std::string::npos);
    }
    if (good) {
      expected.rows.push_back({std::stoll(cells[0]) * kSecond, {cells[2]}, {std::stoll(cells[1]) * 1000}});
    } else {
      ++expected.refused;
    }
  }
  return expected;
}

std::string random_line(std::mt19937& random, bool blanks) {
  const auto gap = [&] { return std::string(random() % 3 + (blanks ? 1 : 0), random() % 2 == 0 ? ' ' : '\t'); };
  std::string line = random() % 8 == 0 ? gap() : "";
  const std::size_t cells = random() % 10 == 0 ? random() % 6 : 3;
  for (std::size_t i = 0; i < cells; ++i) {
    if (i > 0) {
      line += blanks ? gap() : (random() % 4 == 0 ? gap() : "") + ",";
    }
    const auto kind = random() % 20;
    if (kind == 0) {
      line += "x";
    } else if (kind != 1) {
      line += std::to_string(random() % (i == 2 ? 5000 : 100'000));
    }
  }
  return line;
}

class RandomCsv : public ::testing::TestWithParam<std::tuple<bool, std::size_t>> {};

TEST_P(RandomCsv, AgreesWithTheOracleHoweverItIsCut) {
  const auto [blanks, lines] = GetParam();
  std::mt19937 random(42);
  for (int round = 0; round < 30; ++round) {
    std::string text;
    std::vector<std::size_t> cuts{0};
    for (std::size_t i = 0; i < lines; ++i) {
      text += random_line(random, blanks) + "\n";
      if (random() % 50 == 0) {
        cuts.push_back(text.size());
      }
    }
    if (random() % 2 == 0 && !text.empty()) {
      text.pop_back();
      cuts.back() = std::min(cuts.back(), text.size());
    }
    cuts.push_back(text.size());
    Decoding whole(blanks ? blanks_stream() : csv_stream(), 1000);
    whole.file(text);
    Decoding pieces(blanks ? blanks_stream() : csv_stream(), 1000);
    for (std::size_t i = 1; i < cuts.size(); ++i) {
      pieces.file(text.substr(cuts[i - 1], cuts[i] - cuts[i - 1]));
    }
    const Expected expected = oracle(text, blanks);
    ASSERT_EQ(whole.rows(), expected.rows);
    ASSERT_EQ(whole.refusals().size(), expected.refused);
    ASSERT_EQ(pieces.rows(), expected.rows);
    ASSERT_EQ(pieces.refusals(), whole.refusals());
  }
}

// The way of a row's keys is another one then: to the dictionary at once, looked up some rows ahead.
TEST(CsvDecoder, AgreesWithTheOracleWithMoreKeysThanAreCached) {
  std::mt19937 random(43);
  for (const bool blanks : {false, true}) {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      text += random_line(random, blanks) + "\n";
    }
    spec::Stream stream = blanks ? blanks_stream() : csv_stream();
    stream.max_keys = 400'000;
    Decoding decoding(stream, 1000);
    decoding.know_keys(KeyCache::kMostKeys + 1).file(text);
    const Expected expected = oracle(text, blanks);
    ASSERT_EQ(decoding.rows(), expected.rows);
    ASSERT_EQ(decoding.refusals().size(), expected.refused);
  }
}

TEST(CsvDecoder, FullDictionaryRefusesNewKeysBeyondTheCacheToo) {
  spec::Stream stream = csv_stream();
  stream.max_keys = KeyCache::kMostKeys + 2;
  Decoding decoding(stream, 1000);
  decoding.know_keys(KeyCache::kMostKeys + 1);
  decoding.file("1,1,a\n2,2,b\n3,3,a\n4,4,c\n5,5,other 7\n");
  ASSERT_EQ(decoding.rows().size(), 3U);
  EXPECT_EQ(decoding.rows()[1].keys, (std::vector<std::string>{"a"}));
  EXPECT_EQ(decoding.rows()[2].keys, (std::vector<std::string>{"other 7"}));
  ASSERT_EQ(decoding.refusals().size(), 2U);
  EXPECT_EQ(decoding.refusals()[0].reason, batch::Malformed::too_many_keys);
}

INSTANTIATE_TEST_SUITE_P(Sizes, RandomCsv,
                         ::testing::Combine(::testing::Bool(), ::testing::Values(0, 1, 2, 31, 32, 33, 700, 2000)));

}  // namespace
}  // namespace weir::decode
