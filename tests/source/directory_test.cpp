// A directory as it stands, and one that is watched.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>

#include "core/error.hpp"
#include "source/collector.hpp"
#include "source/directory_reader.hpp"
#include "source/source.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir::source {
namespace {

namespace fs = std::filesystem;
using test::eventually;
using test::TemporaryDirectory;
using test::write_bytes;

spec::Source directory(const std::string& path) {
  spec::Source source;
  source.kind = spec::SourceKind::directory;
  source.path = path;
  source.poll = std::chrono::milliseconds(2);
  return source;
}

/// Writes beside the directory and renames into it; `seconds` is the modification time.
void put(const TemporaryDirectory& where, const std::string& name, const std::string& text, std::int64_t seconds) {
  const std::string temporary = where / ".being-written";
  write_bytes(temporary, text);
  const ::timespec times[2] = {{seconds, 5}, {seconds, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, temporary.c_str(), times, 0), 0);
  fs::rename(temporary, where / name);
}

std::string read_all(BlockReader& reader) {
  std::string text;
  batch::MessageView message;
  while (reader.next(message)) {
    text += message.payload;
  }
  return text;
}

TEST(Directory, FilesAreReadByModificationTimeAndThenName) {
  const TemporaryDirectory files;
  put(files, "b", "2\n", 2000);
  put(files, "a", "3\n", 2000'0);
  put(files, "c", "1\n", 1000);
  put(files, "aa", "0\n", 1000);
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  EXPECT_EQ(reader->bytes_total(), 8U);
  EXPECT_EQ(read_all(*reader), "0\n1\n2\n3\n");
  EXPECT_EQ(reader->bytes_read(), 8U);
}

TEST(Directory, UnfinishedNamesOtherNamesAndFoldersAreLeftAlone) {
  const TemporaryDirectory files;
  for (const std::string name : {".hidden.csv", "a.csv.tmp", "b.csv.part", "c.json", "d.csv"}) {
    put(files, name, name + "\n", 1000);
  }
  fs::create_directory(files / "folder.csv");
  spec::Source spec = directory(files.path());
  spec.pattern = "*.csv*";
  EXPECT_EQ(read_all(*make_block_reader(spec, 0, {})), "d.csv\n");
  spec.pattern = "[cd].*";
  EXPECT_EQ(read_all(*make_block_reader(spec, 0, {})), "c.json\nd.csv\n");
}

TEST(Directory, EveryFileStartsAFile) {
  const TemporaryDirectory files;
  put(files, "a", "h\n1\n", 1000);
  put(files, "empty", "", 1001);
  put(files, "b", "h\n2\n", 1002);
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  batch::MessageView message;
  for (const std::string_view expected : {"h\n1\n", "h\n2\n"}) {
    ASSERT_TRUE(reader->next(message));
    EXPECT_EQ(message.payload, expected);
    EXPECT_TRUE(message.starts_file);
  }
  EXPECT_FALSE(reader->next(message));
}

TEST(Directory, RestartAtAnyPositionReadsTheRestOnce) {
  const TemporaryDirectory files;
  std::string all;
  for (int i = 0; i < 20; ++i) {
    std::string text;
    for (int line = 0; line < (i % 3 == 0 ? 40'000 : 3); ++line) {  // some have several blocks
      text += std::to_string(i) + "." + std::to_string(line) + "\n";
    }
    put(files, "f" + std::to_string(i % 7) + "-" + std::to_string(i), text, 100'000 + i / 7 * 45);
  }
  std::vector<std::pair<batch::SourcePosition, std::size_t>> positions;
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  batch::MessageView message;
  while (reader->next(message)) {
    all += message.payload;
    positions.push_back({{message.position_offset, std::string(message.position_detail)}, all.size()});
  }
  ASSERT_GT(positions.size(), 25U);
  for (const auto& [position, read] : positions) {
    ASSERT_EQ(read_all(*make_block_reader(directory(files.path()), 0, position)), all.substr(read));
  }
}

TEST(Directory, RestartFindsWhatAppearedMeanwhileEvenIfSomewhatOlder) {
  const TemporaryDirectory files;
  put(files, "b", "b\n", 100'000);
  batch::MessageView message;
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  ASSERT_TRUE(reader->next(message));
  const batch::SourcePosition position{message.position_offset, std::string(message.position_detail)};
  put(files, "a-late", "late\n", 100'000 - 30);
  put(files, "c", "c\n", 100'001);
  EXPECT_EQ(read_all(*make_block_reader(directory(files.path()), 0, position)), "late\nc\n");
}

TEST(Directory, PositionStaysSmallHoweverManyFilesWereRead) {
  const TemporaryDirectory files;
  for (int i = 0; i < 1'500; ++i) {
    put(files, "f" + std::to_string(i), "x\n", 100'000);
  }
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  batch::MessageView message;
  std::size_t longest = 0;
  batch::SourcePosition position;
  int blocks = 0;
  for (; blocks < 1'400; ++blocks) {
    ASSERT_TRUE(reader->next(message));
    longest = std::max(longest, message.position_detail.size());
    position = {message.position_offset, std::string(message.position_detail)};
  }
  EXPECT_LT(longest, 30'000U);
  EXPECT_EQ(read_all(*make_block_reader(directory(files.path()), 0, position)).size(), 200U);
}

TEST(Directory, ErrorsAreOneLine) {
  const auto error_of = [](const spec::Source& spec, const batch::SourcePosition& position) -> std::string {
    try {
      make_block_reader(spec, 0, position);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of(directory("/nowhere/at/all"), {}), "cannot read '/nowhere/at/all': No such file or directory");
  const TemporaryDirectory files;
  for (const std::string detail : {"x", "12", "12/", "12/a", "12/a/", "12/a/13", "12/a/b/c/"}) {
    EXPECT_NE(error_of(directory(files.path()), {0, detail}).find("damaged"), std::string::npos) << detail;
  }
}

TEST(Directory, WatchedDirectoryPushesEachNewFileOnce) {
  const TemporaryDirectory files;
  put(files, "before", "0\n", 100'000);
  Collector collector;
  const auto source = make_source(directory(files.path()), "s", 0, collector, {});
  source->start();
  std::string expected = "0\n";
  ASSERT_TRUE(eventually([&] { return collector.text() == expected; }));
  for (int i = 1; i < 10; ++i) {
    // Also names and times before those already read.
    put(files, (i % 2 == 0 ? "a" : "z") + std::to_string(i), std::to_string(i) + "\n", 100'000 + (i % 3 - 1) * 1'000);
    expected += std::to_string(i) + "\n";
    ASSERT_TRUE(eventually([&] { return collector.text() == expected; })) << collector.text();
  }
  // A file that is replaced is a new file.
  put(files, "before", "again\n", 300'000);
  expected += "again\n";
  ASSERT_TRUE(eventually([&] { return collector.text() == expected; }));
  source->stop();
  put(files, "after", "never\n", 400'000);
  EXPECT_EQ(collector.text(), expected);
  EXPECT_EQ(collector.finishes(), 0);
  EXPECT_TRUE(collector.failures().empty());
}

TEST(Directory, WatchedDirectoryMayVanishAndComeBack) {
  const TemporaryDirectory files;
  const std::string path = files / "in";
  fs::create_directory(path);
  Collector collector;
  const auto source = make_source(directory(path), "s", 0, collector, {});
  source->start();
  fs::remove_all(path);
  fs::create_directory(files / "new");
  write_bytes(files / "new/x", "x\n");
  fs::rename(files / "new", path);
  EXPECT_TRUE(eventually([&] { return collector.text() == "x\n"; }));
  source->stop();
  EXPECT_TRUE(collector.failures().empty());
}

}  // namespace
}  // namespace weir::source
