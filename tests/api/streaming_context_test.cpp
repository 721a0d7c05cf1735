// The C++ API as a user of the installed headers sees it: nothing of src/ is included.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <weir/weir.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace weir::literals;

class Api : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "weir-api-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }
  std::string read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(directory_ / name).rdbuf();
    return text.str();
  }
  std::string path(const std::string& name) { return (directory_ / name).string(); }

  static weir::Schema schema() {
    weir::Schema schema;
    schema.keys = {"house", "plug"};
    schema.fields = {{"load", 3}};
    schema.time = "ts";
    schema.time_unit = "s";
    schema.format = weir::Format::csv;
    return schema;
  }
  static constexpr const char* kReadings =
      "ts,house,plug,load\n0,A,1,1.5\n3,A,2,2.5\n5,B,1,-4\n9,A,1,0.25\n10,A,1,7\n25,B,1,1\n";

  std::filesystem::path directory_;
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    result.push_back(line);
  }
  return result;
}

TEST_F(Api, ReduceByKeyAndWindowGivesTheRowsOfTheSameConfiguration) {
  weir::StreamingContext context;
  context.file_stream(file("in.csv", kReadings), schema())
      .filter("load > -4"_expr)
      .map("load * 2"_expr, "twice")
      .key_by({"house"})
      .reduce_by_key_and_window({weir::count(), weir::sum("twice"), weir::avg("load").as("mean")}, 10s, 5s)
      .named("loads")
      .save_as_text_files(path("{query}.jsonl"));
  context.start();
  context.await_termination();
  EXPECT_TRUE(context.ledger_balances());
  EXPECT_EQ(
      lines(read("loads.jsonl")),
      (std::vector<std::string>{
          R"~({"query":"loads","window_start":"1969-12-31T23:59:55Z","window_end":"1970-01-01T00:00:05Z","house":"A","count()":2,"sum(twice)":8,"mean":2})~",
          R"~({"query":"loads","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:10Z","house":"A","count()":3,"sum(twice)":8.5,"mean":1.4166666666666667})~",
          R"~({"query":"loads","window_start":"1970-01-01T00:00:05Z","window_end":"1970-01-01T00:00:15Z","house":"A","count()":2,"sum(twice)":14.5,"mean":3.625})~",
          R"~({"query":"loads","window_start":"1970-01-01T00:00:10Z","window_end":"1970-01-01T00:00:20Z","house":"A","count()":1,"sum(twice)":14,"mean":7})~",
          R"~({"query":"loads","window_start":"1970-01-01T00:00:20Z","window_end":"1970-01-01T00:00:30Z","house":"B","count()":1,"sum(twice)":2,"mean":1})~",
          R"~({"query":"loads","window_start":"1970-01-01T00:00:25Z","window_end":"1970-01-01T00:00:35Z","house":"B","count()":1,"sum(twice)":2,"mean":1})~"}));
}

TEST_F(Api, AStreamThatIsNotReducedGivesTheReadings) {
  weir::StreamingContext context;
  std::vector<std::string> seen;
  context.file_stream(file("in.csv", kReadings), schema())
      .filter("house == 'B'"_expr)
      .map("load / 2"_expr, "half", 1)
      .named("b")
      .for_each_batch([&seen](const weir::Rows& rows) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          seen.push_back(rows.json(i));
        }
      });
  context.start();
  context.await_termination();
  EXPECT_EQ(seen, (std::vector<std::string>{
                      R"({"query":"b","time":"1970-01-01T00:00:05Z","house":"B","plug":"1","load":-4,"half":-2})",
                      R"({"query":"b","time":"1970-01-01T00:00:25Z","house":"B","plug":"1","load":1,"half":0.5})"}));
}

TEST_F(Api, RowsGiveValuesAsDoubleAndAsExactText) {
  weir::StreamingContext context;
  std::size_t calls = 0;
  context.file_stream(file("in.csv", kReadings), schema())
      .key_by({})
      .reduce_by_key_and_window({weir::sum("load"), weir::stddev("load")}, 60s)
      .for_each_batch([&calls](const weir::Rows& rows) {
        ASSERT_EQ(rows.size(), 1U);
        ++calls;
        EXPECT_EQ(rows.keys(), 0U);
        EXPECT_EQ(rows.column_name(1), "stddev(load)");
        EXPECT_EQ(rows.text(0, 0), "8.25");
        EXPECT_EQ(rows.value(0, 0), 8.25);
        EXPECT_EQ(rows.window_end_ns(0), 60'000'000'000);
      });
  context.start();
  context.await_termination();
  EXPECT_EQ(calls, 1U);
}

TEST_F(Api, CountByWindowGivesZeroForAnEmptyWindow) {
  weir::StreamingContext context;
  std::vector<std::string> counts;
  context.file_stream(file("in.csv", kReadings), schema())
      .count_by_window(5s)
      .for_each_batch([&counts](const weir::Rows& rows) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          counts.push_back(rows.text(i, 0));
        }
      });
  context.start();
  context.await_termination();
  EXPECT_EQ(counts, (std::vector<std::string>{"2", "2", "1", "0", "0", "1"}));
}

