// A process that writes rows and positions is killed again and again, at any instant; the files end up as those of one
// that nobody killed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "sink/file_sink.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::Rows;
using weir::test::read_bytes;
using weir::test::TemporaryDirectory;
using weir::test::write_bytes;

constexpr int kRows = 20'000;
// What a row puts into the pipe: so much that the child cannot run ahead of its parent by more than some rows.
constexpr std::size_t kProgress = 128;
constexpr int kPipe = 4096;

std::map<std::string, std::string> outputs_in(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name.ends_with("jsonl") || name.ends_with("csv")) files[name] = read_bytes(entry.path());
  }
  return files;
}

// From the last position to the end; kProgress bytes into `progress` for each row.
void write_rows(const spec::Sink& spec, const std::string& state, int progress) {
  Rows rows(test::small());
  FileSink sink(spec);
  int next = 0;
  if (std::filesystem::exists(state)) {
    const std::string saved = read_bytes(state);
    const std::size_t split = saved.find('\n');
    next = std::stoi(saved.substr(0, split));
    sink.resume(saved.substr(split + 1));
  }
  sink.open({&rows.shape()});
  for (; next < kRows; ++next) {
    if (next % 97 == 0) {
      write_bytes(state + ".tmp", std::to_string(next) + "\n" + test::position_of(sink));
      std::filesystem::rename(state + ".tmp", state);
    }
    rows.clear();
    sink.write(rows.add(kNoon + next / 10 * kSecond, {"key " + std::to_string(next)},
                        {count(static_cast<std::uint64_t>(next % 7))})
                   .table());
    if (next % 13 == 0) sink.flush();
    const std::array<char, kProgress> bytes{};
    if (progress >= 0 && ::write(progress, bytes.data(), bytes.size()) != kProgress) ::_exit(1);
  }
  sink.close();
}

class FileKill : public ::testing::TestWithParam<spec::RowFormat> {};

TEST_P(FileKill, NoInstantLosesOrRepeatsARow) {
  const TemporaryDirectory temporary(TemporaryDirectory::in_memory());
  const auto spec_in = [&](const std::string& directory) {
    spec::Sink spec;
    spec.name = "rows";
    spec.kind = spec::SinkKind::file;
    spec.format = GetParam();
    spec.path = directory + (GetParam() == spec::RowFormat::csv ? "/q.csv" : "/q.jsonl");
    spec.rotate_bytes = 3'000;
    return spec;
  };
  write_rows(spec_in(temporary / "whole"), temporary / "whole/position", -1);
  const spec::Sink spec = spec_in(temporary / "killed");
  std::mt19937_64 random(3);
  int kills = 0;
  for (bool done = false; !done;) {
    int progress[2];
    ASSERT_EQ(::pipe(progress), 0);
    ASSERT_EQ(::fcntl(progress[1], F_SETPIPE_SZ, kPipe), kPipe);
    const ::pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        write_rows(spec, temporary / "killed/position", progress[1]);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        ::_exit(2);
      }
      ::_exit(0);
    }
    ::close(progress[1]);
    std::array<char, kProgress> bytes{};
    for (std::uint64_t left = 1 + random() % 700; left > 0; --left) {
      if (::read(progress[0], bytes.data(), bytes.size()) <= 0) break;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ::close(progress[0]);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    done = WIFEXITED(status);
    kills += done ? 0 : 1;
  }
  EXPECT_GT(kills, 20);
  EXPECT_EQ(outputs_in(temporary / "killed"), outputs_in(temporary / "whole"));
  EXPECT_GT(outputs_in(temporary / "whole").size(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Formats, FileKill, ::testing::Values(spec::RowFormat::jsonl, spec::RowFormat::csv));

}  // namespace
}  // namespace weir::sink
