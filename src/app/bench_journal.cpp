// `weir bench journal`: appending to a durable journal beside write() of the same payloads to a file on the same disk,
// and reading it with every checksum verified beside read() of the same files. Under the directory for temporary files
// ($TMPDIR), removed afterwards.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp() is POSIX
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "app/bench.hpp"
#include "app/bench_directory.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "core/posix_file.hpp"
#include "journal/durable_journal.hpp"

namespace weir::app {
namespace {

using Clock = std::chrono::steady_clock;

struct Case {
  const char* name;
  std::uint64_t payload_bytes;
  bool sync_each;
  std::uint64_t messages;  ///< a round; several segments where nothing is synced
};

constexpr std::array<Case, 7> kCases{{{"append 64 B", 64, false, 2'000'000},
                                      {"append 1 KiB", 1024, false, 300'000},
                                      {"append 4 KiB", 4096, false, 80'000},
                                      {"append 64 KiB", 65536, false, 5'000},
                                      {"append 64 B, synced each", 64, true, 500},
                                      {"append 4 KiB, synced each", 4096, true, 500},
                                      {"read 16 B", 16, false, 4'000'000}}};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

journal::DurableOptions options_of(const std::string& directory, const Case& c) {
  journal::DurableOptions options;
  options.directory = directory;
  options.backlog_bytes = std::uint64_t{1} << 50U;  // nobody reads meanwhile
  options.sync_each = c.sync_each;
  return options;
}

/// Seconds for the messages of one round, by so many producers.
double append(const std::string& directory, const Case& c, unsigned threads, const std::string& payload) {
  journal::Recovered recovered;
  const auto opened = journal::open_durable_journal(options_of(directory, c), 0, recovered);
  const auto produce = [&](std::uint64_t count) {
    batch::MessageView message;
    message.payload = payload;
    message.arrival_ns = 1'700'000'000'000'000'000;
    for (std::uint64_t i = 0; i < count; ++i) {
      message.position_offset = i;
      if (opened->offer(message) != batch::Accepted::yes) {
        throw Error("the journal did not take a message");
      }
    }
  };
  const auto begin = Clock::now();
  std::vector<std::thread> producers;
  for (unsigned i = 1; i < threads; ++i) {
    producers.emplace_back(produce, c.messages / threads);
  }
  produce(c.messages - c.messages / threads * (threads - 1));
  for (std::thread& producer : producers) {
    producer.join();
  }
  return seconds_since(begin);
}

/// Seconds for a plain write() of each payload, with fdatasync() where the journal syncs each.
double plain_write(const std::string& path, const Case& c, const std::string& payload) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) {
    throw system_error("open", path);
  }
  const auto begin = Clock::now();
  for (std::uint64_t i = 0; i < c.messages; ++i) {
    real_file_system().write(file, payload, path);
    if (c.sync_each && ::fdatasync(file.get()) != 0) {
      throw system_error("sync", path);
    }
  }
  return seconds_since(begin);
}

/// @throws Error when the records are not the ones that were appended
void require_right(const std::string& directory, const Case& c, const std::string& payload) {
  const std::unique_ptr<journal::JournalReader> reader = journal::open_journal_reader(directory);
  std::uint64_t messages = 0;
  bool same = true;
  while (const journal::Record* record = reader->next()) {
    if (record->kind == journal::Record::Kind::message) {
      same = same && record->message.payload == payload;
      ++messages;
    }
  }
  if (!same || messages != c.messages) {
    throw Error("what was read of the journal is not what was appended");
  }
}

/// Seconds for reading and verifying every record.
double read_back(const std::string& directory, const Case& c) {
  const auto begin = Clock::now();
  const std::unique_ptr<journal::JournalReader> reader = journal::open_journal_reader(directory);
  std::uint64_t bytes = 0;
  while (const journal::Record* record = reader->next()) {
    bytes += record->message.payload.size();
  }
  const double seconds = seconds_since(begin);
  if (bytes != c.messages * c.payload_bytes) {
    throw Error("the journal did not give every message");
  }
  return seconds;
}

double plain_read(const std::string& directory) {
  std::vector<char> buffer(256U << 10U);
  const auto begin = Clock::now();
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const FileDescriptor file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    while (file && ::read(file.get(), buffer.data(), buffer.size()) > 0) {
    }
  }
  return seconds_since(begin);
}

void print_measured(const BenchOptions& options, const Case& c, unsigned threads, const char* reference,
                    std::vector<double> mine_s, std::vector<double> reference_s) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < mine_s.size(); ++i) {
    ratios.push_back(reference_s[i] / mine_s[i]);
  }
  Measurement m;
  m.benchmark = "journal";
  m.name = c.name;
  m.threads = threads;
  m.readings_per_s = static_cast<double>(c.messages) / median(std::move(mine_s));
  m.bytes_per_s = m.readings_per_s * static_cast<double>(c.payload_bytes);
  m.reference = reference;
  m.reference_per_s = static_cast<double>(c.messages) / median(std::move(reference_s));
  m.ratio = median(ratios);
  print(options, m);
}

/// The same journal again and again, and a plain read() of its files beside: both from the page cache.
void measure_reading(const BenchOptions& options, const Case& c, const std::string& payload) {
  const BenchDirectory scratch;
  const std::string directory = scratch.path() + "/journal";
  static_cast<void>(append(directory, c, 1, payload));
  require_right(directory, c, payload);
  std::vector<double> mine_s;
  std::vector<double> reference_s;
  const auto begin = Clock::now();
  while (mine_s.size() < 3 || seconds_since(begin) < options.seconds) {
    mine_s.push_back(read_back(directory, c));
    reference_s.push_back(plain_read(directory));
  }
  print_measured(options, c, 1, "read()", std::move(mine_s), std::move(reference_s));
}

void measure_appending(const BenchOptions& options, const Case& c, unsigned threads, const std::string& payload) {
  std::vector<double> mine_s;
  std::vector<double> reference_s;
  const auto begin = Clock::now();
  while (mine_s.size() < 3 || seconds_since(begin) < options.seconds) {
    const BenchDirectory scratch;
    const std::string directory = scratch.path() + "/journal";
    mine_s.push_back(append(directory, c, threads, payload));
    require_right(directory, c, payload);
    reference_s.push_back(plain_write(scratch.path() + "/plain", c, payload));
  }
  print_measured(options, c, threads, c.sync_each ? "write() + fdatasync()" : "write()", std::move(mine_s),
                 std::move(reference_s));
}

}  // namespace

int bench_journal(const BenchOptions& options) {
  for (const Case& c : kCases) {
    if (std::string_view(c.name).find(options.case_filter) == std::string_view::npos) {
      continue;
    }
    const std::string payload(c.payload_bytes, 'm');
    if (std::string_view(c.name).starts_with("read")) {
      measure_reading(options, c, payload);
      continue;
    }
    for (const unsigned threads : options.threads) {
      measure_appending(options, c, threads, payload);
    }
  }
  return kDone;
}

}  // namespace weir::app
