#include "state/checkpoint_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "state/checkpoint_format.hpp"
#include "support/temporary_directory.hpp"

namespace weir::state {
namespace {

using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string name_of(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return "checkpoint-" + std::string(20 - digits.size(), '0') + digits + ".weir";
}

struct Given {
  std::string name;
  std::string bytes;
};

std::vector<Given> sections(const std::string& mark) {
  return {{"stream/plugs", "watermark " + mark}, {"query/x", std::string(300, 'q') + mark}, {"sink/rows", ""}};
}

WriteResult write(CheckpointStore& store, const std::vector<Given>& sections) {
  CheckpointDraft draft = store.draft();
  for (const Given& section : sections) {
    draft.section(section.name).out().raw(section.bytes.data(), section.bytes.size());
  }
  return store.write(std::move(draft));
}

void expect_same(const Checkpoint& checkpoint, const std::vector<Given>& expected) {
  ASSERT_EQ(checkpoint.sections.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(checkpoint.sections[i].name, expected[i].name);
    EXPECT_EQ(checkpoint.sections[i].bytes, expected[i].bytes);
  }
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(CheckpointStore, AnEmptyDirectoryHoldsNothing) {
  TemporaryDirectory temporary;
  CheckpointStore store(temporary / "a/b/state");
  std::vector<std::string> warnings;
  EXPECT_FALSE(store.load(warnings));
  EXPECT_THAT(warnings, IsEmpty());
  struct ::stat status {};
  ASSERT_EQ(::stat((temporary / "a/b/state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(CheckpointStore, TheNewestComesBackAndOlderOnesAreRemoved) {
  TemporaryDirectory temporary;
  const std::string directory = temporary / "state";
  const std::int64_t before = wall_clock_ns();
  {
    CheckpointStore store(directory);
    for (const char* mark : {"1", "2", "3", "4", "5"}) write(store, sections(mark));
  }
  EXPECT_THAT(names_in(directory), ElementsAre("LOCK", name_of(3), name_of(4), name_of(5)));
  struct ::stat status {};
  ASSERT_EQ(::stat((directory + "/" + name_of(5)).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);

  CheckpointStore store(directory);
  std::vector<std::string> warnings;
  const auto loaded = store.load(warnings);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(loaded->number, 5U);
  EXPECT_GE(loaded->written_ns, before);
  EXPECT_LE(loaded->written_ns, wall_clock_ns());
  expect_same(*loaded, sections("5"));
  ASSERT_TRUE(loaded->find("query/x"));
  EXPECT_EQ(*loaded->find("query/x"), sections("5")[1].bytes);
  EXPECT_FALSE(loaded->find("query/y"));

  write(store, {});
  const auto empty = store.load(warnings);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->number, 6U);
  EXPECT_THAT(empty->sections, IsEmpty());
}

TEST(CheckpointStore, ADamagedNewestIsNamedAndTheOneBeforeIsUsed) {
  TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  write(store, sections("6"));
  write(store, sections("7"));
  const std::string path = temporary / name_of(2);
  std::string bytes = read_bytes(path);
  bytes[bytes.find("qqq") + 7] = 'Q';
  write_bytes(path, bytes);

  std::vector<std::string> warnings;
  const auto loaded = store.load(warnings);
  ASSERT_TRUE(loaded);
  expect_same(*loaded, sections("6"));
  EXPECT_THAT(warnings,
              ElementsAre(name_of(2) + " is damaged (section 'query/x': checksum differs); using " + name_of(1)));

  // The damaged file's number is not used again.
  write(store, sections("8"));
  warnings.clear();
  EXPECT_EQ(store.load(warnings)->number, 3U);
}

TEST(CheckpointStore, WhenAllAreDamagedTheErrorNamesThemAndNothingStartsEmpty) {
  TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  write(store, sections("1"));
  write(store, sections("2"));
  write_bytes(temporary / name_of(1), "");
  write_bytes(temporary / name_of(2), "nonsense that is longer than the frame");
  std::vector<std::string> warnings;
  const std::string message = message_of([&] { store.load(warnings); });
  EXPECT_THAT(message, HasSubstr(name_of(1) + " is damaged (cut short)"));
  EXPECT_THAT(message, HasSubstr(name_of(2) + " is damaged (not a checkpoint file)"));
  EXPECT_THAT(message, HasSubstr("start afresh"));
}

TEST(CheckpointStore, NoFlippedByteGivesOtherContent) {
  TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  write(store, {{"query/x", "some state"}, {"y", ""}});
  const std::string path = temporary / name_of(1);
  const std::string good = read_bytes(path);
  ASSERT_TRUE(parse_checkpoint(good).damage.empty());
  for (std::size_t position = 0; position < good.size(); ++position) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      std::string bytes = good;
      bytes[position] = static_cast<char>(static_cast<unsigned char>(bytes[position]) ^ flip);
      const ParsedHead parsed = parse_checkpoint(bytes);
      EXPECT_FALSE(parsed.damage.empty()) << "byte " << position << " xor " << flip;
      EXPECT_EQ(parsed.version > kCheckpointVersion, false) << "a flipped bit is damage, not a newer version";
    }
  }
}

TEST(CheckpointStore, NoTruncationAndNoTrailingByteIsTakenForGood) {
  CheckpointTable table{9, 8, {{"journal", 7}}, {{"query/x", {{9, 0, 10, chunk_checksum("some state")}}}, {"y", {}}}};
  table.sections[0].chunks[0].offset = head_bytes(table);
  std::string good = encode_head(table);
  good.append("some state").append(kCheckpointEnd);
  ASSERT_TRUE(parse_checkpoint(good).damage.empty()) << parse_checkpoint(good).damage;
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_checkpoint(std::string_view(good).substr(0, length)).damage.empty()) << length;
  }
  EXPECT_FALSE(parse_checkpoint(good + '\0').damage.empty());
}

TEST(CheckpointStore, AFileUnderAnotherNumberIsDamaged) {
  TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  write(store, sections("1"));
  std::filesystem::copy_file(temporary / name_of(1), temporary / name_of(9));
  std::vector<std::string> warnings;
  EXPECT_EQ(store.load(warnings)->number, 1U);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr(name_of(9) + " is damaged (it holds checkpoint 1)")));
}

