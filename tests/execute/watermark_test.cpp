#include "execute/watermark.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/error.hpp"

namespace weir::execute {
namespace {

constexpr std::int64_t kNone = kNoWatermark;
constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max();

struct Step {
  std::int64_t time = 0;
  std::uint32_t source = 0;
  std::int64_t arrival = kLimit;
};

std::unique_ptr<batch::Batch> batch_of(const std::vector<Step>& steps, std::vector<batch::Tick> ticks = {}) {
  auto batch = std::make_unique<batch::Batch>(0, std::max<std::uint32_t>(1, static_cast<std::uint32_t>(steps.size())));
  for (std::uint32_t row = 0; row < steps.size(); ++row) {
    batch->times()[row] = steps[row].time;
    if (steps[row].time > steps[row].arrival) batch->ahead.push_back({row, steps[row].arrival});
    if (batch->runs.empty() || batch->runs.back().source != steps[row].source) {
      batch->runs.push_back({row, steps[row].source});
    }
  }
  batch->set_size(static_cast<std::uint32_t>(steps.size()));
  batch->ticks = std::move(ticks);
  return batch;
}

batch::Tick idle(std::uint32_t row, std::uint32_t source) {
  return {row, batch::Tick::Kind::source_idle, source, 0};
}
batch::Tick lifted(std::uint32_t row, std::int64_t watermark) {
  return {row, batch::Tick::Kind::watermark, 0, watermark};
}

TEST(Watermark, NoReading_IsNone) {
  WatermarkTracker tracker(1, 0);
  WatermarkTrace trace;
  tracker.advance(*batch_of({}), trace);
  EXPECT_EQ(trace.final(), kNone);
  EXPECT_EQ(trace.at(0), kNone);
  EXPECT_EQ(trace.newest_before(0), kNone);
  EXPECT_EQ(trace.reach(kNone + 1, 0), 1U);
}

TEST(Watermark, OneSource_IsTheNewestTimeLessOutOfOrder) {
  WatermarkTracker tracker(1, 10);
  WatermarkTrace trace;
  const auto batch = batch_of({{100, 0}, {90, 0}, {120, 0}, {119, 0}});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), 90);
  EXPECT_EQ(trace.at(1), 90);
  EXPECT_EQ(trace.at(2), 110);
  EXPECT_EQ(trace.final(), 110);
  EXPECT_EQ(trace.newest_before(0), kNone);
  EXPECT_EQ(trace.newest_before(2), 100);
  EXPECT_EQ(trace.newest_before(4), 120);
  EXPECT_EQ(trace.reach(90, 0), 0U);
  EXPECT_EQ(trace.reach(91, 0), 2U);
  EXPECT_EQ(trace.reach(110, 0), 2U);
  EXPECT_EQ(trace.reach(110, 3), 3U) << "what was reached before `from` is reached at `from`";
  EXPECT_EQ(trace.reach(111, 0), 5U);
}

TEST(Watermark, NextBatch_GoesOn) {
  WatermarkTracker tracker(1, 0);
  WatermarkTrace trace;
  tracker.advance(*batch_of({{100, 0}}), trace);
  const auto batch = batch_of({{50, 0}, {101, 0}});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), 100);
  EXPECT_EQ(trace.reach(100, 0), 0U);
  EXPECT_EQ(trace.reach(101, 0), 1U);
}

TEST(Watermark, SourceThatHasNotDelivered_HoldsItBackUnlessIdle) {
  WatermarkTracker tracker(2, 0);
  WatermarkTrace trace;
  const auto batch = batch_of({{100, 0}, {200, 0}}, {idle(1, 1)});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), kNone);
  EXPECT_EQ(trace.reach(100, 0), 1U) << "the tick right before row 1 lifts it";
  EXPECT_EQ(trace.at(1), 200);
}

TEST(Watermark, AllIdle_StaysUntilATickLiftsIt) {
  WatermarkTracker tracker(1, 0);
  WatermarkTrace trace;
  const auto batch = batch_of({{100, 0}}, {idle(1, 0), lifted(1, 500), lifted(1, 300)});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), 100);
  EXPECT_EQ(trace.final(), 500);
  EXPECT_EQ(trace.reach(101, 0), 1U) << "at the end of the batch";
  EXPECT_EQ(trace.reach(501, 0), 2U);
}

