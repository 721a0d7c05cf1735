// Checkpoints that hold only what changed, beside a full save of the same state.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include "core/error.hpp"
#include "state/checkpoint_model.hpp"
#include "state/checkpoint_store.hpp"
#include "support/temporary_directory.hpp"

namespace weir::state {
namespace {

namespace fs = std::filesystem;
using test::ChangingState;
using test::CountedFileSystem;
using test::read_bytes;
using test::sections_of;
using test::TemporaryDirectory;
using test::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Whole = std::map<std::string, std::string>;

constexpr std::uint64_t kSlack = 2048;
constexpr Retention kSmall{3, kSlack, 6};

std::vector<fs::path> checkpoints_in(const std::string& directory) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".weir") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Whole save(CheckpointStore& store, ChangingState& state, WriteResult* result = nullptr) {
  CheckpointDraft draft = store.draft();
  Whole whole = state.save(draft);
  const WriteResult written = store.write(std::move(draft));
  EXPECT_EQ(written.error, "");
  if (result != nullptr) *result = written;
  return whole;
}

// What a start from this directory gives: a checkpoint as it was saved, or an error; anything else is a failure.
std::optional<std::uint64_t> load_some(const std::string& directory, const std::map<std::uint64_t, Whole>& saved) {
  CheckpointStore store(directory, kSmall);
  std::vector<std::string> warnings;
  try {
    const auto loaded = store.load(warnings);
    if (!loaded) return std::nullopt;
    EXPECT_EQ(sections_of(*loaded), saved.at(loaded->number));
    return loaded->number;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("can be used: checkpoint-"));
    return std::nullopt;
  }
}

TEST(CheckpointIncrements, EveryOneHoldsWhatAFullSaveWould) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
    const std::string directory = temporary / "state";
    ChangingState state(seed);
    std::map<std::uint64_t, Whole> saved;
    std::uint64_t number = 0;
    std::uint64_t referenced = 0;
    for (int start = 0; start < 6; ++start) {
      CheckpointStore store(directory, kSmall);
      std::vector<std::string> warnings;
      const auto found = store.load(warnings);
      ASSERT_EQ(found.has_value(), start > 0);
      EXPECT_THAT(warnings, IsEmpty());
      if (found) {
        ASSERT_EQ(found->number, number);
        ASSERT_EQ(sections_of(*found), saved.at(number));
      }
      const int checkpoints = 1 + static_cast<int>(state.random()() % 20);
      for (int i = 0; i < checkpoints; ++i) {
        state.change();
        WriteResult result;
        Whole whole = save(store, state, &result);
        number = result.number;
        saved[number] = std::move(whole);
        referenced += result.referenced_bytes;
        for (const CheckpointFile& file : list_checkpoints(directory)) {
          EXPECT_EQ(file.damage, "") << file.path;
          if (file.only_chunks) continue;
          ASSERT_EQ(sections_of(file.checkpoint), saved.at(file.checkpoint.number));
        }
      }
    }
    EXPECT_GT(referenced, 0U);
  }
}

TEST(CheckpointIncrements, DamageGivesAnOlderOneOrAnErrorNeverAnotherState) {
  std::set<std::uint64_t> steps_back;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
    const std::string directory = temporary / "state";
    ChangingState state(seed);
    std::map<std::uint64_t, Whole> saved;
    {
      CheckpointStore store(directory, kSmall);
      for (int i = 0; i < 12; ++i) {
        state.change();
        Whole whole = save(store, state);
        saved[saved.size() + 1] = std::move(whole);
      }
    }
    const std::uint64_t newest = saved.size();
    EXPECT_EQ(load_some(directory, saved), newest);
    fs::remove(directory + "/LOCK");
    for (const fs::path& path : checkpoints_in(directory)) {
      const std::string good = read_bytes(path);
      const auto note = [&](std::optional<std::uint64_t> number) { steps_back.insert(number ? newest - *number : 99); };
      fs::remove(path);
      note(load_some(directory, saved));
      write_bytes(path, std::string_view(good).substr(0, state.random()() % good.size()));
      note(load_some(directory, saved));
      for (int flip = 0; flip < 40; ++flip) {
        std::string bytes = good;
        char& byte = bytes[state.random()() % bytes.size()];
        byte = static_cast<char>(byte ^ (1 << (state.random()() % 8)));
        write_bytes(path, bytes);
        note(load_some(directory, saved));
      }
      write_bytes(path, good);
    }
    EXPECT_EQ(load_some(directory, saved), newest);
  }
  EXPECT_TRUE(steps_back.contains(0) && steps_back.contains(1) && steps_back.contains(99)) << "the damage had variety";
}

