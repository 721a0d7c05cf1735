// Live runs with sources that need no broker: arrival time, idle sources, graceful stop.
#include <gtest/gtest.h>
#include <weir/receiver.hpp>

#include <atomic>
#include <mutex>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "runtime/pipeline_support.hpp"
#include "sink/row_format.hpp"

namespace weir::test {
namespace {

// A receiver whose messages the test itself stores.
class Hand final : public Receiver {
 public:
  void on_start(Emitter& emitter) override { emitter_ = &emitter; }
  bool ready() const { return emitter_ != nullptr; }
  Emitter& emitter() { return *emitter_; }

 private:
  std::atomic<Emitter*> emitter_{nullptr};
};

struct Running {
  Running(const std::string& time, const std::string& query, const std::string& state_dir = {}) {
    spec::Pipeline pipeline;
    pipeline.file = "test";
    pipeline.batch_interval = std::chrono::milliseconds(50);
    pipeline.state_dir = state_dir;
    spec::Stream stream;
    stream.name = "s";
    stream.schema.fields = {{"v", 0, {}, false}};
    stream.time.arrival = time.empty();
    stream.time.field = time;
    stream.idle_timeout = std::chrono::milliseconds(300);
    spec::Source source;
    source.kind = spec::SourceKind::custom;
    source.receiver = hand;
    stream.sources = {source};
    pipeline.streams = {stream};
    spec::Query q;
    q.name = "q";
    q.from = "s";
    q.select = {"count()", "sum(v)"};
    if (!query.empty()) {
      q.window = q.slide = std::chrono::milliseconds(std::stoi(query));
    }
    q.sinks = {"collect"};
    pipeline.queries = {q};
    spec::Sink sink;
    sink.name = "collect";
    sink.kind = spec::SinkKind::callback;
    sink.callback = [this](const batch::ResultTable& table) {
      const std::scoped_lock lock(mutex);
      for (std::size_t i = 0; i < table.size(); ++i) {
        counted += static_cast<std::uint64_t>(table.value(i, 0).units);
        ++rows;
      }
    };
    pipeline.sinks = {sink};
    running = std::make_unique<runtime::Pipeline>(plan::compile(std::move(pipeline)), runtime::Options{});
    running->start();
    EXPECT_TRUE(eventually([this] { return hand->ready(); }));
  }
  std::uint64_t seen() {
    const std::scoped_lock lock(mutex);
    return counted;
  }
  std::shared_ptr<Hand> hand = std::make_shared<Hand>();
  std::mutex mutex;
  std::uint64_t counted = 0;
  std::uint64_t rows = 0;
  std::unique_ptr<runtime::Pipeline> running;
};

TEST(Live, ArrivalTimeWindowsCloseByTheClockWithoutData) {
  Running live("", "100");
  live.hand->emitter().store(R"~({"v":1})~");
  live.hand->emitter().store(R"~({"v":2})~");
  EXPECT_TRUE(eventually([&] { return live.seen() == 2; })) << live.seen();
  live.running->request_stop();
  live.running->wait();
  EXPECT_TRUE(live.running->report().balances());
}

TEST(Live, APerBatchQueryIsEvaluatedEachInterval) {
  Running live("", "");
  for (int i = 0; i < 100; ++i) {
    live.hand->emitter().store(R"~({"v":1})~");
  }
  EXPECT_TRUE(eventually([&] { return live.seen() == 100; }));
}

TEST(Live, WhenEverySourceIsIdleEventTimeWindowsClose) {
  Running live("t", "1000");
  live.hand->emitter().store(R"~({"t":1000,"v":1})~");
  EXPECT_TRUE(eventually([&] { return live.seen() == 1; }));
}

TEST(Live, AReadingFarInTheFutureIsMalformedAndMovesNothing) {
  Running live("t", "1000");
  const std::int64_t now = wall_clock_ns();
  live.hand->emitter().store("{\"t\":" + std::to_string(now / 1'000'000'000 + 7200) + ",\"v\":1}");
  live.hand->emitter().store("{\"t\":" + std::to_string(now / 1'000'000'000) + ",\"v\":1}");
  EXPECT_TRUE(eventually([&] { return live.running->report().streams[0].ledger.received == 2; }));
  live.running->request_stop();
  live.running->wait();
  const runtime::Report report = live.running->report();
  EXPECT_EQ(report.streams[0].ledger.malformed[static_cast<std::size_t>(batch::Malformed::future)], 1U);
  EXPECT_EQ(report.queries[0].ledger.counted, 1U);
  EXPECT_EQ(report.queries[0].ledger.late, 0U);
}

TEST(Live, AGracefulStopKeepsOpenWindowsForTheNextStart) {
  const Scratch scratch;
  {
    Running live("t", "3600000", scratch.path("state"));
    live.hand->emitter().store(R"~({"t":1000,"v":1})~");
    live.hand->emitter().store(R"~({"t":1001,"v":2})~");
    EXPECT_TRUE(eventually([&] { return live.running->report().streams[0].ledger.received == 2; }));
    live.running->request_stop();
    live.running->wait();
    EXPECT_EQ(live.rows, 0U) << "a graceful stop closes no window";
  }
  Running live("t", "3600000", scratch.path("state"));
  EXPECT_TRUE(live.running->restored());
  live.hand->emitter().store(R"~({"t":1002,"v":3})~");
  EXPECT_TRUE(eventually([&] { return live.seen() == 3; })) << "one window with the readings of both runs";
  EXPECT_EQ(live.running->report().streams[0].ledger.received, 3U);
  EXPECT_TRUE(live.running->report().balances());
}

TEST(Live, WhatWasReceivedBeforeAStopIsProcessed) {
  Running live("", "");
  std::uint64_t stored = 0;
  for (int i = 0; i < 20'000; ++i) {
    stored += live.hand->emitter().store(R"~({"v":1})~") ? 1U : 0U;
  }
  live.running->request_stop();
  live.running->wait();
  EXPECT_EQ(live.running->report().queries[0].ledger.counted, stored);
}

TEST(Live, TheEndOfTheInputClosesEveryWindow) {
  Running live("t", "3600000");
  live.hand->emitter().store(R"~({"t":1000,"v":1})~");
  live.hand->emitter().finish();
  live.running->wait();
  EXPECT_EQ(live.seen(), 1U);
}

}  // namespace
}  // namespace weir::test
