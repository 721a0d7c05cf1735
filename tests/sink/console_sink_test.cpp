#include "sink/console_sink.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "core/error.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::null;
using test::real;
using test::Rows;
using test::units;

std::string shown(const batch::ResultTable& table, std::size_t rows,
                  spec::ColumnNames names = spec::ColumnNames::verbatim) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  ConsoleSink sink(rows, names, stream);
  sink.write(table);
  sink.flush();
  std::fclose(stream);
  std::string out(text, size);
  std::free(text);
  return out;
}

TEST(ConsoleSink, ATableIsAlignedUnderItsHeader) {
  Rows rows(test::plug_load());
  rows.add(kNoon + kSecond, {"0", "0", "11"}, {count(64), real(12.25), units(800), units(14'100'000)});
  rows.add(kNoon + kSecond, {"0", "grün", "2"}, {count(7), null(), units(-12'345), units(0)});
  rows.table().batch_end_ns = kNoon + 2 * kSecond;
  EXPECT_EQ(shown(rows.table(), 10), R"(-------------------------------------------
Time: 2013-08-31T22:00:02Z   query: plug_load
-------------------------------------------
window_start          window_end            house  household  plug  count  avg(load)     peak   p99
2013-08-31T21:57:53Z  2013-08-31T22:00:01Z  0      0          11       64      12.25      0.8  14.1
2013-08-31T21:57:53Z  2013-08-31T22:00:01Z  0      grün       2         7       null  -12.345     0

)");
}

TEST(ConsoleSink, AnEmptyTableShowsItsHeaderBlock) {
  Rows rows(test::small());
  rows.table().batch_end_ns = kNoon;
  EXPECT_EQ(shown(rows.table(), 10), R"(-------------------------------------------
Time: 2013-08-31T22:00:00Z   query: q
-------------------------------------------

)");
}

TEST(ConsoleSink, WithoutABatchEndTheNewestWindowGivesTheTime) {
  Rows rows(test::small());
  rows.add(kNoon + kSecond, {"a"}, {count(1)}).add(kNoon, {"a"}, {count(1)});
  EXPECT_NE(shown(rows.table(), 10).find("Time: 2013-08-31T22:00:01Z "), std::string::npos);
  rows.clear();
  EXPECT_NE(shown(rows.table(), 10).find("Time: -  "), std::string::npos);
  rows.add(-kSecond, {"a"}, {count(1)}).add(-2 * kSecond, {"a"}, {count(1)});
  EXPECT_NE(shown(rows.table(), 10).find("Time: 1969-12-31T23:59:59Z "), std::string::npos);
}

TEST(ConsoleSink, MoreRowsThanAskedForEndInDots) {
  Rows rows(test::small());
  for (int i = 0; i < 11; ++i) rows.add(kNoon, {"key" + std::to_string(i)}, {count(1)});
  const std::string ten = shown(rows.table(), 10);
  EXPECT_NE(ten.find("key9"), std::string::npos);
  EXPECT_EQ(ten.find("key10"), std::string::npos);
  EXPECT_TRUE(ten.ends_with("\n...\n\n"));
  EXPECT_TRUE(shown(rows.table(), 11).ends_with("key10      1\n\n"));
  EXPECT_EQ(shown(rows.table(), 11), shown(rows.table(), 0));
}

TEST(ConsoleSink, CountsWhatItDoesNotShow) {
  Rows rows(test::small());
  for (int i = 0; i < 11; ++i) rows.add(kNoon, {"key"}, {count(1)});
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  ASSERT_NE(nowhere, nullptr);
  ConsoleSink sink(10, spec::ColumnNames::verbatim, nowhere);
  sink.write(rows.table());
  EXPECT_EQ(sink.rows_not_shown(), 1U);
  rows.table().continues = true;
  sink.write(rows.table());
  EXPECT_EQ(sink.rows_not_shown(), 12U);
  ConsoleSink all(0, spec::ColumnNames::verbatim, nowhere);
  all.write(rows.table());
  EXPECT_EQ(all.rows_not_shown(), 0U);
  all.close();
  sink.close();
  std::fclose(nowhere);
}

TEST(ConsoleSink, MayNameColumnsPlainly) {
  batch::ResultShape shape = test::small();
  shape.columns[0].name = "count()";
  shape.columns[0].plain = "count";
  Rows rows(shape);
  rows.add(kNoon, {"a"}, {count(1)});
  EXPECT_NE(shown(rows.table(), 10).find("k  count()\n"), std::string::npos);
  EXPECT_NE(shown(rows.table(), 10, spec::ColumnNames::plain).find("k  count\n"), std::string::npos);
}

TEST(ConsoleSink, RevisionsGetAColumnWhenThereAreAny) {
  Rows rows(test::small());
  rows.add(kNoon, {"a"}, {count(1)});
  EXPECT_EQ(shown(rows.table(), 10).find("revision"), std::string::npos);
  rows.add(kNoon, {"b"}, {count(1)}, 12);
  EXPECT_TRUE(shown(rows.table(), 10).ends_with("  b      1        12\n\n")) << shown(rows.table(), 10);
}

TEST(ConsoleSink, KeysCannotSteerTheTerminal) {
  Rows rows(test::small());
  rows.add(kNoon, {"\x1B[2J\x7F\xC2\x9B\xFF"}, {count(1)});
  EXPECT_NE(shown(rows.table(), 10).find("\\x1b[2J\\x7f\\u009b\\xff"), std::string::npos);
}

TEST(ConsoleSink, AFullDiskIsAnError) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> full(std::fopen("/dev/full", "w"), &std::fclose);
  ASSERT_NE(full, nullptr);
  Rows rows(test::small());
  ConsoleSink sink(10, spec::ColumnNames::verbatim, full.get());
  sink.write(rows.table());
  EXPECT_EQ(test::message_of([&] { sink.flush(); }), "cannot write to standard output: No space left on device");
}

}  // namespace
}  // namespace weir::sink