TEST(CheckpointIncrements, WhatDidNotChangeIsWrittenOnce) {
  const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
  CountedFileSystem files;
  CheckpointStore store(temporary / "state", {3, 1U << 20U, 64}, files);
  constexpr std::size_t kPane = 10'000;
  constexpr std::uint64_t kPanes = 50;
  for (std::uint64_t open = 0; open < kPanes; ++open) {
    const std::uint64_t before = files.written;
    CheckpointDraft draft = store.draft();
    SectionWriter& section = draft.section("query/x");
    section.out().u64(open);
    for (std::uint64_t pane = open < 6 ? 0 : open - 6; pane <= open; ++pane) {
      const std::uint64_t readings = pane == open ? 1 : 2;  // the newest one is still being filled
      if (section.begin_chunk(pane, readings)) section.out().raw(std::string(kPane, 'x').data(), kPane);
    }
    EXPECT_EQ(store.write(std::move(draft)).error, "");
    // The open pane, and the one that was open at the checkpoint before.
    EXPECT_LE(files.written - before, 2 * kPane + 1000);
  }
}

TEST(CheckpointIncrements, FilesGoWhenNothingRefersToThemAndNeverHoldMuchMoreThanIsNeeded) {
  const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
  const std::string directory = temporary / "state";
  CheckpointStore store(directory, kSmall);
  ChangingState state(9);
  for (int i = 0; i < 200; ++i) {
    state.change();
    save(store, state);
    const std::vector<CheckpointFile> files = list_checkpoints(directory);
    std::map<std::uint64_t, std::uint64_t> size;
    for (const CheckpointFile& file : files) size[file.checkpoint.number] = file.bytes;
    std::set<std::uint64_t> needed;
    for (const CheckpointFile& file : files) {
      if (file.only_chunks) continue;
      const std::uint64_t number = file.checkpoint.number;
      needed.insert(number);
      needed.insert(file.references.begin(), file.references.end());
      EXPECT_LE(file.references.size(), kSmall.most_files);
      std::uint64_t held = file.bytes;
      for (const std::uint64_t other : file.references) held += size.at(other);
      EXPECT_LE(held, 2 * (file.bytes + file.referenced_bytes) + kSlack) << "checkpoint " << number;
    }
    EXPECT_THAT(files, SizeIs(needed.size())) << "a file that nobody needs stayed";
  }
}

TEST(CheckpointIncrements, AnIdThatIsUsedTwiceIsNeverTakenAsStored) {
  const TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  for (int round = 0; round < 3; ++round) {
    CheckpointDraft draft = store.draft();
    SectionWriter& section = draft.section("x");
    for (const char* const text : {"first", "second"}) {
      EXPECT_TRUE(section.begin_chunk(7, 1));
      section.out().raw(text, std::string_view(text).size());
    }
    store.write(std::move(draft));
  }
  std::vector<std::string> warnings;
  EXPECT_EQ(*store.load(warnings)->find("x"), "firstsecond");
}

TEST(CheckpointIncrements, WhatKeptCheckpointsNeedOfOthersIsKnownAlsoAfterAStart) {
  const TemporaryDirectory temporary;
  const auto write = [](CheckpointStore& store, Needs needs) {
    CheckpointDraft draft = store.draft();
    for (const auto& [name, number] : needs) draft.need(name, number);
    store.write(std::move(draft));
  };
  {
    CheckpointStore store(temporary.path());
    EXPECT_THAT(store.needed(), IsEmpty());
    write(store, {{"plugs", 5}, {"doors", 9}});
    write(store, {{"plugs", 7}, {"doors", 2}});
    EXPECT_EQ(store.needed(), (Needs{{"doors", 2}, {"plugs", 5}}));
  }
  CheckpointStore store(temporary.path());
  EXPECT_EQ(store.needed(), (Needs{{"doors", 2}, {"plugs", 5}}));
  write(store, {{"plugs", 8}});
  EXPECT_EQ(store.needed(), (Needs{{"doors", 2}, {"plugs", 5}}));
  write(store, {{"plugs", 9}});
  EXPECT_EQ(store.needed(), (Needs{{"doors", 2}, {"plugs", 7}})) << "the first one is no longer kept";
  std::vector<std::string> warnings;
  EXPECT_EQ(store.load(warnings)->needs, (Needs{{"plugs", 9}}));
}

class RottenChunk : public ::testing::TestWithParam<std::pair<std::uint64_t, std::size_t>> {};

