// The journal on disk, as its users see it: what goes in comes out, live and read again, and lies in the files as they
// are documented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>
#include <thread>

#include "journal_files.hpp"
#include "support/process.hpp"

namespace weir::test {
namespace {

using testing::HasSubstr;

DurableOptions small(const std::string& directory) {
  DurableOptions options;
  options.directory = directory;
  options.segment_bytes = 16U << 10U;
  options.memory_bytes = 1U << 20U;
  return options;
}

std::string random_text(std::mt19937& random, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random() % 256);
  return text;
}

/// Messages with texts of the edge sizes, all flags, and sizes larger than a segment.
std::vector<Kept> varied_messages(std::size_t count) {
  std::mt19937 random(7);
  const std::vector<std::size_t> sizes{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1000, 4095, 4096, 4097, 15'000, 40'000};
  std::vector<Kept> messages;
  for (std::size_t i = 0; i < count; ++i) {
    Kept one;
    one.payload = random_text(random, sizes[i % sizes.size()]);
    one.topic = random_text(random, i % 5 * 3);
    one.detail = random_text(random, i % 3 * 100);
    one.arrival_ns = static_cast<std::int64_t>(random()) - (1 << 30);
    one.source = static_cast<std::uint32_t>(i % 4);
    one.offset = std::uint64_t{random()} << 32U | random();
    one.duplicate = i % 7 == 0;
    one.starts_file = i % 11 == 0;
    one.refused = i % 13 == 0 ? 1 + i % batch::kMalformedReasons : 0;
    messages.push_back(one);
  }
  return messages;
}

batch::MessageView view_of(const Kept& kept) {
  batch::MessageView view;
  view.payload = kept.payload;
  view.topic = kept.topic;
  view.position_detail = kept.detail;
  view.arrival_ns = kept.arrival_ns;
  view.source = kept.source;
  view.position_offset = kept.offset;
  view.duplicate = kept.duplicate;
  view.starts_file = kept.starts_file;
  if (kept.refused != 0) {
    view.refused = static_cast<batch::Malformed>(kept.refused - 1);
  }
  view.delivery = kept.sheddable ? batch::Delivery::shed : batch::Delivery::hold_back;
  return view;
}

void expect_same(const std::vector<Kept>& got, const std::vector<Kept>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    Kept same = wanted[i];
    same.number = got[i].number;
    ASSERT_EQ(got[i], same) << "message " << i;
  }
}

std::vector<Kept> messages_only(const std::vector<Kept>& records) {
  std::vector<Kept> messages;
  for (const Kept& record : records) {
    if (record.kind == 0) messages.push_back(record);
  }
  return messages;
}

TEST(DurableJournal, WhatIsAppendedIsReadLiveAgainAndByAnotherParser) {
  const TemporaryDirectory directory;
  const DurableOptions options = small(directory / "j");
  const std::vector<Kept> sent = varied_messages(200);
  {
    const auto journal = open_journal(options);
    for (const Kept& one : sent) ASSERT_EQ(journal->offer(view_of(one)), batch::Accepted::yes);
    expect_same(drain(*journal), sent);
  }
  EXPECT_GT(segment_files(options.directory).size(), 10U);
  const std::vector<Kept> parsed = parse_journal(options.directory);
  for (std::size_t i = 0; i < parsed.size(); ++i) ASSERT_EQ(parsed[i].number, i);
  EXPECT_EQ(parsed.front().kind, 4) << "the start is a record";
  expect_same(messages_only(parsed), sent);

  Recovered recovered;
  const auto again = open_durable_journal(options, 0, recovered);
  EXPECT_EQ(recovered.records, sent.size() + 1);
  EXPECT_TRUE(recovered.warnings.empty()) << recovered.warnings.front();
  ASSERT_EQ(recovered.positions.size(), 4U);
  for (const auto& entry : recovered.positions) {
    const batch::SourcePosition& position = entry.second;
    const auto last = std::find_if(sent.rbegin(), sent.rend(), [&](const Kept& m) { return m.source == entry.first; });
    EXPECT_EQ(position.offset, last->offset);
    // An empty detail leaves the one before, and one that begins with '+' is appended to it.
    std::string detail;
    for (const Kept& m : sent) {
      if (m.source != entry.first || m.detail.empty()) continue;
      detail = m.detail.front() == '+' && !detail.empty() ? detail + m.detail.substr(1) : m.detail;
    }
    EXPECT_EQ(position.detail, detail);
  }
  expect_same(drain(*again), sent);
}

