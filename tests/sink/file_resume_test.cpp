// Crashes of the file sink: whatever was written after the last checkpoint, a run that goes on leaves the same files,
// byte for byte, as a run that nothing disturbed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <random>

#include "core/error.hpp"
#include "sink/file_sink.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::message_of;
using test::Rows;
using ::testing::HasSubstr;
using weir::test::read_bytes;
using weir::test::TemporaryDirectory;
using weir::test::write_bytes;

spec::Sink file_spec(std::string path) {
  spec::Sink spec;
  spec.name = "rows";
  spec.kind = spec::SinkKind::file;
  spec.path = std::move(path);
  return spec;
}

std::map<std::string, std::string> files_in(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files[entry.path().filename()] = read_bytes(entry.path());
  }
  return files;
}

struct Row {
  int query;
  std::int64_t end_ns;
  std::string key;
  std::uint64_t n;
  std::uint32_t revision;
};

// What a query over a few minutes could emit: several windows, now and then a revision of an old one.
std::vector<Row> random_rows(std::mt19937_64& random, std::size_t size) {
  std::vector<Row> rows;
  std::int64_t end_ns = kNoon;
  for (std::size_t i = 0; i < size; ++i) {
    if (random() % 4 == 0) end_ns += static_cast<std::int64_t>(random() % 20) * kSecond / 2;
    const bool revised = random() % 16 == 0;
    rows.push_back({static_cast<int>(random() % 2), revised ? end_ns - 60 * kSecond : end_ns,
                    std::string(random() % 30, static_cast<char>('a' + random() % 26)), random() % 1000,
                    revised ? 1U : 0U});
  }
  return rows;
}

class Emitter {
 public:
  Emitter(const spec::Sink& spec, const std::vector<Row>& rows) : spec_(spec), rows_(rows) {
    sink_ = std::make_unique<FileSink>(spec_);
    sink_->open({&queries_[0].shape(), &queries_[1].shape()});
  }
  [[nodiscard]] bool done() const { return next_ == rows_.size(); }
  void step() {
    const Row& row = rows_[next_++];
    Rows& query = queries_[row.query];
    query.clear();
    sink_->write(query.add(row.end_ns, {row.key}, {count(row.n)}, row.revision).table());
  }
  void flush() { sink_->flush(); }
  void close() { sink_->close(); }
  void checkpoint() {
    position_ = test::position_of(*sink_);
    next_at_checkpoint_ = next_;
  }
  void crash_and_resume() {
    sink_.reset();
    sink_ = std::make_unique<FileSink>(spec_);
    sink_->resume(position_);
    sink_->open({&queries_[0].shape(), &queries_[1].shape()});
    next_ = next_at_checkpoint_;
  }

 private:
  spec::Sink spec_;
  const std::vector<Row>& rows_;
  Rows queries_[2] = {Rows(test::small("a")), Rows(test::small("b"))};
  std::unique_ptr<FileSink> sink_;
  std::size_t next_ = 0;
  std::string position_;
  std::size_t next_at_checkpoint_ = 0;
};

struct Case {
  const char* path;
  spec::RowFormat format;
  std::uint64_t rotate_bytes;
  Duration rotate_every;
};

std::ostream& operator<<(std::ostream& out, const Case& rules) {
  return out << rules.path << ", rotated at " << rules.rotate_bytes << " bytes, " << to_string(rules.rotate_every);
}

class FileResume : public ::testing::TestWithParam<Case> {};

TEST_P(FileResume, CrashesLeaveNoTrace) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 random(seed);
    const std::vector<Row> rows = random_rows(random, seed * seed * 3);
    const TemporaryDirectory calm(TemporaryDirectory::in_memory());
    const TemporaryDirectory rough(TemporaryDirectory::in_memory());
    spec::Sink spec = file_spec(calm / GetParam().path);
    spec.format = GetParam().format;
    spec.rotate_bytes = GetParam().rotate_bytes;
    spec.rotate_every = GetParam().rotate_every;
    Emitter undisturbed(spec, rows);
    while (!undisturbed.done()) undisturbed.step();
    undisturbed.close();

    spec.path = rough / GetParam().path;
    Emitter disturbed(spec, rows);
    disturbed.checkpoint();
    for (int crashes = 0; !disturbed.done();) {
      disturbed.step();
      if (random() % 3 == 0) disturbed.flush();
      if (random() % 20 == 0) disturbed.checkpoint();
      if (random() % 40 == 0 && crashes++ < 30) disturbed.crash_and_resume();
    }
    disturbed.close();
    ASSERT_EQ(files_in(rough.path()), files_in(calm.path())) << "seed " << seed;

    // A graceful stop gives the last files their names; a start from its checkpoint takes them back.
    disturbed.crash_and_resume();
    while (!disturbed.done()) disturbed.step();
    disturbed.close();
    ASSERT_EQ(files_in(rough.path()), files_in(calm.path())) << "seed " << seed << " after a second start";
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, FileResume,
                         ::testing::Values(Case{"{query}.jsonl", spec::RowFormat::jsonl, 0, Duration(0)},
                                           Case{"shared.jsonl", spec::RowFormat::jsonl, 0, Duration(0)},
                                           Case{"{query}.csv", spec::RowFormat::csv, 700, Duration(0)},
                                           Case{"{query}.jsonl", spec::RowFormat::jsonl, 700, Duration(0)},
                                           Case{"{query}", spec::RowFormat::jsonl, 0, std::chrono::seconds(20)},
                                           Case{"shared.csv", spec::RowFormat::csv, 5000, std::chrono::seconds(30)}));