TEST_P(RottenChunk, IsNoticedAndWrittenAnew) {
  const std::uint64_t chunks = GetParam().first;
  const std::size_t chunk_bytes = GetParam().second;
  for (std::uint64_t rotten = 0; rotten < chunks; ++rotten) {
    const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
    // A third of a chunk with each checkpoint.
    CheckpointStore store(temporary / "state", {3, 1U << 20U, 64, chunk_bytes / 3});
    const auto write = [&] {
      CheckpointDraft next = store.draft();
      SectionWriter& section = next.section("x");
      for (std::uint64_t id = 0; id < chunks; ++id) {
        if (section.begin_chunk(id, 1)) {
          section.out().raw(std::string(chunk_bytes, static_cast<char>('a' + id)).data(), chunk_bytes);
        }
      }
      store.start_write(std::move(next));
      store.wait();
      return store.poll().value();
    };
    for (int i = 0; i < 5; ++i) ASSERT_EQ(write().error, "");
    const fs::path path = checkpoints_in(temporary / "state").front();
    std::string bytes = read_bytes(path);
    const std::size_t begin = bytes.find(std::string(chunk_bytes, static_cast<char>('a' + rotten)));
    ASSERT_NE(begin, std::string::npos);
    bytes[begin + (rotten + 1) * (chunk_bytes - 1) / chunks] ^= 1;
    write_bytes(path, bytes);

    std::uint64_t checkpoints = 0;
    WriteResult result;
    while (result.error.empty() && checkpoints++ < 6 * chunks) result = write();
    EXPECT_EQ(result.number, 0U);
    EXPECT_THAT(result.error, HasSubstr("00001.weir: checksum differs: an older chunk of the checkpoint is damaged"));
    EXPECT_EQ(write().referenced_bytes, 0U);
    std::vector<std::string> warnings;
    EXPECT_EQ(store.load(warnings)->find("x")->size(), chunks * chunk_bytes);
    EXPECT_THAT(warnings, IsEmpty());
    for (int i = 0; i < 100; ++i) ASSERT_EQ(write().error, "") << "all is well again";
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RottenChunk, ::testing::Values(std::pair(20, 1000), std::pair(3, 700'000)));

TEST(CheckpointIncrements, AnOldChunkThatWentBadIsNoticedWhenItIsCopiedAndEverythingIsWrittenAnew) {
  const TemporaryDirectory temporary;
  // No slack and no other file: the second checkpoint has to copy what it takes from the first.
  CheckpointStore store(temporary.path(), {3, 0, 0});
  const auto draft = [&] {
    CheckpointDraft next = store.draft();
    SectionWriter& section = next.section("x");
    if (section.begin_chunk(1, 1)) section.out().text("a chunk that stays as it is");
    section.end_chunk();
    section.out().u64(1);
    return next;
  };
  store.write(draft());
  const fs::path path = checkpoints_in(temporary.path()).front();
  const std::string good = read_bytes(path);
  std::string bad = good;
  bad[bad.find("stays")] = 'S';
  write_bytes(path, bad);
  store.start_write(draft());
  store.wait();
  const WriteResult failed = store.poll().value();
  EXPECT_EQ(failed.number, 0U);
  EXPECT_THAT(failed.error, HasSubstr("00001.weir: checksum differs: an older chunk of the checkpoint is damaged"));
  EXPECT_THAT(checkpoints_in(temporary.path()), ElementsAre(path));
  const WriteResult whole = store.write(draft());
  EXPECT_EQ(whole.copied_bytes + whole.referenced_bytes, 0U);
  std::vector<std::string> warnings;
  EXPECT_EQ(store.load(warnings)->number, 2U);
  EXPECT_THAT(warnings, IsEmpty());

  // A file that is gone is noticed without a copy.
  write_bytes(path, good);
  store.write(draft());
  fs::remove(checkpoints_in(temporary.path()).back());
  store.start_write(draft());
  store.wait();
  EXPECT_THAT(store.poll().value().error, HasSubstr("is gone: an older chunk"));
  EXPECT_EQ(store.write(draft()).error, "");
}

class LockedOutFileSystem : public FileSystem {
 public:
  FileDescriptor open(const std::string& path, int flags, ::mode_t mode) override {
    if (locked_out && (flags & O_CREAT) == 0) throw FileError("open", path, EACCES);
    return FileSystem::open(path, flags, mode);
  }
  std::atomic<bool> locked_out{false};
};

TEST(CheckpointIncrements, WhoIsNotLetInDoesNotCallItDamage) {
  const TemporaryDirectory temporary;
  LockedOutFileSystem files;
  CheckpointStore store(temporary.path(), {3, 0, 0}, files);
  const auto draft = [&] {
    CheckpointDraft next = store.draft();
    SectionWriter& section = next.section("x");
    if (section.begin_chunk(1, 1)) section.out().text("a chunk that stays as it is");
    section.end_chunk();
    section.out().u64(1);
    return next;
  };
  store.write(draft());
  files.locked_out = true;
  store.start_write(draft());
  store.wait();
  const WriteResult failed = store.poll().value();
  EXPECT_EQ(failed.number, 0U);
  EXPECT_THAT(failed.error, HasSubstr("Permission denied"));
  EXPECT_THAT(failed.error, ::testing::Not(HasSubstr("damaged")));
  files.locked_out = false;
  const WriteResult next = store.write(draft());
  EXPECT_GT(next.copied_bytes + next.referenced_bytes, 0U) << "what is stored still counts";
}

}  // namespace
}  // namespace weir::state
