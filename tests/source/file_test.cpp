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
  std::string text;
};

Blocks read_all(BlockReader& reader) {
  Blocks blocks;
  batch::MessageView message;
  while (reader.next(message)) {
    blocks.payloads.emplace_back(message.payload);
    blocks.positions.push_back({message.position_offset, std::string(message.position_detail)});
    blocks.starts.push_back(message.starts_file);
    blocks.text += message.payload;
    EXPECT_EQ(message.source, 5U);
    EXPECT_EQ(message.delivery, batch::Delivery::hold_back);
    EXPECT_GT(message.arrival_ns, 1'500'000'000'000'000'000);
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
  write_bytes(files / "x", "short\n");
  EXPECT_EQ(error_of([&] { read_all(file(files / "x"), 100); }),
            "cannot resume '" + (files / "x") + "' after 100 bytes: it has only 6; was it replaced?");
  write_bytes(files / "long", std::string(kLongestLine + 1, 'x'));
  EXPECT_EQ(error_of([&] { read_all(file(files / "long")); }),
            "'" + (files / "long") + "': a line is longer than 16 MiB; is this a text file?");
  write_bytes(files / "longest", std::string(kLongestLine - 1, 'x') + "\ny\n");
  EXPECT_EQ(read_all(file(files / "longest")).text.size(), kLongestLine + 2);
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
