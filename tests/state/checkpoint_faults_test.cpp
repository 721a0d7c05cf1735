// Every call to the file system fails once: what was good before stays, and the next attempt works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>
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
using test::sections_of;
using test::TemporaryDirectory;
using ::testing::HasSubstr;

using Whole = std::map<std::string, std::string>;

constexpr Retention kSmall{2, 512, 3};

bool unfinished_in(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".tmp") return true;
  }
  return false;
}

Whole newest_in(const std::string& directory, std::uint64_t& number) {
  CheckpointStore store(directory, kSmall);
  std::vector<std::string> warnings;
  const auto loaded = store.load(warnings);
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  number = loaded ? loaded->number : 0;
  return loaded ? sections_of(*loaded) : Whole{};
}

TEST(CheckpointFaults, EachCallMayFailOnceAndTheNextAttemptWorks) {
  std::uint64_t faults = 0;
  for (const int error_number : {ENOSPC, EIO, EROFS}) {
    for (std::uint64_t fail_at = 1;; ++fail_at) {
      const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
      const std::string directory = temporary / "state";
      ChangingState state(fail_at);
      CountedFileSystem files;
      files.error_number = error_number;
      Whole expected;
      bool failed = false;
      {
        CheckpointStore store(directory, kSmall, files);
        for (int i = 0; i < 8; ++i) {
          if (i == 4) files.fail_at = files.calls + fail_at;
          state.change();
          CheckpointDraft draft = store.draft();
          Whole whole = state.save(draft);
          store.start_write(std::move(draft));
          store.wait();
          const WriteResult result = store.poll().value();
          EXPECT_FALSE(store.poll().has_value()) << "a result is told once";
          if (result.number != 0) expected = std::move(whole);
          if (!result.error.empty()) {
            EXPECT_FALSE(failed) << "the fault is gone: " << result.error;
            failed = true;
            EXPECT_THAT(result.error, HasSubstr(directory));
            EXPECT_THAT(result.error, HasSubstr(std::strerror(error_number)));
            EXPECT_FALSE(unfinished_in(directory));
          }
        }
      }
      std::uint64_t number = 0;
      EXPECT_EQ(newest_in(directory, number), expected) << "call " << fail_at;
      if (!failed) break;
      ++faults;
    }
  }
  EXPECT_GT(faults, 3 * 20U) << "the loop went over all the calls of four checkpoints";
}

// The process dies at the call, as far as the files show: nothing after it is done.
TEST(CheckpointFaults, AStartAfterAFaultThatLastsFindsTheLastGoodOne) {
  for (std::uint64_t fail_at = 1;; ++fail_at) {
    const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
    const std::string directory = temporary / "state";
    ChangingState state(fail_at);
    CountedFileSystem files;
    files.lasting = true;
    std::map<std::uint64_t, Whole> saved;
    std::uint64_t good = 0;
    bool failed = false;
    {
      CheckpointStore store(directory, kSmall, files);
      for (int i = 0; i < 6; ++i) {
        if (i == 3) files.fail_at = files.calls + fail_at;
        state.change();
        CheckpointDraft draft = store.draft();
        const Whole whole = state.save(draft);
        store.start_write(std::move(draft));
        store.wait();
        const WriteResult result = store.poll().value();
        failed = failed || !result.error.empty();
        if (result.number != 0) good = result.number;
        // It may be whole on the disk although nobody was told.
        saved.try_emplace(good + (result.number == 0 ? 1 : 0), whole);
      }
    }
    std::uint64_t number = 0;
    const Whole found = newest_in(directory, number);
    EXPECT_GE(number, good);
    EXPECT_LE(number, good + 1);
    EXPECT_EQ(found, saved.at(number)) << "call " << fail_at;
    if (!failed) break;
  }
}

TEST(CheckpointFaults, RowsThatCannotBeSyncedAreReportedAndComeBeforeTheCheckpoint) {
  const TemporaryDirectory temporary;
  const std::string directory = temporary / "state";
  CountedFileSystem files;
  CheckpointStore store(directory, {}, files);
  const std::string path = temporary / "rows";
  const auto draft = [&](bool with_rows) {
    CheckpointDraft next = store.draft();
    next.section("x").out().u64(1);
    std::vector<FileToSync> rows;
    if (with_rows) {
      rows.push_back({files.open(path, O_RDWR | O_CREAT, 0600), path});
      rows.push_back({{}, temporary.path()});
    }
    next.sync(std::move(rows));
    return next;
  };
  CheckpointDraft first = draft(true);
  files.fail_at = files.calls + 1;
  store.start_write(std::move(first));
  store.wait();
  const WriteResult failed = store.poll().value();
  EXPECT_EQ(failed.number, 0U);
  EXPECT_TRUE(failed.rows_at_risk);
  EXPECT_EQ(failed.error, "cannot sync '" + path + "': Input/output error");
  // They are tried again with the next one, which does not name them.
  const std::uint64_t before = files.calls;
  store.write(draft(false));
  const std::uint64_t with_two_more = files.calls - before;
  const std::uint64_t again = files.calls;
  store.write(draft(false));
  EXPECT_EQ(with_two_more, files.calls - again + 2);
}

// A write that stops in the middle until it is let go.
class HeldFileSystem : public FileSystem {
 public:
  void write(const FileDescriptor& file, std::string_view bytes, const std::string& path) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    FileSystem::write(file, bytes, path);
  }
  void hold(bool held) {
    const std::scoped_lock lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

TEST(CheckpointFaults, AWriteRunsBesideItsCallerAndOnlyOneAtATime) {
  const TemporaryDirectory temporary;
  HeldFileSystem files;
  CheckpointStore store(temporary.path(), {}, files);
  EXPECT_FALSE(store.busy());
  EXPECT_FALSE(store.poll());
  files.hold(true);
  CheckpointDraft first = store.draft();
  CheckpointDraft second = store.draft();
  first.section("x").out().u64(1);
  store.start_write(std::move(first));
  EXPECT_TRUE(store.busy());
  EXPECT_FALSE(store.poll());
  EXPECT_THROW(store.start_write(std::move(second)), std::logic_error);
  files.hold(false);
  store.wait();
  EXPECT_FALSE(store.busy());
  EXPECT_EQ(store.poll().value().number, 1U);
}

TEST(CheckpointFaults, AStoreThatGoesFinishesItsWrite) {
  const TemporaryDirectory temporary;
  HeldFileSystem files;
  {
    CheckpointStore store(temporary.path(), {}, files);
    CheckpointDraft draft = store.draft();
    draft.section("x").out().text("the last one");
    store.start_write(std::move(draft));
  }
  std::uint64_t number = 0;
  EXPECT_EQ(newest_in(temporary.path(), number).size(), 1U);
  EXPECT_EQ(number, 1U);
}

}  // namespace
}  // namespace weir::state
