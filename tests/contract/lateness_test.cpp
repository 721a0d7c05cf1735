// Window edges, lateness and revisions, written out reading by reading.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/events.hpp"
#include "execute/emitter.hpp"

namespace weir::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t s = kSecond;

class Lateness : public BackendTest {
 protected:
  /// Feeds the events in one batch and one by one, which must not differ, and compares both with the oracle.
  std::vector<std::string> rows(const QueryCase& query, const std::vector<oracle::Event>& events,
                                std::int64_t out_of_order = 0, std::size_t sources = 1, bool end_of_input = false) {
    const plan::Plan plan = plan_of(plugs_stream(sources, out_of_order), query.spec);
    const oracle::Answer answer = oracle::run(query.expected, sources, out_of_order, events, end_of_input);
    EngineUnderTest at_once(plan, backend());
    at_once.feed(events, end_of_input);
    EngineUnderTest one_by_one(plan, backend());
    for (const oracle::Event& event : events) {
      one_by_one.feed({&event, 1});
    }
    one_by_one.feed({}, end_of_input);
    EXPECT_EQ(at_once.differences(answer), "");
    EXPECT_EQ(one_by_one.differences(answer), "");
    EXPECT_EQ(at_once.texts(), one_by_one.texts());
    EXPECT_EQ(at_once.windows_closed(), one_by_one.windows_closed());
    ledger = at_once.ledger();
    windows_closed = at_once.windows_closed();
    late = at_once.late_readings();
    return at_once.texts();
  }

  state::QueryLedger ledger;
  std::uint64_t windows_closed = 0;
  std::vector<std::size_t> late;
};

TEST_P(Lateness, Window_ReadingAtItsEndBelongsToTheNext) {
  EXPECT_THAT(
      rows(count_and_sum(false).with(10 * s, 10 * s),
           {reading_at(0), reading_at(10 * s - 1), reading_at(10 * s), reading_at(20 * s)}),
      ElementsAre("[0 10000000000) r0 () count()=2 s=2000", "[10000000000 20000000000) r0 () count()=1 s=1000"));
}

TEST_P(Lateness, Window_FirstPartialWindowIsEmitted) {
  EXPECT_THAT(rows(count_and_sum(false).with(3 * s, s), {reading_at(s / 2), reading_at(2 * s)}),
              ElementsAre("[-2000000000 1000000000) r0 () count()=1 s=1000",
                          "[-1000000000 2000000000) r0 () count()=1 s=1000"));
}

TEST_P(Lateness, Window_StaysOpenAtTheEndOfALiveRunAndClosesAtTheEndOfInput) {
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 10 * s), {reading_at(s)}), IsEmpty());
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 10 * s), {reading_at(s)}, 0, 1, true),
              ElementsAre("[0 10000000000) r0 () count()=1 s=1000"));
}

TEST_P(Lateness, Window_EndOfInputClosesWhatNoWatermarkEverDid) {
  // The second source never delivers, so there is no watermark.
  EXPECT_THAT(
      rows(count_and_sum(false).with(10 * s, 10 * s), {reading_at(25 * s), reading_at(5 * s)}, 0, 2, true),
      ElementsAre("[0 10000000000) r0 () count()=1 s=1000", "[20000000000 30000000000) r0 () count()=1 s=1000"));
}

TEST_P(Lateness, Reading_WithTheTimeOfTheNewestIsNeverLate) {
  rows(count_and_sum(false).with(10 * s, 10 * s), {reading_at(10 * s), reading_at(10 * s), reading_at(10 * s)});
  EXPECT_EQ(ledger.late, 0U);
  EXPECT_EQ(ledger.counted, 3U);
}

TEST_P(Lateness, Reading_OfAClosedWindowIsLateAndItsRowIsNamed) {
  rows(count_and_sum(false).with(10 * s, 10 * s),
       {reading_at(s), reading_at(12 * s), reading_at(10 * s - 1), reading_at(10 * s)});
  EXPECT_THAT(late, ElementsAre(2U));
  EXPECT_EQ(ledger.late, 1U);
}

TEST_P(Lateness, Reading_OfAWindowStillOpenIsCountedThereOnly) {
  // Windows [-5, 5) and [0, 10) are over at 12; [5, 15) is not.
  EXPECT_THAT(
      rows(count_and_sum(false).with(10 * s, 5 * s), {reading_at(12 * s), reading_at(7 * s), reading_at(15 * s)}),
      ElementsAre("[5000000000 15000000000) r0 () count()=2 s=2000"));
  EXPECT_EQ(ledger.late, 0U);
}

