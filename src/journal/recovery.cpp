// What a crash leaves. The death of the process leaves whole records, and perhaps one half of one at the very end:
// pages that were written to stay with the system. A power cut may lose any page that was not synced, so records may be
// missing in front of good ones; the segment knows in which run of the system it was written and up to where it was
// synced, which tells this from damage. Nothing behind the last sync was promised, and it is cut off.
#include "journal/recovery.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "journal/frame.hpp"
#include "journal/live_segment.hpp"
#include "journal/segment_reader.hpp"
#include "journal/segment_sequence.hpp"

namespace weir::journal {
namespace {

using Step = SegmentReader::Step;

class Scan {
 public:
  Scan(const DurableOptions& options, std::uint64_t from, Recovered& recovered)
      : options_(options), recovered_(recovered), boot_id_(current_boot_id()) {
    result_.from = from;
  }

  RecoveredSegments run() {
    SegmentFiles found = find_segments(*options_.files, options_.directory);
    result_.unfinished = std::move(found.unfinished);
    result_.segments = std::move(found.segments);
    std::uint64_t& from = result_.from;
    if (result_.segments.empty()) {
      from = from == kJournalEnd ? 0 : from;
      result_.next_number = from;
      if (from != 0) {
        damaged(fmt::format("the journal '{}' is gone: it is needed from record {} on", options_.directory, from));
      }
      return std::move(result_);
    }
    if (const SegmentName& first = result_.segments.front(); from < first.first_number) {
      damaged(fmt::format("records {} to {} of the journal are missing: its first segment is '{}'", from,
                          first.first_number - 1, first.path));
    }
    at_ = result_.segments.size() - segments_from(result_.segments, from).size();
    expected_ = std::max(from == kJournalEnd ? 0 : from, result_.segments[at_].first_number);
    while (at_ < result_.segments.size() && scan_segment()) {
      ++at_;
    }
    if (from == kJournalEnd) {
      from = expected_;
    } else {
      require_end();
    }
    result_.next_number = expected_;
    if (!result_.segments.empty() && result_.segments.back().first_number == expected_) {
      result_.segments.pop_back();  // empty: the new one takes its name
    }
    return std::move(result_);
  }

 private:
  /// A checkpoint is written after the records that it covers were; what can come between is a power cut.
  void require_end() {
    if (!follower_of_.empty()) {
      damaged(
          fmt::format("the journal '{}' lacks its end: the segment behind '{}', which begins with record {}, is gone",
                      options_.directory, follower_of_, expected_));
    }
    if (expected_ < result_.from) {
      std::string what = fmt::format("the journal '{}' ends with record {}, before record {} with which it is to go on",
                                     options_.directory, expected_ - 1, result_.from);
      if (end_may_be_lost_) {
        warn(what + ": the power failed before they were on the disk, and the checkpoint has them");
      } else if (follower_of_.empty()) {
        damaged(what + ": its newest segment is gone");
      }
      expected_ = result_.from;
    }
  }

  /// False when the journal was cut off there.
  bool scan_segment() {
    const SegmentName segment = result_.segments[at_];
    const bool last = at_ + 1 == result_.segments.size();
    const std::uint64_t next_first = last ? 0 : result_.segments[at_ + 1].first_number;
    std::unique_ptr<SegmentReader> reader;
    try {
      reader = std::make_unique<SegmentReader>(segment.path, *options_.files);
      if (reader->header().first_number == kNotBegun && unpromised(*reader, 0)) {
        warn(fmt::format("journal segment '{}' has nothing that survived the power cut", segment.path));
        remove_from(at_);
        expected_ = segment.first_number;
        end_may_be_lost_ = true;
        return false;
      }
      if (reader->header().first_number != segment.first_number) {
        throw Error(fmt::format("journal segment '{}' holds records from {} on: it was renamed", segment.path,
                                reader->header().first_number));
      }
    } catch (const Error& error) {
      damaged(error.what());
      // More records than the file can have held, so that no number is used twice.
      expected_ = last ? segment.first_number + options_.segment_bytes / kFrameHeaderBytes + 1 : next_first;
      return true;
    }
    for (Step step = reader->next(); step != Step::end; step = reader->next()) {
      if (step == Step::record) {
        take(reader->record());
      } else if (step == Step::torn && last) {
        if (!reader->ends_too_early()) {
          warn(describe_torn(*reader));
        }
      } else if (step == Step::hole || reader->next_number() != next_first) {
        if (step == Step::hole && reader->fault().next_number <= result_.from) {
          continue;
        }
        if (unpromised(*reader, reader->fault().offset)) {
          return cut(*reader, reader->fault().offset, reader->fault().first_missing);
        }
        damaged(reader->describe_fault());
      }
    }
    expected_ = reader->next_number();
    if (last && reader->ends_too_early()) {
      damaged(reader->describe_early_end());
    }
    if (!last && expected_ != next_first && next_first > result_.from) {
      if (unpromised(*reader, reader->offset())) {
        return cut(*reader, reader->offset(), expected_);
      }
      damaged(describe_gap(segment.path, expected_, next_first));
    }
    note_end(*reader, last);
    if (!reader->header().complete()) {
      complete(*reader, reader->offset(), expected_);
    } else if (reader->spare_bytes() > 0) {
      result_.repairs.push_back({Repair::Kind::truncate, segment.path, {}, reader->bytes(), 0});
    }
    return true;
  }

