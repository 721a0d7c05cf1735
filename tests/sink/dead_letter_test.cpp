#include "sink/dead_letter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::kNoon;
using ::testing::HasSubstr;
using weir::test::read_bytes;
using weir::test::TemporaryDirectory;

TEST(DeadLetters, LinesNameStreamReasonTimeAndPayload) {
  const TemporaryDirectory temporary;
  DeadLetters letters(100);
  letters.open(temporary / "log/dead.jsonl");
  letters.malformed("plugs", batch::Malformed::not_a_number, kNoon, "1,\"NaN\",\xFF");
  letters.late("plugs", kNoon + 1, "house=1 load=3");
  EXPECT_EQ(read_bytes(temporary / "log/dead.jsonl"),
            "{\"stream\":\"plugs\",\"reason\":\"not_a_number\",\"time\":\"2013-08-31T22:00:00Z\","
            "\"payload\":\"1,\\\"NaN\\\",\xEF\xBF\xBD\"}\n"
            "{\"stream\":\"plugs\",\"reason\":\"late\",\"time\":\"2013-08-31T22:00:00.000000001Z\","
            "\"payload\":\"house=1 load=3\"}\n");
  EXPECT_EQ(letters.written(), 2U);
}

TEST(DeadLetters, TheLimitIsAStreamAndInterval) {
  const TemporaryDirectory temporary;
  DeadLetters letters(2);
  letters.open(temporary / "dead.jsonl");
  for (const char* stream : {"a", "a", "a", "b"}) letters.late(stream, 0, "x");
  EXPECT_EQ(letters.written(), 3U);
  EXPECT_EQ(letters.over_limit(), 1U);
  letters.next_interval("a");
  letters.next_interval("unknown");
  for (const char* stream : {"a", "b", "b"}) letters.late(stream, 0, "x");
  EXPECT_EQ(letters.written(), 5U);
  EXPECT_EQ(letters.over_limit(), 2U);
}

TEST(DeadLetters, LongPayloadsAreCutBetweenCharacters) {
  const TemporaryDirectory temporary;
  DeadLetters letters(100);
  letters.open(temporary / "dead.jsonl");
  letters.late("s", 0, std::string(1024, 'x'));
  letters.late("s", 0, std::string(1025, 'x'));
  letters.late("s", 0, std::string(1023, 'x') + "€ and more");
  letters.late("s", 0, std::string(3000, '\x80'));
  std::vector<std::pair<std::string, std::uint64_t>> read;
  simdjson::dom::parser parser;
  for (const simdjson::dom::element line : parser.load_many(temporary / "dead.jsonl")) {
    std::uint64_t bytes = 0;
    if (line["payload_bytes"].get(bytes) != simdjson::SUCCESS) bytes = 0;
    read.emplace_back(std::string_view(line["payload"]), bytes);
  }
  ASSERT_EQ(read.size(), 4U);
  EXPECT_EQ(read[0], std::pair(std::string(1024, 'x'), std::uint64_t{0}));
  EXPECT_EQ(read[1], std::pair(std::string(1024, 'x'), std::uint64_t{1025}));
  EXPECT_EQ(read[2], std::pair(std::string(1023, 'x'), std::uint64_t{1035}));
  EXPECT_EQ(read[3].first.size(), 3U * (DeadLetters::kLongestText / 3)) << "each byte is shown as three";
  EXPECT_EQ(read[3].second, 3000U);
}

TEST(DeadLetters, ALineIsBoundedWhateverThePayloadHolds) {
  const TemporaryDirectory temporary;
  DeadLetters letters(100);
  letters.open(temporary / "dead.jsonl");
  std::size_t before = 0;
  for (const char c : {'\x01', '"', '\x80', 'x'}) {
    letters.late("s", 0, std::string(5000, c));
    const std::size_t now = read_bytes(temporary / "dead.jsonl").size();
    EXPECT_LT(now - before, DeadLetters::kLongestText + 120);
    before = now;
  }
}

