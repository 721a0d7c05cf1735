#include "sink/file_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <fstream>

#include <csignal>
#include <filesystem>

#include "core/error.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::message_of;
using test::Rows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using weir::test::read_bytes;
using weir::test::TemporaryDirectory;
using weir::test::write_bytes;

spec::Sink file_spec(std::string path, spec::RowFormat format = spec::RowFormat::jsonl) {
  spec::Sink spec;
  spec.name = "rows";
  spec.kind = spec::SinkKind::file;
  spec.path = std::move(path);
  spec.format = format;
  return spec;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string line(const std::string& query, const std::string& key, int n) {
  return R"({"query":")" + query +
         R"(","window_start":"2013-08-31T21:57:52Z","window_end":"2013-08-31T22:00:00Z","k":")" + key +
         R"(","count":)" + std::to_string(n) + "}\n";
}

TEST(FileSink, RowsGoToAFileAQueryInDirectoriesThatItMakes) {
  const TemporaryDirectory temporary;
  Rows a(test::small("a"));
  Rows b(test::small("b/../b"));
  FileSink sink(file_spec(temporary / "out/deep/{query}.jsonl"));
  sink.open({&a.shape(), &b.shape()});
  EXPECT_THAT(names_in(temporary / "out/deep"), ElementsAre("a.jsonl", "b%2F..%2Fb.jsonl"));
  a.add(kNoon, {"x"}, {count(1)}).add(kNoon, {"y"}, {count(2)});
  sink.write(a.table());
  sink.write(b.table());
  EXPECT_EQ(read_bytes(temporary / "out/deep/a.jsonl"), "");
  sink.flush();
  EXPECT_EQ(read_bytes(temporary / "out/deep/a.jsonl"), line("a", "x", 1) + line("a", "y", 2));
  sink.close();
  EXPECT_EQ(read_bytes(temporary / "out/deep/b%2F..%2Fb.jsonl"), "");
}

TEST(FileSink, SeveralQueriesShareAJsonFile) {
  const TemporaryDirectory temporary;
  Rows a(test::small("a"));
  Rows b(test::small("b"));
  FileSink sink(file_spec(temporary / "rows.jsonl"));
  sink.open({&a.shape(), &b.shape()});
  sink.write(a.add(kNoon, {"x"}, {count(1)}).table());
  sink.write(b.add(kNoon, {"x"}, {count(2)}).table());
  sink.write(a.table());
  sink.close();
  EXPECT_EQ(read_bytes(temporary / "rows.jsonl"), line("a", "x", 1) + line("b", "x", 2) + line("a", "x", 1));
}

TEST(FileSink, QueriesWithOtherColumnsCannotShareACsvFile) {
  const TemporaryDirectory temporary;
  Rows a(test::small("a"));
  Rows same(test::small("same"));
  Rows other(test::plug_load());
  FileSink sink(file_spec(temporary / "rows.csv", spec::RowFormat::csv));
  sink.open({&a.shape(), &same.shape()});
  EXPECT_THAT(message_of([&] { sink.open({&other.shape()}); }),
              HasSubstr("query 'plug_load' has other columns than the CSV file '" + (temporary / "rows.csv") + "'"));
  sink.write(a.add(kNoon, {"x"}, {count(1)}).table());
  sink.write(same.add(kNoon, {"y"}, {count(2)}).table());
  sink.close();
  EXPECT_EQ(read_bytes(temporary / "rows.csv"),
            "query,window_start,window_end,k,count,revision\n"
            "a,2013-08-31T21:57:52Z,2013-08-31T22:00:00Z,x,1,0\n"
            "same,2013-08-31T21:57:52Z,2013-08-31T22:00:00Z,y,2,0\n");
}

TEST(FileSink, AFreshStartEmptiesTheFile) {
  const TemporaryDirectory temporary;
  write_bytes(temporary / "q.jsonl", "rows of an earlier run\n");
  Rows rows(test::small());
  FileSink sink(file_spec(temporary / "{query}.jsonl"));
  sink.open({&rows.shape()});
  sink.close();
  EXPECT_EQ(read_bytes(temporary / "q.jsonl"), "");
}

