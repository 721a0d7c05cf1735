#include "journal/segment_sequence.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/error.hpp"

namespace weir::journal {

SegmentSequence::SegmentSequence(std::vector<SegmentName> segments, std::uint64_t from, OnDamage on_damage,
                                 FileSystem& files)
    : segments_(std::move(segments)), from_(from), on_damage_(on_damage), files_(files) {}

const Record* SegmentSequence::next_elsewhere() {
  while (reader_ || open_next()) {
    const SegmentReader::Step step = reader_->next();
    if (step == SegmentReader::Step::record && reader_->record().number >= from_) {
      return &reader_->record();
    }
    pass(step);
  }
  return nullptr;
}

/// What is no record that was asked for: checked, and left behind.
void SegmentSequence::pass(SegmentReader::Step step) {
  if (step == SegmentReader::Step::hole) {
    damaged(reader_->describe_fault(), reader_->fault().next_number);
  } else if (step == SegmentReader::Step::end) {
    const std::uint64_t number = reader_->next_number();
    const std::string path = reader_->path();
    read_before_ += reader_->bytes();
    const std::string early =
        opened_ == segments_.size() && reader_->ends_too_early() ? reader_->describe_early_end() : "";
    reader_.reset();
    if (!early.empty()) {
      damaged(early, from_ + 1);
    }
    if (opened_ < segments_.size() && segments_[opened_].first_number != number) {
      damaged(describe_gap(path, number, segments_[opened_].first_number), segments_[opened_].first_number);
    }
  }
  // A torn end needs nothing: the writer died there, or writes there now.
}

bool SegmentSequence::open_next() {
  while (opened_ < segments_.size()) {
    const SegmentName& segment = segments_[opened_++];
    try {
      reader_ = std::make_unique<SegmentReader>(segment.path, files_);
    } catch (const Error&) {
      if (on_damage_ == OnDamage::refuse) {
        throw;
      }
      continue;
    }
    if (reader_->header().first_number == segment.first_number) {
      return true;
    }
    damaged(fmt::format("journal segment '{}' holds records from {} on: it was renamed", segment.path,
                        reader_->header().first_number),
            from_ + 1);
    reader_.reset();
  }
  return false;
}

void SegmentSequence::damaged(const std::string& what, std::uint64_t next_number) const {
  if (on_damage_ == OnDamage::refuse && next_number > from_) {
    throw Error(what);
  }
}

std::uint64_t SegmentSequence::bytes_read() const noexcept {
  return read_before_ + (reader_ ? reader_->offset() : 0);
}

std::vector<SegmentName> segments_from(const std::vector<SegmentName>& segments, std::uint64_t from) {
  auto first = segments.begin();
  while (first != segments.end() && first + 1 != segments.end() && (first + 1)->first_number <= from) {
    ++first;
  }
  return {first, segments.end()};
}

std::string describe_gap(const std::string& before, std::uint64_t first_missing, std::uint64_t next_number) {
  return fmt::format(
      "records {} to {} of the journal are missing: they should follow '{}', or lie in a segment that is "
      "not there",
      first_missing, next_number - 1, before);
}

}  // namespace weir::journal
