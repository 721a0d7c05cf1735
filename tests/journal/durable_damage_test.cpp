// Files that are not as they were left: what a crash explains is put right with a warning, everything else is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "journal_files.hpp"

namespace weir::test {
namespace {

using testing::HasSubstr;

constexpr std::size_t kHeader = 128;
constexpr std::size_t kFrame = 56 + 104;  // of a payload of 100 bytes

class Damage : public testing::Test {
 protected:
  Damage() { options_.directory = directory_.path(); }

  /// One segment: the start and nine messages of 100 bytes, numbers 0 to 9.
  std::string write_one_segment() {
    options_.segment_bytes = 64U << 10U;
    {
      const auto journal = open_journal(options_);
      for (int i = 0; i < 9; ++i) journal->offer(message(std::string(100, static_cast<char>('a' + i))));
    }
    return segment_files(options_.directory).front();
  }
  std::vector<std::string> write_segments() {
    options_.segment_bytes = 4096;
    {
      const auto journal = open_journal(options_);
      for (int i = 0; i < 200; ++i) journal->offer(message(std::string(100, 'x')));
    }
    return segment_files(options_.directory);
  }
  /// As a process leaves it that was killed: not complete, and room behind. In another run of the system, if so wanted.
  static void make_incomplete(const std::string& path, bool other_run = false, std::uint64_t synced = 0) {
    std::string bytes = read_bytes(path);
    std::fill_n(bytes.begin() + 64, 64, '\0');
    std::memcpy(bytes.data() + 64, &synced, sizeof synced);
    if (other_run) bytes[40] = static_cast<char>(bytes[40] ^ 1);
    const std::uint64_t checksum = XXH3_64bits_withSeed(bytes.data(), 56, 1);
    std::memcpy(bytes.data() + 56, &checksum, sizeof checksum);
    bytes.resize(bytes.size() + 4096, '\0');
    write_bytes(path, bytes);
  }
  static void change(const std::string& path, const std::function<void(std::string&)>& what) {
    std::string bytes = read_bytes(path);
    what(bytes);
    write_bytes(path, bytes);
  }
  /// The error that opening from `from` on gives; empty: none.
  std::string refusal(std::uint64_t from = 0) {
    try {
      recovered_ = {};
      open_durable_journal(options_, from, recovered_);
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
  }
  /// Numbers of the messages that come when damage is skipped.
  std::vector<std::uint64_t> numbers_with_skipping(std::uint64_t from = 0) {
    options_.skip_damage = true;
    recovered_ = {};
    std::vector<std::uint64_t> numbers;
    for (const Kept& one : drain(*open_durable_journal(options_, from, recovered_))) numbers.push_back(one.number);
    return numbers;
  }

  TemporaryDirectory directory_;
  DurableOptions options_;
  Recovered recovered_;
};

TEST_F(Damage, AnyTornEndIsCutOffAndEveryWholeRecordStays) {
  const std::string path = write_one_segment();
  make_incomplete(path);
  const std::string whole = read_bytes(path);
  const std::size_t last = kHeader + 56 + 8 * kFrame;
  for (std::size_t torn = last; torn < last + kFrame; torn += 13) {
    std::string bytes = whole;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(torn), bytes.end(), '\0');
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(last), 8, '\0');  // the checksum is stored last
    for (const std::string& other : segment_files(options_.directory)) std::filesystem::remove(other);
    write_bytes(path, bytes);
    ASSERT_EQ(refusal(), "") << "torn at " << torn;
    EXPECT_EQ(recovered_.records, 9U) << "torn at " << torn;
    if (torn > last + 8) {
      ASSERT_EQ(recovered_.warnings.size(), 1U);
      EXPECT_EQ(
          recovered_.warnings[0],
          "journal segment '" + path + "' ends at byte " + std::to_string(last) +
              " in record 9, which was being written when Weir was killed or the power failed: cut off there, as is "
              "usual; nothing that was promised is lost");
    }
    EXPECT_EQ(parse_segment(path).size(), 9U) << "it is complete now";
    ASSERT_EQ(refusal(), "");
    EXPECT_TRUE(recovered_.warnings.empty()) << "told once";
  }
}

TEST_F(Damage, AFileThatEndsInsideItsLastRecordIsATornEnd) {
  const std::string path = write_one_segment();
  make_incomplete(path);
  change(path, [](std::string& bytes) { bytes.resize(kHeader + 56 + 8 * kFrame + 77); });
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(recovered_.records, 9U);
}

TEST_F(Damage, AnEndThatLacksWhatWasSyncedIsRefused) {
  const std::string path = write_one_segment();
  constexpr std::size_t kLast = kHeader + 56 + 8 * kFrame;
  for (const bool other_run : {false, true}) {
    make_incomplete(path, other_run, kLast + kFrame);
    const std::string whole = read_bytes(path);
    const std::vector<std::function<void(std::string&)>> damages = {
        [](std::string& bytes) { bytes[kLast + 70] ^= 1; },                            // torn
        [](std::string& bytes) { std::fill_n(bytes.begin() + kLast, kFrame, '\0'); },  // as if it had not been written
        [](std::string& bytes) { bytes.resize(kLast); },                               // cut off between two records
        [](std::string& bytes) { bytes.resize(kLast + 60); }};                         // and within one
    for (const auto& damage : damages) {
      change(path, damage);
      const std::string expected = "'" + path + "' is damaged at byte " + std::to_string(kLast) + ": record 9 ";
      EXPECT_THAT(refusal(), HasSubstr(expected));
      EXPECT_THAT(journal::list_segments(options_.directory).back().damage, HasSubstr(expected));
      EXPECT_THROW(
          {
            const auto reader = journal::open_journal_reader(options_.directory);
            while (reader->next() != nullptr) {
            }
          },
          Error);
      EXPECT_EQ(numbers_with_skipping(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
      ASSERT_EQ(recovered_.warnings.size(), 1U);
      EXPECT_THAT(recovered_.warnings[0], HasSubstr(expected));
      EXPECT_EQ(refusal(), "") << "it ends there now";
      for (const std::string& other : segment_files(options_.directory)) std::filesystem::remove(other);
      write_bytes(path, whole);
      options_.skip_damage = false;
    }
    EXPECT_EQ(refusal(), "") << "whole";
    for (const std::string& other : segment_files(options_.directory)) std::filesystem::remove(other);
    write_bytes(path, whole.substr(0, kLast + kFrame));
  }
}

TEST_F(Damage, AnEndBehindWhatWasSyncedIsNone) {
  const std::string path = write_one_segment();
  constexpr std::size_t kLast = kHeader + 56 + 8 * kFrame;
  make_incomplete(path, false, kLast);
  change(path, [](std::string& bytes) { bytes.resize(kLast); });
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(recovered_.records, 9U);
}

TEST_F(Damage, AFlippedBitIsRefusedWithItsPlace) {
  const std::string path = write_one_segment();
  const std::string whole = read_bytes(path);
  for (std::size_t at = kHeader; at < whole.size(); at += 37) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    write_bytes(path, bytes);
    const std::size_t record = at < kHeader + 56 ? 0 : 1 + (at - kHeader - 56) / kFrame;
    const std::size_t begin = record == 0 ? kHeader : kHeader + 56 + (record - 1) * kFrame;
    const std::string error = refusal();
    EXPECT_THAT(error, HasSubstr(path));
    EXPECT_THAT(error, HasSubstr("byte " + std::to_string(begin) + ":")) << "flipped at " << at;
    EXPECT_THAT(error, HasSubstr("(record " + std::to_string(record) + ")"));
  }
}

TEST_F(Damage, AFlippedBitInTheHeaderIsRefused) {
  const std::string path = write_one_segment();
  const std::string whole = read_bytes(path);
  for (std::size_t at = 0; at < 64; ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_bytes(path, bytes);
    EXPECT_THAT(refusal(), HasSubstr(path)) << at;
  }
}

TEST_F(Damage, InAnIncompleteSegmentOfThisRunItIsRefusedToo) {
  const std::string path = write_one_segment();
  make_incomplete(path);
  change(path, [](std::string& bytes) { bytes[kHeader + 56 + 3 * kFrame + 70] ^= 1; });
  EXPECT_THAT(refusal(), HasSubstr("(record 4)"));
  EXPECT_EQ(numbers_with_skipping(), (std::vector<std::uint64_t>{1, 2, 3, 5, 6, 7, 8, 9}));
  ASSERT_EQ(recovered_.warnings.size(), 1U);
  EXPECT_THAT(recovered_.warnings[0], HasSubstr("(record 4)"));
}

TEST_F(Damage, AHoleThatAPowerCutLeftIsWhereTheJournalEnds) {
  const std::string path = write_one_segment();
  make_incomplete(path, true, kHeader + 56 + 2 * kFrame);
  change(path, [](std::string& bytes) { std::fill_n(bytes.begin() + kHeader + 56 + 3 * kFrame, kFrame, '\0'); });
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(recovered_.records, 4U);
  ASSERT_EQ(recovered_.warnings.size(), 1U);
  EXPECT_THAT(recovered_.warnings[0], HasSubstr("before record 4"));
  EXPECT_EQ(refusal(), "");
}

TEST_F(Damage, WhatWasSyncedMustHaveSurvivedThePowerCut) {
  const std::string path = write_one_segment();
  make_incomplete(path, true, kHeader + 56 + 5 * kFrame);
  change(path, [](std::string& bytes) { std::fill_n(bytes.begin() + kHeader + 56 + 3 * kFrame, kFrame, '\0'); });
  EXPECT_THAT(refusal(), HasSubstr("(record 4)"));
}

TEST_F(Damage, AfterAPowerCutLaterSegmentsGoWithTheHole) {
  const std::vector<std::string> paths = write_segments();
  const std::size_t before = parse_segment(paths[0]).size() + parse_segment(paths[1]).size();
  make_incomplete(paths[2], true);
  change(paths[2], [](std::string& bytes) { std::fill_n(bytes.begin() + kHeader, kFrame, '\0'); });
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(recovered_.records, before);
  EXPECT_EQ(refusal(), "") << "and it goes on";
}

TEST_F(Damage, ASegmentOfWhichAPowerCutSparedTheNameAloneIsNone) {
  const std::vector<std::string> paths = write_segments();
  const std::uint64_t first = parse_segment(paths.back()).front().number;
  const auto forget = [&](bool other_run) {
    change(paths.back(), [](std::string& bytes) {
      std::fill_n(bytes.begin() + 24, 8, '\xff');
      std::fill(bytes.begin() + kHeader, bytes.end(), '\0');
    });
    make_incomplete(paths.back(), other_run);
  };
  forget(false);
  EXPECT_NE(refusal(), "") << "no power cut explains it";
  forget(true);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(recovered_.records, first);
  ASSERT_EQ(recovered_.warnings.size(), 1U);
  EXPECT_EQ(parse_journal(options_.directory).size(), first + 1) << "it goes on in its place";
}

TEST_F(Damage, RecordsBeforeTheCheckpointNeedNotBeReadable) {
  const std::string path = write_one_segment();
  change(path, [](std::string& bytes) { bytes[kHeader + 56 + 3 * kFrame + 70] ^= 1; });
  EXPECT_NE(refusal(4), "");
  EXPECT_EQ(refusal(5), "");
  EXPECT_EQ(recovered_.records, 5U);
}

TEST_F(Damage, ACompleteSegmentThatWasCutIsRefused) {
  const std::string path = write_one_segment();
  const std::size_t size = read_bytes(path).size();
  for (const std::size_t bytes : {size - 1, size - kFrame, kHeader}) {
    std::filesystem::resize_file(path, bytes);
    EXPECT_THAT(refusal(), HasSubstr(path)) << bytes;
  }
  EXPECT_THAT(refusal(), HasSubstr("shorter than its header says"));
  std::filesystem::resize_file(path, 100);
  EXPECT_THAT(refusal(), HasSubstr("ends inside its header"));
}

TEST_F(Damage, AMissingSegmentIsRefused) {
  const std::vector<std::string> paths = write_segments();
  ASSERT_GT(paths.size(), 4U);
  const std::uint64_t first = parse_segment(paths[2]).front().number;
  const std::uint64_t last = parse_segment(paths[2]).back().number;
  const std::uint64_t all = parse_journal(options_.directory).back().number;
  std::filesystem::remove(paths[2]);
  EXPECT_THAT(refusal(), HasSubstr("records " + std::to_string(first) + " to " + std::to_string(last)));
  EXPECT_NE(refusal(first), "");
  EXPECT_EQ(refusal(last + 1), "");
  EXPECT_THROW(
      {
        const auto reader = journal::open_journal_reader(options_.directory);
        while (reader->next() != nullptr) {
        }
      },
      Error);
  const std::vector<std::uint64_t> numbers = numbers_with_skipping();
  EXPECT_EQ(numbers.size(), all - (last - first + 1));
  EXPECT_EQ(numbers.back(), all);
}

TEST_F(Damage, AMissingFirstSegmentIsRefused) {
  const std::vector<std::string> paths = write_segments();
  const std::uint64_t first = parse_segment(paths[1]).front().number;
  std::filesystem::remove(paths[0]);
  EXPECT_THAT(refusal(), HasSubstr("records 0 to " + std::to_string(first - 1)));
  EXPECT_EQ(refusal(first), "");
}

TEST_F(Damage, ANewerFormatIsRefusedAsSuch) {
  const std::string path = write_one_segment();
  change(path, [](std::string& bytes) { bytes[8] = 2; });
  EXPECT_THAT(refusal(), HasSubstr("newer version of Weir: format 2, this program reads 1"));
}

TEST_F(Damage, ARenamedSegmentIsRefused) {
  const std::vector<std::string> paths = write_segments();
  std::filesystem::rename(paths[1], paths[2]);
  EXPECT_NE(refusal(), "");
}

TEST_F(Damage, ADamagedBlockOfARecordingIsRefusedOrSkipped) {
  options_.keep = true;
  options_.segment_bytes = 4U << 20U;
  {
    const auto journal = open_journal(options_);
    for (int i = 0; i < 5000; ++i) journal->offer(message(std::string(400, 'x') + std::to_string(i * 7919)));
  }
  const std::string path = segment_files(options_.directory).front();
  ASSERT_EQ(parse_segment(path).size(), 5001U);
  const std::string whole = read_bytes(path);
  for (const std::size_t at : {kHeader + 3, kHeader + 60, whole.size() / 2, whole.size() - 12}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 16);
    write_bytes(path, bytes);
    options_.skip_damage = false;
    EXPECT_THAT(refusal(), HasSubstr("the checksum of a block is wrong (records ")) << at;
    const std::vector<std::uint64_t> numbers = numbers_with_skipping();
    EXPECT_LT(numbers.size(), 5000U);
    EXPECT_GT(numbers.size(), 4000U);
    for (const std::string& other : segment_files(options_.directory)) std::filesystem::remove(other);
  }
}

TEST_F(Damage, RoomBehindACompleteSegmentMeansNothingAndIsGivenBack) {
  const std::string path = write_one_segment();
  const std::string whole = read_bytes(path);
  write_bytes(path, whole + std::string(1000, 'x'));
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(recovered_.records, 10U);
  EXPECT_EQ(read_bytes(path).substr(kHeader), whole.substr(kHeader));
}

TEST_F(Damage, AnUnfinishedFileIsRemoved) {
  write_one_segment();
  write_bytes(directory_ / "journal-3.tmp", "rest");
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "journal-3.tmp"));
}

TEST_F(Damage, ThePayloadOfAMessageIsNeverTakenForARecord) {
  const std::string path = write_one_segment();
  make_incomplete(path);
  const std::string frames = read_bytes(path).substr(kHeader, 56 + 9 * kFrame);
  // A message that holds the frames of another segment, torn.
  const std::string second = directory_ / "b";
  DurableOptions other = options_;
  other.directory = second;
  {
    const auto journal = open_journal(other);
    journal->offer(message(frames));
  }
  const std::string torn = segment_files(second).front();
  make_incomplete(torn);
  change(torn, [](std::string& bytes) { std::fill_n(bytes.begin() + kHeader + 56, 8, '\0'); });
  Recovered recovered;
  open_durable_journal(other, 0, recovered);
  EXPECT_EQ(recovered.records, 1U);
  EXPECT_EQ(recovered.warnings.size(), 1U);
}

}  // namespace
}  // namespace weir::test
