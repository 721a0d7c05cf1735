// What files, globs and directories name, and in which order.
#include "core/file_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir {
namespace {

using test::TemporaryDirectory;
using test::write_bytes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(FileList, NumbersInNamesAreComparedByValue) {
  EXPECT_TRUE(natural_less("part-2", "part-10"));
  EXPECT_FALSE(natural_less("part-10", "part-2"));
  EXPECT_TRUE(natural_less("a", "b"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_TRUE(natural_less("", "a"));
  EXPECT_FALSE(natural_less("a", "a"));
  EXPECT_TRUE(natural_less("2013-9-1", "2013-10-1"));
  EXPECT_TRUE(natural_less("x007", "x07")) << "equal by value: bytewise";
  EXPECT_TRUE(natural_less("x99999999999999999999998", "x99999999999999999999999")) << "more than 64 bits";
  EXPECT_TRUE(natural_less("a-", "\xC3\xA4"));
}

TEST(FileList, EntriesComeAsGivenAndWhatAGlobOrADirectoryHasInNaturalOrder) {
  const TemporaryDirectory files;
  std::filesystem::create_directory(files / "d");
  for (const char* name : {"z", "p-10", "p-2", "p-1", "d/9", "d/10", "d/.hidden", "d/x.tmp", "d/x.part"}) {
    write_bytes(files / name, "x");
  }
  std::filesystem::create_directory(files / "d/deeper");
  std::filesystem::create_symlink("../z", files / "d/link");
  const FileList list = list_files({files / "z", files / "p-*", files / "d"});
  EXPECT_THAT(list.mistakes, IsEmpty());
  EXPECT_THAT(list.files,
              ElementsAre(files / "z", files / "p-1", files / "p-2", files / "p-10", files / "d/9", files / "d/10"));
}

TEST(FileList, AFileIsThereOnceAndOneWithTheNameOfAGlobIsItself) {
  const TemporaryDirectory files;
  write_bytes(files / "a[1]", "x");
  write_bytes(files / "a1", "x");
  EXPECT_THAT(list_files({files / "a[1]", files / "a[1]"}).files, ElementsAre(files / "a[1]"));
  EXPECT_THAT(list_files({files / "a1", files / "a*"}).files, ElementsAre(files / "a1", files / "a[1]"));
}

TEST(FileList, WhatCannotBeReadIsNamedAllAtOnce) {
  const TemporaryDirectory files;
  std::filesystem::create_directory(files / "empty");
  ASSERT_EQ(::mkfifo((files / "pipe").c_str(), 0600), 0);
  const FileList list = list_files({files / "none", files / "none-*", files / "empty", files / "pipe"});
  EXPECT_THAT(list.files, IsEmpty());
  EXPECT_THAT(list.mistakes,
              ElementsAre(HasSubstr("none': No such file or directory"), HasSubstr("none-*': no file matches"),
                          HasSubstr("empty': the directory has no files"), HasSubstr("pipe': it is no file; a pipe")));
}

}  // namespace
}  // namespace weir