TEST_P(Lateness, Watermark_IsBehindByOutOfOrder) {
  EXPECT_THAT(
      rows(count_and_sum(false).with(10 * s, 10 * s),
           {reading_at(5 * s), reading_at(13 * s - 1), reading_at(9 * s), reading_at(13 * s), reading_at(9 * s)},
           3 * s),
      ElementsAre("[0 10000000000) r0 () count()=2 s=2000"));
  EXPECT_THAT(late, ElementsAre(4U));
}

TEST_P(Lateness, Watermark_IsTheSmallestOfTheSources) {
  EXPECT_THAT(
      rows(count_and_sum(false).with(10 * s, 10 * s),
           {reading_at(35 * s, 1000, "p0", 0), reading_at(5 * s, 1000, "p0", 1), reading_at(11 * s, 1000, "p0", 1)}, 0,
           2),
      ElementsAre("[0 10000000000) r0 () count()=1 s=1000"));
}

TEST_P(Lateness, Watermark_IgnoresAnIdleSourceUntilItDelivers) {
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 10 * s),
                   {reading_at(5 * s, 1000, "p0", 0), reading_at(25 * s, 1000, "p0", 1), source_idle(0),
                    reading_at(8 * s, 1000, "p0", 0), reading_at(30 * s, 1000, "p0", 1)},
                   0, 2),
              ElementsAre("[0 10000000000) r0 () count()=1 s=1000"));
  EXPECT_THAT(late, ElementsAre(2U));
}

TEST_P(Lateness, Watermark_OfASourceThatDeliversAgainCountsJustBeforeItsReading) {
  rows(count_and_sum(false).with(10 * s, 10 * s),
       {reading_at(5 * s, 1000, "p0", 0), reading_at(35 * s, 1000, "p0", 1), source_idle(1), source_idle(0),
        reading_at(8 * s, 1000, "p0", 1)},
       0, 2);
  EXPECT_THAT(late, ElementsAre(2U));
}

TEST_P(Lateness, Tick_ClosesWindowsWithoutData) {
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 10 * s), {reading_at(5 * s), watermark_at(10 * s)}),
              ElementsAre("[0 10000000000) r0 () count()=1 s=1000"));
  EXPECT_EQ(windows_closed, 1U);
}

TEST_P(Lateness, Tick_IsJudgedBeforeTheReadingThatFollows) {
  rows(count_and_sum(false).with(10 * s, 10 * s), {reading_at(5 * s), watermark_at(10 * s), reading_at(6 * s)});
  EXPECT_THAT(late, ElementsAre(1U));
}

TEST_P(Lateness, Gap_ReadingBetweenWindowsIsFilteredNotLate) {
  // Windows of 2 s end every 5 s: [3, 5), [8, 10), …
  EXPECT_THAT(
      rows(count_and_sum(false).with(2 * s, 5 * s),
           {reading_at(0), reading_at(3 * s - 1), reading_at(3 * s), reading_at(5 * s - 1), reading_at(5 * s),
            reading_at(9 * s), reading_at(12 * s), reading_at(6 * s), reading_at(4 * s)}),
      ElementsAre("[3000000000 5000000000) r0 () count()=2 s=2000", "[8000000000 10000000000) r0 () count()=1 s=1000"));
  EXPECT_EQ(ledger.filtered, 5U);
  EXPECT_EQ(ledger.late, 1U);
}

TEST_P(Lateness, Revision_ComesWithTheNextWindowThatCloses) {
  EXPECT_THAT(
      rows(count_and_sum(true).with(10 * s, 10 * s, 20 * s),
           {reading_at(5 * s, 1, "p1"), reading_at(6 * s, 2, "p2"), reading_at(12 * s, 4, "p1"),
            reading_at(7 * s, 8, "p2"), reading_at(19 * s, 16, "p1"), reading_at(8 * s, 32, "p2"),
            reading_at(21 * s, 64, "p1")}),
      ElementsAre("[0 10000000000) r0 (p1) count()=1 s=1", "[0 10000000000) r0 (p2) count()=1 s=2",
                  "[0 10000000000) r1 (p2) count()=3 s=42", "[10000000000 20000000000) r0 (p1) count()=2 s=20"));
  EXPECT_EQ(ledger.revisions, 1U);
  EXPECT_EQ(ledger.rows, 4U);
}

