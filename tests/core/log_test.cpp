#include "core/log.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/secrets.hpp"

namespace weir::log {
namespace {

class LogTest : public testing::Test {
 protected:
  void TearDown() override { set_writer({}, Level::critical); }
};

TEST_F(LogTest, LinesAtLeastAsGraveGoToTheWriter) {
  std::vector<std::string> lines;
  set_writer([&lines](Level level,
                      std::string_view line) { lines.push_back(fmt::format("{} {}", static_cast<int>(level), line)); },
             Level::warning);
  info("stream '{}'", "s");
  warn("stream '{}'", "s");
  error("{}", 1);
  critical("end");
  EXPECT_EQ(lines, (std::vector<std::string>{"3 stream 's'", "4 1", "5 end"}));
}

TEST_F(LogTest, NothingIsFormattedThatNobodyWants) {
  set_writer({}, Level::error);
  EXPECT_FALSE(wanted(Level::warning));
  error("nobody {}", "listens");
}

TEST_F(LogTest, AWriterThatFailsDoesNoHarm) {
  set_writer([](Level, std::string_view) { throw std::runtime_error("full"); }, Level::info);
  info("x");
}

TEST_F(LogTest, OneCallAtATime) {
  int lines = 0;  // a data race if there were two
  set_writer([&lines](Level, std::string_view) { ++lines; }, Level::info);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int line = 0; line < 100; ++line) info("{}", line);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines, 400);
}

TEST_F(LogTest, ShownLinesArePrintableAndWithoutSecrets) {
  keep_secret("swordfish-7");
  EXPECT_EQ(shown("a\nb \x1B[31m swordfish-7"), "a\\x0ab \\x1b[31m ***");
}

}  // namespace
}  // namespace weir::log
