// Disks that are full and disks that fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "journal/live_segment.hpp"
#include "journal_files.hpp"
#include "support/faulty_file_system.hpp"
#include "support/process.hpp"

namespace weir::test {
namespace {

using testing::HasSubstr;
using Call = FaultyFileSystem::Call;

class Faults : public testing::Test {
 protected:
  Faults() {
    options_.directory = directory_.path();
    options_.segment_bytes = 16U << 10U;
    options_.files = &files_;
    options_.notice = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      notices_.push_back(line);
    };
  }
  /// Opens it and waits until the next segment is ready, so that every call from then on is one of the test's.
  std::unique_ptr<Journal> open_and_settle() {
    const std::uint64_t before = files_.calls(Call::sync);
    auto journal = open_journal(options_);
    EXPECT_TRUE(eventually([&] { return files_.calls(Call::sync) >= before + 2; }));
    return journal;
  }
  std::vector<std::string> notices() {
    const std::lock_guard lock(mutex_);
    return notices_;
  }

  TemporaryDirectory directory_;
  FaultyFileSystem files_;
  DurableOptions options_;
  std::mutex mutex_;
  std::vector<std::string> notices_;
};

TEST_F(Faults, AFullDiskHoldsProducersBackUntilThereIsRoom) {
  const auto journal = open_journal(options_);
  files_.fail(Call::allocate, ENOSPC);
  const std::string payload(1000, 'p');
  std::atomic<int> taken{0};
  std::thread producer([&] {
    for (int i = 0; i < 100; ++i) taken += journal->offer(message(payload)) == batch::Accepted::yes ? 1 : 0;
  });
  // The active segment, perhaps one that was ready, and then it waits.
  ASSERT_TRUE(eventually([&] { return taken >= 13 && !notices().empty(); }));
  EXPECT_THAT(notices()[0], HasSubstr("No space left on device"));
  // A QoS 0 message is taken into memory meanwhile, and the worker's time goes on.
  batch::MessageView loose = message("loose");
  loose.delivery = batch::Delivery::shed;
  EXPECT_EQ(journal->offer(loose), batch::Accepted::yes);
  int read = 0;
  for (int ticks = 0; ticks < 3;) {
    const Record* record = journal->next(0, std::chrono::seconds(0));
    ASSERT_NE(record, nullptr);
    read += record->kind == Record::Kind::message ? 1 : 0;
    ticks += record->kind == Record::Kind::tick ? 1 : 0;
  }
  EXPECT_LT(taken, 100);
  files_.heal(Call::allocate);
  while (read < 101) {
    const Record* record = journal->next(kNever, kLong);
    ASSERT_NE(record, nullptr);
    read += record->kind == Record::Kind::message ? 1 : 0;
  }
  producer.join();
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(notices().size(), 2U) << "one line when it begins and one when it ends";
  EXPECT_THAT(notices()[1], HasSubstr("room"));
}

TEST_F(Faults, AFullDiskDoesNotHoldUpTheEnd) {
  auto journal = open_journal(options_);
  files_.fail(Call::allocate, ENOSPC);
  const std::string payload(1000, 'p');
  std::atomic<int> taken{0};
  std::thread producer([&] {
    while (journal->offer(message(payload)) == batch::Accepted::yes) ++taken;
  });
  ASSERT_TRUE(eventually([&] { return taken >= 13 && !notices().empty(); }));
  batch::MessageView loose = message(payload);
  loose.delivery = batch::Delivery::shed;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(journal->offer(loose), batch::Accepted::yes);
  journal->close();
  producer.join();
  int read = 0;
  std::uint64_t shed = 0;
  while (const Record* record = journal->next(kNever, kLong)) {
    read += record->kind == Record::Kind::message ? 1 : 0;
    shed += record->shed;
  }
  EXPECT_EQ(static_cast<std::uint64_t>(read) + shed, static_cast<std::uint64_t>(taken) + 20) << "each is accounted for";
  EXPECT_GE(read, taken.load());
  journal.reset();
  EXPECT_EQ(parse_journal(options_.directory).back().kind, 3);
}

TEST_F(Faults, ADiskThatIsFullAtTheStartIsAnError) {
  files_.fail(Call::allocate, ENOSPC);
  try {
    open_journal(options_);
    FAIL() << "it was opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("make room for"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(options_.directory)) << "nothing is left behind";
}

TEST_F(Faults, AFailedSyncIsForGood) {
  const auto journal = open_and_settle();
  journal->offer(message("a"));
  journal->sync();
  journal->offer(message("b"));
  files_.fail_nth(Call::sync, 1, EIO);
  EXPECT_THROW(journal->sync(), Error);
  EXPECT_THROW(journal->sync(), Error) << "the pages count as clean now, but were never written";
  EXPECT_EQ(journal->offer(message("c")), batch::Accepted::stopped);
  EXPECT_THROW(
      {
        while (journal->next(kNever, kLong) != nullptr) {
        }
      },
      Error);
}

TEST_F(Faults, WithSyncEachAMessageIsTakenWhenItIsSynced) {
  options_.sync_each = true;
  const auto journal = open_and_settle();
  const std::uint64_t before = files_.calls(Call::sync);
  EXPECT_EQ(journal->offer(message("a")), batch::Accepted::yes);
  EXPECT_GT(files_.calls(Call::sync), before);
  EXPECT_GT(files_.calls(Call::sync_directory), 0U) << "the file's name as well";
  files_.fail_nth(Call::sync, 1, EIO);
  EXPECT_EQ(journal->offer(message("b")), batch::Accepted::stopped);
}

TEST_F(Faults, ProducersThatWaitTogetherShareASync) {
  options_.sync_each = true;
  options_.segment_bytes = 16U << 20U;
  const auto journal = open_journal(options_);
  const std::uint64_t before = files_.calls(Call::sync);
  std::vector<std::thread> producers;
  std::atomic<std::uint64_t> taken{0};
  for (int producer = 0; producer < 8; ++producer) {
    producers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) taken += journal->offer(message("m")) == batch::Accepted::yes ? 1U : 0U;
    });
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(taken, 800U);
  EXPECT_LT(files_.calls(Call::sync) - before, taken.load());
}

