// Several outputs of one result, and calls that come too late in a chain.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <weir/weir.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace weir::literals;

class Outputs : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "weir-api-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::ofstream(directory_ / "in.csv") << "t,k,v\n0,a,1\n1,b,2\n2,a,3\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  weir::DStream stream() {
    weir::Schema schema;
    schema.keys = {"k"};
    schema.fields = {{"v", 0}};
    schema.time = "t";
    schema.time_unit = "s";
    schema.format = weir::Format::csv;
    return context_.file_stream((directory_ / "in.csv").string(), schema);
  }
  weir::DStream sums() { return stream().reduce_by_key_and_window(weir::sum("v"), 10s); }
  std::string path(const std::string& name) { return (directory_ / name).string(); }
  std::string read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(directory_ / name).rdbuf();
    return text.str();
  }
  // Lines of the summary that begin with "query": what was computed.
  std::vector<std::string> run() {
    context_.start();
    context_.await_termination();
    std::vector<std::string> queries;
    std::istringstream lines(context_.summary());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("query ")) queries.push_back(line.substr(0, line.find(':')));
    }
    return queries;
  }
  auto collect(std::vector<std::string>& into) {
    return [&into](const weir::Rows& rows) {
      for (std::size_t row = 0; row < rows.size(); ++row) into.push_back(rows.json(row));
    };
  }

  weir::StreamingContext context_;
  std::filesystem::path directory_;
};

TEST_F(Outputs, TwoOutputsOfANamedResultHaveItsRowsAndAreComputedOnce) {
  const weir::DStream result = sums().named("sums");
  std::vector<std::string> seen;
  result.for_each_batch(collect(seen));
  result.save_as_text_files(path("rows.jsonl"));
  EXPECT_EQ(run(), std::vector<std::string>{"query sums"});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(read("rows.jsonl"), seen[0] + "\n" + seen[1] + "\n");
}

TEST_F(Outputs, TwoOutputsOfAnUnnamedResultAreComputedOnce) {
  const weir::DStream result = sums();
  std::vector<std::string> first;
  std::vector<std::string> second;
  result.for_each_batch(collect(first));
  weir::DStream(result).for_each_batch(collect(second));
  EXPECT_EQ(run(), std::vector<std::string>{"query output1"});
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(first, second);
}

TEST_F(Outputs, OneNameDefinedTheSameTwiceIsOneResult) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  const weir::DStream windows = sums();
  windows.named("sums").for_each_batch(collect(first));
  windows.named("sums").for_each_batch(collect(second));
  EXPECT_EQ(run(), std::vector<std::string>{"query sums"});
  EXPECT_EQ(first, second);
}

TEST_F(Outputs, OneNameForTwoDefinitionsIsRefused) {
  const weir::DStream input = stream();
  input.reduce_by_key_and_window(weir::sum("v"), 10s).named("r").for_each_batch([](const weir::Rows&) {});
  input.reduce_by_key_and_window(weir::sum("v"), 20s).named("r").for_each_batch([](const weir::Rows&) {});
  EXPECT_THROW(context_.start(), std::runtime_error);
}

TEST_F(Outputs, TwoResultsOfOneStreamAreTwo) {
  const weir::DStream input = stream();
  std::vector<std::string> readings;
  std::vector<std::string> rows;
  input.for_each_batch(collect(readings));
  input.count_by_window(10s).for_each_batch(collect(rows));
  EXPECT_EQ(run(), (std::vector<std::string>{"query output1", "query output2"}));
  EXPECT_EQ(readings.size(), 3U);
  EXPECT_EQ(rows.size(), 1U);
}

TEST_F(Outputs, TwoOutputsOfAUnion) {
  const weir::DStream both = stream().union_with(stream()).count_by_window(10s);
  std::vector<std::string> first;
  std::vector<std::string> second;
  both.for_each_batch(collect(first));
  both.for_each_batch(collect(second));
  EXPECT_EQ(run(), std::vector<std::string>{"query output1"});
  EXPECT_EQ(first.size(), 1U);
  EXPECT_EQ(first, second);
}

TEST_F(Outputs, WhatComesBehindAReductionReadsItsRows) {
  const weir::DStream seconds =
      stream().reduce_by_key_and_window({weir::sum("v").as("total"), weir::count().as("n")}, 1s).named("seconds");
  std::vector<std::string> minutes;
  std::vector<std::string> keys;
  std::vector<std::string> doubled;
  seconds.key_by({})
      .window(1min)
      .reduce_by_key({weir::sum("total").as("total"), weir::count().as("rows")})
      .named("minutes")
      .for_each_batch(collect(minutes));
  seconds.reduce_by_key_and_window(weir::max("total").as("top"), 1min).named("keys").for_each_batch(collect(keys));
  seconds.map("total * 2"_expr, "twice").named("doubled").for_each_batch(collect(doubled));
  EXPECT_EQ(run(), (std::vector<std::string>{"query seconds", "query minutes", "query keys", "query doubled"}));
  EXPECT_EQ(
      minutes,
      std::vector<std::string>{
          R"~({"query":"minutes","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:01:00Z","total":6,"rows":3})~"});
  EXPECT_EQ(
      keys,
      (std::vector<std::string>{
          R"~({"query":"keys","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:01:00Z","k":"a","top":3})~",
          R"~({"query":"keys","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:01:00Z","k":"b","top":2})~"}));
  ASSERT_EQ(doubled.size(), 3U);
  EXPECT_EQ(
      doubled[1],
      R"~({"query":"doubled","window_start":"1970-01-01T00:00:01Z","window_end":"1970-01-01T00:00:02Z","k":"b","total":2,"n":1,"twice":4})~");
}

TEST_F(Outputs, AReductionOfRowsNeedsAWindow) {
  sums().reduce_by_key(weir::count()).print();
  EXPECT_THROW(context_.start(), std::runtime_error);
  EXPECT_THROW((void)stream().window(10s).window(20s), std::runtime_error);
  EXPECT_NO_THROW((void)stream().key_by({"k"}).window(20s).key_by({}).count());
}

}  // namespace