TEST(DurableJournal, FilesAreTheUsersOwn) {
  const TemporaryDirectory directory;
  const auto journal = open_journal(small(directory / "a/j"));
  struct ::stat status {};
  ASSERT_EQ(::stat((directory / "a/j").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat(segment_files(directory / "a/j").front().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(DurableJournal, ReadingBeginsWithTheNumberThatTheCheckpointNames) {
  const TemporaryDirectory directory;
  const DurableOptions options = small(directory.path());
  const std::vector<Kept> sent = varied_messages(100);
  {
    const auto journal = open_journal(options);
    for (const Kept& one : sent) journal->offer(view_of(one));
  }
  const std::uint64_t records = parse_journal(options.directory).size();
  for (const std::uint64_t from : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{50}, records - 1, records}) {
    Recovered recovered;
    std::uint64_t started = 0;
    {
      const auto journal = open_durable_journal(options, from, recovered);
      journal->close();
      std::uint64_t number = from;
      while (const Record* record = journal->next(kNever, kLong)) {
        ASSERT_EQ(record->number, number++);
        if (record->kind == Record::Kind::started) started = record->number;
        if (record->kind == Record::Kind::message) {
          ASSERT_EQ(record->message.payload, sent[record->number - 1].payload);
        }
      }
      EXPECT_EQ(started + 1, number);
    }
    EXPECT_EQ(recovered.records, started - from);
  }
  // What was appended from the end on, and nothing else.
  Recovered recovered;
  const auto journal = open_durable_journal(options, journal::kJournalEnd, recovered);
  EXPECT_EQ(journal->next(kNever, kLong)->kind, Record::Kind::started);
  EXPECT_EQ(recovered.records, 0U);
  EXPECT_TRUE(drain(*journal).empty());
}

TEST(DurableJournal, ProducersKeepTheirOrder) {
  constexpr std::uint32_t kProducers = 4;
  constexpr std::uint64_t kEach = 5'000;
  const TemporaryDirectory directory;
  DurableOptions options = small(directory.path());
  options.segment_bytes = 64U << 10U;
  options.backlog_bytes = 100'000;
  {
    const auto journal = open_journal(options);
    std::vector<std::thread> producers;
    for (std::uint32_t source = 0; source < kProducers; ++source) {
      producers.emplace_back([&, source] {
        for (std::uint64_t i = 0; i < kEach; ++i) {
          const std::string payload = std::to_string(i) + std::string(i % 50, 'x');
          batch::MessageView view = message(payload, source);
          view.position_offset = i;
          EXPECT_EQ(journal->offer(view), batch::Accepted::yes);
        }
        journal->finished(source);
      });
    }
    std::vector<std::uint64_t> next(kProducers, 0);
    std::uint64_t number = 0;
    for (std::uint32_t ended = 0; ended < kProducers;) {
      const Record* record = journal->next(kNever, kLong);
      ASSERT_NE(record, nullptr);
      ASSERT_EQ(record->number, number++);
      ended += record->kind == Record::Kind::finished ? 1U : 0U;
      if (record->kind == Record::Kind::message) {
        const std::uint64_t i = next[record->message.source]++;
        ASSERT_EQ(record->message.position_offset, i);
        ASSERT_EQ(record->message.payload, std::to_string(i) + std::string(i % 50, 'x'));
      }
    }
    for (std::thread& producer : producers) producer.join();
    EXPECT_EQ(next, std::vector<std::uint64_t>(kProducers, kEach));
  }
  EXPECT_EQ(parse_journal(options.directory).size(), kProducers * (kEach + 1) + 1);
}

TEST(DurableJournal, AProducerWaitsWhileTheBacklogIsFull) {
  const TemporaryDirectory directory;
  DurableOptions options = small(directory.path());
  options.backlog_bytes = 20'000;
  const auto journal = open_journal(options);
  const std::string payload(1000, 'p');
  std::atomic<int> taken{0};
  std::thread producer([&] {
    for (int i = 0; i < 100; ++i) taken += journal->offer(message(payload)) == batch::Accepted::yes ? 1 : 0;
  });
  EXPECT_TRUE(eventually([&] { return taken >= 18; }));
  EXPECT_LE(journal->bytes_queued(), options.backlog_bytes);
  int read = 0;
  while (read < 100) {
    const Record* record = journal->next(kNever, kLong);
    ASSERT_NE(record, nullptr);
    EXPECT_LE(journal->bytes_queued(), options.backlog_bytes);
    read += record->kind == Record::Kind::message ? 1 : 0;
  }
  producer.join();
  EXPECT_EQ(taken, 100);
}

TEST(DurableJournal, AProducerThatWaitsIsToldOfTheEnd) {
  const TemporaryDirectory directory;
  DurableOptions options = small(directory.path());
  options.backlog_bytes = 5'000;
  const auto journal = open_journal(options);
  const std::string payload(1000, 'p');
  std::atomic<int> taken{0};
  std::thread producer([&] {
    while (journal->offer(message(payload)) == batch::Accepted::yes) ++taken;
  });
  EXPECT_TRUE(eventually([&] { return taken >= 4; }));
  const std::vector<Kept> read = drain(*journal);
  producer.join();
  EXPECT_EQ(static_cast<int>(read.size()), taken);
}

TEST(DurableJournal, OldSegmentsGoAndTheRestStays) {
  const TemporaryDirectory directory;
  const DurableOptions options = small(directory.path());
  {
    const auto journal = open_journal(options);
    const std::string payload(1000, 'p');
    for (int i = 0; i < 100; ++i) journal->offer(message(payload));
    const std::vector<std::string> before = segment_files(options.directory);
    ASSERT_GT(before.size(), 5U);
    journal->release_before(0);
    EXPECT_EQ(segment_files(options.directory), before);
    journal->release_before(50);
    const std::vector<std::string> after = segment_files(options.directory);
    EXPECT_LT(after.size(), before.size());
    EXPECT_LE(parse_segment(after.front()).front().number, 50U);
    EXPECT_GT(parse_segment(after[1]).front().number, 50U);
    journal->release_before(1'000'000);
    EXPECT_EQ(segment_files(options.directory).size(), 1U) << "the active one";
  }
  // It goes on from there, and what is gone is missed only by who asks for it.
  Recovered recovered;
  EXPECT_THROW(open_durable_journal(options, 0, recovered), Error);
  EXPECT_EQ(drain(*open_durable_journal(options, 100, recovered)).size(), 1U);
}

TEST(DurableJournal, OneProcessOwnsIt) {
  const TemporaryDirectory directory;
  const auto journal = open_journal(small(directory.path()));
  try {
    open_journal(small(directory.path()));
    FAIL() << "opened twice";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("in use"));
  }
}

TEST(DurableJournal, ADirectoryThatCannotBeWrittenIsRefused) {
  try {
    open_journal(small("/proc/journal"));
    FAIL() << "it was opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/proc/journal"));
  }
}

