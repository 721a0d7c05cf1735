// A start that is refused leaves every file as it was: state, journal, outputs, dead letters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "core/error.hpp"
#include "runtime/pipeline_support.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A gateway that was killed: its journal and its outputs are ahead of its checkpoint.
class Refusal : public testing::Test {
 protected:
  Refusal() {
    grow(0, 40);
    run();
    std::map<std::string, std::string> early;
    for (const std::string& file : checkpoints()) {
      early[file] = read_file(file);
    }
    grow(40, 80);
    run();
    for (const std::string& file : checkpoints()) {
      fs::remove(file);
    }
    for (const auto& [name, bytes] : early) {
      write_file(name, bytes);
    }
  }
  [[nodiscard]] std::vector<std::string> checkpoints() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path("state"))) {
      if (entry.path().extension() == ".weir") {
        files.push_back(entry.path().string());
      }
    }
    return files;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path(name); }
  void grow(int from, int to) {
    std::string text = read_file(path("in.jsonl"));
    for (int i = from; i < to; ++i) {
      text += R"({"t":)" + std::to_string(1000 + i) + R"(,"k":"a","v":)" + std::to_string(i) + "}\n";
    }
    write_file(path("in.jsonl"), text);
  }
  [[nodiscard]] std::string configuration() const {
    return "[pipeline]\nstate_dir = \"" + path("state") + "\"\ndead_letter = \"" + path("dead.jsonl") +
           "\"\n[streams.s]\nsource = { type = \"file\", path = \"" + path("in.jsonl") +
           R"~(" }
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 0 }
[[query]]
name = "q"
from = "s"
select = ["v"]
sinks = ["one", "two", "table"]
[[query]]
name = "sums"
from = "s"
select = ["sum(v)"]
window = "10s"
sinks = ["sums"]
[[sink]]
name = "one"
type = "file"
path = ")~" +
           path("one.jsonl") + "\"\n[[sink]]\nname = \"two\"\ntype = \"file\"\npath = \"" + path("two.jsonl") +
           "\"\n[[sink]]\nname = \"table\"\ntype = \"file\"\nformat = \"csv\"\npath = \"" + path("table.csv") +
           "\"\n[[sink]]\nname = \"sums\"\ntype = \"file\"\npath = \"" + path("sums.jsonl") + "\"\n";
  }
  static std::string replaced(std::string text, const std::string& what, const std::string& with) {
    text.replace(text.find(what), what.size(), with);
    return text;
  }
  void run(const std::string& toml, const std::vector<std::string>& discard = {}) const {
    runtime::Options options;
    options.discard_state = discard;
    runtime::Pipeline pipeline(plan_of(toml), options);
    pipeline.start();
    pipeline.wait();
  }
  void run() const { run(configuration()); }
  /// Whole files by name, without the one that names the process.
  [[nodiscard]] std::map<std::string, std::string> snapshot() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_.path(""))) {
      if (entry.is_regular_file() && entry.path().filename() != "LOCK") {
        files[entry.path().string()] = read_file(entry.path().string());
      }
    }
    return files;
  }
  void expect_refused(const std::string& toml, const std::string& what,
                      const std::vector<std::string>& discard = {}) const {
    const auto before = snapshot();
    try {
      run(toml, discard);
      ADD_FAILURE() << "it started: " << what;
    } catch (const std::exception& error) {
      EXPECT_THAT(error.what(), HasSubstr(what));
    }
    const auto after = snapshot();
    EXPECT_EQ(after.size(), before.size()) << what;
    for (const auto& [name, bytes] : before) {
      EXPECT_EQ(after.at(name), bytes) << name << ", refused for: " << what;
    }
  }
  [[nodiscard]] std::string newest_segment() const {
    std::vector<std::string> segments;
    for (const auto& entry : fs::directory_iterator(path("state/journal/s"))) {
      segments.push_back(entry.path().string());
    }
    return *std::max_element(segments.begin(), segments.end());
  }

  const Scratch scratch_;
};

TEST_F(Refusal, TheGatewayOfTheseTestsGoesOnWhereNothingIsWrong) {
  const std::string rows = read_file(path("one.jsonl"));
  run();
  EXPECT_EQ(read_file(path("one.jsonl")), rows);
}

TEST_F(Refusal, OfAChangedConfiguration) {
  const std::string toml = configuration();
  expect_refused(replaced(toml, "window = \"10s\"", "window = \"20s\""), "query 'sums' changed");
  expect_refused(replaced(toml, "v = 0", "v = 1"), "fields v:0, is fields v:1");
  expect_refused(replaced(toml, "unit = \"s\"", "unit = \"ms\""), "time 't' as s in zone UTC, is time 't' as ms");
  expect_refused(replaced(toml, "[streams.s]", "[streams.other]"), "");
  expect_refused(toml, "--discard-state nobody: there is no query or stream of that name", {"nobody"});
}

TEST_F(Refusal, OfAnotherSource) {
  const std::string toml = configuration();
  fs::copy(path("in.jsonl"), path("other.jsonl"));
  expect_refused(replaced(toml, "in.jsonl", "other.jsonl"), "source 1 of stream 's' was file");
  fs::remove(path("other.jsonl"));
  fs::rename(path("in.jsonl"), path("away"));
  expect_refused(toml, "in.jsonl");
}

TEST_F(Refusal, OfAnOutputThatIsNotAsItWas) {
  for (const std::string name : {"one.jsonl", "two.jsonl", "table.csv", "sums.jsonl"}) {
    const std::string whole = read_file(path(name));
    fs::remove(path(name));
    expect_refused(configuration(), "it is not there");
    write_file(path(name), std::string(100'000, 'x'));
    expect_refused(configuration(), "its rows are not those that the checkpoint counts");
    write_file(path(name), whole);
  }
  run();
}

TEST_F(Refusal, OfAnOutputThatCannotBeBegun) {
  const std::string toml = configuration();
  fs::create_directory(path("taken"));
  expect_refused(replaced(toml, "one.jsonl", "taken"), "Is a directory");
  write_file(path("no-row"), "no row");
  expect_refused(replaced(toml, "one.jsonl", "no-row"), "does not end with a row");
  expect_refused(replaced(toml, "one.jsonl", "no-row/below.jsonl"), "Not a directory");
  expect_refused(replaced(toml, "dead.jsonl", "taken"), "Is a directory");
}

TEST_F(Refusal, OfADamagedJournal) {
  const std::string segment = newest_segment();
  const std::string whole = read_file(segment);
  std::string bytes = whole;
  bytes[200] = static_cast<char>(bytes[200] ^ 1);
  write_file(segment, bytes);
  expect_refused(configuration(), "is damaged at byte");
  write_file(segment, whole.substr(0, whole.size() - 8));
  expect_refused(configuration(), "is damaged at byte");
  fs::remove(segment);
  expect_refused(configuration(), "is gone");
}

TEST_F(Refusal, OfDamagedOrMissingCheckpoints) {
  for (const std::string& file : checkpoints()) {
    std::string bytes = read_file(file);
    bytes[40] = static_cast<char>(bytes[40] ^ 1);
    write_file(file, bytes);
  }
  expect_refused(configuration(), "no checkpoint in");
  for (const std::string& file : checkpoints()) {
    fs::remove(file);
  }
  expect_refused(configuration(), "holds no checkpoint that it follows");
}

}  // namespace
}  // namespace weir::test