TEST_P(Lateness, Revision_NumbersGoOnWithEachEmission) {
  EXPECT_THAT(rows(count_and_sum(true).with(10 * s, 10 * s, 100 * s),
                   {reading_at(5 * s, 1), reading_at(10 * s, 2), reading_at(6 * s, 4), reading_at(20 * s, 8),
                    reading_at(7 * s, 16), reading_at(15 * s, 32), reading_at(30 * s, 64)}),
              ElementsAre("[0 10000000000) r0 (p0) count()=1 s=1", "[0 10000000000) r1 (p0) count()=2 s=5",
                          "[10000000000 20000000000) r0 (p0) count()=1 s=2", "[0 10000000000) r2 (p0) count()=3 s=21",
                          "[10000000000 20000000000) r1 (p0) count()=2 s=34",
                          "[20000000000 30000000000) r0 (p0) count()=1 s=8"));
}

TEST_P(Lateness, Revision_NumberIsKeptForAWindowThatExpiresWhileItsRowWaits) {
  // The window that ends at 10 is over for good at 25; its second revision goes out at 30.
  const std::vector<std::string> texts =
      rows(count_and_sum(false).with(10 * s, 10 * s, 15 * s),
           {reading_at(5 * s, 1), reading_at(10 * s, 2), reading_at(6 * s, 4), reading_at(20 * s, 8),
            reading_at(7 * s, 16), reading_at(26 * s, 32), reading_at(30 * s, 64)});
  EXPECT_THAT(texts, ::testing::Contains("[0 10000000000) r2 () count()=3 s=21"));
}

TEST_P(Lateness, Revision_OfAGroupThatHadNoRowIsTheFirst) {
  EXPECT_THAT(rows(count_and_sum(true).with(10 * s, 10 * s, 100 * s),
                   {reading_at(5 * s, 1, "p1"), reading_at(10 * s, 2, "p1"), reading_at(6 * s, 4, "p0"),
                    reading_at(20 * s, 8, "p1")}),
              ElementsAre("[0 10000000000) r0 (p1) count()=1 s=1", "[0 10000000000) r1 (p0) count()=1 s=4",
                          "[10000000000 20000000000) r0 (p1) count()=1 s=2"));
}

TEST_P(Lateness, Revision_IsNotTakenAfterAllowedLateness) {
  // The window that ends at 10 is kept until the watermark reaches 15.
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 10 * s, 5 * s),
                   {reading_at(5 * s, 1), reading_at(15 * s - 1, 2), reading_at(6 * s, 4), reading_at(15 * s, 8),
                    reading_at(7 * s, 16), reading_at(20 * s, 32)}),
              ElementsAre("[0 10000000000) r0 () count()=1 s=1", "[0 10000000000) r1 () count()=2 s=5",
                          "[10000000000 20000000000) r0 () count()=2 s=10"));
  EXPECT_THAT(late, ElementsAre(4U));
}

TEST_P(Lateness, Revision_OfSlidingWindowsCoversEachThatHoldsTheReading) {
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 5 * s, 100 * s),
                   {reading_at(1 * s, 1), reading_at(12 * s, 2), reading_at(3 * s, 4), reading_at(15 * s, 8)}),
              ElementsAre("[-5000000000 5000000000) r0 () count()=1 s=1", "[0 10000000000) r0 () count()=1 s=1",
                          "[-5000000000 5000000000) r1 () count()=2 s=5", "[0 10000000000) r1 () count()=2 s=5",
                          "[5000000000 15000000000) r0 () count()=1 s=2"));
}

TEST_P(Lateness, Revision_GoesOutAtTheEndOfInput) {
  EXPECT_THAT(rows(count_and_sum(false).with(10 * s, 10 * s, 100 * s),
                   {reading_at(5 * s, 1), reading_at(10 * s, 2), reading_at(6 * s, 4)}, 0, 1, true),
              ElementsAre("[0 10000000000) r0 () count()=1 s=1", "[0 10000000000) r1 () count()=2 s=5",
                          "[10000000000 20000000000) r0 () count()=1 s=2"));
}