TEST(Watermark, SourceThatDeliversAgain_CountsAgainFromJustBeforeItsReading) {
  WatermarkTracker tracker(2, 0);
  WatermarkTrace trace;
  const auto batch = batch_of({{100, 0}, {1000, 1}, {5, 1}}, {idle(2, 1), idle(2, 0)});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(1), 100);
  EXPECT_EQ(trace.at(2), 1000) << "source 1 alone counts now";
  EXPECT_EQ(trace.reach(1000, 0), 2U);
}

TEST(Watermark, NeverGoesBack) {
  WatermarkTracker tracker(2, 0);
  WatermarkTrace trace;
  const auto batch = batch_of({{100, 0}, {1, 1}}, {idle(0, 1)});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), 100);
  EXPECT_EQ(trace.final(), 100);
}

batch::Tick clock_at(std::uint32_t row, std::int64_t instant) {
  return {row, batch::Tick::Kind::arrival_clock, 0, instant};
}

TEST(Watermark, ReadingAheadOfItsArrival_LiftsItToTheArrival) {
  WatermarkTracker tracker(1, 10);
  WatermarkTrace trace;
  const auto batch = batch_of({{100, 0, 101}, {5000, 0, 105}, {106, 0, 107}, {104, 0, 108}});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), 90);
  EXPECT_EQ(trace.at(1), 95);
  EXPECT_EQ(trace.final(), 96);
  EXPECT_EQ(trace.newest_before(1), 100);
  EXPECT_EQ(trace.newest_before(2), 5000);
  EXPECT_EQ(trace.reach(96, 0), 2U);
  EXPECT_EQ(trace.reach(97, 0), 5U);
}

TEST(Watermark, ReadingAheadOfItsArrival_IsFollowedAsTheClockMovesOn) {
  WatermarkTracker tracker(1, 0);
  WatermarkTrace trace;
  tracker.advance(*batch_of({{500, 0, 100}}, {clock_at(1, 150)}), trace);
  EXPECT_EQ(trace.at(0), 100);
  EXPECT_EQ(trace.final(), 150);
  state::Writer out;
  tracker.save(out);
  WatermarkTracker restored(1, 0);
  const std::string bytes = out.take();
  state::Reader in(bytes);
  restored.load(in);
  restored.advance(*batch_of({}, {clock_at(0, 400), clock_at(0, 900)}), trace);
  EXPECT_EQ(trace.reach(400, 0), 0U);
  EXPECT_EQ(trace.passing(400, 0), 400) << "each tick by itself";
  EXPECT_EQ(trace.final(), 500) << "no further than the reading";
}

TEST(Watermark, SourceThatIsHeardWithoutAReading_HoldsItBackAgain) {
  WatermarkTracker tracker(2, 0);
  WatermarkTrace trace;
  const batch::Tick heard{1, batch::Tick::Kind::source_heard, 1, 0};
  tracker.advance(*batch_of({{100, 0}, {200, 0}}, {idle(0, 1), heard}), trace);
  EXPECT_EQ(trace.final(), 100);
}

TEST(Watermark, Limits_AreHeld) {
  WatermarkTracker tracker(1, 1000);
  WatermarkTrace trace;
  const auto batch = batch_of({{std::numeric_limits<std::int64_t>::min() + 5, 0}, {kLimit, 0}});
  tracker.advance(*batch, trace);
  EXPECT_EQ(trace.at(0), kNone + 1);
  EXPECT_EQ(trace.reach(kNone + 1, 0), 0U);
  EXPECT_EQ(trace.reach(kLimit - 1000, 0), 1U);
  EXPECT_EQ(trace.reach(kLimit, 0), 3U);
}

/// Spelt out row by row.
class Slow {
 public:
  Slow(std::size_t sources, std::int64_t out_of_order)
      : newest_(sources, kNone), held_(sources, kNone), counts_(sources, true), late_(out_of_order) {}

  void tick(const batch::Tick& tick) {
    if (tick.kind == batch::Tick::Kind::watermark) {
      value_ = std::max(value_, tick.instant_ns);
    } else if (tick.kind == batch::Tick::Kind::arrival_clock) {
      for (std::size_t i = 0; i < newest_.size(); ++i) {
        held_[i] = std::max(held_[i], std::min(newest_[i], tick.instant_ns));
      }
      follow();
    } else {
      counts_[tick.source] = false;
      follow();
    }
  }
  void row(const Step& step) {
    counts_[step.source] = true;
    follow();
    newest_[step.source] = std::max(newest_[step.source], step.time);
    held_[step.source] = std::max(held_[step.source], std::min(step.time, step.arrival));
    all_ = std::max(all_, step.time);
    follow();
  }
  [[nodiscard]] std::int64_t value() const { return value_; }
  [[nodiscard]] std::int64_t newest() const { return all_; }