TEST_F(Api, AUnionHasTheReadingsOfBoth) {
  weir::StreamingContext context;
  const auto a = context.file_stream(file("a.csv", "ts,house,plug,load\n0,A,1,1\n20,A,1,1\n"), schema());
  const auto b = context.file_stream(file("b.csv", "ts,house,plug,load\n1,B,1,2\n21,B,1,2\n"), schema());
  std::atomic<int> rows_seen{0};
  a.union_with(b).reduce_by_key_and_window(weir::count(), 60s).for_each_batch([&rows_seen](const weir::Rows& rows) {
    rows_seen += static_cast<int>(rows.size());
  });
  context.start();
  context.await_termination();
  EXPECT_TRUE(context.ledger_balances());
  EXPECT_NE(context.summary().find("4 delivered"), std::string::npos) << context.summary();
  EXPECT_EQ(rows_seen, 2);
}

TEST_F(Api, AUnionAfterAFilterIsRefusedWithTheWayOut) {
  weir::StreamingContext context;
  const auto a = context.file_stream("a", schema());
  const auto b = context.file_stream("b", schema());
  EXPECT_THROW((void)a.filter("load > 0"_expr).union_with(b), std::runtime_error);
}

TEST_F(Api, NothingToPutOutIsAnError) {
  weir::StreamingContext context;
  (void)context.file_stream("x", schema());
  EXPECT_THROW(context.start(), std::logic_error);
}

TEST_F(Api, TheGraphCannotChangeAfterTheStartAndAStoppedContextCannotStartAgain) {
  weir::StreamingContext context;
  const auto stream = context.file_stream(file("in.csv", kReadings), schema());
  stream.count_by_window(5s).for_each_batch([](const weir::Rows&) {});
  context.start();
  EXPECT_THROW(stream.print(), std::logic_error);
  EXPECT_THROW(context.start(), std::logic_error);
  context.stop();
  EXPECT_THROW(context.start(), std::logic_error);
}

TEST_F(Api, MistakesInExpressionsAreReportedAtTheStart) {
  weir::StreamingContext context;
  context.file_stream(file("in.csv", kReadings), schema()).filter("laod > 1"_expr).print();
  try {
    context.start();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("'load'"), std::string::npos) << error.what();
  }
}

// Stores what the test gives it.
class Hand final : public weir::Receiver {
 public:
  void on_start(weir::Emitter& emitter) override { emitter_ = &emitter; }
  weir::Emitter& emitter() {
    while (emitter_ == nullptr) {
    }
    return *emitter_;
  }

 private:
  std::atomic<weir::Emitter*> emitter_{nullptr};
};

TEST_F(Api, GetOrCreateGoesOnFromTheCheckpoint) {
  std::atomic<long> newest{0};
  std::shared_ptr<Hand> hand;
  const auto create = [&] {
    hand = std::make_shared<Hand>();
    weir::StreamingContext context{{.batch_interval = 20ms}};
    weir::Schema schema;
    schema.fields = {{"v", 0}};
    schema.time = "t";
    context.receiver_stream(hand, schema, "numbers")
        .reduce_by_key_and_window({weir::count()}, 1h)
        .named("hour")
        .for_each_batch([&newest](const weir::Rows& rows) {
          for (std::size_t i = 0; i < rows.size(); ++i) {
            newest = std::stol(rows.text(i, 0));
          }
        });
    return context;
  };
  {
    auto context = weir::StreamingContext::get_or_create(path("state"), create);
    context.start();
    hand->emitter().store(R"({"t":1000,"v":1})");
    hand->emitter().store(R"({"t":1001,"v":1})");
    context.stop();
    EXPECT_EQ(newest, 0) << "a graceful stop leaves the window open";
  }
  auto context = weir::StreamingContext::get_or_create(path("state"), create);
  context.start();
  hand->emitter().store(R"({"t":1002,"v":1})");
  hand->emitter().finish();
  context.await_termination();
  EXPECT_EQ(newest, 3);
}

}  // namespace