class FileAfterCheckpoint : public ::testing::Test {
 protected:
  FileAfterCheckpoint() {
    FileSink sink(file_spec(path_));
    sink.open({&rows_.shape()});
    sink.write(rows_.add(kNoon, {"x"}, {count(1)}).table());
    position_ = test::position_of(sink);
    sink.write(rows_.table());
    sink.close();
  }
  [[nodiscard]] std::string resume_error() const {
    return message_of([&] { FileSink(file_spec(path_)).resume(position_); });
  }

  TemporaryDirectory temporary_;
  std::string path_ = temporary_ / "q.jsonl";
  Rows rows_{test::small()};
  std::string position_;
};

TEST_F(FileAfterCheckpoint, AMissingFileIsNamed) {
  std::filesystem::remove(path_);
  EXPECT_EQ(resume_error(),
            "cannot go on with '" + path_ +
                "': it is not there (put the file back, or start afresh with an empty state directory)");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FileAfterCheckpoint, AShorterFileIsNamed) {
  const std::uint64_t expected = std::filesystem::file_size(path_) / 2;
  std::filesystem::resize_file(path_, 10);
  EXPECT_THAT(resume_error(), HasSubstr("it holds 10 bytes, the checkpoint counts " + std::to_string(expected)));
}

TEST_F(FileAfterCheckpoint, AnotherFileUnderItsNameIsNotTouched) {
  const std::string other(10'000, 'x');
  write_bytes(path_, other);
  EXPECT_THAT(resume_error(), HasSubstr("its rows are not those that the checkpoint counts"));
  EXPECT_EQ(read_bytes(path_), other);
}

TEST_F(FileAfterCheckpoint, AnotherPathSettingStartsAFreshFile) {
  const std::string before = read_bytes(path_);
  FileSink sink(file_spec(temporary_ / "new.jsonl"));
  sink.resume(position_);
  sink.open({&rows_.shape()});
  sink.write(rows_.table());
  sink.close();
  EXPECT_EQ(read_bytes(path_), before);
  EXPECT_EQ(read_bytes(temporary_ / "new.jsonl") + read_bytes(temporary_ / "new.jsonl"), before);
}

TEST_F(FileAfterCheckpoint, AQueryThatIsNewGetsItsFileWithItsFirstRow) {
  FileSink sink(file_spec(path_));
  sink.resume(position_);
  sink.open({&rows_.shape()});
  Rows added(test::small("added"));
  sink.write(added.add(kNoon, {"y"}, {count(2)}).table());
  sink.close();
  EXPECT_THAT(read_bytes(path_), HasSubstr("\"added\""));
}

TEST_F(FileAfterCheckpoint, ADamagedPositionIsAnError) {
  for (std::size_t length = 0; length < position_.size(); ++length) {
    const std::string cut = position_.substr(0, length);
    // A cut between two fields of a file, or before its first, is the only one that could pass for whole.
    try {
      FileSink(file_spec(path_)).resume(cut);
      EXPECT_TRUE(cut.ends_with(temporary_ / "q.jsonl,")) << length;
    } catch (const Error&) {
    }
  }
}

TEST_F(FileAfterCheckpoint, ResumeChangesNothingUntilItIsOpened) {
  const std::string whole = read_bytes(path_);
  FileSink sink(file_spec(path_));
  sink.resume(position_);
  sink.prepare({&rows_.shape()});
  EXPECT_EQ(read_bytes(path_), whole);
  sink.open({&rows_.shape()});
  EXPECT_EQ(read_bytes(path_) + read_bytes(path_), whole) << "what comes again is cut off";
}

TEST_F(FileAfterCheckpoint, RowsThatDoNotComeAgainAreNotCutOff) {
  const std::string whole = read_bytes(path_);
  FileSink sink(file_spec(path_));
  sink.keep_rows(rows_.shape().query);
  sink.resume(position_);
  sink.open({&rows_.shape()});
  sink.write(rows_.table());
  sink.close();
  EXPECT_EQ(read_bytes(path_), whole + whole.substr(0, whole.size() / 2)) << "new rows follow the old ones";
}

TEST(FileSinkOfSeveralQueries, IsRefusedWhereSomeRowsComeAgainAndSomeDoNot) {
  const TemporaryDirectory temporary;
  const spec::Sink spec = file_spec(temporary / "shared.jsonl");
  Rows a(test::small("a"));
  Rows b(test::small("b"));
  a.add(kNoon, {"x"}, {count(1)});
  b.add(kNoon, {"x"}, {count(1)});
  std::string position;
  {
    FileSink sink(spec);
    sink.open({&a.shape(), &b.shape()});
    sink.write(a.table());
    position = test::position_of(sink);
    sink.write(b.table());
    sink.close();
  }
  const std::string whole = read_bytes(spec.path);
  FileSink sink(spec);
  sink.keep_rows("b");
  EXPECT_THAT(message_of([&] { sink.resume(position); }), HasSubstr("those of query 'b' would not come again"));
  EXPECT_EQ(read_bytes(spec.path), whole);
  std::filesystem::resize_file(spec.path, whole.size() / 2);
  FileSink stopped(spec);
  stopped.keep_rows("b");
  EXPECT_NO_THROW(stopped.resume(position)) << "nothing is newer than the checkpoint";
}

TEST(FileResumeRotated, AFileThatIsGoneOnWithDoesNotTakeTheNameOfARotatedOne) {
  const TemporaryDirectory temporary;
  spec::Sink spec = file_spec(temporary / "q.jsonl");
  spec.rotate_bytes = 100;  // every row its own file
  spec.append = true;
  Rows rows(test::small());
  rows.add(kNoon, {"0"}, {count(0)});
  for (int life = 0; life < 3; ++life) {
    FileSink sink(spec);
    sink.open({&rows.shape()});
    sink.write(rows.table());
    sink.close();
  }
  EXPECT_EQ(files_in(temporary.path()).size(), 3U);
}

TEST(FileResumeRotated, ACrashWithinTheResumeIsHarmless) {
  const TemporaryDirectory temporary;
  spec::Sink spec = file_spec(temporary / "q.jsonl");
  spec.rotate_bytes = 100;  // every row its own file
  Rows rows(test::small());
  std::string position;
  {
    FileSink sink(spec);
    sink.open({&rows.shape()});
    sink.write(rows.add(kNoon, {"0"}, {count(0)}).table());
    position = test::position_of(sink);
    for (int i = 1; i <= 3; ++i) {
      rows.clear();
      sink.write(rows.add(kNoon + i * kSecond, {std::to_string(i)}, {count(0)}).table());
    }
    sink.close();
  }
  const auto whole = files_in(temporary.path());
  ASSERT_EQ(whole.size(), 4U);
  // As after a crash when one of the later files was removed and nothing was renamed yet.
  std::filesystem::remove(temporary / "q.20130831T220002Z.jsonl");
  FileSink sink(spec);
  sink.resume(position);
  sink.open({&rows.shape()});
  EXPECT_EQ(files_in(temporary.path()),
            (std::map<std::string, std::string>{{"q.jsonl", whole.at("q.20130831T220000Z.jsonl")}}));
}

TEST(FileResumeRotated, FilesOfOthersBesideItStay) {
  const TemporaryDirectory temporary;
  spec::Sink spec = file_spec(temporary / "q.jsonl");
  spec.rotate_bytes = 100;
  Rows rows(test::small());
  std::string position;
  {
    FileSink sink(spec);
    sink.open({&rows.shape()});
    sink.write(rows.add(kNoon, {"0"}, {count(0)}).table());
    position = test::position_of(sink);
    sink.write(rows.table());
    sink.close();
  }
  const std::vector<std::string> others = {"q.20130831T220000Z.csv",      "qq.20130901T220000Z.jsonl",
                                           "q.2013-09-01.jsonl",          "q.20130901T220000Z_.jsonl",
                                           "q.20130901T220000Z_x1.jsonl", "q.jsonl.gz",
                                           "q.20130901T220000Zx.jsonl"};
  for (const std::string& name : others) write_bytes(temporary / name, "not ours");
  FileSink sink(spec);
  sink.resume(position);
  sink.open({&rows.shape()});
  for (const std::string& name : others) EXPECT_TRUE(std::filesystem::exists(temporary / name)) << name;
  EXPECT_EQ(files_in(temporary.path()).size(), others.size() + 1);
}

}  // namespace
}  // namespace weir::sink
