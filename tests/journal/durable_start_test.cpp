// What a start does to a journal, and when: nothing before begin(); a journal that lacks its end; files that others
// take away or cut off while Weir writes to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "journal_files.hpp"

namespace weir::test {
namespace {

using testing::HasSubstr;

class Start : public testing::Test {
 protected:
  Start() {
    options_.directory = directory_.path();
    options_.segment_bytes = 4096;
    options_.notice = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      notices_.push_back(line);
    };
  }
  /// A life of the journal with so many messages of 100 bytes.
  void live(int messages) {
    Recovered recovered;
    const auto journal = open_durable_journal(options_, 0, recovered);
    for (int i = 0; i < messages; ++i) journal->offer(message(std::string(100, 'x')));
  }
  [[nodiscard]] std::string refusal(std::uint64_t from = 0) const {
    try {
      Recovered recovered;
      open_durable_journal(options_, from, recovered);
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  }
  [[nodiscard]] std::map<std::string, std::string> snapshot() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      files[entry.path().string()] = read_bytes(entry.path().string());
    }
    return files;
  }
  std::string notices() {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& line : notices_) all += line + "\n";
    return all;
  }

  TemporaryDirectory directory_;
  DurableOptions options_;
  std::mutex mutex_;
  std::vector<std::string> notices_;
};

TEST_F(Start, LookingAtAJournalChangesNothingWhateverACrashLeft) {
  live(100);
  const std::string last = segment_files(options_.directory).back();
  std::string bytes = read_bytes(last);
  std::fill_n(bytes.begin() + 64, 64, '\0');              // not complete
  write_bytes(last, bytes.substr(0, bytes.size() - 20));  // a torn end
  write_bytes(directory_ / "journal-0.tmp", "unfinished");
  const auto before = snapshot();
  {
    Recovered recovered;
    const auto journal = prepare_durable_journal(options_, 0, recovered);
    EXPECT_GT(recovered.records, 90U);
    EXPECT_EQ(recovered.warnings.size(), 1U);
  }
  EXPECT_EQ(snapshot(), before);
  EXPECT_EQ(refusal(), "") << "and then it can be opened";
  EXPECT_NE(snapshot(), before);
}

TEST_F(Start, SendersThatCanWaitWaitForTheBeginning) {
  Recovered recovered;
  const auto journal = prepare_durable_journal(options_, 0, recovered);
  batch::Accepted accepted = batch::Accepted::stopped;
  std::thread sender([&] { accepted = journal->offer(message("waits")); });
  EXPECT_TRUE(segment_files(options_.directory).empty());
  journal->begin();
  sender.join();
  EXPECT_EQ(accepted, batch::Accepted::yes);
  EXPECT_EQ(drain(*journal).size(), 1U);
}

TEST_F(Start, ACloseBeforeTheBeginningSendsThemAway) {
  Recovered recovered;
  const auto journal = prepare_durable_journal(options_, 0, recovered);
  batch::Accepted accepted = batch::Accepted::yes;
  std::thread sender([&] { accepted = journal->offer(message("waits")); });
  journal->close();
  sender.join();
  EXPECT_EQ(accepted, batch::Accepted::stopped);
  EXPECT_TRUE(segment_files(options_.directory).empty());
}

TEST_F(Start, ASenderThatAcknowledgesBeginsTheJournal) {
  Recovered recovered;
  const auto journal = prepare_durable_journal(options_, 0, recovered);
  EXPECT_EQ(journal->offer_until(message("acknowledged"), {}), batch::Accepted::yes);
  journal->begin();
  EXPECT_EQ(drain(*journal).size(), 1U);
}

TEST_F(Start, AJournalWithoutItsNewestSegmentIsRefused) {
  live(100);
  const std::string newest = segment_files(options_.directory).back();
  const std::uint64_t first = parse_segment(newest).front().number;
  std::filesystem::remove(newest);
  EXPECT_THAT(refusal(), HasSubstr("lacks its end"));
  EXPECT_THAT(refusal(), HasSubstr("begins with record " + std::to_string(first) + ", is gone"));
  EXPECT_THAT(refusal(first), HasSubstr("lacks its end")) << "the checkpoint has all that is left";
  options_.skip_damage = true;
  EXPECT_EQ(refusal(), "");
}

