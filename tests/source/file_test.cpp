// Files and standard input in blocks of whole lines.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <string>
#include <thread>

#include "core/error.hpp"
#include "source/collector.hpp"
#include "source/file_reader.hpp"
#include "source/source.hpp"
#include "source/stop_event.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir::source {
namespace {

using test::eventually;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;

spec::Source file(const std::string& path, spec::FormatKind format = spec::FormatKind::json) {
  spec::Source source;
  source.kind = spec::SourceKind::file;
  source.path = path;
  source.format.kind = format;
  return source;
}

struct Blocks {
  std::vector<std::string> payloads;
  std::vector<batch::SourcePosition> positions;
  std::vector<bool> starts;
  std::vector<std::string> samples;  // of what was refused
  std::string text;                  // of the others
  [[nodiscard]] std::size_t refused() const { return samples.size(); }
};

Blocks read_all(BlockReader& reader) {
  Blocks blocks;
  batch::MessageView message;
  while (reader.next(message)) {
    blocks.payloads.emplace_back(message.payload);
    blocks.positions.push_back({message.position_offset, std::string(message.position_detail)});
    blocks.starts.push_back(message.starts_file);
    if (message.refused) {
      EXPECT_EQ(*message.refused, batch::Malformed::too_large);
      blocks.samples.emplace_back(message.payload);
    } else {
      blocks.text += message.payload;
    }
    EXPECT_EQ(message.source, 5U);
    EXPECT_EQ(message.delivery, batch::Delivery::hold_back);
    EXPECT_EQ(message.arrival_ns, 0) << "the journal's clock says";
  }
  return blocks;
}

Blocks read_all(const spec::Source& spec, std::uint64_t from = 0) {
  return read_all(*make_block_reader(spec, 5, {from, {}}));
}

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string random_lines(std::size_t bytes, std::size_t longest, bool final_newline) {
  std::mt19937_64 random(bytes * 31 + longest);
  std::string text;
  while (text.size() < bytes) {
    text.append(random() % (longest + 1), static_cast<char>('a' + random() % 26));
    text += '\n';
  }
  text.resize(bytes);
  if (bytes > 0) {
    text.back() = final_newline ? '\n' : 'z';
  }
  return text;
}

class FileSizes : public testing::TestWithParam<std::size_t> {};

TEST_P(FileSizes, BlocksAreWholeLinesAndTogetherTheFile) {
  const TemporaryDirectory files;
  for (const std::size_t longest : {std::size_t{0}, std::size_t{80}, std::size_t{5'000}, std::size_t{700'000}}) {
    for (const bool final_newline : {true, false}) {
      const std::string text = random_lines(GetParam(), longest, final_newline);
      write_bytes(files / "x", text);
      const Blocks blocks = read_all(file(files / "x"));
      ASSERT_EQ(blocks.text, text);
      std::uint64_t offset = 0;
      for (std::size_t i = 0; i < blocks.payloads.size(); ++i) {
        const bool last = i + 1 == blocks.payloads.size();
        ASSERT_TRUE(blocks.payloads[i].ends_with('\n') || (last && !final_newline));
        ASSERT_TRUE(blocks.payloads[i].size() <= kBlockBytes || longest > kBlockBytes);
        ASSERT_EQ(blocks.starts[i], i == 0);
        offset += blocks.payloads[i].size();
        ASSERT_EQ(blocks.positions[i].offset, offset);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, FileSizes,
                         testing::Values(0, 1, 31, 32, 33, kBlockBytes - 1, kBlockBytes, kBlockBytes + 1,
                                         3 * kBlockBytes + 17));

TEST(File, ResumesAtEveryPosition) {
  const TemporaryDirectory files;
  const std::string text = random_lines(5 * kBlockBytes, 200, false);
  write_bytes(files / "x", text);
  const Blocks whole = read_all(file(files / "x"));
  ASSERT_GT(whole.payloads.size(), 4U);
  for (const batch::SourcePosition& position : whole.positions) {
    const Blocks rest = read_all(file(files / "x"), position.offset);
    EXPECT_EQ(rest.text, text.substr(position.offset));
    EXPECT_TRUE(rest.starts.empty() || !rest.starts.front());
  }
}

TEST(File, ResumedCsvRepeatsItsHeaderOnly) {
  const TemporaryDirectory files;
  const std::string head = "# made by hand\n\nt,load\n";
  write_bytes(files / "x", head + "1,2\n3,4\n5,6\n");
  spec::Source spec = file(files / "x", spec::FormatKind::csv);
  spec.format.comment = '#';
  const Blocks rest = read_all(spec, head.size() + 4);
  ASSERT_EQ(rest.payloads, (std::vector<std::string>{"t,load\n", "3,4\n5,6\n"}));
  EXPECT_EQ(rest.starts, (std::vector<bool>{true, false}));
  EXPECT_EQ(rest.positions[0].offset, head.size() + 4);
  EXPECT_EQ(rest.positions[1].offset, head.size() + 12);

  spec.format.columns = {"t", "load"};  // no header line
  EXPECT_EQ(read_all(spec, head.size() + 4).payloads, (std::vector<std::string>{"3,4\n5,6\n"}));
  spec.format.header = true;
  EXPECT_EQ(read_all(spec, head.size() + 4).payloads.size(), 2U);
}

TEST(File, ProgressIsInBytes) {
  const TemporaryDirectory files;
  write_bytes(files / "x", "12345\n");
  const auto reader = make_block_reader(file(files / "x"), 5, {});
  EXPECT_EQ(reader->bytes_read(), 0U);
  EXPECT_EQ(reader->bytes_total(), 6U);
  read_all(*reader);
  EXPECT_EQ(reader->bytes_read(), 6U);
}

TEST(File, ErrorsAreOneLine) {
  const TemporaryDirectory files;
  EXPECT_EQ(error_of([&] { read_all(file("/nowhere/x.csv")); }),
            "cannot read '/nowhere/x.csv': No such file or directory");
  EXPECT_EQ(error_of([&] { read_all(file(files.path())); }),
            "cannot read '" + files.path() + "': it is a directory; use type = \"directory\"");
}

TEST(File, LineThatIsTooLongIsOneRefusedMessageAndReadingGoesOnBehindIt) {
  const TemporaryDirectory files;
  constexpr std::size_t kLongest = 1024;
  for (const std::size_t length : {kLongest, kLongest + 1, 2 * kLongest, 3 * kBlockBytes}) {
    for (const std::string last : {"", "\n", "\nlast", "\nlast\n"}) {
      const std::string line(length, 'x');
      write_bytes(files / "x", "first\n" + line + last);
      spec::Source spec = file(files / "x");
      spec.max_message = kLongest;
      const Blocks blocks = read_all(spec);
      const std::string behind = last.empty() ? "" : last.substr(1);
      if (length <= kLongest) {
        EXPECT_EQ(blocks.text, "first\n" + line + last);
        EXPECT_EQ(blocks.refused(), 0U);
        continue;
      }
      EXPECT_EQ(blocks.text, "first\n" + behind) << length;
      ASSERT_EQ(blocks.refused(), 1U);
      EXPECT_EQ(blocks.samples, (std::vector<std::string>{line.substr(0, batch::kRefusedSample)}));
      EXPECT_EQ(blocks.positions.back().offset, 6 + length + last.size());
      for (const batch::SourcePosition& position : blocks.positions) {
        const Blocks rest = read_all(*make_block_reader(spec, 5, position));
        EXPECT_EQ(rest.text, position.offset < 6 + length ? behind : behind.substr(behind.size() - rest.text.size()));
        EXPECT_EQ(rest.refused(), position.offset <= 6 ? 1U : 0U);
      }
    }
  }
}

TEST(File, OnlyALongLineIsNoFileWithoutLines) {
  const TemporaryDirectory files;
  write_bytes(files / "x", std::string(5000, 'x'));
  spec::Source spec = file(files / "x");
  spec.max_message = 1024;
  EXPECT_EQ(read_all(spec).refused(), 1U);
  spec.format.kind = spec::FormatKind::csv;  // its header
  EXPECT_EQ(error_of([&] { read_all(spec); }),
            "cannot read '" + (files / "x") + "': its header line is longer than max_message = 1.0 KiB");
}

TEST(File, LongLineLeavesTheBeginningOfTheFileToTheNextBlock) {
  const TemporaryDirectory files;
  write_bytes(files / "x", std::string(5000, 'x') + "\n1\n");
  spec::Source spec = file(files / "x");
  spec.max_message = 1024;
  EXPECT_EQ(read_all(spec).starts, (std::vector<bool>{false, true}));
}

TEST(File, GoesOnInTheSameFileThoughItGrew) {
  const TemporaryDirectory files;
  for (const std::size_t size : {1U, 100U, 4096U, 10'000U, 300'000U}) {
    const std::string text = random_lines(size, 80, true);
    write_bytes(files / "x", text);
    const batch::SourcePosition end = read_all(file(files / "x")).positions.back();
    write_bytes(files / "x", text + "more\n");
    EXPECT_EQ(read_all(*make_block_reader(file(files / "x"), 5, end)).text, "more\n");
    write_bytes(files / "moved", text + "more\n");  // e.g. to another machine
    EXPECT_EQ(read_all(*make_block_reader(file(files / "moved"), 5, end)).text, "more\n");
  }
}

TEST(File, ReplacedFileIsReadFromItsBeginning) {
  const TemporaryDirectory files;
  const std::string text = random_lines(10'000, 80, true);
  write_bytes(files / "x", text);
  const batch::SourcePosition end = read_all(file(files / "x")).positions.back();
  std::string other_head = text;
  other_head[0] = other_head[0] == 'q' ? 'r' : 'q';
  std::string other_tail = text;
  other_tail[text.size() - 2] = other_tail[text.size() - 2] == 'q' ? 'r' : 'q';
  for (const std::string& other : {std::string("short\n"), std::string(), other_head, other_tail + "longer\n"}) {
    write_bytes(files / "x", other);
    EXPECT_EQ(read_all(*make_block_reader(file(files / "x"), 5, end)).text, other);
  }
  EXPECT_EQ(read_all(file(files / "x"), 1'000'000).text, other_tail + "longer\n");  // a position of an older version
  const batch::SourcePosition damaged{3, "12"};
  EXPECT_NE(error_of([&] { make_block_reader(file(files / "x"), 5, damaged); }).find("damaged"), std::string::npos);
}

TEST(File, NamesAreToldWithoutWhatATerminalObeys) {
  EXPECT_EQ(error_of([&] { read_all(file("/nowhere/a\x1b[31m\nb")); }).find_first_of("\x1b\n"), std::string::npos);
}

TEST(File, PipeWithoutAWriterIsStoppedAtOnce) {
  const TemporaryDirectory files;
  const std::string path = files / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Collector collector;
  const auto source = make_source(file(path), "s", 5, collector, {});
  source->start();
  source->stop();
  EXPECT_EQ(collector.finishes(), 0);

  const auto again = make_source(file(path), "s", 5, collector, {});
  again->start();
  const int writer = ::open(path.c_str(), O_WRONLY);
  ASSERT_EQ(::write(writer, "one\n", 4), 4);
  ASSERT_TRUE(eventually([&] { return collector.text() == "one\n"; }));
  EXPECT_EQ(collector.finishes(), 0);
  ::close(writer);
  EXPECT_TRUE(eventually([&] { return collector.finishes() == 1; }));
}

TEST(File, StopEndsAReplayOfASilentPipe) {
  const TemporaryDirectory files;
  const std::string path = files / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  StopEvent stop;
  const auto reader = make_block_reader(file(path), 5, {}, &stop);
  stop.set();
  batch::MessageView message;
  EXPECT_FALSE(reader->next(message));
}

TEST(File, LineThatNeverEndsIsToldOfAtOnceAndStops) {
  Collector collector;
  spec::Source spec = file("/dev/zero");
  spec.max_message = 1024;
  const auto source = make_source(spec, "s", 5, collector, {});
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.refused() == 1; }));
  source->stop();
  EXPECT_EQ(collector.count(), 1U);
}

TEST(File, PushedFileEndsWithFinished) {
  const TemporaryDirectory files;
  const std::string text = random_lines(3 * kBlockBytes, 100, true);
  write_bytes(files / "x", text);
  Collector collector;
  const auto source = make_source(file(files / "x"), "s", 5, collector, {});
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.finishes() == 1; }));
  EXPECT_EQ(collector.text(), text);
  source->stop();
  EXPECT_EQ(collector.finishes(), 1);
}