TEST(DeadLetters, TheFileAndTheOneBeforeItAreBoundedTogether) {
  const TemporaryDirectory temporary;
  constexpr std::uint64_t kMost = 4000;
  DeadLetters letters(1'000'000, kMost);
  letters.open(temporary / "dead.jsonl");
  for (int i = 0; i < 1000; ++i) {
    letters.late("s", 0, std::to_string(i));
    std::uint64_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(temporary.path())) bytes += file.file_size();
    ASSERT_LE(bytes, kMost) << i;
  }
  EXPECT_EQ(letters.written(), 1000U);
  EXPECT_THAT(read_bytes(temporary / "dead.jsonl"), HasSubstr("\"999\""));
  const std::string before = read_bytes(temporary / "dead.jsonl.1");
  EXPECT_GT(before.size(), kMost / 2 - 100);
  EXPECT_TRUE(before.ends_with("}\n"));
}

TEST(DeadLetters, AFileThatIsTooLongAlreadyMakesRoomAtOnce) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary / "dead.jsonl") << std::string(10'000, 'x') << '\n';
  DeadLetters letters(100, 4000);
  letters.open(temporary / "dead.jsonl");
  letters.late("s", 0, "y");
  EXPECT_EQ(read_bytes(temporary / "dead.jsonl.1").size(), 10'001U);
  EXPECT_LT(read_bytes(temporary / "dead.jsonl").size(), 100U);
}

TEST(DeadLetters, PayloadsAreForOwnerAndGroupWhateverTheUmaskIs) {
  const TemporaryDirectory temporary;
  for (const ::mode_t mask : {0000U, 0022U, 0077U}) {
    const ::mode_t previous = ::umask(mask);
    const std::string path = temporary / ("dead" + std::to_string(mask));
    DeadLetters(100).open(path);
    ::umask(previous);
    struct ::stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U) << mask;
  }
}

TEST(DeadLetters, ErrorsOfTheFileAreCountedAndNeverStopAnything) {
  DeadLetters letters(100);
  letters.open("/dev/full");
  for (int i = 0; i < 3; ++i) letters.late("s", 0, "x");
  EXPECT_EQ(letters.failed(), 3U);
  EXPECT_EQ(letters.written(), 0U);
}

TEST(DeadLetters, AFileThatCannotBeOpenedIsAnErrorAtTheStart) {
  DeadLetters letters(100);
  EXPECT_THAT(test::message_of([&] { letters.open("/dev/null/dead.jsonl"); }), HasSubstr("Not a directory"));
}

TEST(DeadLetters, ARowThatASinkRefusedNamesTheSink) {
  const TemporaryDirectory temporary;
  DeadLetters letters(1);
  letters.open(temporary / "dead.jsonl");
  letters.refused("out", "not_authorized", R"({"k":1})");
  letters.refused("out", "not_authorized", R"({"k":2})");
  letters.next_interval("out");
  letters.refused("out", "too_large", R"({"k":3})");
  EXPECT_EQ(letters.over_limit(), 1U);
  const std::string lines = weir::test::read_bytes(temporary / "dead.jsonl");
  EXPECT_THAT(lines, HasSubstr(R"({"sink":"out","reason":"not_authorized","time":")"));
  EXPECT_THAT(lines, HasSubstr(R"("payload":"{\"k\":3}"})"));
}

TEST(DeadLetters, WithoutAFileNothingHappens) {
  DeadLetters letters(100);
  letters.open("");
  letters.late("s", 0, "x");
  EXPECT_EQ(letters.written() + letters.over_limit() + letters.failed(), 0U);
}

TEST(DeadLetters, LinesOfSeveralThreadsDoNotMix) {
  const TemporaryDirectory temporary;
  DeadLetters letters(1000);
  letters.open(temporary / "dead.jsonl");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&letters, t] {
      const std::string stream = "stream" + std::to_string(t);
      for (int i = 0; i < 250; ++i) letters.late(stream, 0, std::string(static_cast<std::size_t>(i), 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  simdjson::dom::parser parser;
  std::size_t lines = 0;
  for (const auto line : parser.load_many(temporary / "dead.jsonl")) {
    EXPECT_EQ(line.error(), simdjson::SUCCESS);
    ++lines;
  }
  EXPECT_EQ(lines, 1000U);
}

}  // namespace
}  // namespace weir::sink