TEST(FileSink, AnAppendingStartGoesOnBehindTheLastWholeRow) {
  const TemporaryDirectory temporary;
  write_bytes(temporary / "q.jsonl", "a row\na row that was cut of");
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "{query}.jsonl");
  spec.append = true;
  FileSink sink(spec);
  sink.open({&rows.shape()});
  EXPECT_EQ(read_bytes(temporary / "q.jsonl"), "a row\n");
  const std::string position = test::position_of(sink);
  sink.close();
  FileSink next(spec);
  EXPECT_NO_THROW(next.resume(position)) << "what was there before belongs to the position";
}

TEST(FileSink, PathsThatCannotBeUsedAreErrorsWithTheirPath) {
  const TemporaryDirectory temporary;
  write_bytes(temporary / "file", "");
  Rows rows(test::small());
  FileSink below(file_spec(temporary / "file/{query}.jsonl"));
  EXPECT_THAT(message_of([&] { below.open({&rows.shape()}); }), HasSubstr("file/q.jsonl': Not a directory"));
  FileSink directory(file_spec(temporary.path()));
  EXPECT_THAT(message_of([&] { directory.open({&rows.shape()}); }), HasSubstr("Is a directory"));
  EXPECT_THROW(FileSink(file_spec("out/{qurey}.jsonl")), ConfigError);
  EXPECT_THROW(FileSink(file_spec("out/{query.jsonl")), ConfigError);
  EXPECT_THROW(FileSink(file_spec("out/query}.jsonl")), ConfigError);
}

TEST(FileSink, TwoWritersOfOneFileAreRefused) {
  const TemporaryDirectory temporary;
  Rows rows(test::small());
  FileSink first(file_spec(temporary / "q.jsonl"));
  first.open({&rows.shape()});
  first.write(rows.add(kNoon, {"x"}, {count(1)}).table());
  first.flush();
  FileSink second(file_spec(temporary / "{query}.jsonl"));
  EXPECT_THAT(message_of([&] { second.open({&rows.shape()}); }),
              HasSubstr("is being written by another sink or process"));
  EXPECT_EQ(read_bytes(temporary / "q.jsonl"), line("q", "x", 1));
}

TEST(FileSink, AFullDeviceIsAnError) {
  Rows rows(test::small());
  FileSink sink(file_spec("/dev/full"));
  sink.open({&rows.shape()});
  sink.write(rows.add(kNoon, {"x"}, {count(1)}).table());
  EXPECT_EQ(message_of([&] { sink.flush(); }), "cannot write '/dev/full': No space left on device");
}

TEST(FileSink, ADeviceIsNeverRotated) {
  Rows rows(test::small());
  spec::Sink spec = file_spec("/dev/null");
  spec.rotate_bytes = 1;
  FileSink sink(spec);
  sink.open({&rows.shape()});
  rows.add(kNoon, {"x"}, {count(1)}).add(kNoon, {"y"}, {count(1)});
  sink.write(rows.table());
  sink.close();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(FileSink, AFullDiskLeavesWholeRowsAndTheFlushCanBeRepeated) {
  const TemporaryDirectory temporary;
  Rows rows(test::small());
  FileSink sink(file_spec(temporary / "q.jsonl"));
  sink.open({&rows.shape()});
  sink.write(rows.add(kNoon, {"x"}, {count(1)}).table());
  sink.flush();
  const std::string position = test::position_of(sink);
  sink.write(rows.table());

  const auto earlier_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct ::rlimit earlier {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &earlier), 0);
  struct ::rlimit small = earlier;
  small.rlim_cur = line("q", "x", 1).size() * 3 / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = message_of([&] { sink.flush(); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &earlier), 0);
  std::signal(SIGXFSZ, earlier_handler);

  EXPECT_EQ(message, "cannot write '" + (temporary / "q.jsonl") + "': File too large");
  EXPECT_EQ(read_bytes(temporary / "q.jsonl"), line("q", "x", 1));
  sink.flush();
  EXPECT_EQ(read_bytes(temporary / "q.jsonl"), line("q", "x", 1) + line("q", "x", 1));
}

