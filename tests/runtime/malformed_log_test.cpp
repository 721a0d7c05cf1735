#include "runtime/malformed_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/log.hpp"

namespace weir::runtime {
namespace {

using batch::Malformed;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MalformedLogTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_writer([this](log::Level, std::string_view line) { lines_.emplace_back(line); }, log::Level::info);
    stream_.name = "s";
    stream_.max_keys = 7;
  }
  void TearDown() override { log::set_writer({}, log::Level::critical); }

  // Lines since the last call.
  std::vector<std::string> said() { return std::exchange(lines_, {}); }

  std::vector<std::string> lines_;
  spec::Stream stream_;
};

TEST_F(MalformedLogTest, TheFirstOfEachReasonIsSaidWithASampleAndTheWayOut) {
  MalformedLog log(stream_);
  log.refused(Malformed::too_many_keys, R"({"k":"x"})");
  log.refused(Malformed::not_a_number, "1,a,\x1B[31m", "load\x1B");
  const std::vector<std::string> lines = said();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr("stream 's'"));
  EXPECT_THAT(lines[0], HasSubstr("too_many_keys (there are max_keys = 7"));
  EXPECT_THAT(lines[0], HasSubstr(R"({"k":"x"})"));
  EXPECT_THAT(lines[1], HasSubstr("not_a_number of 'load\\x1b': 1,a,\\x1b[31m"));
}

TEST_F(MalformedLogTest, AFloodIsALineAMinute) {
  MalformedLog log(stream_);
  const auto begin = MalformedLog::Clock::now();
  for (int i = 0; i < 1000; ++i) {
    log.refused(Malformed::bad_payload, "x");
    log.report(begin);
  }
  EXPECT_EQ(said().size(), 1U);
  log.report(begin + std::chrono::minutes(2));
  EXPECT_THAT(said(), ElementsAre("stream 's': readings refused since the start: bad_payload 1000 (+999)"));
  log.report(begin + std::chrono::minutes(9));
  EXPECT_THAT(said(), IsEmpty()) << "nothing has grown";
  log.refused(Malformed::bad_payload, "x");
  log.refused(Malformed::future, "x");
  said();
  log.report(begin + std::chrono::minutes(9));
  EXPECT_THAT(said(), ElementsAre("stream 's': readings refused since the start: bad_payload 1001 (+1)"));
}

TEST(LogSample, IsShort) {
  EXPECT_EQ(log_sample("abc"), "abc");
  EXPECT_EQ(log_sample(""), "");
  for (const char* unit : {"x", "\x01", "\xFF", "\xE2\x82\xAC", "token="}) {
    std::string payload;
    for (int i = 0; i < 100'000; ++i) payload += unit;
    EXPECT_LE(log_sample(payload).size(), 170U);
    EXPECT_TRUE(log_sample(payload).ends_with("…")) << log_sample(payload);
  }
}

TEST(LogSample, ShowsNoCredential) {
  for (const char* payload : {R"({"user":"u","password":"hunter2","v":1})", R"({"Token": "hunter2"})",
                              "user=u&secret=hunter2&v=1", "API_KEY: hunter2", R"({'passwd' : 'hunter2'})"}) {
    EXPECT_THAT(log_sample(payload), Not(HasSubstr("hunter2"))) << payload;
    EXPECT_THAT(log_sample(payload), HasSubstr("***"));
  }
  EXPECT_EQ(log_sample(R"({"user":"u","password":"hunter2","v":1})"), R"({"user":"u","password":"***","v":1})");
}

}  // namespace
}  // namespace weir::runtime