TEST_P(Lateness, Group_BeyondMaxGroupsIsFilteredAlsoWhereItWouldBeLate) {
  QueryCase query = count_and_sum(true).with(10 * s, 10 * s);
  query.spec.max_groups = 2;
  const plan::Plan plan = plan_of(plugs_stream(1, 0), query.spec);
  EngineUnderTest engine(plan, backend());
  const std::vector<oracle::Event> events{
      reading_at(s, 1, "p7"),       reading_at(2 * s, 2, "p8"),  reading_at(3 * s, 4, "p9"), reading_at(4 * s, 8, "p7"),
      reading_at(10 * s, 16, "p9"), reading_at(5 * s, 32, "p9"), reading_at(6 * s, 64, "p8")};
  engine.feed(events);
  EXPECT_THAT(engine.texts(),
              ElementsAre("[0 10000000000) r0 (p7) count()=2 s=9", "[0 10000000000) r0 (p8) count()=1 s=2"));
  EXPECT_EQ(engine.ledger().counted, 3U);
  EXPECT_EQ(engine.ledger().filtered, 3U);
  EXPECT_EQ(engine.ledger().late, 1U);
}

TEST_P(Lateness, EmptyWindow_HasARowOnlyIfAskedForAndOnlyAfterTheFirstReading) {
  QueryCase query = count_and_sum(false).with(10 * s, 10 * s);
  const std::vector<oracle::Event> events{reading_at(15 * s), reading_at(45 * s), reading_at(50 * s)};
  EXPECT_THAT(rows(query, events, 10 * s), ElementsAre("[10000000000 20000000000) r0 () count()=1 s=1000"));
  query.spec.emit_empty = query.expected.emit_empty = true;
  EXPECT_THAT(rows(query, events), ElementsAre("[10000000000 20000000000) r0 () count()=1 s=1000",
                                               "[20000000000 30000000000) r0 () count()=0 s=null",
                                               "[30000000000 40000000000) r0 () count()=0 s=null",
                                               "[40000000000 50000000000) r0 () count()=1 s=1000"));
}

