// Bounds of memory in a whole pipeline: what they refuse is counted, takes no place, and comes out the same after a
// restart and in a replay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "batch/malformed.hpp"
#include "core/error.hpp"
#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using batch::Malformed;
using testing::HasSubstr;

class MemoryBounds : public testing::Test {
 protected:
  [[nodiscard]] std::string configuration(const std::string& stream, const std::string& pipeline = "") const {
    return "[pipeline]\nstate_dir = \"" + scratch_.path("state") + "\"\n" + pipeline + R"~(
[streams.s]
source = { type = "file", path = ")~" +
           scratch_.path("in.jsonl") + R"~(" }
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 0, seq = 0 }
)~" + stream +
           R"~(
[[query]]
name = "q"
from = "s"
select = ["v"]
sinks = ["rows"]
[[query]]
name = "sums"
from = "s"
select = ["count()"]
window = "1h"
sinks = ["rows"]
[[sink]]
name = "rows"
type = "file"
path = ")~" +
           scratch_.path("{query}.jsonl") + "\"\n";
  }
  void input(const std::string& lines) const {
    const std::string path = scratch_.path("in.jsonl");
    write_file(path, (fs::exists(path) ? read_file(path) : "") + lines);
  }
  static runtime::Report run(const std::string& toml, const runtime::Options& options = {}) {
    runtime::Pipeline pipeline(plan_of(toml), options);
    pipeline.start();
    pipeline.wait();
    return pipeline.report();
  }
  static std::uint64_t count(const runtime::Report& report, Malformed reason) {
    return report.streams[0].ledger.malformed[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::ptrdiff_t rows() const {
    const std::string text = read_file(scratch_.path("q.jsonl"));
    return std::count(text.begin(), text.end(), '\n');
  }

  const Scratch scratch_;
};

TEST_F(MemoryBounds, ARefusedReadingTakesNoPlaceInALaterLifeOrInAReplayOfTheJournal) {
  const std::string toml = configuration("max_keys = 2\n");
  input(R"({"t":1,"k":"x0","v":"n/a"})"
        "\n"
        R"({"t":1,"k":"x1"})"
        "\n"
        R"({"t":1,"k":"a","v":1})"
        "\n");
  run(toml);
  input(R"({"t":2,"k":"x2","v":1e30})"
        "\n"
        R"({"t":9e9,"k":"x3","v":1})"
        "\n"
        R"({"t":2,"k":"b","v":2})"
        "\n"
        R"({"t":2,"k":"c","v":3})"
        "\n");
  const runtime::Report report = run(toml);
  EXPECT_EQ(report.streams[0].keys, 2U);
  EXPECT_EQ(report.streams[0].ledger.delivered, 2U);
  EXPECT_EQ(count(report, Malformed::too_many_keys), 1U);
  EXPECT_EQ(rows(), 2);

  runtime::Options replay;
  replay.replay = true;
  replay.replay_options.journals["s"] = scratch_.path("state") + "/journal/s";
  std::string stateless = toml;
  stateless.erase(stateless.find("state_dir"),
                  stateless.find('\n', stateless.find("state_dir")) - stateless.find("state_dir"));
  const runtime::Report again = run(stateless, replay);
  EXPECT_EQ(again.streams[0].ledger.malformed, report.streams[0].ledger.malformed);
  EXPECT_EQ(again.streams[0].ledger.delivered, 2U);
}

TEST_F(MemoryBounds, AStateWithALongerKeyIsRefusedWithTheNumber) {
  input(R"({"t":1,"k":")" + std::string(300, 'k') +
        R"(","v":1})"
        "\n");
  run(configuration("max_key_bytes = 300\n"));
  try {
    run(configuration(""));
    ADD_FAILURE() << "not refused";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("max_key_bytes = 300"));
  }
}

TEST_F(MemoryBounds, ARecordedMessageThatIsLargerThanAllowedIsRefusedByItself) {
  input(R"({"t":1,"k":"a","v":1,"x":")" + std::string(std::size_t{700} << 10U, 'x') + "\"}\n" +
        R"({"t":2,"k":"a","v":2})"
        "\n");
  EXPECT_EQ(run(configuration("")).streams[0].ledger.delivered, 2U);
  runtime::Options replay;
  replay.replay = true;
  replay.replay_options.journals["s"] = scratch_.path("state") + "/journal/s";
  std::string toml = configuration("", "max_message = \"300KiB\"\n");
  toml.erase(toml.find("state_dir"), toml.find('\n', toml.find("state_dir")) - toml.find("state_dir"));
  const runtime::Report report = run(toml, replay);
  EXPECT_EQ(count(report, Malformed::too_large), 1U);
  EXPECT_EQ(report.streams[0].ledger.received, 1U + report.streams[0].ledger.delivered);
}

TEST_F(MemoryBounds, RepeatsAreRecognisedAcrossARestartAndReadingsWithoutANumberAreNone) {
  const std::string toml = configuration("dedupe = true\nsequence = \"seq\"\nmax_remembered = 4\n");
  input(R"({"t":1,"k":"a","v":1,"seq":1})"
        "\n"
        R"({"t":1,"k":"a","v":2})"
        "\n"
        R"({"t":1,"k":"a","v":3})"
        "\n");
  run(toml);
  // The first of them is four readings back, and then five.
  input(R"({"t":1,"k":"a","v":4})"
        "\n"
        R"({"t":1,"k":"a","v":5,"seq":1})"
        "\n");
  EXPECT_EQ(run(toml).streams[0].ledger.duplicate, 1U);
  input(R"({"t":1,"k":"a","v":6,"seq":1})"
        "\n");
  const runtime::Report report = run(toml);
  EXPECT_EQ(report.streams[0].ledger.duplicate, 1U);
  EXPECT_EQ(report.streams[0].ledger.delivered, 5U);
}

}  // namespace
}  // namespace weir::test