TEST(CheckpointStore, ALeftoverOfACrashIsRemovedAndNotLoaded) {
  TemporaryDirectory temporary;
  {
    CheckpointStore store(temporary.path());
    write(store, sections("1"));
    write(store, sections("2"));
  }
  // The crash came between the write and the rename.
  std::filesystem::rename(temporary / name_of(2), temporary / (name_of(2) + ".tmp"));
  CheckpointStore store(temporary.path());
  EXPECT_THAT(names_in(temporary.path()), ElementsAre("LOCK", name_of(1)));
  std::vector<std::string> warnings;
  EXPECT_EQ(store.load(warnings)->number, 1U);
  EXPECT_THAT(warnings, IsEmpty());
  write(store, sections("2 again"));
  expect_same(*store.load(warnings), sections("2 again"));
}

TEST(CheckpointStore, AWriteThatFailsLeavesThePreviousOnes) {
  TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  write(store, sections("1"));
  const auto earlier_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct ::rlimit earlier {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &earlier), 0);
  struct ::rlimit small = earlier;
  small.rlim_cur = 200;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = message_of([&] { write(store, sections("2")); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &earlier), 0);
  std::signal(SIGXFSZ, earlier_handler);

  EXPECT_THAT(message, HasSubstr(name_of(2) + ".tmp': File too large"));
  EXPECT_THAT(names_in(temporary.path()), ElementsAre("LOCK", name_of(1)));
  std::vector<std::string> warnings;
  expect_same(*store.load(warnings), sections("1"));
  write(store, sections("2"));
  expect_same(*store.load(warnings), sections("2"));
}

TEST(CheckpointStore, ADirectoryThatCannotBeMadeIsAnErrorWithItsPath) {
  TemporaryDirectory temporary;
  write_bytes(temporary / "file", "");
  EXPECT_THAT(message_of([&] { CheckpointStore store(temporary / "file/state"); }),
              HasSubstr("cannot create directory '" + (temporary / "file/state") + "': Not a directory"));
  EXPECT_THAT(message_of([&] { CheckpointStore store(temporary / "file"); }), HasSubstr("Not a directory"));
}