TEST_P(Lateness, EmptyWindows_BeyondABoundGetNoRowsAndTheQueryBeginsAnew) {
  constexpr auto kMost = static_cast<std::int64_t>(execute::kMostEmptyWindows);
  QueryCase query = count_and_sum(false).with(s, s);
  query.spec.emit_empty = true;
  const plan::Plan plan = plan_of(plugs_stream(1, 0), query.spec);
  // The reading that closes the gap is one past its last empty window.
  const auto rows_of = [&](std::int64_t empty, std::size_t split) {
    EngineUnderTest engine(plan, backend());
    const std::int64_t far = (1 + empty) * s;
    const std::vector<oracle::Event> events{reading_at(0), reading_at(far), reading_at(far + 3 * s)};
    engine.feed(std::span(events).first(split));
    engine.feed(std::span(events).subspan(split));
    EXPECT_EQ(engine.ledger().windows, static_cast<std::uint64_t>(empty) + 4);
    return engine.rows().size();
  };
  const auto filled = static_cast<std::size_t>(kMost) + 4;
  for (const std::size_t split : {0U, 1U, 2U, 3U}) {
    EXPECT_EQ(rows_of(kMost, split), filled) << split;
    EXPECT_EQ(rows_of(kMost + 1, split), 4U) << split;
    EXPECT_EQ(rows_of(1'700'000'000, split), 4U) << split;
  }
}

TEST_P(Lateness, EmptyWindows_OfOneTickAtATimeAreNotBounded) {
  QueryCase query = count_and_sum(false).with(s, s);
  query.spec.emit_empty = true;
  const plan::Plan plan = plan_of(plugs_stream(1, 0), query.spec);
  EngineUnderTest engine(plan, backend());
  std::vector<oracle::Event> events{reading_at(0), source_idle(0)};
  constexpr auto kHalf = static_cast<std::int64_t>(execute::kMostEmptyWindows) / 2;
  for (std::int64_t i = 1; i <= 3; ++i) events.push_back(watermark_at(i * kHalf * s));
  engine.feed(events);
  EXPECT_EQ(engine.rows().size(), static_cast<std::size_t>(3 * kHalf)) << "each tick is a step of its own";
}

TEST_P(Lateness, ClockSetBack_OpensWindowsThatNoReadingCameInto) {
  constexpr std::int64_t kYear = 365 * 24 * 3600 * s;
  const QueryCase query = count_and_sum(true).with(10 * s, 10 * s);
  const plan::Plan plan = plan_of(plugs_stream(1, 0), query.spec);
  EngineUnderTest engine(plan, backend());
  const std::vector<oracle::Event> before{reading_at(5 * s, 1), source_idle(0), watermark_at(10 * kYear)};
  engine.feed(before);
  engine.set_clock_back(12 * s);
  const std::vector<oracle::Event> after{reading_at(7 * s, 2), reading_at(13 * s, 4), reading_at(20 * s, 8)};
  engine.feed(after);
  EXPECT_THAT(engine.texts(),
              ElementsAre("[0 10000000000) r0 (p0) count()=1 s=1", "[10000000000 20000000000) r0 (p0) count()=1 s=4"));
  EXPECT_EQ(engine.ledger().late, 1U) << "a window that had a reading stays closed";
  const std::string saved = engine.save();
  EngineUnderTest again(plan, backend());
  again.load(saved, engine);
  again.feed(std::vector<oracle::Event>{reading_at(30 * s, 1)});
  EXPECT_THAT(again.texts(), ElementsAre("[20000000000 30000000000) r0 (p0) count()=1 s=8"));
}

TEST_P(Lateness, ClockSetBackBehindTheReadings_EmitsWhatIsOpenAndBeginsAnew) {
  const QueryCase query = count_and_sum(true).with(10 * s, 5 * s);
  const plan::Plan plan = plan_of(plugs_stream(1, 0), query.spec);
  EngineUnderTest engine(plan, backend());
  const std::vector<oracle::Event> before{reading_at(1002 * s, 1), reading_at(1008 * s, 2)};
  engine.feed(before);
  engine.set_clock_back(12 * s);
  const std::vector<oracle::Event> after{reading_at(12 * s, 4), reading_at(16 * s, 8)};
  engine.feed(after);
  engine.feed({}, true);
  EXPECT_THAT(engine.texts(), ElementsAre("[995000000000 1005000000000) r0 (p0) count()=1 s=1",
                                          "[1000000000000 1010000000000) r0 (p0) count()=2 s=3",
                                          "[1005000000000 1015000000000) r0 (p0) count()=1 s=2",
                                          "[5000000000 15000000000) r0 (p0) count()=1 s=4",
                                          "[10000000000 20000000000) r0 (p0) count()=2 s=12",
                                          "[15000000000 25000000000) r0 (p0) count()=1 s=8"));
}

TEST_P(Lateness, Jump_OverYearsOfEmptyWindowsDoesNotVisitEachOfThem) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  constexpr std::int64_t kYear = 365 * 24 * 3600 * s;
  const QueryCase query = count_and_sum(true).with(10 * kMillisecond, kMillisecond);
  for (const std::size_t sources : {1U, 2U}) {
    const plan::Plan plan = plan_of(plugs_stream(sources, 0), query.spec);
    EngineUnderTest engine(plan, backend());
    std::vector<oracle::Event> events;
    for (int i = 0; i < 20; ++i) {
      events.push_back(reading_at(i * kYear, 1, "p0", 0));
    }
    if (sources == 2) {
      // The second source held the watermark back: everything closes at one row.
      events.push_back(reading_at(0, 1, "p0", 1));
      events.push_back(reading_at(20 * kYear, 1, "p0", 1));
    }
    engine.feed(events, true);
    EXPECT_EQ(engine.rows().size(), (20 + sources - 1) * 10);
    EXPECT_GE(engine.windows_closed(), static_cast<std::uint64_t>(19 * (kYear / kMillisecond)));
    EXPECT_EQ(engine.ledger().late, 0U);
  }
}

TEST_P(Lateness, Time_AtTheLimitsOf64BitsIsNoUndefinedBehaviour) {
  constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();
  const QueryCase query = count_and_sum(true).with(10 * s, 5 * s);
  const plan::Plan plan = plan_of(plugs_stream(1, 3 * s), query.spec);
  EngineUnderTest engine(plan, backend());
  const std::vector<oracle::Event> events{reading_at(kEarliest + 60 * s), reading_at(0), reading_at(kLatest - 60 * s),
                                          watermark_at(kLatest)};
  engine.feed(events, true);
  EXPECT_TRUE(engine.ledger().balances());
  EXPECT_EQ(engine.ledger().counted, 3U);
}

WEIR_CONTRACT_SUITE(Lateness);

}  // namespace
}  // namespace weir::contract
