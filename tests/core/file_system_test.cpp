// The system's calls on files, and the ones that fail on command (tests of the durable rooms rest on them).
#include "core/file_system.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "support/faulty_file_system.hpp"
#include "support/temporary_directory.hpp"

namespace weir {
namespace {

using test::FaultyFileSystem;
using Call = test::FaultyFileSystem::Call;

TEST(FileSystem, WritesAllocatesTruncatesRenamesAndRemoves) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  FileSystem& files = real_file_system();
  const FileDescriptor file = files.open(path, O_RDWR | O_CREAT | O_EXCL);
  files.write(file, "abc", path);
  files.allocate(file, 10, path);
  EXPECT_EQ(test::read_bytes(path), std::string("abc\0\0\0\0\0\0\0", 10));
  files.truncate(file, 2, path);
  files.sync(file, path);
  files.rename(path, directory / "b");
  files.sync_directory(directory.path());
  EXPECT_EQ(test::read_bytes(directory / "b"), "ab");
  files.remove(directory / "b");
  files.remove(directory / "b");
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(FileSystem, AnErrorSaysWhatWhereAndWhy) {
  try {
    real_file_system().open("/nowhere/at/all", O_RDONLY);
    FAIL() << "it was opened";
  } catch (const FileError& error) {
    EXPECT_STREQ(error.what(), "cannot open '/nowhere/at/all': No such file or directory");
    EXPECT_EQ(error.error_number(), ENOENT);
    EXPECT_FALSE(error.full());
  }
}

TEST(FaultyFileSystem, TheNthCallOfAKindFailsOnce) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  FaultyFileSystem files;
  const FileDescriptor file = files.open(path, O_RDWR | O_CREAT, 0600);
  files.sync(file, path);
  files.fail_nth(Call::sync, 2, EIO);
  EXPECT_NO_THROW(files.sync(file, path));
  EXPECT_THROW(files.sync(file, path), FileError);
  EXPECT_NO_THROW(files.sync(file, path));
  EXPECT_EQ(files.calls(Call::sync), 4U);
}

TEST(FaultyFileSystem, CallsFailUntilTheyAreHealed) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  FaultyFileSystem files;
  const FileDescriptor file = files.open(path, O_RDWR | O_CREAT, 0600);
  files.fail(Call::allocate, ENOSPC);
  for (int i = 0; i < 2; ++i) {
    try {
      files.allocate(file, 10, path);
      FAIL() << "there was room";
    } catch (const FileError& error) {
      EXPECT_TRUE(error.full());
    }
  }
  EXPECT_TRUE(test::read_bytes(path).empty());
  files.heal(Call::allocate);
  files.allocate(file, 10, path);
  EXPECT_EQ(test::read_bytes(path).size(), 10U);
}

TEST(FaultyFileSystem, AShortWriteLeavesItsBeginning) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  FaultyFileSystem files;
  const FileDescriptor file = files.open(path, O_RDWR | O_CREAT, 0600);
  files.write_short(1, 2);
  EXPECT_THROW(files.write(file, "abc", path), FileError);
  EXPECT_EQ(test::read_bytes(path), "ab");
  files.write(file, "c", path);
  EXPECT_EQ(test::read_bytes(path), "abc");
}

}  // namespace
}  // namespace weir
