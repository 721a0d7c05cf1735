#include "app/inspect_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/duration.hpp"
#include "core/error.hpp"
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

/// On one line, whatever the bytes are: what a terminal would not show as itself is written as an escape.
std::string readable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShownBytes)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c < ' ' || c > '~') {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  if (text.size() > kShownBytes) {
    out += fmt::format("… ({})", bytes_to_string(text.size()));
  }
  return out;
}

void show_record(const journal::Record& record) {
  using Kind = journal::Record::Kind;
  const batch::MessageView& message = record.message;
  fmt::print("    {:>10}  {:<30}  ", record.number, instant(message.arrival_ns));
  switch (record.kind) {
    case Kind::message:
      fmt::print("source {}{}{}{}  {}{}{}\n", message.source,
                 message.delivery == batch::Delivery::shed ? ", may be shed" : "", message.duplicate ? ", DUP" : "",
                 message.starts_file ? ", starts a file" : "", readable(message.topic),
                 message.topic.empty() ? "" : "  ", readable(message.payload));
      break;
    case Kind::finished:
      fmt::print("source {} ended\n", message.source);
      break;
    case Kind::failed:
      fmt::print("source {} failed: {}\n", message.source, readable(record.error));
      break;
    case Kind::tick:
      fmt::print("tick{}\n", record.shed > 0 ? fmt::format(", {} shed", record.shed) : "");
      break;
    case Kind::started:
      fmt::print("started\n");
      break;
  }
}

bool show_segment(const journal::SegmentInfo& segment) {
  fmt::print("  {}  {:>10}  ", std::filesystem::path(segment.path).filename().string(), bytes_to_string(segment.bytes));
  if (segment.records == 0) {
    fmt::print("no record");
  } else {
    fmt::print("{} records from {}, {} to {}", segment.records, segment.first_number, instant(segment.first_arrival_ns),
               instant(segment.last_arrival_ns));
  }
  fmt::print("{}{}, ", segment.compressed ? ", compressed" : "", segment.complete ? "" : ", open");
  if (!segment.damage.empty()) {
    fmt::print("DAMAGED: {}\n", segment.damage);
    return false;
  }
  fmt::print("checksums good\n");
  return true;
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
  fmt::print("journal {}: {} segment{}, {} records, {}\n", path, segments.size(), segments.size() == 1 ? "" : "s",
             total, bytes_to_string(bytes));
  bool good = true;
  for (const journal::SegmentInfo& segment : segments) {
    good = show_segment(segment) && good;
  }
  if (records > 0) {
    try {
      show_records(path, records);
    } catch (const Error& error) {
      fmt::print("    {}\n", error.what());
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