TEST_F(Faults, AFailureInTheBackgroundReachesTheWorker) {
  for (const Call call : {Call::rename, Call::allocate, Call::open, Call::truncate}) {
    files_.heal(call);
    const auto journal = open_journal(options_);
    files_.fail(call, EIO);
    const std::string payload(1000, 'p');
    while (journal->offer(message(payload)) == batch::Accepted::yes) {
    }
    EXPECT_THROW(
        {
          while (journal->next(kNever, kLong) != nullptr) {
          }
        },
        Error);
    files_.heal(call);
  }
}

TEST_F(Faults, ASegmentThatCannotBeRemovedIsTriedAgain) {
  const auto journal = open_journal(options_);
  for (int i = 0; i < 50; ++i) journal->offer(message(std::string(1000, 'p')));
  const std::size_t before = segment_files(options_.directory).size();
  ASSERT_GT(before, 2U);
  files_.fail_nth(Call::remove, 2, EIO);
  journal->release_before(1000);
  EXPECT_EQ(segment_files(options_.directory).size(), before - 1);
  journal->release_before(1000);
  EXPECT_EQ(segment_files(options_.directory).size(), 1U);
}

TEST_F(Faults, ASegmentThatCannotBeCompressedStaysAsItIs) {
  options_.keep = true;
  {
    const auto journal = open_journal(options_);
    for (int i = 0; i < 5; ++i) journal->offer(message(std::string(1000, 'p')));
    files_.write_short(2, 10);
  }
  EXPECT_EQ(parse_journal(options_.directory).size(), 6U);
  EXPECT_FALSE(journal::list_segments(options_.directory).front().compressed);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("uncompressed"));
}

TEST_F(Faults, ASegmentThatIsCompleteNeedsNoFurtherSyncAndIsNotTakenForOneThatWasCutOff) {
  const auto segment = journal::LiveSegment::create(files_, options_.directory, 0, options_.segment_bytes);
  segment->begin(0);
  segment->complete(0, false);
  const std::uint64_t syncs = files_.calls(Call::sync);
  // A sync of the whole chain may have begun before it was completed in the background.
  EXPECT_NO_THROW(segment->sync());
  EXPECT_EQ(files_.calls(Call::sync), syncs);
}

TEST_F(Faults, AFailureAtTheVeryEndIsTold) {
  auto journal = open_and_settle();
  journal->offer(message("p"));
  files_.fail(Call::sync, EIO);
  journal.reset();
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("Input/output error"));
}

}  // namespace
}  // namespace weir::test