TEST(File, PushedMissingFileFailsInStart) {
  Collector collector;
  const auto source = make_source(file("/nowhere/x"), "s", 5, collector, {});
  EXPECT_EQ(error_of([&] { source->start(); }), "cannot read '/nowhere/x': No such file or directory");
}

TEST(File, StopsAtOnceWhileAPipeIsSilentAndKeepsNoHalfLine) {
  const TemporaryDirectory files;
  const std::string path = files / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int writer = ::open(path.c_str(), O_RDWR);
  ASSERT_EQ(::write(writer, "one\ntwo\nhal", 11), 11);
  Collector collector;
  const auto source = make_source(file(path), "s", 5, collector, {});
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.text() == "one\ntwo\n"; }));
  source->stop();
  ::close(writer);
  EXPECT_EQ(collector.text(), "one\ntwo\n");
  EXPECT_EQ(collector.finishes(), 0);
  EXPECT_TRUE(collector.failures().empty());
}

TEST(File, StandardInputIsReadToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int before = ::dup(STDIN_FILENO);
  ASSERT_EQ(::dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  spec::Source spec = file("-");
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::standard_input}) {
    spec.kind = kind;
    ASSERT_EQ(::write(ends[1], "a\nb\n", 4), 4);
    batch::MessageView message;
    const auto reader = make_block_reader(spec, 5, {});
    ASSERT_TRUE(reader->next(message));
    EXPECT_EQ(message.payload, "a\nb\n");
    EXPECT_EQ(reader->bytes_total(), 0U);
  }
  ASSERT_EQ(::write(ends[1], "last", 4), 4);
  ::close(ends[1]);
  EXPECT_EQ(read_all(spec).text, "last");
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  ::close(ends[0]);
}

}  // namespace
}  // namespace weir::source
