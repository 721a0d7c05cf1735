// What a user is told about a configuration that cannot be read: line, reason, nearest valid spelling.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MistakesOfForm, BrokenTomlNamesItsLine) {
  const std::vector<std::string> mistakes = mistakes_of_form_in("[pipeline]\nthreads = \n");
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_EQ(mistakes[0].rfind("c.toml:2: not valid TOML: ", 0), 0U) << mistakes[0];
}

TEST(MistakesOfForm, HowValuesAreWritten) {
  const std::pair<const char*, const char*> cases[] = {
      {"source = { type = 'stdin', format = 'csv', decimal = 'comma' }",
       "stream 's', source: 'decimal' must be one character, not \"comma\""},
      {"source = { type = 'stdin', format = 'csv', thousands = ' .' }",
       "stream 's', source: 'thousands' must be one character, not \" .\""},
      {"source = { type = 'stdin', format = 'json', skip = 1 }",
       "stream 's', source: unknown entry 'skip' (this entry belongs to format = \"csv\")"},
      {"time = { field = 't', fields = ['a', 'b'] }",
       "stream 's', time: 'field' and 'fields' exclude each other (leave out one of them)"},
      {"time = { fields = [] }",
       "stream 's', time: 'fields' is empty (name the columns or members that make up the time)"},
      {"time = { field = 't', unit = 's', format = ['%F'] }",
       "stream 's', time: 'unit' and 'format' exclude each other (leave out one of them)"},
      {"fields = { v = { type = 'bool', places = 2 } }",
       "stream 's', field 'v': unknown entry 'places' (a field of type = \"bool\" is 0 or 1)"}};
  for (const auto& [entry, mistake] : cases) {
    EXPECT_THAT(mistakes_of_form_in(std::string("[streams.s]\n") + entry + "\n"),
                ElementsAre(std::string("c.toml:2: ") + mistake));
  }
}

TEST(MistakesOfForm, BrokenTomlGetsAHint) {
  const std::pair<const char*, const char*> cases[] = {
      {"[streams.s]\nkeys = []\n[streams.s]\n", "(a name can be given once: give one another name)"},
      {"[pipeline]\ndevice = \"cpu\nthreads = 1\n", "(is a quote missing at the end of the line?)"},
      {"[streams.s]\ntime = { field = t }\n", "(write text in quotes, as in unit = \"s\")"},
      {"[streams.s]\ntime = { unit = s }\n", "(write text in quotes, as in unit = \"s\")"},
      {"[streams.s\n", "(write [pipeline], [streams.NAME], [[query]] or [[sink]])"}};
  for (const auto& [toml, hint] : cases) {
    const std::vector<std::string> mistakes = mistakes_of_form_in(toml);
    ASSERT_EQ(mistakes.size(), 1U) << toml;
    EXPECT_TRUE(mistakes[0].ends_with(hint)) << mistakes[0];
    EXPECT_EQ(mistakes[0].find('\n'), std::string::npos) << mistakes[0];
  }
}

