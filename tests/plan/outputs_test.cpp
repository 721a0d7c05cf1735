// What a sink's path and names come to: the format by the ending, standard output, columns with plain names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "plan/output_format.hpp"
#include "plan/pipelines.hpp"
#include "plan/plain_name.hpp"

namespace weir::plan_test {
namespace {

using spec::ColumnNames;
using spec::RowFormat;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string configuration(const std::string& sink, const std::string& select = R"~("count()")~") {
  return R"~([streams.s]
source = { type = "file", path = "in.jsonl" }
time = { field = "t" }
keys = ["count"]
fields = { a = 3, b = 0 }
[[query]]
name = "q"
from = "s"
window = "10s"
select = [)~" +
         select + R"~(]
sinks = ["rows"]
[[sink]]
name = "rows"
)~" + sink;
}

RowFormat format_in(const std::string& sink) {
  return plan::parse_configuration(configuration(sink), "c.toml").sinks.at(0).format;
}

TEST(OutputFormat, TheEndingSaysIt) {
  for (const char* path : {"rows.csv", "out/{query}.CSV", "/a.b/rows.csv", "{query}-1.csv"}) {
    EXPECT_EQ(plan::format_of_path(path), std::optional(RowFormat::csv)) << path;
  }
  for (const char* path : {"rows.jsonl", "rows.json", "rows.ndjson", "rows.txt", "rows.log", "rows", "rows.{query}",
                           "-", "/dev/stdout", "/dev/fd/3", "a.parquet/rows", ".hidden", "rows.", ""}) {
    EXPECT_EQ(plan::format_of_path(path), std::optional(RowFormat::jsonl)) << path;
  }
  for (const char* path : {"rows.parquet", "rows.xlsx", "rows.csv.gz", "out/{query}.arrow", "rows.tsv"}) {
    EXPECT_EQ(plan::format_of_path(path), std::nullopt) << path;
  }
}

TEST(OutputFormat, OfASinkGoesByItsPathUnlessItIsGiven) {
  EXPECT_EQ(format_in("type = \"file\"\npath = \"x.csv\"\n"), RowFormat::csv);
  EXPECT_EQ(format_in("type = \"file\"\npath = \"x.csv\"\nformat = \"jsonl\"\n"), RowFormat::jsonl);
  EXPECT_EQ(format_in("type = \"file\"\npath = \"x.parquet\"\nformat = \"csv\"\n"), RowFormat::csv);
  EXPECT_THAT(mistakes_in(configuration("type = \"file\"\npath = \"x.parquet\"\n")),
              ElementsAre("c.toml:15: sink 'rows': 'path' = \"x.parquet\" ends as a file of a format that cannot be "
                          "written (JSON lines and CSV can be: end it in .jsonl or .csv, or say format = \"jsonl\" or "
                          "\"csv\")"));
}

TEST(StandardOutput, IsADashOrItsDevice) {
  for (const char* path : {"-", "/dev/stdout"}) {
    const auto sinks =
        plan::parse_configuration(configuration("type = \"file\"\npath = \"" + std::string(path) + "\"\n"), "c.toml")
            .sinks;
    EXPECT_TRUE(sinks.at(0).to_standard_output()) << path;
  }
  EXPECT_FALSE(plan::parse_configuration(configuration("type = \"file\"\npath = \"./-\"\n"), "c.toml")
                   .sinks.at(0)
                   .to_standard_output());
}

TEST(StandardOutput, HasNoFilesToRotate) {
  EXPECT_THAT(mistakes_in(configuration("type = \"file\"\npath = \"-\"\nrotate_every = \"1h\"\n")),
              ElementsAre("c.toml:12: sink 'rows': 'append', 'rotate_bytes' and 'rotate_every' are for files, not for "
                          "standard output"));
}

TEST(PlainName, IsOneWord) {
  EXPECT_EQ(plan::plain_name("count()"), "count");
  EXPECT_EQ(plan::plain_name("max(power)"), "max_power");
  EXPECT_EQ(plan::plain_name("quantile(load, 0.99)"), "quantile_load_0_99");
  EXPECT_EQ(plan::plain_name("max(abs(a - b) / 1000)"), "max_abs_a_b_1000");
  EXPECT_EQ(plan::plain_name("load_2"), "load_2");
  EXPECT_EQ(plan::plain_name("2 * a"), "_2_a");
  EXPECT_EQ(plan::plain_name("max(température)"), "max_temp_rature");
  EXPECT_EQ(plan::plain_name("()"), "_");
  EXPECT_EQ(plan::plain_name(""), "_");
}

TEST(PlainName, AnAliasStaysAsItIs) {
  const plan::Plan plan = plan::compile(
      plan::parse_configuration(configuration("type = \"console\"\n", R"~("max(a)", "max(b) as b_max")~"), "c.toml"));
  const auto& columns = plan.queries.at(0).shape.columns;
  EXPECT_EQ(columns.at(0).name, "max(a)");
  EXPECT_EQ(columns.at(0).plain, "max_a");
  EXPECT_EQ(columns.at(1).plain, "b_max");
}

TEST(PlainName, TwoThatAreTheSameAreRefusedByName) {
  const std::string plain = "type = \"file\"\npath = \"x.csv\"\nnames = \"plain\"\n";
  EXPECT_THAT(mistakes_in(configuration(plain, R"~("max(a + b)", "max(a - b)")~")),
              ElementsAre("c.toml:10: query 'q': select: with names = \"plain\" of sink 'rows', 'max(a - b)' has the "
                          "name 'max_a_b', as 'max(a + b)' has (give the column another name with 'as')"));
  EXPECT_THAT(mistakes_in(configuration(plain, R"~("max(a)", "min(a) as max_a")~")),
              ElementsAre("c.toml:10: query 'q': select: with names = \"plain\" of sink 'rows', 'max_a' has the name "
                          "'max_a', as 'max(a)' has (give the column another name with 'as')"));
  EXPECT_THAT(mistakes_in(configuration("type = \"file\"\npath = \"x.csv\"\n", R"~("max(a + b)", "max(a - b)")~")),
              IsEmpty());
}

TEST(PlainName, AKeyMayHaveTheName) {
  std::string text = configuration("type = \"console\"\nnames = \"plain\"\n");
  text.insert(text.find("window"), "group_by = [\"count\"]\n");
  EXPECT_THAT(mistakes_in(text),
              ElementsAre("c.toml:11: query 'q': select: with names = \"plain\" of sink 'rows', 'count()' has the name "
                          "'count', as a key has (give the column another name with 'as')"));
}

}  // namespace
}  // namespace weir::plan_test
