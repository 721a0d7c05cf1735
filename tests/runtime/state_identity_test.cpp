// State belongs to what it was made from: what changed is named, and nothing is read with a position of something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.hpp"
#include "runtime/pipeline_support.hpp"
#include "runtime/stream_identity.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StateIdentity : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path(name); }
  [[nodiscard]] std::string file(const std::string& name, const std::string& more = "") const {
    return R"({ type = "file", path = ")" + path(name) + "\"" + more + " }";
  }
  [[nodiscard]] std::string configuration(const std::string& sources, const std::string& stream = "") const {
    return "[pipeline]\nstate_dir = \"" + path("state") + "\"\n[streams.s]\nsources = [" + sources + R"~(]
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 0 }
out_of_order = "1h"
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
select = ["count()", "sum(v)"]
window = "10s"
sinks = ["sums"]
[[sink]]
name = "rows"
type = "file"
path = ")~" +
           path("rows.jsonl") + "\"\n[[sink]]\nname = \"sums\"\ntype = \"file\"\npath = \"" + path("sums.jsonl") +
           "\"\n";
  }
  void lines(const std::string& name, const std::vector<std::pair<int, int>>& readings) const {
    std::string text = fs::exists(path(name)) ? read_file(path(name)) : "";
    for (const auto& [t, v] : readings) {
      text += R"({"t":)" + std::to_string(t) + R"(,"k":"a","v":)" + std::to_string(v) + "}\n";
    }
    write_file(path(name), text);
  }
  static runtime::Report run(const std::string& toml, bool replay = false,
                             const std::vector<std::string>& discard = {}) {
    runtime::Options options;
    options.replay = replay;
    options.discard_state = discard;
    runtime::Pipeline pipeline(plan_of(toml), options);
    pipeline.start();
    pipeline.wait();
    return pipeline.report();
  }
  static std::string refusal(const std::string& toml, bool replay = false) {
    try {
      run(toml, replay);
      return "nothing was refused";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }

  const Scratch scratch_;
};

TEST_F(StateIdentity, AnotherPathIsRefusedWithBoth) {
  lines("a.jsonl", {{1, 1}});
  lines("b.jsonl", {{1, 2}, {2, 3}});
  for (const bool replay : {false, true}) {
    run(configuration(file("a.jsonl")), replay);
    const std::string text = refusal(configuration(file("b.jsonl")), replay);
    EXPECT_THAT(text, HasSubstr("source 1 of stream 's' was file '" + path("a.jsonl") + "', is file '" +
                                path("b.jsonl") + "' since its state was saved"));
    EXPECT_THAT(text, HasSubstr("--discard-state s"));
    fs::remove_all(path("state"));
  }
}

TEST_F(StateIdentity, TheSamePathInOtherWordsIsTheSame) {
  lines("a.jsonl", {{1, 1}});
  run(configuration(file("a.jsonl")));
  EXPECT_EQ(run(configuration(file("./a.jsonl"))).streams[0].ledger.received, 1U);
}

TEST_F(StateIdentity, SourcesInAnotherOrderAreRefused) {
  lines("a.jsonl", {{1, 1}});
  lines("b.jsonl", {{1, 2}, {2, 3}});
  run(configuration(file("a.jsonl") + ", " + file("b.jsonl")));
  EXPECT_THAT(refusal(configuration(file("b.jsonl") + ", " + file("a.jsonl"))), HasSubstr("source 1 of stream 's'"));
}

TEST_F(StateIdentity, AnotherNumberOfSourcesIsRefused) {
  lines("a.jsonl", {{1, 1}});
  lines("b.jsonl", {{1, 2}});
  run(configuration(file("a.jsonl")));
  EXPECT_THAT(refusal(configuration(file("a.jsonl") + ", " + file("b.jsonl"))),
              HasSubstr("stream 's' had 1 sources, has 2"));
}

