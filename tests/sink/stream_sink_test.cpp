#include "sink/stream_sink.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/error.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::real;
using test::Rows;

spec::Sink standard_output(spec::RowFormat format = spec::RowFormat::jsonl) {
  spec::Sink sink;
  sink.kind = spec::SinkKind::file;
  sink.path = "-";
  sink.format = format;
  return sink;
}

std::string written(const spec::Sink& spec, Rows& rows) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  StreamSink sink(spec, stream);
  sink.open({&rows.shape()});
  sink.write(rows.table());
  sink.close();
  std::fclose(stream);
  std::string out(text, size);
  std::free(text);
  return out;
}

batch::ResultShape with_plain_names() {
  batch::ResultShape shape{"q", {"k"}, {}};
  shape.columns.push_back({"count()", batch::ValueType::count, 0, "count"});
  shape.columns.push_back({"mean", batch::ValueType::real, 0, "mean"});
  return shape;
}

TEST(StreamSink, RowsAreJsonLines) {
  Rows rows(with_plain_names());
  rows.add(kNoon, {"a"}, {count(1), real(0.5)}).add(kNoon, {"b"}, {count(2), real(1.5)});
  EXPECT_EQ(
      written(standard_output(), rows),
      R"~({"query":"q","window_start":"2013-08-31T21:57:52Z","window_end":"2013-08-31T22:00:00Z","k":"a","count()":1,"mean":0.5})~"
      "\n"
      R"~({"query":"q","window_start":"2013-08-31T21:57:52Z","window_end":"2013-08-31T22:00:00Z","k":"b","count()":2,"mean":1.5})~"
      "\n");
}

TEST(StreamSink, CsvBeginsWithItsHeaderAlsoWithoutRows) {
  Rows rows(with_plain_names());
  spec::Sink spec = standard_output(spec::RowFormat::csv);
  EXPECT_EQ(written(spec, rows), "query,window_start,window_end,k,count(),mean,revision\n");
  rows.add(kNoon, {"a"}, {count(1), real(0.5)});
  spec.names = spec::ColumnNames::plain;
  EXPECT_EQ(written(spec, rows),
            "query,window_start,window_end,k,count,mean,revision\n"
            "q,2013-08-31T21:57:52Z,2013-08-31T22:00:00Z,a,1,0.5,0\n");
}

TEST(StreamSink, CsvOfSeveralQueriesIsRefused) {
  const batch::ResultShape one = with_plain_names();
  const batch::ResultShape other = with_plain_names();
  StreamSink sink(standard_output(spec::RowFormat::csv), stdout);
  EXPECT_EQ(test::message_of([&] {
              sink.open({&one, &other});
            }),
            "2 queries would write CSV of different columns to standard output (write JSON lines, or a file each)");
}

TEST(StreamSink, AFullDiskIsAnError) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> full(std::fopen("/dev/full", "w"), &std::fclose);
  ASSERT_NE(full, nullptr);
  Rows rows(with_plain_names());
  rows.add(kNoon, {"a"}, {count(1), real(0.5)});
  StreamSink sink(standard_output(), full.get());
  sink.write(rows.table());
  EXPECT_EQ(test::message_of([&] { sink.flush(); }), "cannot write to standard output: No space left on device");
}

TEST(StreamSink, AFileSinkWithADashIsOne) {
  const auto sink = make_sink(standard_output());
  EXPECT_NE(dynamic_cast<StreamSink*>(sink.get()), nullptr);
}

}  // namespace
}  // namespace weir::sink