TEST(CheckpointStore, AReadOnlyDirectoryIsAnErrorWithItsPath) {
  if (::geteuid() == 0) GTEST_SKIP() << "root ignores permissions";
  TemporaryDirectory temporary;
  ASSERT_EQ(::chmod(temporary.path().c_str(), 0500), 0);
  EXPECT_THAT(message_of([&] { CheckpointStore store(temporary.path()); }), HasSubstr("LOCK': Permission denied"));
  ASSERT_EQ(::chmod(temporary.path().c_str(), 0700), 0);
}

TEST(CheckpointStore, ALockThatIsALinkIsRefusedAndItsFileLeftAlone) {
  TemporaryDirectory temporary;
  for (const auto& make : {::symlink, ::link}) {
    const TemporaryDirectory state;
    write_bytes(temporary / "victim", "precious");
    ASSERT_EQ(make((temporary / "victim").c_str(), (state / "LOCK").c_str()), 0);
    EXPECT_THAT(message_of([&] { CheckpointStore store(state.path()); }), HasSubstr("LOCK' is a link or no file"));
    EXPECT_EQ(read_bytes(temporary / "victim"), "precious");
  }
}

TEST(CheckpointStore, AnUnfinishedFileThatIsALinkIsNotWrittenTo) {
  TemporaryDirectory temporary;
  TemporaryDirectory state;
  write_bytes(temporary / "victim", "precious");
  ASSERT_EQ(::symlink((temporary / "victim").c_str(), (state / (name_of(1) + ".tmp")).c_str()), 0);
  CheckpointStore store(state.path());
  std::vector<std::string> warnings;
  static_cast<void>(store.load(warnings));
  store.start_write(store.draft());
  store.wait();
  static_cast<void>(store.poll());
  EXPECT_EQ(read_bytes(temporary / "victim"), "precious");
}

TEST(CheckpointStore, ADirectoryThatEverybodyCanChangeIsWarnedOf) {
  TemporaryDirectory temporary;
  const auto warnings_with = [&](::mode_t mode) {
    EXPECT_EQ(::chmod(temporary.path().c_str(), mode), 0);
    CheckpointStore store(temporary.path());
    std::vector<std::string> warnings;
    static_cast<void>(store.load(warnings));
    return warnings;
  };
  EXPECT_THAT(warnings_with(0700), IsEmpty());
  EXPECT_THAT(warnings_with(0770), IsEmpty());
  EXPECT_THAT(warnings_with(0777), ElementsAre(HasSubstr("every user of this machine can change the state")));
  EXPECT_THAT(warnings_with(01777), IsEmpty()) << "sticky: what is ours is safe";
}

TEST(CheckpointStore, AnotherProcessIsNamedByItsNumber) {
  TemporaryDirectory temporary;
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    char byte = 'x';
    {
      const CheckpointStore store(temporary.path());
      if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const std::string message = message_of([&] { CheckpointStore store(temporary.path()); });
  EXPECT_EQ(message, "state directory '" + temporary.path() + "' is in use by process " + std::to_string(child));
  EXPECT_THAT(list_checkpoints(temporary.path()), IsEmpty());  // looking does not need the lock
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
  const CheckpointStore store(temporary.path());  // the lock goes with its process
}

TEST(CheckpointStore, ListShowsGoodAndDamagedOldestFirst) {
  TemporaryDirectory temporary;
  {
    CheckpointStore store(temporary.path());
    write(store, sections("1"));
    write(store, sections("2"));
  }
  write_bytes(temporary / name_of(1), "WEIRCKPT");
  const std::vector<CheckpointFile> files = list_checkpoints(temporary.path());
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].path, temporary / name_of(1));
  EXPECT_EQ(files[0].bytes, 8U);
  EXPECT_EQ(files[0].damage, "cut short");
  EXPECT_EQ(files[1].damage, "");
  EXPECT_EQ(files[1].checkpoint.number, 2U);
  EXPECT_EQ(files[1].bytes, std::filesystem::file_size(temporary / name_of(2)));
  EXPECT_THAT(message_of([&] { list_checkpoints(temporary / "nothing"); }), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace weir::state