TEST_F(StateIdentity, AnotherFormatIsRefused) {
  lines("a.jsonl", {{1, 1}});
  run(configuration(file("a.jsonl")));
  EXPECT_THAT(refusal(configuration(file("a.jsonl", ", format = \"csv\", columns = [\"t\", \"k\", \"v\"]"))),
              HasSubstr("was json, is csv"));
}

TEST_F(StateIdentity, AStreamThatIsGoneOrHasAnotherNameIsRefused) {
  lines("a.jsonl", {{1, 1}});
  const std::string toml = configuration(file("a.jsonl"));
  run(toml);
  std::string renamed = toml;
  for (std::size_t at = 0; (at = renamed.find("from = \"s\"")) != std::string::npos;) {
    renamed.replace(at, 10, "from = \"t\"");
  }
  renamed.replace(renamed.find("[streams.s]"), 11, "[streams.t]");
  EXPECT_THAT(refusal(renamed), HasSubstr("stream 's', which is not in the configuration any more"));
}

TEST_F(StateIdentity, AQueryOrASinkThatIsGoneIsNoReasonToRefuse) {
  lines("a.jsonl", {{1, 1}});
  const std::string toml = configuration(file("a.jsonl"));
  run(toml);
  const std::string sums = read_file(path("sums.jsonl"));
  lines("a.jsonl", {{2, 2}});
  std::string less = toml.substr(0, toml.find("[[query]]\nname = \"sums\"")) + toml.substr(toml.find("[[sink]]"));
  less = less.substr(0, less.rfind("[[sink]]"));
  EXPECT_EQ(run(less).streams[0].ledger.received, 2U);
  EXPECT_EQ(read_file(path("sums.jsonl")), sums);
}

TEST_F(StateIdentity, ADiscardedStreamReadsItsSourcesFromTheBeginning) {
  lines("a.jsonl", {{1, 1}});
  lines("b.jsonl", {{1, 2}, {2, 3}});
  run(configuration(file("a.jsonl")));
  const runtime::Report report = run(configuration(file("b.jsonl")), false, {"s"});
  EXPECT_EQ(report.streams[0].ledger.received, 2U);
  EXPECT_EQ(run(configuration(file("b.jsonl"))).streams[0].ledger.received, 2U) << "and the next start goes on";
  const std::string rows = read_file(path("rows.jsonl"));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3) << "what was written before stays";
}

TEST_F(StateIdentity, RowsOfADiscardedQueryAreNotCutBack) {
  lines("a.jsonl", {{1, 1}});
  const std::string toml = configuration(file("a.jsonl"));
  run(toml);
  fs::copy(path("state"), path("early"), fs::copy_options::recursive);
  lines("a.jsonl", {{2, 2}, {3, 3}});
  run(toml);
  // As after a kill: the rows of the second life are newer than the checkpoint.
  fs::remove_all(path("state"));
  fs::rename(path("early"), path("state"));
  const std::string rows = read_file(path("rows.jsonl"));
  run(toml, false, {"q"});
  EXPECT_TRUE(read_file(path("rows.jsonl")).starts_with(rows));
}

TEST_F(StateIdentity, AReplayReadsOnWhereItsInputHasGrown) {
  lines("a.jsonl", {{1, 1}});
  const std::string toml = configuration(file("a.jsonl"));
  run(toml, true);
  EXPECT_EQ(run(toml, true).streams[0].ledger.received, 1U);
  lines("a.jsonl", {{20, 2}});
  const runtime::Report report = run(toml, true);
  EXPECT_EQ(report.streams[0].ledger.received, 2U);
  EXPECT_EQ(report.queries[1].ledger.rows, 2U);
}

TEST_F(StateIdentity, SourcesThatHadComeToTheirEndAreBothReadOn) {
  for (int life = 0; life < 6; ++life) {
    lines("a.jsonl", {{100 * life + 9, 1}});
    std::vector<std::pair<int, int>> many;
    for (int i = 0; i < 20'000; ++i) {
      many.emplace_back(100 * life + 5, 1);
    }
    lines("b.jsonl", many);
    const runtime::Report report = run(configuration(file("a.jsonl") + ", " + file("b.jsonl")));
    const auto all = static_cast<std::uint64_t>(life + 1) * 20'001;
    EXPECT_EQ(report.streams[0].ledger.received, all);
    EXPECT_EQ(report.queries[1].ledger.counted, all) << "life " << life;
  }
}