  /// What every unclean stop may leave.
  static std::string describe_torn(const SegmentReader& reader) {
    const SegmentReader::Fault& fault = reader.fault();
    return fmt::format(
        "journal segment '{}' ends at byte {} in record {}, which was being written when Weir was killed or "
        "the power failed: cut off there, as is usual; nothing that was promised is lost",
        reader.path(), fault.offset, fault.first_missing);
  }

  void take(const Record& record) {
    if (record.number < result_.from) {
      return;
    }
    ++recovered_.records;
    result_.bytes += frame_bytes(record);
    result_.newest_arrival_ns = std::max(result_.newest_arrival_ns, record.message.arrival_ns);
    if (record.kind != Record::Kind::message) {
      return;
    }
    const batch::MessageView& message = record.message;
    auto place = std::find_if(recovered_.positions.begin(), recovered_.positions.end(),
                              [&](const auto& entry) { return entry.first == message.source; });
    if (place == recovered_.positions.end()) {
      place = recovered_.positions.insert(place, {message.source, {}});
    }
    place->second.advance(message.position_offset, message.position_detail);
  }

  /// Whether what lies from there on was never promised to survive what happened: the system ran anew since.
  [[nodiscard]] bool unpromised(const SegmentReader& reader, std::uint64_t offset) const {
    const SegmentHeader& header = reader.header();
    return !header.complete() && !same_run(header) && offset >= header.synced_bytes;
  }

  [[nodiscard]] bool same_run(const SegmentHeader& header) const {
    return header.boot_id == boot_id_ && header.boot_id != std::array<std::uint8_t, 16>{};
  }

  bool cut(const SegmentReader& reader, std::uint64_t offset, std::uint64_t number) {
    warn(
        fmt::format("journal segment '{}' is cut off at byte {}, before record {}: what was written behind it did not "
                    "survive the power cut",
                    reader.path(), offset, number));
    remove_from(at_ + 1);
    complete(reader, offset, number);
    expected_ = number;
    end_may_be_lost_ = true;
    return false;
  }

  void note_end(const SegmentReader& reader, bool last) {
    if (last) {
      const SegmentHeader& header = reader.header();
      follower_of_ = header.followed() ? reader.path() : std::string();
      end_may_be_lost_ = !header.followed() && !same_run(header);
    }
  }

  void complete(const SegmentReader& reader, std::uint64_t bytes, std::uint64_t end_number) {
    if (reader.header().compressed == 0) {
      result_.repairs.push_back({Repair::Kind::complete, reader.path(), reader.header(), bytes, end_number});
    }
  }

  void remove_from(std::size_t first) {
    for (std::size_t i = first; i < result_.segments.size(); ++i) {
      result_.repairs.push_back({Repair::Kind::remove, result_.segments[i].path, {}, 0, 0});
    }
    result_.segments.resize(first);
  }

  void damaged(const std::string& what) {
    if (!options_.skip_damage) {
      throw Error(what);
    }
    warn(what + ": left out");
  }

  void warn(std::string line) { recovered_.warnings.push_back(std::move(line)); }

  const DurableOptions& options_;
  Recovered& recovered_;
  std::array<std::uint8_t, 16> boot_id_;
  RecoveredSegments result_;
  std::size_t at_ = 0;          // of the segment that is scanned
  std::uint64_t expected_ = 0;  // number of the next record
  std::string follower_of_;     // the last segment that is there, if another one followed it
  bool end_may_be_lost_ = false;
};

}  // namespace

RecoveredSegments recover_segments(const DurableOptions& options, std::uint64_t from, Recovered& recovered) {
  return Scan(options, from, recovered).run();
}

void put_in_order(FileSystem& files, const std::string& directory, const RecoveredSegments& found) {
  for (const std::string& path : found.unfinished) {
    files.remove(path);
  }
  bool removed = false;
  for (const Repair& repair : found.repairs) {
    if (repair.kind == Repair::Kind::remove) {
      files.remove(repair.path);
      removed = true;
      continue;
    }
    if (std::exchange(removed, false)) {
      files.sync_directory(directory);  // before what lies in front of it is called complete
    }
    if (repair.kind == Repair::Kind::complete) {
      complete_segment(files, repair.path, repair.header, repair.bytes, repair.end_number);
    } else {
      const FileDescriptor file = files.open(repair.path, O_RDWR);
      files.truncate(file, repair.bytes, repair.path);
    }
  }
  if (removed) {
    files.sync_directory(directory);
  }
}

}  // namespace weir::journal
