// What a journal holds is held to the configuration that reads it.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "journal/durable_journal.hpp"
#include "runtime/pipeline_support.hpp"

namespace weir::runtime {
namespace {

/// Replays a journal of MQTT messages, "topic payload" each, with a source of these topics: the ledger.
state::StreamLedger replayed(const std::vector<std::pair<std::string, std::string>>& messages,
                             const std::string& topics) {
  const test::Scratch files;
  {
    journal::DurableOptions options;
    options.directory = files.path("journal");
    journal::Recovered recovered;
    const auto journal = journal::open_durable_journal(options, 0, recovered);
    std::int64_t arrival_ns = 1'700'000'000'000'000'000;
    for (const auto& [topic, payload] : messages) {
      batch::MessageView message;
      message.topic = topic;
      message.payload = payload;
      message.arrival_ns = ++arrival_ns;
      EXPECT_EQ(journal->offer(message), batch::Accepted::yes);
    }
    journal->sync();
    journal->close();
  }
  Report report;
  test::replay_rows(R"toml(
    [pipeline]
    max_message = "2KiB"
    [streams.s]
    source = { type = "mqtt", broker = "mqtt://localhost", topics = )toml" +
                        topics + R"toml( }
    time = "arrival"
    fields = { v = 0 }
    [[query]]
    name = "q"
    from = "s"
    select = ["count()"]
  )toml",
                    &report, {}, {{"s", files.path("journal")}});
  EXPECT_TRUE(report.balances());
  return report.streams.at(0).ledger;
}

std::uint64_t of(const state::StreamLedger& ledger, batch::Malformed reason) {
  return ledger.malformed.at(static_cast<std::size_t>(reason));
}

TEST(Admission, AMessageOfATopicThatNobodyAsksForIsNoReading) {
  const state::StreamLedger ledger = replayed(
      {{"hall/a", R"({"v":1})"}, {"hall/b", R"([{"v":1},{"v":2}])"}, {"hall/a", R"([{"v":1},{"v":2}])"}, {"", "{}"}},
      R"(["hall/a", "yard/#"])");
  EXPECT_EQ(ledger.delivered, 3U);
  EXPECT_EQ(ledger.received, 5U);
  EXPECT_EQ(of(ledger, batch::Malformed::other_topic), 2U);
}

TEST(Admission, AMessageThatAnOlderJournalHoldsWholeIsNotReadWhereItIsTooLarge) {
  const std::string large = R"({"v":1)" + std::string(3000, ' ') + "}";
  const state::StreamLedger ledger = replayed({{"a", large}, {"a", R"({"v":1})"}}, R"(["a"])");
  EXPECT_EQ(ledger.delivered, 1U);
  EXPECT_EQ(of(ledger, batch::Malformed::too_large), 1U);
}

}  // namespace
}  // namespace weir::runtime
