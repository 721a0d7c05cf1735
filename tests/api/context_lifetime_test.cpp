// What a guest in somebody's process owes its host: signals given back, no failure lost, calls from any thread.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>
#include <weir/weir.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace weir::literals;

constexpr auto kDeadline = 30s;

std::vector<int> blocked_signals() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  std::vector<int> blocked;
  for (int signal = 1; signal < 32; ++signal) {
    if (sigismember(&mask, signal) == 1) blocked.push_back(signal);
  }
  return blocked;
}

// Gives the test the emitter.
class Hand final : public weir::Receiver {
 public:
  void on_start(weir::Emitter& emitter) override { emitter_ = &emitter; }
  weir::Emitter& emitter() { return *emitter_; }  // there once start() has returned

 private:
  std::atomic<weir::Emitter*> emitter_{nullptr};
};

weir::Schema numbers() {
  weir::Schema schema;
  schema.fields = {{"v", 0}};
  schema.time = "t";
  return schema;
}

weir::DStream counts(weir::StreamingContext& context, const std::shared_ptr<weir::Receiver>& receiver) {
  return context.receiver_stream(receiver, numbers()).reduce_by_key_and_window(weir::count(), 1s);
}

TEST(ContextSignals, TheMaskIsTheHostsAgainWhenTheContextIsGone) {
  const std::vector<int> before = blocked_signals();
  {
    const weir::StreamingContext context{{.stop_on_signals = true}};
    std::vector<int> during = before;
    during.insert(during.end(), {SIGHUP, SIGINT, SIGTERM});
    std::sort(during.begin(), during.end());
    EXPECT_EQ(blocked_signals(), during);
  }
  EXPECT_EQ(blocked_signals(), before);
}

TEST(ContextSignals, ASignalStopsTheRunGracefully) {
  const auto hand = std::make_shared<Hand>();
  weir::StreamingContext context{{.batch_interval = 10ms, .stop_on_signals = true}};
  counts(context, hand).for_each_batch([](const weir::Rows&) {});
  context.start();
  EXPECT_FALSE(context.await_termination_or_timeout(1ms));
  kill(getpid(), SIGTERM);
  EXPECT_TRUE(context.await_termination_or_timeout(kDeadline));
  EXPECT_TRUE(context.ledger_balances());
}

TEST(ContextSignals, ASignalAsTheContextGoesWaitsForNobody) {
  for (int i = 0; i < 50; ++i) {
    std::optional<weir::StreamingContext> context(std::in_place, weir::ContextOptions{.stop_on_signals = true});
    kill(getpid(), SIGHUP);
    const auto previous = std::signal(SIGHUP, SIG_IGN);  // a signal that nobody took is the host's again
    context.reset();
    std::signal(SIGHUP, previous);
  }
}

TEST(ContextRows, ARowOfRowsComesWhenTimePassesItsWindowAndNotWithTheNextRow) {
  const auto hand = std::make_shared<Hand>();
  weir::StreamingContext context{{.batch_interval = 10ms}};
  std::atomic<int> rows{0};
  context.receiver_stream(hand, numbers())
      .reduce_by_key_and_window(weir::count().as("n"), 1s)
      .named("seconds")
      .reduce_by_key_and_window(weir::sum("n"), 10s)
      .for_each_batch([&](const weir::Rows& batch) { rows += static_cast<int>(batch.size()); });
  context.start();
  // The last one closes the ten seconds of the others and has no row itself yet.
  for (const char* const text : {R"({"t":1000,"v":1})", R"({"t":1001,"v":1})", R"({"t":1030,"v":1})"}) {
    EXPECT_TRUE(hand->emitter().store(text));
  }
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (rows == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(rows, 1);
  context.stop();
}

TEST(ContextFailure, AReceiverThatFailsMakesAwaitTerminationThrow) {
  const auto hand = std::make_shared<Hand>();
  weir::StreamingContext context{{.batch_interval = 10ms}};
  counts(context, hand).for_each_batch([](const weir::Rows&) {});
  context.start();
  hand->emitter().store(R"({"t":1000,"v":1})");
  hand->emitter().fail("the line is dead");
  try {
    context.await_termination();
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("the line is dead"), std::string::npos) << error.what();
  }
  EXPECT_NE(context.summary().find("1 received"), std::string::npos) << "what came before counts";
  EXPECT_TRUE(context.ledger_balances());
  EXPECT_THROW(context.stop(), std::runtime_error);
}

TEST(ContextFailure, AReceiverThatFailsBesideOthersMakesAwaitTerminationThrowAtTheEnd) {
  const auto failing = std::make_shared<Hand>();
  const auto other = std::make_shared<Hand>();
  weir::StreamingContext context{{.batch_interval = 10ms}};
  context.receiver_stream(failing, numbers())
      .union_with(context.receiver_stream(other, numbers()))
      .count_by_window(1s)
      .for_each_batch([](const weir::Rows&) {});
  context.start();
  failing->emitter().fail("the line is dead");
  EXPECT_TRUE(other->emitter().store(R"({"t":1000,"v":1})"));
  EXPECT_FALSE(context.await_termination_or_timeout(50ms)) << "the other one goes on";
  EXPECT_THROW(context.stop(), weir::Error);
  EXPECT_TRUE(context.ledger_balances());
}