TEST_F(Start, TheLastSegmentOfAnEarlierLifeKnowsThatALaterOneFollowed) {
  live(3);
  live(3);
  const std::vector<std::string> segments = segment_files(options_.directory);
  ASSERT_EQ(segments.size(), 2U);
  std::filesystem::remove(segments.back());
  EXPECT_THAT(refusal(4), HasSubstr("lacks its end"));
}

TEST_F(Start, AJournalThatEndsBeforeItsCheckpointIsRefusedUnlessThePowerFailed) {
  live(3);  // records 0 to 3
  EXPECT_EQ(refusal(4), "");
  std::filesystem::remove(segment_files(options_.directory).back());
  const std::string path = segment_files(options_.directory).back();
  const std::string whole = read_bytes(path);
  const auto in_another_run_of_the_system = [&](bool other) {
    std::string bytes = whole;
    std::fill_n(bytes.begin() + 64, 64, '\0');  // not complete, as a power cut leaves it
    if (other) bytes[40] = static_cast<char>(bytes[40] ^ 1);
    const std::uint64_t checksum = XXH3_64bits_withSeed(bytes.data(), 56, 1);
    std::memcpy(bytes.data() + 56, &checksum, sizeof checksum);
    write_bytes(path, bytes);
  };
  in_another_run_of_the_system(false);
  EXPECT_THAT(refusal(9), HasSubstr("ends with record 3, before record 9 with which it is to go on"));
  in_another_run_of_the_system(true);
  EXPECT_EQ(refusal(9), "");
}

TEST_F(Start, ASegmentThatAnotherProgramCutsOffIsAnErrorAndNoSignal) {
  options_.segment_bytes = 1U << 20U;
  Recovered recovered;
  const auto journal = open_durable_journal(options_, 0, recovered);
  ASSERT_EQ(journal->offer(message(std::string(20'000, 'x'))), batch::Accepted::yes);
  ASSERT_NE(journal->next(kNever, kLong), nullptr);
  std::filesystem::resize_file(segment_files(options_.directory).front(), 0);
  EXPECT_EQ(journal->offer_until(message(std::string(20'000, 'y')), {}), batch::Accepted::broken);
  EXPECT_THAT(notices(), HasSubstr("was cut off by another program"));
  try {
    while (journal->next(kNever, kLong) != nullptr) {
    }
    FAIL() << "what was there is gone";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("was cut off by another program"));
  }
}

TEST_F(Start, ASegmentThatIsCutOffBehindItsRecordsIsNoticedByTheNextSync) {
  options_.segment_bytes = 1U << 20U;
  Recovered recovered;
  const auto journal = open_durable_journal(options_, 0, recovered);
  ASSERT_EQ(journal->offer(message("x")), batch::Accepted::yes);
  std::filesystem::resize_file(segment_files(options_.directory).front(), 100'000);
  EXPECT_THROW(journal->sync(), Error);
}

TEST_F(Start, SegmentsThatAreCompletedWhileTheyAreSyncedAreNotTakenForCutOff) {
  options_.backlog_bytes = 1U << 30U;
  Recovered recovered;
  const auto journal = open_durable_journal(options_, 0, recovered);
  std::atomic<bool> over = false;
  std::thread syncer([&] {
    while (!over) journal->sync();
  });
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(journal->offer(message(std::string(400, 'x'))), batch::Accepted::yes);
    if (i % 100 == 0) journal->release_before(static_cast<std::uint64_t>(i));
  }
  over = true;
  syncer.join();
  EXPECT_EQ(notices(), "");
}

TEST_F(Start, ASegmentThatIsRemovedWhileItIsWrittenToIsToldOfOnce) {
  Recovered recovered;
  const auto journal = open_durable_journal(options_, 0, recovered);
  std::filesystem::remove(segment_files(options_.directory).front());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(journal->offer(message("x")), batch::Accepted::yes);
    journal->sync();
  }
  const std::string told = notices();
  EXPECT_THAT(told, HasSubstr("was removed while Weir writes to it"));
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1);
}

}  // namespace
}  // namespace weir::test
