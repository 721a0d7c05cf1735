// A process that is killed while it appends: every record whose offer() had returned is there, in order, and the
// journal goes on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

#include "journal_files.hpp"
#include "support/sanitized.hpp"

namespace weir::test {
namespace {

constexpr std::uint32_t kProducers = 2;

std::string payload_of(std::uint32_t source, std::uint64_t i) {
  return std::to_string(source) + ":" + std::to_string(i) + std::string(i * 37 % 700, static_cast<char>('a' + i % 26));
}

/// Appends until it is killed; tells through the pipe, 16 bytes each, what was taken. Never returns.
[[noreturn]] void append_for_ever(const DurableOptions& options, std::uint64_t from, int pipe) {
  Recovered recovered;
  const auto journal = open_durable_journal(options, from, recovered);
  std::vector<std::uint64_t> first(kProducers, 0);
  for (const auto& [source, position] : recovered.positions) first[source] = position.offset + 1;
  std::vector<std::thread> producers;
  for (std::uint32_t source = 0; source < kProducers; ++source) {
    producers.emplace_back([&, source] {
      for (std::uint64_t i = first[source];; ++i) {
        const std::string payload = payload_of(source, i);
        batch::MessageView view = message(payload, source);
        view.position_offset = i;
        if (journal->offer(view) != batch::Accepted::yes) ::_exit(3);
        const std::uint64_t told[2] = {source, i};
        if (::write(pipe, told, sizeof told) != sizeof told) ::_exit(4);
      }
    });
  }
  while (journal->next(kNever, kLong) != nullptr) {
  }
  ::_exit(5);
}

/// Reads what the child tells, kills it after `kill_after` messages and gives the next number of each source.
std::vector<std::uint64_t> run_and_kill(const DurableOptions& options, std::uint64_t kill_after) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    append_for_ever(options, 0, ends[1]);
  }
  ::close(ends[1]);
  std::vector<std::uint64_t> next(kProducers, 0);
  std::uint64_t told[2];
  std::uint64_t count = 0;
  while (::read(ends[0], told, sizeof told) == sizeof told) {
    next[told[0]] = told[1] + 1;
    if (++count == kill_after) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  return next;
}

class Killed : public testing::TestWithParam<bool> {};

TEST_P(Killed, NothingThatWasTakenIsLost) {
  // Without syncs the disk has no part in it.
  const TemporaryDirectory directory(GetParam() ? std::filesystem::temp_directory_path()
                                                : TemporaryDirectory::in_memory());
  DurableOptions options;
  options.directory = directory.path();
  options.segment_bytes = 64U << 10U;
  options.sync_each = GetParam();
  std::mt19937 random(1);
  const int kills = options.sync_each ? 10 : kSanitized ? 20 : 60;
  std::uint64_t known = 0;
  for (int round = 0; round < kills; ++round) {
    const std::vector<std::uint64_t> next = run_and_kill(options, 1 + random() % (options.sync_each ? 50
                                                                                  : round % 2 == 0  ? 20
                                                                                                    : 2000));
    // By a reader of its own, then by the room, which also puts the end right.
    std::vector<std::uint64_t> following(kProducers, 0);
    Recovered recovered;
    const auto journal = open_durable_journal(options, 0, recovered);
    for (const Kept& one : drain(*journal)) {
      ASSERT_EQ(one.offset, following[one.source]) << "round " << round;
      ASSERT_EQ(one.payload, payload_of(one.source, one.offset));
      ++following[one.source];
    }
    for (std::uint32_t source = 0; source < kProducers; ++source) {
      ASSERT_GE(following[source], next[source]) << "round " << round << " lost what was taken";
    }
    ASSERT_GE(recovered.records, known);
    known = recovered.records;
  }
  std::uint64_t number = 0;
  for (const Kept& record : parse_journal(options.directory)) ASSERT_EQ(record.number, number++);
}

INSTANTIATE_TEST_SUITE_P(DurableJournal, Killed, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "SyncedEach" : "Unsynced"; });

}  // namespace
}  // namespace weir::test
