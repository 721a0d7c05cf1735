#include "state/ledger.hpp"

#include <gtest/gtest.h>

namespace weir::state {
namespace {

StreamLedger sample() {
  StreamLedger ledger;
  ledger.delivered = 70;
  ledger.duplicate = 5;
  ledger.shed = 15;
  ledger.rounded = 3;
  for (std::size_t i = 0; i < ledger.malformed.size(); ++i) ledger.malformed[i] = i + 1;
  ledger.received = 70 + 5 + 15 + 105;  // 1 + 2 + … + 14
  return ledger;
}

TEST(StreamLedger, BalancesToTheReading) {
  StreamLedger ledger = sample();
  EXPECT_EQ(ledger.malformed_total(), 105U);
  EXPECT_TRUE(ledger.balances());
  ++ledger.malformed[3];
  EXPECT_FALSE(ledger.balances());
}

TEST(StreamLedger, SurvivesACheckpoint) {
  const StreamLedger ledger = sample();
  Writer out;
  ledger.save(out);
  StreamLedger loaded;
  loaded.malformed[0] = 99;
  Reader in(out.bytes());
  loaded.load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(loaded.received, ledger.received);
  EXPECT_EQ(loaded.delivered, ledger.delivered);
  EXPECT_EQ(loaded.duplicate, ledger.duplicate);
  EXPECT_EQ(loaded.shed, ledger.shed);
  EXPECT_EQ(loaded.rounded, ledger.rounded);
  EXPECT_EQ(loaded.malformed, ledger.malformed);
}

TEST(StreamLedger, AReasonOfALaterVersionStillBalances) {
  Writer out;
  for (const std::uint64_t value : {std::uint64_t{batch::kMalformedReasons + 2}, std::uint64_t{0}, std::uint64_t{0},
                                    std::uint64_t{0}, std::uint64_t{0}})
    out.u64(value);  // received, delivered, duplicate, shed, rounded
  out.u64(batch::kMalformedReasons + 1);
  for (std::size_t i = 0; i <= batch::kMalformedReasons; ++i) out.u64(i == 0 ? 2 : 1);
  StreamLedger loaded;
  Reader in(out.bytes());
  loaded.load(in);
  EXPECT_TRUE(loaded.balances());
  EXPECT_EQ(loaded.malformed[0], 3U);
}

TEST(QueryLedger, BalancesAndSurvivesACheckpoint) {
  QueryLedger ledger;
  ledger.delivered = 10;
  ledger.counted = 7;
  ledger.filtered = 2;
  ledger.late = 1;
  ledger.windows = 4;
  ledger.rows = 5;
  ledger.revisions = 6;
  EXPECT_TRUE(ledger.balances());
  Writer out;
  ledger.save(out);
  QueryLedger loaded;
  Reader in(out.bytes());
  loaded.load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_TRUE(loaded.balances());
  EXPECT_EQ(loaded.delivered, 10U);
  EXPECT_EQ(loaded.counted, 7U);
  EXPECT_EQ(loaded.filtered, 2U);
  EXPECT_EQ(loaded.late, 1U);
  EXPECT_EQ(loaded.windows, 4U);
  EXPECT_EQ(loaded.rows, 5U);
  EXPECT_EQ(loaded.revisions, 6U);
  ++loaded.late;
  EXPECT_FALSE(loaded.balances());
}

TEST(SinkLedger, SurvivesACheckpoint) {
  SinkLedger ledger;
  ledger.rows = 10;
  ledger.refused = {{"not_authorized", 2}, {"too_large", 1}};
  EXPECT_EQ(ledger.refused_total(), 3U);
  Writer out;
  ledger.save(out);
  SinkLedger loaded;
  loaded.refused = {{"another", 7}};
  Reader in(out.bytes());
  loaded.load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(loaded.rows, 10U);
  EXPECT_EQ(loaded.refused, ledger.refused);
}

}  // namespace
}  // namespace weir::state
