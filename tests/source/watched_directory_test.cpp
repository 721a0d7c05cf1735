// A directory that is watched: which files are complete, and which are known.
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "source/directory_support.hpp"

namespace weir::source {
namespace {

TEST(WatchedDirectory, NeitherTouchNorRenameNorASecondNameMakesANewFile) {
  const TemporaryDirectory files;
  put(files, "a", "a\n", 1000);
  put(files, "b", "b\n", 1000);
  fs::create_hard_link(files / "b", files / "b2");
  Watched watched(directory(files.path()));
  ASSERT_TRUE(watched.reads("a\nb\n"));
  set_modified(files / "a", 2000);
  fs::rename(files / "b", files / "z");
  put(files, "y", "y\n", 1000);
  ASSERT_TRUE(watched.reads("a\nb\ny\n"));
  watched.look_for_long();
  EXPECT_EQ(watched.all().text, "a\nb\ny\n");
  EXPECT_TRUE(watched.all().refused.empty());
  set_modified(files / "a", 3000);
  fs::rename(files / "b2", files / "x");
  EXPECT_EQ(read_from(directory(files.path()), watched.all().position).text, "");
}

TEST(WatchedDirectory, FileWithOtherContentIsReadFromItsBeginning) {
  const TemporaryDirectory files;
  put(files, "a", "one\n", 1000);
  put(files, "b", "two\n", 1000);
  put(files, "c", "three\n", 1000);
  Watched watched(directory(files.path()));
  ASSERT_TRUE(watched.reads("one\ntwo\nthree\n"));
  put(files, "a", "one\n", 2000);           // another file with the same content
  write_bytes(files / "b", "TWO\n");        // overwritten in place
  write_bytes(files / "c", "t\nlonger\n");  // likewise
  ASSERT_TRUE(watched.reads("one\ntwo\nthree\none\nTWO\nt\nlonger\n"));
  EXPECT_EQ(read_from(directory(files.path()), watched.all().position).text, "");
}

TEST(WatchedDirectory, FileThatIsWrittenSlowlyIsReadOnceAndWhole) {
  const TemporaryDirectory files;
  Watched watched(directory(files.path()));
  std::string text;
  for (int i = 0; i < 60; ++i) {
    append(files / "slow", std::to_string(i) + "\n");
    text += std::to_string(i) + "\n";
    watched.look_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(watched.reads(text)) << watched.all().text;
}

TEST(WatchedDirectory, FilesWaitForTheOneInFrontThatIsBeingWritten) {
  const TemporaryDirectory files;
  write_bytes(files / "b", "b\n");
  Watched watched(directory(files.path()));
  watched.look_for(std::chrono::milliseconds(100));
  write_bytes(files / "a", "a\n");
  EXPECT_TRUE(watched.reads("a\nb\n")) << watched.all().text;
}

TEST(WatchedDirectory, FileThatNeverSettlesHoldsNobodyBackForEver) {
  const TemporaryDirectory files;
  put(files, "b", "b\n", 1000);
  Watched watched(directory(files.path()));
  EXPECT_TRUE(eventually([&] {
    append(files / "a", "x\n");
    watched.look();
    return watched.all().text == "b\n";
  }));
}

TEST(WatchedDirectory, EmptyFileIsReadWhenItHasSomething) {
  const TemporaryDirectory files;
  put(files, "a", "", 1000);
  Watched watched(directory(files.path()));
  watched.look();
  EXPECT_EQ(read_from(directory(files.path()), {}).text, "");
  append(files / "a", "a\n");
  EXPECT_TRUE(watched.reads("a\n"));
}

TEST(WatchedDirectory, WhatIsAppendedToAReadFileIsRefusedOnce) {
  const TemporaryDirectory files;
  put(files, "a", "a\n", 1000);
  Watched watched(directory(files.path()));
  ASSERT_TRUE(watched.reads("a\n"));
  append(files / "a", "more\n");
  ASSERT_TRUE(watched.refuses(1));
  EXPECT_NE(watched.all().refused[0].find("grown"), std::string::npos);
  append(files / "a", "and more\n");
  put(files, "b", "b\n", 1000);
  ASSERT_TRUE(watched.reads("a\nb\n"));
  watched.look_for_long();
  EXPECT_EQ(watched.all().refused.size(), 1U);
  append(files / "a", "again\n");
  const ReadAll rest = read_from(directory(files.path()), watched.all().position);
  EXPECT_EQ(rest.text, "");
  EXPECT_TRUE(rest.refused.empty());
}

TEST(WatchedDirectory, GrowingFilesAreFollowedWhereAskedFor) {
  const TemporaryDirectory files;
  put(files, "a", "a\nhal", 1000);
  spec::Source spec = directory(files.path());
  spec.follow_growing = true;
  Watched watched(spec);
  ASSERT_TRUE(watched.reads("a\n"));
  append(files / "a", "f\nb");
  ASSERT_TRUE(watched.reads("a\nhalf\n"));
  Watched again(spec, watched.all().position);
  append(files / "a", "\n");
  EXPECT_TRUE(again.reads("b\n"));
  append(files / "a", "c\n");
  EXPECT_TRUE(again.reads("b\nc\n"));
  write_bytes(files / "a", "anew\n");  // as logrotate's copytruncate does
  EXPECT_TRUE(again.reads("b\nc\nanew\n"));
  EXPECT_TRUE(again.all().refused.empty());
}

TEST(WatchedDirectory, FollowedCsvHasItsHeaderInFrontOfEachPiece) {
  const TemporaryDirectory files;
  put(files, "a", "t,v\n1,2\n", 1000);
  spec::Source spec = directory(files.path());
  spec.follow_growing = true;
  spec.format.kind = spec::FormatKind::csv;
  Watched watched(spec);
  ASSERT_TRUE(watched.reads("t,v\n1,2\n"));
  append(files / "a", "3,4\n");
  EXPECT_TRUE(watched.reads("t,v\n1,2\nt,v\n3,4\n"));
}

TEST(WatchedDirectory, FileThatCannotBeReadIsOneRefusedMessageAndTheNextGoesOn) {
  const TemporaryDirectory files;
  fs::permissions(files.path(), fs::perms::all);
  for (const std::string name : {"1", "2", "3"}) {
    put(files, name, name + "\n", 1000);
  }
  fs::permissions(files / "2", fs::perms::none);
  ::setfsuid(65'534);  // root would read it all the same
  Watched watched(directory(files.path()));
  ASSERT_TRUE(watched.reads("1\n3\n"));
  watched.look_for_long();
  ASSERT_EQ(watched.all().refused.size(), 1U);
  EXPECT_EQ(watched.all().refused[0], "cannot read '" + (files / "2") + "': Permission denied");
  // Tried again at the next start, and not counted again.
  const ReadAll again = read_from(directory(files.path()), watched.all().position);
  EXPECT_EQ(again.text, "");
  EXPECT_TRUE(again.refused.empty());
  ::setfsuid(::geteuid());
  fs::permissions(files / "2", fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(read_from(directory(files.path()), watched.all().position).text, "2\n");
  EXPECT_TRUE(watched.reads("1\n3\n2\n"));
  EXPECT_EQ(read_from(directory(files.path()), watched.all().position).text, "");
}

TEST(WatchedDirectory, FileReplacedWhileItIsReadIsReadToItsEndAndThenTheNewOne) {
  const TemporaryDirectory files;
  const std::string old(3 * kBlockBytes / 2, 'o');
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += old.substr(0, kBlockBytes / 4) + "\n";
  }
  put(files, "a", text, 1000);
  DirectoryReader reader(directory(files.path()), 0, {}, DirectoryReader::Taking::when_complete);
  batch::MessageView message;
  ASSERT_TRUE(reader.next(message));
  std::string got(message.payload);
  put(files, "a", "new\n", 2000);
  EXPECT_TRUE(eventually([&] {
    got += read(reader).text;
    reader.scan();
    return got == text + "new\n";
  }));
}

TEST(WatchedDirectory, WatchedDirectoryPushesEachNewFileOnce) {
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
  // A file that is replaced by another one is a new file.
  put(files, "before", "again\n", 300'000);
  expected += "again\n";
  ASSERT_TRUE(eventually([&] { return collector.text() == expected; }));
  source->stop();
  put(files, "after", "never\n", 400'000);
  EXPECT_EQ(collector.text(), expected);
  EXPECT_EQ(collector.finishes(), 0);
  EXPECT_TRUE(collector.failures().empty());
}

TEST(WatchedDirectory, WatchedDirectoryMayVanishAndComeBack) {
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