 private:
  void follow() {
    std::int64_t smallest = kLimit;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (!counts_[i]) continue;
      if (held_[i] == kNone) return;
      smallest = std::min(smallest, held_[i] - late_);
    }
    if (smallest != kLimit) value_ = std::max(value_, smallest);
  }
  std::vector<std::int64_t> newest_;
  std::vector<std::int64_t> held_;  // at the arrival
  std::vector<bool> counts_;
  std::int64_t late_;
  std::int64_t value_ = kNone;
  std::int64_t all_ = kNone;
};

TEST(Watermark, RandomStreams_AreAsSpeltOutRowByRow) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  for (int round = 0; round < 60; ++round) {
    const auto sources = 1 + below(4);
    const auto run_length = round % 3 == 0 ? 3000U : 1 + static_cast<unsigned>(below(60));
    const unsigned ahead_share = round % 5 == 0 ? 0 : round % 5 == 1 ? 500 : 5;
    const double tick_share = round % 2 == 0 ? 0.0 : 0.01;
    WatermarkTracker tracker(sources, 50);
    Slow slow(sources, 50);
    WatermarkTrace trace;
    std::int64_t now = 0;
    for (const std::uint32_t size : {0U, 1U, 31U, 32U, 33U, 1023U, 1024U, 1025U, 5000U}) {
      std::vector<Step> steps;
      std::vector<batch::Tick> ticks;
      std::uint32_t source = 0;
      for (std::uint32_t row = 0; row <= size; ++row) {
        if (static_cast<double>(below(1000)) < tick_share * 1000) {
          const auto kind = below(4);
          ticks.push_back(kind == 0   ? lifted(row, now + 30)
                          : kind == 1 ? clock_at(row, now)
                                      : idle(row, static_cast<std::uint32_t>(below(sources))));
        }
        if (row == size) break;
        if (row % run_length == 0) source = static_cast<std::uint32_t>(below(sources));
        now += static_cast<std::int64_t>(below(5));
        const bool fast = ahead_share > 0 && below(1000) < ahead_share;
        steps.push_back(
            {fast ? now + static_cast<std::int64_t>(below(500)) : now - static_cast<std::int64_t>(below(80)), source,
             now + 3});
      }
      const auto batch = batch_of(steps, ticks);
      tracker.advance(*batch, trace);

      std::vector<std::int64_t> expected;
      auto tick = ticks.begin();
      for (std::uint32_t row = 0; row <= size; ++row) {
        ASSERT_EQ(trace.newest_before(row), slow.newest()) << row;
        for (; tick != ticks.end() && tick->row == row; ++tick) {
          slow.tick(*tick);
        }
        if (row < size) slow.row(steps[row]);
        expected.push_back(slow.value());
        ASSERT_EQ(trace.at(row), slow.value()) << row;
      }
      EXPECT_EQ(trace.final(), slow.value());
      EXPECT_EQ(tracker.watermark(), slow.value());
      for (int i = 0; i < 200; ++i) {
        const std::int64_t threshold = i < 3 ? kNone + i : now - 200 + static_cast<std::int64_t>(below(250));
        const auto from = static_cast<std::uint32_t>(below(size + 1));
        const auto first = std::lower_bound(expected.begin(), expected.end(), threshold) - expected.begin();
        ASSERT_EQ(trace.reach(threshold, from),
                  first > size ? size + 1 : std::max(static_cast<std::uint32_t>(first), from));
      }
    }
  }
}

TEST(Watermark, Checkpoint_BringsBackSources) {
  WatermarkTracker before(2, 5);
  WatermarkTrace trace;
  before.advance(*batch_of({{100, 0}, {70, 1}}, {idle(2, 1)}), trace);
  state::Writer out;
  before.save(out);
  WatermarkTracker after(2, 5);
  state::Reader in(out.bytes());
  after.load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(after.watermark(), 95);
  EXPECT_EQ(after.watermark(std::size_t{1}), 65);
  const auto batch = batch_of({{200, 0}});
  after.advance(*batch, trace);
  EXPECT_EQ(trace.final(), 195) << "source 1 is still idle";
  WatermarkTracker other(3, 5);
  state::Reader again(out.bytes());
  EXPECT_THROW(other.load(again), Error);
}

}  // namespace
}  // namespace weir::execute
