// Mistakes of form and of meaning come in one go; what could not be read makes no further ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kStream = R"~([streams.s]
source = { type = "file", path = "in.jsonl" }
time = { field = "t" }
keys = ["machine", "line"]
fields = { load = 3 }
)~";
constexpr const char* kQuery = R"~([[query]]
name = "q"
from = "s"
group_by = ["machine"]
select = ["avg(load) as mean"]
window = "10s"
slide = "5s"
having = "mean > 1"
)~";

/// A right configuration with one text replaced.
std::vector<std::string> after(const std::string& from, const std::string& to) {
  std::string toml = std::string(kStream) + kQuery;
  const std::size_t at = toml.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return mistakes_in(toml.replace(at, from.size(), to));
}

TEST(MistakesTogether, FormAndMeaningAreReportedInOneGo) {
  ::unsetenv("WEIR_TEST_UNSET");
  EXPECT_THAT(mistakes_in(R"~([pipeline]
threads = "many"
device = "gpu"
[streams.s]
source = { type = "mqtt", broker = "mqtt://h:1883", topics = ["a/{machin}"], qos = 3 }
time = "arrival"
keys = ["machine"]
fields = { load = 3 }
out_of_ordr = "1s"
[[query]]
name = "q"
from = "s"
wher = "load > 1"
select = ["avg(laod)"]
window = "1500ms"
[[query]]
name = "r"
from = "t"
select = "count()"
window = 5
sinks = ["file"]
[[sink]]
name = "file"
type = "file"
path = "${WEIR_TEST_UNSET}"
[[sink]]
name = "m"
type = "mqtt"
broker = "mqtt://h"
format = "xml"
)~"),
              ElementsAre(HasSubstr("c.toml: [pipeline]: 'device' cannot be \"gpu\""),
                          HasSubstr("c.toml:2: [pipeline]: 'threads' must be an integer"),
                          HasSubstr("c.toml:5: stream 's', source: 'qos' = 3 is not between"),
                          HasSubstr("c.toml:5: stream 's', source: topic \"a/{machin}\" captures 'machin'"),
                          HasSubstr("c.toml:9: stream 's': unknown entry 'out_of_ordr'"),
                          HasSubstr("c.toml:13: query 'q': unknown entry 'wher'"),
                          HasSubstr("c.toml:14: query 'q', select \"avg(laod)\", column 5: unknown name 'laod'"),
                          HasSubstr("c.toml:15: query 'q': window 1.5s is no multiple of the batch interval 1s"),
                          HasSubstr("c.toml:16: query 'r': unknown stream or query 't'"),
                          HasSubstr("c.toml:20: query 'r': 'window' must be a duration"),
                          HasSubstr("c.toml:25: the environment variable WEIR_TEST_UNSET is not set"),
                          HasSubstr("c.toml:26: sink 'm': 'topic' is missing"),
                          HasSubstr("c.toml:30: sink 'm': 'format' cannot be \"xml\"")));
}

struct OneMistake {
  const char* from;
  const char* to;
};

void PrintTo(const OneMistake& mistake, std::ostream* out) {
  *out << mistake.from << " becomes " << mistake.to;
}

class UnreadPart : public ::testing::TestWithParam<OneMistake> {};

TEST_P(UnreadPart, MakesNoFurtherMistakes) {
  EXPECT_THAT(after("load = 3", "load = 3 "), IsEmpty());
  const std::vector<std::string> mistakes = after(GetParam().from, GetParam().to);
  EXPECT_EQ(mistakes.size(), 1U) << ::testing::PrintToString(mistakes);
}

INSTANTIATE_TEST_SUITE_P(
    Entries, UnreadPart,
    ::testing::Values(OneMistake{"[streams.s]", "[stream.s]"}, OneMistake{"[[query]]", "[[queries]]"},
                      OneMistake{"source = {", "souce = {"}, OneMistake{"source = { ", "source = 1 # {"},
                      OneMistake{"\"file\"", "\"fil\""}, OneMistake{"type = \"file\", ", ""},
                      OneMistake{"path =", "pth ="}, OneMistake{"\"in.jsonl\"", "\"${WEIR_UNSET}\""},
                      OneMistake{"time = { field", "time = { feild"},
                      OneMistake{"time = { field = \"t\" }", "time = 3"}, OneMistake{"time =", "tiem ="},
                      OneMistake{"time = {", "time = { unit = \"h\", "}, OneMistake{"keys = [", "kyes = ["},
                      OneMistake{"\"line\"]", "3]"}, OneMistake{"keys = [\"machine\"", "keys = [\"${WEIR_UNSET}\""},
                      OneMistake{"fields = {", "field = {"}, OneMistake{"load = 3", "load = '3'"},
                      OneMistake{"fields = { load = 3 }", "fields = [\"load\"]"}, OneMistake{"name =", "nmae ="},
                      OneMistake{"name = \"q\"", "name = 1"}, OneMistake{"from =", "form ="},
                      OneMistake{"from = \"s\"", "from = 1"}, OneMistake{"group_by", "groupby"},
                      OneMistake{"group_by = [\"machine\"]", "group_by = 1"}, OneMistake{"select", "slect"},
                      OneMistake{"select = [", "select = [1, "}, OneMistake{"avg(load)", "avg(laod)"},
                      OneMistake{"avg(load) as", "load as"}, OneMistake{"window = \"10s\"", "window = \"10 sec\""},
                      OneMistake{"window", "windw"}, OneMistake{"window = \"10s\"", "window = \"0s\""},
                      OneMistake{"slide = \"5s\"", "slide = 5"}, OneMistake{"having", "havin"}));

/// A bad entry hides no mistake that does not depend on it.
TEST(MistakesTogether, WhatDoesNotDependOnABadEntryIsStillChecked) {
  const auto both = [](const std::string& from, const std::string& to, const char* first, const char* second) {
    const std::string having = "having = \"mean > 1\"";
    std::string toml = std::string(kStream) + kQuery;
    toml.replace(toml.find(having), having.size(), "having = \"mean >\"");
    toml.replace(toml.find(from), from.size(), to);
    EXPECT_THAT(mistakes_in(toml), ElementsAre(HasSubstr(first), HasSubstr(second)));
  };
  both("slide = \"5s\"", "slide = 5", "'slide' must be a duration", "having, column");
  both("select", "slect", "unknown entry 'slect'", "having, column");
  both("keys = [", "kyes = [", "unknown entry 'kyes'", "having, column");
  both("path =", "pth =", "unknown entry 'pth'", "having, column");
  EXPECT_THAT(after("window = \"10s\"", "let = { a = 3 }\nwindow = \"10s\"\nsinks = [\"nowhere\"]"),
              ElementsAre(HasSubstr("let 'a' must be a string"), HasSubstr("unknown sink 'nowhere'")));
}

}  // namespace
}  // namespace weir::plan_test