TEST(ContextFailure, AFailedRunThatNobodyWaitedForIsLogged) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    const auto hand = std::make_shared<Hand>();
    weir::StreamingContext context{{.batch_interval = 10ms}};
    counts(context, hand).for_each_batch([](const weir::Rows&) { throw std::runtime_error("the host's mistake"); });
    context.start();
    hand->emitter().store(R"({"t":1000,"v":1})");
    hand->emitter().finish();
  }
  const std::string said = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("the host's mistake"), std::string::npos) << said;
}

TEST(ContextLog, WarningsGoToStandardErrorAndNothingToStandardOutput) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    const auto hand = std::make_shared<Hand>();
    weir::StreamingContext context{{.batch_interval = 10ms}};
    counts(context, hand).for_each_batch([](const weir::Rows&) {});
    context.start();
    hand->emitter().store("\x1B[31m");
    hand->emitter().finish();
    context.await_termination();
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("weir: warning: stream 'input1': a reading is refused: bad_payload"), std::string::npos) << said;
  EXPECT_NE(said.find("\\x1b[31m"), std::string::npos) << said;
}

TEST(ContextLog, TheHostMayTakeTheLog) {
  std::vector<std::string> lines;
  weir::set_log([&lines](weir::LogLevel level, std::string_view line) {
    lines.push_back(std::to_string(static_cast<int>(level)) + " " + std::string(line));
  });
  testing::internal::CaptureStderr();
  {
    const auto hand = std::make_shared<Hand>();
    weir::StreamingContext context{{.batch_interval = 10ms}};
    counts(context, hand).for_each_batch([](const weir::Rows&) {});
    context.start();
    hand->emitter().store("\n");
    hand->emitter().fail("two\nlines");
    EXPECT_THROW(context.await_termination(), weir::Error);
  }
  weir::set_log({});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "4 stream 'input1': two\\x0alines"), 1);
}

TEST(ContextErrors, EveryMistakeIsADiagnostic) {
  weir::StreamingContext context;
  const auto hand = std::make_shared<Hand>();
  const weir::DStream stream = context.receiver_stream(hand, numbers());
  stream.filter("w > 1"_expr).for_each_batch([](const weir::Rows&) {});
  stream.reduce_by_key(weir::sum("u")).for_each_batch([](const weir::Rows&) {});
  try {
    context.start();
    FAIL() << "nothing was thrown";
  } catch (const weir::ConfigError& error) {
    EXPECT_EQ(error.diagnostics().size(), 2U) << error.what();
  }
}

TEST(ContextThreads, EveryThreadMayAskWhileItStarts) {
  for (int i = 0; i < 20; ++i) {
    const auto hand = std::make_shared<Hand>();
    weir::StreamingContext context{{.batch_interval = 10ms}};
    counts(context, hand).for_each_batch([](const weir::Rows&) {});
    std::atomic<bool> over{false};
    std::thread asking([&] {
      while (!over) {
        (void)context.summary();
        EXPECT_TRUE(context.ledger_balances());
      }
    });
    context.start();
    context.stop();
    over = true;
    asking.join();
    EXPECT_FALSE(context.summary().empty());
  }
}

TEST(ContextThreads, AStopInTheFunctionOfABatchDoesNotWaitForItself) {
  const auto hand = std::make_shared<Hand>();
  weir::StreamingContext context{{.batch_interval = 10ms}};
  std::atomic<bool> refused{false};
  counts(context, hand).for_each_batch([&](const weir::Rows&) {
    context.stop();
    try {
      context.await_termination();
    } catch (const std::logic_error&) {
      refused = true;
    }
  });
  context.start();
  hand->emitter().store(R"({"t":1000,"v":1})");
  hand->emitter().store(R"({"t":2000,"v":1})");
  EXPECT_TRUE(context.await_termination_or_timeout(kDeadline));
  EXPECT_TRUE(refused);
}

TEST(ContextStart, AStartThatFailedMayBeTriedAgain) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("weir-api-" + std::to_string(getpid()));
  weir::StreamingContext context;
  weir::Schema schema = numbers();
  std::atomic<int> rows{0};
  context.file_stream(file.string(), schema).count_by_window(1s).for_each_batch([&rows](const weir::Rows& batch) {
    rows += static_cast<int>(batch.size());
  });
  EXPECT_THROW(context.start(), std::runtime_error);
  { const std::unique_ptr<std::FILE, int (*)(std::FILE*)> made(std::fopen(file.c_str(), "w"), &std::fclose); }
  context.start();
  context.await_termination();
  std::filesystem::remove(file);
  EXPECT_EQ(rows, 0);
}

}  // namespace