TEST(FileSink, RotationByTimePutsAWindowThatEndsOnTheHourIntoTheHourBefore) {
  const TemporaryDirectory temporary;
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "{query}.csv", spec::RowFormat::csv);
  spec.rotate_every = std::chrono::hours(1);
  FileSink sink(spec);
  sink.open({&rows.shape()});
  const std::int64_t hour = 3600 * kSecond;
  for (const std::int64_t end :
       {kNoon - kSecond, kNoon, kNoon + kSecond / 2, kNoon - kSecond, kNoon + hour, kNoon + hour + 1}) {
    rows.add(end, {"x"}, {count(1)});
  }
  sink.write(rows.table());
  sink.flush();
  EXPECT_THAT(names_in(temporary.path()), ElementsAre("q.20130831T215959Z.csv", "q.20130831T220000Z.csv", "q.csv"));
  sink.close();
  EXPECT_THAT(names_in(temporary.path()),
              ElementsAre("q.20130831T215959Z.csv", "q.20130831T220000Z.csv", "q.20130831T230000Z.csv"));
  const auto rows_in = [&](const std::string& name) {
    const std::string bytes = read_bytes(temporary / name);
    EXPECT_TRUE(bytes.starts_with("query,window_start,window_end,k,count,revision\n"));
    return std::count(bytes.begin(), bytes.end(), '\n') - 1;
  };
  EXPECT_EQ(rows_in("q.20130831T215959Z.csv"), 2);
  EXPECT_EQ(rows_in("q.20130831T220000Z.csv"), 3);  // with the late revision
  EXPECT_EQ(rows_in("q.20130831T230000Z.csv"), 1);
}

TEST(FileSink, RotationBySizeNumbersFilesOfOneWindowInTheOrderOfTheirRows) {
  const TemporaryDirectory temporary;
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "out/{query}.jsonl");
  spec.rotate_bytes = 2 * line("q", "0", 0).size();
  FileSink sink(spec);
  sink.open({&rows.shape()});
  std::string expected;
  for (int i = 0; i < 7; ++i) {
    rows.add(kNoon, {std::to_string(i)}, {count(5)});
    expected += line("q", std::to_string(i), 5);
  }
  sink.write(rows.table());
  sink.close();
  std::string all;
  for (const std::string& name : names_in(temporary / "out")) {
    EXPECT_LE(std::filesystem::file_size(temporary / ("out/" + name)), spec.rotate_bytes);
    all += read_bytes(temporary / ("out/" + name));
  }
  EXPECT_EQ(all, expected);
  EXPECT_THAT(names_in(temporary / "out"),
              ElementsAre("q.20130831T220000Z.jsonl", "q.20130831T220000Z_0001.jsonl", "q.20130831T220000Z_0002.jsonl",
                          "q.20130831T220000Z_0003.jsonl"));
}

TEST(FileSink, ARowLargerThanTheLimitGetsItsOwnFile) {
  const TemporaryDirectory temporary;
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "q");
  spec.rotate_bytes = 10;
  FileSink sink(spec);
  sink.open({&rows.shape()});
  sink.write(rows.add(kNoon, {"x"}, {count(1)}).add(kNoon + kSecond, {"x"}, {count(1)}).table());
  sink.close();
  EXPECT_THAT(names_in(temporary.path()), ElementsAre("q.20130831T220000Z", "q.20130831T220001Z"));
}

TEST(FileSink, FilesGetTheirModeWhateverTheUmaskIsAndKeepOneThatTheyHave) {
  const TemporaryDirectory temporary;
  const auto mode_of = [&](const std::string& name) {
    return static_cast<unsigned>(std::filesystem::status(temporary / name).permissions());
  };
  Rows rows(test::small());
  for (const ::mode_t mask : {0000U, 0022U, 0077U}) {
    const ::mode_t previous = ::umask(mask);
    for (const unsigned mode : {0640U, 0666U, 0600U}) {
      const std::string name = "q" + std::to_string(mask) + "-" + std::to_string(mode);
      spec::Sink spec = file_spec(temporary / name);
      spec.mode = mode;
      spec.rotate_bytes = 10;
      FileSink sink(spec);
      sink.open({&rows.shape()});
      EXPECT_EQ(mode_of(name), mode);
      sink.write(rows.add(kNoon, {"x"}, {count(1)}).add(kNoon + kSecond, {"x"}, {count(1)}).table());
      sink.flush();
      EXPECT_EQ(mode_of(name), mode) << "a file begun by a rotation";
      sink.close();
      EXPECT_EQ(mode_of(name + ".20130831T220000Z"), mode);
    }
    ::umask(previous);
  }
  write_bytes(temporary / "there", "");
  ASSERT_EQ(::chmod((temporary / "there").c_str(), 0604), 0);
  FileSink sink(file_spec(temporary / "there"));
  sink.open({&rows.shape()});
  EXPECT_EQ(mode_of("there"), 0604U);
}

}  // namespace
}  // namespace weir::sink