TEST(MistakesOfForm, UnknownEntriesGetTheNearestSpelling) {
  EXPECT_THAT(mistakes_of_form_in("[pipelin]\n"),
              ElementsAre("c.toml:1: configuration: unknown entry 'pipelin' (did you mean 'pipeline'?)"));
  EXPECT_THAT(mistakes_of_form_in("[[queries]]\n"),
              ElementsAre("c.toml:1: configuration: unknown entry 'queries' (one of: pipeline, streams, query, sink)"));
  EXPECT_THAT(mistakes_of_form_in("[pipeline]\nbatch_intervall = '1s'\nthread = 1\n"),
              ElementsAre("c.toml:2: [pipeline]: unknown entry 'batch_intervall' (did you mean 'batch_interval'?)",
                          "c.toml:3: [pipeline]: unknown entry 'thread' (did you mean 'threads'?)"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nidle_timout = '1s'\n"),
              ElementsAre("c.toml:2: stream 's': unknown entry 'idle_timout' (did you mean 'idle_timeout'?)"));
  EXPECT_THAT(mistakes_of_form_in("[[query]]\nname = 'q'\n\ngroupby = ['a']\n"),
              ElementsAre("c.toml:4: query 'q': unknown entry 'groupby' (did you mean 'group_by'?)"));
  EXPECT_THAT(mistakes_of_form_in("[[sink]]\nname = 'f'\ntype = 'file'\npaht = 'x'\n"),
              ElementsAre("c.toml:4: sink 'f': unknown entry 'paht' (did you mean 'path'?)"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\ntime = { feild = 't' }\n"),
              ElementsAre("c.toml:2: stream 's', time: unknown entry 'feild' (did you mean 'field'?)"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nfields = { a = { place = 3 } }\n"),
              ElementsAre("c.toml:2: stream 's', field 'a': unknown entry 'place' (did you mean 'places'?)"));
  EXPECT_THAT(mistakes_of_form_in("[[query]]\nname = 'q'\nlet = { a = { exp = 'x' } }\n"),
              ElementsAre("c.toml:3: query 'q', let 'a': unknown entry 'exp' (did you mean 'expr'?)"));
}

TEST(MistakesOfForm, EntriesOfAnotherKindAreExplained) {
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'file', path = 'x', topics = ['a'] }\n"),
      ElementsAre("c.toml:2: stream 's', source: unknown entry 'topics' (this entry belongs to type = \"mqtt\")"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'file', path = 'x', columns = ['a'] }\n"),
      ElementsAre("c.toml:2: stream 's', source: unknown entry 'columns' (this entry belongs to format = \"csv\")"));
  EXPECT_THAT(mistakes_of_form_in("[[sink]]\nname = 'c'\ntype = 'console'\npath = 'x'\n"),
              ElementsAre("c.toml:4: sink 'c': unknown entry 'path' (this entry belongs to type = \"file\")"));
}

TEST(MistakesOfForm, WrongTypesAreNamed) {
  EXPECT_THAT(mistakes_of_form_in("pipeline = 3\n"),
              ElementsAre("c.toml:1: configuration: 'pipeline' must be a table, not an integer"));
  EXPECT_THAT(mistakes_of_form_in("[pipeline]\nthreads = 'many'\nstate_dir = 3\njournal_memory = true\n"),
              ElementsAre("c.toml:2: [pipeline]: 'threads' must be an integer, not a string",
                          "c.toml:3: [pipeline]: 'state_dir' must be a string, not an integer",
                          "c.toml:4: [pipeline]: 'journal_memory' must be a size such as \"64MiB\", not a boolean"));
  EXPECT_THAT(mistakes_of_form_in("streams = []\n"),
              ElementsAre("c.toml:1: 'streams' must be a table, not an array (begin each stream with [streams.NAME])"));
  EXPECT_THAT(
      mistakes_of_form_in("streams.s = 1\n"),
      ElementsAre("c.toml:1: stream 's' must be a table, not an integer (begin each stream with [streams.NAME])"));
  EXPECT_THAT(mistakes_of_form_in("[query]\nname = 'q'\n"),
              ElementsAre("c.toml:1: 'query' must be an array of tables, not a table (begin each one with [[query]])"));
  EXPECT_THAT(mistakes_of_form_in("sink = [1]\n"),
              ElementsAre("c.toml:1: 'sink' must hold tables, not an integer (begin each one with [[sink]])"));
  EXPECT_THAT(
      mistakes_of_form_in("[[query]]\nname = 'q'\nselect = [1]\nemit_empty = 'yes'\nlet = { a = 2 }\n"),
      ElementsAre("c.toml:3: query 'q': 'select' must hold strings only, not an integer",
                  "c.toml:4: query 'q': 'emit_empty' must be true or false, not a string",
                  "c.toml:5: query 'q': let 'a' must be a string, not an integer (write the expression in quotes)"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nkeys = 'machine'\nfields = ['a']\ntime = 2026-01-01\nsource = 'x'\n"),
      ElementsAre(
          "c.toml:2: stream 's': 'keys' must be an array, not a string",
          "c.toml:3: stream 's': 'fields' must be a table, not an array (write fields = { name = decimal places })",
          "c.toml:4: stream 's': 'time' must be \"arrival\" or a table, not a date",
          "c.toml:5: stream 's': 'source' must be a table, not a string"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nkeys = [1]\nsources = 3\n"),
              ElementsAre("c.toml:2: stream 's': a key must be a string or a table, not an integer "
                          "(write \"name\" or { name = \"…\", path = \"…\" })",
                          "c.toml:3: stream 's': 'sources' must be an array of tables, not an integer"));
}

TEST(MistakesOfForm, BadDurationsAndSizes) {
  EXPECT_THAT(
      mistakes_of_form_in(
          "[pipeline]\nbatch_interval = '1 parsec'\ncheckpoint_interval = 10\njournal_memory = 'much'\n"),
      ElementsAre(
          "c.toml:2: [pipeline]: 'batch_interval' = \"1 parsec\" is no duration (write a number with its unit: ns, "
          "us, ms, s, m, h, d or w, as in \"1.5s\" or \"1h30m\")",
          "c.toml:3: [pipeline]: 'checkpoint_interval' must be a duration in quotes with its unit, not an integer "
          "(write \"10s\" for seconds)",
          "c.toml:4: [pipeline]: 'journal_memory' = \"much\" is no size (write bytes, or a number with its unit, "
          "as in \"64MiB\")"));
  EXPECT_THAT(
      mistakes_of_form_in("[[query]]\nname = 'q'\nwindow = '0s'\nslide = '0s'\n"),
      ElementsAre("c.toml:3: query 'q': 'window' must be longer than 0s (leave it out to evaluate the query per "
                  "batch interval)",
                  "c.toml:4: query 'q': 'slide' must be longer than 0s (leave it out to slide by the window)"));
}

TEST(MistakesOfForm, ValuesOutOfRange) {
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nfields = { a = 19, b = -1 }\nmax_keys = 0\n"),
      ElementsAre(
          "c.toml:2: stream 's', fields: 'a' = 19 is not between 0 and 18 (the nearest valid value is 18)",
          "c.toml:2: stream 's', fields: 'b' = -1 is not between 0 and 18 (the nearest valid value is 0)",
          "c.toml:3: stream 's': 'max_keys' = 0 is not between 1 and 2147483647 (the nearest valid value is 1)"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'mqtt', qos = 3 }\n"),
      ElementsAre("c.toml:2: stream 's', source: 'qos' = 3 is not between 0 and 2 (the nearest valid value is 2)"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'mqtt', mqtt_version = '3.1' }\n"),
      ElementsAre(
          "c.toml:2: stream 's', source: 'mqtt_version' is none that is spoken here (write \"3.1.1\" or \"5\")"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nsource = { type = 'simulator', gap_probability = nan }\n"),
              ElementsAre("c.toml:2: stream 's', source: 'gap_probability' = nan is not between 0 and 1"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'tcp', address = 'host:0' }\n"),
      ElementsAre("c.toml:2: stream 's', source: 'address' = \"host:0\" is no host and port (write \"host:port\", as "
                  "in \"localhost:9999\")"));
}

TEST(MistakesOfForm, WordsThatAreNoneOfTheChoices) {
  EXPECT_THAT(mistakes_of_form_in("[pipeline]\njournal_sync = 'alway'\n"),
              ElementsAre("c.toml:2: [pipeline]: 'journal_sync' cannot be \"alway\" (did you mean 'always'?)"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nsource = { type = 'mqqt', broker = 'x' }\n"),
              ElementsAre("c.toml:2: stream 's', source: 'type' cannot be \"mqqt\" (did you mean 'mqtt'?)"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nsource = { type = 'file', format = 'cvs', columns = ['a'] }\n"),
              ElementsAre("c.toml:2: stream 's', source: 'format' cannot be \"cvs\" (did you mean 'csv'?)"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\ntime = { field = 't', unit = 'sec' }\n"),
      ElementsAre("c.toml:2: stream 's', time: 'unit' cannot be \"sec\" (one of: auto, s, ms, us, ns, rfc3339)"));
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\ntime = 'ts'\n"),
              ElementsAre("c.toml:2: stream 's': 'time' cannot be \"ts\" (write \"arrival\" or { field = \"ts\" })"));
  EXPECT_THAT(mistakes_of_form_in("[[sink]]\nname = 'x'\ntype = 'kafka'\n"),
              ElementsAre("c.toml:3: sink 'x': 'type' cannot be \"kafka\" (one of: console, file, mqtt)"));
}

TEST(MistakesOfForm, EntriesThatExcludeEachOther) {
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\ntime = { field = 't', unit = 's', format = '%s' }\n"),
      ElementsAre("c.toml:2: stream 's', time: 'unit' and 'format' exclude each other (leave out one of them)"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'stdin' }\nsources = []\n"),
      ElementsAre("c.toml:3: stream 's': 'source' and 'sources' exclude each other (put all into sources = [{ … }, "
                  "{ … }])"));
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { type = 'tcp', host = 'h', port = 1, address = 'h:1' }\n"),
      ElementsAre("c.toml:2: stream 's', source: 'address' and 'host', 'port' exclude each other (leave out one of "
                  "them)"));
}

TEST(MistakesOfForm, MissingTypes) {
  EXPECT_THAT(
      mistakes_of_form_in("[streams.s]\nsource = { path = 'x' }\n[[sink]]\nname = 'f'\n"),
      ElementsAre(
          "c.toml:2: stream 's', source: 'type' is missing (one of: mqtt, file, directory, stdin, tcp, simulator)",
          "c.toml:3: sink 'f': 'type' is missing (one of: console, file, mqtt)"));
}

TEST(MistakesOfForm, EnvironmentVariables) {
  ASSERT_EQ(::unsetenv("WEIR_TEST_UNSET"), 0);
  EXPECT_THAT(
      mistakes_of_form_in("[pipeline]\nstate_dir = '${WEIR_TEST_UNSET}'\ndead_letter = '${A B}'\ndevice = '${X'\n"),
      ElementsAre("c.toml:2: the environment variable WEIR_TEST_UNSET is not set (set it, or give a default: "
                  "${WEIR_TEST_UNSET:-default})",
                  "c.toml:3: 'A B' is no name of an environment variable (write ${NAME} or ${NAME:-default}; a "
                  "literal '${' is '$${')",
                  "c.toml:4: '${' without its '}' (write ${NAME} or ${NAME:-default}; a literal '${' is '$${')"));
}

TEST(MistakesOfForm, PasswordsAreNeverRepeated) {
  for (const std::string& mistake :
       mistakes_of_form_in("[streams.s]\nsource = { type = 'mqtt', password = 12345678, broker = "
                           "'mqtt://me:hunter2@h', topics = ['a'] }\n")) {
    EXPECT_EQ(mistake.find("12345678"), std::string::npos) << mistake;
    EXPECT_EQ(mistake.find("hunter2"), std::string::npos) << mistake;
  }
}

TEST(MistakesOfForm, ARightConfigurationHasNone) {
  EXPECT_THAT(mistakes_of_form_in("[streams.s]\nsource = { type = 'stdin' }\ntime = 'arrival'\nfields = { a = 1 }\n"
                                  "[[query]]\nname = 'q'\nfrom = 's'\nselect = 'sum(a)'\n"),
              IsEmpty());
}

}  // namespace
}  // namespace weir::plan_test