TEST(DurableJournal, ARecordingIsCompressedAndHoldsTheSame) {
  const TemporaryDirectory directory;
  DurableOptions options = small(directory.path());
  options.keep = true;
  const std::vector<Kept> sent = varied_messages(300);
  {
    const auto journal = open_journal(options);
    for (const Kept& one : sent) journal->offer(view_of(one));
    journal->release_before(1'000'000);
    expect_same(drain(*journal), sent);
  }
  {
    // The first start after it compresses what the end of the first left.
    const auto journal = open_journal(options, journal::kJournalEnd);
    EXPECT_TRUE(eventually([&] {
      const auto segments = journal::list_segments(options.directory);
      return std::all_of(segments.begin(), segments.end() - 1, [](const auto& one) { return one.compressed; });
    }));
  }
  for (const journal::SegmentInfo& segment : journal::list_segments(options.directory)) {
    EXPECT_EQ(segment.damage, "") << segment.path;
    EXPECT_TRUE(segment.complete && segment.compressed) << segment.path;
  }
  expect_same(messages_only(parse_journal(options.directory)), sent);
  const auto reader = journal::open_journal_reader(options.directory);
  std::vector<Kept> read;
  while (const Record* record = reader->next()) read.push_back(keep(*record));
  expect_same(messages_only(read), sent);
  EXPECT_EQ(reader->bytes_read(), reader->bytes_total());
  EXPECT_EQ(drain(*open_journal(options, 100)).size(), sent.size() - 99);
}

TEST(JournalReader, KnowsAJournalByItsBytesAndNames) {
  const TemporaryDirectory directory;
  { const auto journal = open_journal(small(directory / "j")); }
  EXPECT_TRUE(journal::is_journal(directory / "j"));
  EXPECT_TRUE(journal::is_journal(segment_files(directory / "j").front()));
  EXPECT_FALSE(journal::is_journal(directory.path()));
  write_bytes(directory / "x", "WEIRJRN");
  EXPECT_FALSE(journal::is_journal(directory / "x"));
  EXPECT_FALSE(journal::is_journal(directory / "nothing"));
  EXPECT_THROW(journal::open_journal_reader(directory.path()), Error);
}

}  // namespace
}  // namespace weir::test
