// Journals that are only read: by `weir replay`, `weir inspect` and whoever wants to know what a file is.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "core/error.hpp"
#include "journal/durable_journal.hpp"
#include "journal/segment_format.hpp"
#include "journal/segment_reader.hpp"
#include "journal/segment_sequence.hpp"

namespace weir::journal {
namespace {

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::uint64_t bytes_of(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  return error ? 0 : bytes;
}

class SequenceReader final : public JournalReader {
 public:
  SequenceReader(const std::vector<SegmentName>& segments, std::uint64_t from)
      : sequence_(segments, from, SegmentSequence::OnDamage::refuse) {
    for (const SegmentName& segment : segments) {
      total_ += bytes_of(segment.path);
    }
  }
  const Record* next() override { return sequence_.next(); }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept override { return std::min(sequence_.bytes_read(), total_); }
  [[nodiscard]] std::uint64_t bytes_total() const noexcept override { return total_; }

 private:
  SegmentSequence sequence_;
  std::uint64_t total_ = 0;
};

SegmentInfo look_at(const SegmentName& segment, const SegmentName* next) {
  SegmentInfo info;
  info.path = segment.path;
  info.first_number = segment.first_number;
  info.bytes = bytes_of(segment.path);
  try {
    SegmentReader reader(segment.path);
    info.compressed = reader.header().compressed != 0;
    info.complete = reader.header().complete();
    for (auto step = reader.next(); step != SegmentReader::Step::end; step = reader.next()) {
      if (step == SegmentReader::Step::record) {
        const std::int64_t arrival_ns = reader.record().message.arrival_ns;
        info.first_arrival_ns = info.records == 0 ? arrival_ns : info.first_arrival_ns;
        info.last_arrival_ns = arrival_ns;
        ++info.records;
      } else if (info.damage.empty() && (step == SegmentReader::Step::hole || next != nullptr)) {
        info.damage = reader.describe_fault();
      }
    }
    if (info.damage.empty() && next == nullptr && reader.ends_too_early()) {
      info.damage = reader.describe_early_end();
    }
    if (info.damage.empty() && next == nullptr && reader.header().followed()) {
      info.damage = "the segment that follows it is gone";
    }
    if (info.damage.empty() && reader.header().first_number != segment.first_number) {
      info.damage = "its header and its name disagree on the number of its first record";
    }
    if (info.damage.empty() && next != nullptr && next->first_number != reader.next_number()) {
      info.damage = describe_gap(segment.path, reader.next_number(), next->first_number);
    }
  } catch (const Error& error) {
    info.damage = error.what();
  }
  return info;
}

}  // namespace

std::unique_ptr<JournalReader> open_journal_reader(const std::string& path, std::uint64_t from) {
  std::vector<SegmentName> segments;
  if (is_directory(path)) {
    segments = segments_from(find_segments(real_file_system(), path).segments, from);
  } else {
    segments.push_back({SegmentReader(path).header().first_number, path});
  }
  if (segments.empty()) {
    throw Error("there is no journal in '" + path + "'");
  }
  return std::make_unique<SequenceReader>(segments, from);
}

bool is_journal(const std::string& path) {
  if (is_directory(path)) {
    return !find_segments(real_file_system(), path).segments.empty();
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return false;  // what a pipe gives once is left to its reader
  }
  std::string first(kSegmentMagic.size(), '\0');
  std::ifstream in(path, std::ios::binary);
  return in.read(first.data(), static_cast<std::streamsize>(first.size())) && first == kSegmentMagic;
}

std::vector<SegmentInfo> list_segments(const std::string& directory) {
  const std::vector<SegmentName> names = find_segments(real_file_system(), directory).segments;
  std::vector<SegmentInfo> infos;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (bytes_of(names[i].path) == 0 && !std::filesystem::exists(names[i].path)) {
      continue;  // released meanwhile
    }
    infos.push_back(look_at(names[i], i + 1 < names.size() ? &names[i + 1] : nullptr));
  }
  return infos;
}

}  // namespace weir::journal
