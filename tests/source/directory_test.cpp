// A directory as it stands, and what a position tells of it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "source/directory_support.hpp"

namespace weir::source {
namespace {

TEST(Directory, FilesAreReadInTheOrderOfTheirNames) {
  const TemporaryDirectory files;
  put(files, "b", "2\n", 1000);
  put(files, "a", "0\n", 2000'0);
  put(files, "c", "3\n", 1500);
  put(files, "aa", "1\n", 1000);
  put(files, "\xff", "4\n", 1);
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  EXPECT_EQ(reader->bytes_total(), 10U);
  EXPECT_EQ(read_all(*reader), "0\n1\n2\n3\n4\n");
  EXPECT_EQ(reader->bytes_read(), 10U);
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
  put(files, "f", "h\n2\n", 1002);
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
  batch::SourcePosition position;
  while (reader->next(message)) {
    all += message.payload;
    position.advance(message.position_offset, message.position_detail);
    positions.emplace_back(position, all.size());
  }
  ASSERT_GT(positions.size(), 25U);
  for (const auto& [from, read] : positions) {
    ASSERT_EQ(read_all(*make_block_reader(directory(files.path()), 0, from)), all.substr(read));
  }
}

TEST(Directory, WhatWasMovedInWhileNobodyLookedIsReadHoweverOldItIs) {
  const TemporaryDirectory files;
  put(files, "b", "b\n", 100'000);
  put(files, "c", "c\n", 200'000);
  const ReadAll first = read_from(directory(files.path()), {});
  put(files, "a", "old\n", 10);
  put(files, "d", "older\n", 1);
  const ReadAll second = read_from(directory(files.path()), first.position);
  EXPECT_EQ(second.text, "old\nolder\n");
  EXPECT_EQ(read_from(directory(files.path()), second.position).text, "");
}

TEST(Directory, FileThatWasCopiedWithItsAttributesIsTheSame) {
  const TemporaryDirectory files;
  put(files, "a", "one\n", 1000);
  put(files, "b", "two\n", 1000);
  const ReadAll before = read_from(directory(files.path()), {});
  const TemporaryDirectory restored;  // from a backup, or on another machine
  put(restored, "a", "one\n", 1000);
  put(restored, "b", "TWO\n", 1000);
  EXPECT_EQ(read_from(directory(restored.path()), before.position).text, "TWO\n");
}

TEST(Directory, LineThatIsTooLongCostsItselfAlone) {
  const TemporaryDirectory files;
  put(files, "1", "one\n", 1000);
  put(files, "2", "two\n" + std::string(5'000'000, 'x') + "\nthree\n", 1000);
  put(files, "3", std::string(5'000, 'x'), 1000);
  put(files, "4", "four\n", 1000);
  spec::Source spec = directory(files.path());
  spec.max_message = 1024;
  const auto reader = make_block_reader(spec, 0, {});
  batch::MessageView message;
  std::string text;
  std::size_t refused = 0;
  batch::SourcePosition position;
  while (reader->next(message)) {
    refused += message.refused == batch::Malformed::too_large ? 1U : 0U;
    text += message.refused ? std::string_view{} : message.payload;
    position.advance(message.position_offset, message.position_detail);
  }
  EXPECT_EQ(text, "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(refused, 2U);
  EXPECT_EQ(read_from(spec, position).text, "");
}

TEST(Directory, FileThatVanishesOrBecomesSomethingElseBeforeItIsReadIsRefused) {
  const TemporaryDirectory files;
  for (const std::string name : {"1", "2", "3", "4", "5"}) {
    put(files, name, name + "\n", 1000);
  }
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  fs::remove(files / "1");
  fs::remove(files / "2");
  ASSERT_EQ(::mkfifo((files / "2").c_str(), 0600), 0);
  fs::remove(files / "3");
  fs::create_directory(files / "3");
  fs::remove(files / "4");
  fs::create_symlink(files / "5", files / "4");
  const ReadAll all = read(*reader);
  EXPECT_EQ(all.text, "5\n");
  EXPECT_EQ(all.refused.size(), 4U);
}

TEST(Directory, FileThatIsCutOffWhileItIsReadIsToldOf) {
  const TemporaryDirectory files;
  put(files, "a", std::string(kBlockBytes, 'x') + "\n" + std::string(kBlockBytes, 'x') + "\n", 1000);
  put(files, "b", "b\n", 1000);
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  batch::MessageView message;
  ASSERT_TRUE(reader->next(message));
  write_bytes(files / "a", "");
  const ReadAll all = read(*reader);
  EXPECT_EQ(all.text, "b\n");
  ASSERT_EQ(all.refused.size(), 1U);
  EXPECT_NE(all.refused[0].find("cut off"), std::string::npos);
}

TEST(Directory, FileThatWasBeingReadAndIsGoneStopsNothing) {
  const TemporaryDirectory files;
  std::string text;
  while (text.size() < 3 * kBlockBytes) {
    text += "some line or other\n";
  }
  put(files, "a", text, 1000);
  const ReadAll first = read(*make_block_reader(directory(files.path()), 0, {}), {}, 1);
  ASSERT_LT(first.text.size(), text.size());
  EXPECT_EQ(first.text + read_from(directory(files.path()), first.position).text, text);
  fs::remove(files / "a");
  put(files, "b", "b\n", 1000);
  EXPECT_EQ(read_from(directory(files.path()), first.position).text, "b\n");
}

TEST(Directory, LinksAreFollowedOnlyWhereAskedFor) {
  const TemporaryDirectory files;
  const TemporaryDirectory elsewhere;
  put(elsewhere, "private", "private\n", 1000);
  fs::create_symlink(elsewhere / "private", files / "a");
  put(files, "b", "b\n", 1000);
  spec::Source spec = directory(files.path());
  EXPECT_EQ(read_from(spec, {}).text, "b\n");
  spec.follow_links = true;
  EXPECT_EQ(read_from(spec, {}).text, "private\nb\n");
}

TEST(Directory, NamesWithWhatATerminalObeysAreReadAndToldWithoutIt) {
  const TemporaryDirectory files;
  put(files, "a\n2026 critical\x1b[31m", "a\n", 1000);
  put(files, "b\nb", "b\n", 1000);
  const auto reader = make_block_reader(directory(files.path()), 0, {});
  fs::remove(files / "b\nb");
  const ReadAll all = read(*reader);
  EXPECT_EQ(all.text, "a\n");
  ASSERT_EQ(all.refused.size(), 1U);
  EXPECT_EQ(all.refused[0].find('\n'), std::string::npos);
}

TEST(Directory, PositionTellsOfEachFileOnce) {
  const TemporaryDirectory files;
  for (int i = 0; i < 3'000; ++i) {
    put(files, std::string(240, 'n') + std::to_string(i), "x" + std::to_string(i) + "\n", 100'000);
  }
  const ReadAll all = read_from(directory(files.path()), {});
  EXPECT_LT(all.detail_bytes, 3'000U * 64);
  EXPECT_EQ(read_from(directory(files.path()), all.position).text, "");
}

TEST(Directory, PositionForgetsWhatIsGone) {
  const TemporaryDirectory files;
  Watched watched(directory(files.path()));
  for (int i = 0; i < 5'000; ++i) {
    const std::string name = "f" + std::to_string(i);
    put(files, name, std::to_string(i) + "\n", 100'000);
    watched.look();
    watched.look();
    fs::remove(files / name);
  }
  EXPECT_LT(watched.all().position.detail.size(), 2'000U * 64);
}

TEST(Directory, PositionOfTheFirstVersionsIsReadOn) {
  const TemporaryDirectory files;
  put(files, "a", "a\n", 100);
  put(files, "b", "bb\nrest of b\n", 300);
  put(files, "c", "c\n", 200);
  put(files, "d", "d\n", 400);
  const std::string detail = "100000000005/a/200000000005/c/300000000005/b/";
  const ReadAll all = read_from(directory(files.path()), {3, detail});
  EXPECT_EQ(all.text, "rest of b\nd\n");
  EXPECT_EQ(read_from(directory(files.path()), all.position).text, "");
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
  for (const std::string detail : {"x", "=1", "=1:2:3", "=1:2:3:4", "+1:2:3:4;5", "=1:2:3:4!", "=1:2:3:x;", "=;"}) {
    EXPECT_NE(error_of(directory(files.path()), {0, detail}).find("damaged"), std::string::npos) << detail;
  }
}

}  // namespace
}  // namespace weir::source