TEST_F(StateIdentity, ASourceThatHadComeToItsEndHoldsTheWatermarkBackUntilItIsReadOn) {
  std::string toml = configuration(file("a.jsonl") + ", " + file("b.jsonl"));
  toml.replace(toml.find("\"1h\""), 4, "\"0s\"");
  for (int life = 0; life < 6; ++life) {
    lines("a.jsonl", {{100 * life + 19, 1}});
    std::vector<std::pair<int, int>> many(20'000, {100 * life + 5, 1});
    lines("b.jsonl", many);
    const runtime::Report report = run(toml);
    EXPECT_EQ(report.queries[1].ledger.late, 0U) << "life " << life;
  }
}

// What a source is, without a run.

spec::Stream stream_of(const spec::Source& source) {
  spec::Stream stream;
  stream.name = "s";
  stream.schema.fields = {{"v", 0, {}, false}};
  stream.sources = {source};
  return stream;
}

runtime::IdentityChanges changes(const spec::Source& before, const spec::Source& now) {
  return runtime::compare("s", runtime::identity_of(stream_of(before)), runtime::identity_of(stream_of(now)));
}

TEST(SourceIdentity, OtherTopicsOrCapturesMatterForMessagesThatAreStillToBeRead) {
  spec::Source before;
  before.kind = spec::SourceKind::mqtt;
  before.broker = "mqtt://h:1883";
  before.topics = {"plant/{line}/{m}"};
  spec::Source now = before;
  EXPECT_TRUE(changes(before, now).none());
  now.topics = {"plant/{m}/{line}"};
  EXPECT_THAT(changes(before, now).unread, ElementsAre("source 1 of stream 's' was topics plant/{line}/{m}, json, is "
                                                       "topics plant/{m}/{line}, json"));
  EXPECT_THAT(changes(before, now).refused, IsEmpty());
}

TEST(SourceIdentity, AnotherAddressOfWhatHasNoPositionIsHarmless) {
  spec::Source before;
  before.kind = spec::SourceKind::mqtt;
  before.broker = "mqtt://h:1883";
  before.topics = {"plant/#"};
  spec::Source now = before;
  now.broker = "mqtt://moved:1883";
  EXPECT_THAT(changes(before, now).harmless, ElementsAre(HasSubstr("mqtt broker 'mqtt://moved:1883'")));
  spec::Source tcp;
  tcp.kind = spec::SourceKind::tcp;
  tcp.host = "a";
  tcp.port = 1;
  spec::Source other = tcp;
  other.host = "b";
  EXPECT_THAT(changes(tcp, other).harmless, ElementsAre("source 1 of stream 's' was tcp a:1, is tcp b:1"));
  other.format.kind = spec::FormatKind::senml;
  EXPECT_THAT(changes(tcp, other).unread, ElementsAre(HasSubstr("(senml)")));
}

TEST(SourceIdentity, AnotherDirectoryPatternOrSeedIsRefused) {
  spec::Source before;
  before.kind = spec::SourceKind::directory;
  before.path = "in";
  spec::Source now = before;
  now.path = "in/";
  EXPECT_TRUE(changes(before, now).none());
  now.path = "elsewhere";
  EXPECT_THAT(changes(before, now).refused, ElementsAre(HasSubstr("was directory 'in/', is directory 'elsewhere/'")));
  now = before;
  now.pattern = "*.json";
  EXPECT_THAT(changes(before, now).refused, ElementsAre(HasSubstr("files '*.json'")));
  before.kind = now.kind = spec::SourceKind::simulator;
  now.simulator.seed = 2;
  EXPECT_THAT(changes(before, now).refused, ElementsAre(HasSubstr("seed 2")));
}

}  // namespace
}  // namespace weir::test
