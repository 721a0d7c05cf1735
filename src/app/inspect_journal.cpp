#include "app/inspect_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "app/output.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"
#include "core/time_text.hpp"
#include "journal/durable_journal.hpp"

namespace weir::app {
namespace {

constexpr std::size_t kShownBytes = 120;

std::string instant(std::int64_t ns) {
  std::string text;
  append_rfc3339(text, ns);
  return text;
}

/// The beginning of it, on one line, whatever the bytes are.
std::string readable(std::string_view text) {
  std::string out = printable(text.substr(0, kShownBytes));
  if (text.size() > kShownBytes) {
    out += fmt::format("… ({})", bytes_to_string(text.size()));
  }
  return out;
}

std::string describe(const journal::Record& record) {
  using Kind = journal::Record::Kind;
  const batch::MessageView& message = record.message;
  switch (record.kind) {
    case Kind::message:
      return fmt::format("source {}{}{}{}  {}{}{}", message.source,
                         message.delivery == batch::Delivery::shed ? ", may be shed" : "",
                         message.duplicate ? ", DUP" : "", message.starts_file ? ", starts a file" : "",
                         readable(message.topic), message.topic.empty() ? "" : "  ", readable(message.payload));
    case Kind::finished:
      return fmt::format("source {} ended", message.source);
    case Kind::failed:
      return fmt::format("source {} failed: {}", message.source, readable(record.error));
    case Kind::tick:
      return record.shed > 0 ? fmt::format("tick, {} shed", record.shed) : "tick";
    case Kind::started:
      return "started";
  }
  return {};
}

void show_record(const journal::Record& record) {
  print_line("    {:>10}  {:<30}  {}", record.number, instant(record.message.arrival_ns), describe(record));
}

bool show_segment(const journal::SegmentInfo& segment) {
  const bool good = segment.damage.empty();
  const std::string records = segment.records == 0
                                  ? "no record"
                                  : fmt::format("{} records from {}, {} to {}", segment.records, segment.first_number,
                                                instant(segment.first_arrival_ns), instant(segment.last_arrival_ns));
  print_line("  {}  {:>10}  {}{}{}, {}{}", std::filesystem::path(segment.path).filename().string(),
             bytes_to_string(segment.bytes), records, segment.compressed ? ", compressed" : "",
             segment.complete ? "" : ", open", good ? "checksums good" : "DAMAGED: ", segment.damage);
  return good;
}

void show_records(const std::string& path, std::uint64_t count) {
  const std::unique_ptr<journal::JournalReader> reader = journal::open_journal_reader(path);
  for (std::uint64_t i = 0; i < count; ++i) {
    const journal::Record* const record = reader->next();
    if (record == nullptr) {
      return;
    }
    show_record(*record);
  }
}

}  // namespace

bool show_journal(const std::string& path, std::uint64_t records) {
  const bool one = !std::filesystem::is_directory(path);
  std::vector<journal::SegmentInfo> segments =
      journal::list_segments(one ? std::filesystem::path(path).parent_path().string() : path);
  if (one) {
    std::erase_if(segments, [&](const journal::SegmentInfo& segment) {
      return std::filesystem::path(segment.path).filename() != std::filesystem::path(path).filename();
    });
  }
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;
  for (const journal::SegmentInfo& segment : segments) {
    bytes += segment.bytes;
    total += segment.records;
  }
  print_line("journal {}: {} segment{}, {} records, {}", path, segments.size(), segments.size() == 1 ? "" : "s", total,
             bytes_to_string(bytes));
  bool good = true;
  for (const journal::SegmentInfo& segment : segments) {
    good = show_segment(segment) && good;
  }
  if (records > 0) {
    try {
      show_records(path, records);
    } catch (const Error& error) {
      print_line("    {}", error.what());
      good = false;
    }
  }
  return good;
}

bool show_journals_below(const std::string& directory, std::uint64_t records) {
  std::vector<std::string> journals;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_directory(error) && journal::is_journal(at->path().string())) {
      journals.push_back(at->path().string());
    }
  }
  std::sort(journals.begin(), journals.end());
  bool good = true;
  for (const std::string& journal : journals) {
    good = show_journal(journal, records) && good;
  }
  return good;
}

}  // namespace weir::app
