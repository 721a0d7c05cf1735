#include "journal/segment_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "journal/frame_reading.hpp"

namespace weir::journal {
namespace {

// Large enough that the call costs nothing beside the copy, small enough to stay in the second-level cache.
constexpr std::uint64_t kWindowBytes = 256U << 10U;

bool all_zero(const char* at, std::uint64_t bytes) noexcept {
  return std::all_of(at, at + bytes, [](char c) { return c == 0; });
}

}  // namespace

/// Where a compressed segment is read, and the frames of the block before that.
struct SegmentReader::Blocks {
  std::uint64_t offset = kSegmentHeaderBytes;
  std::vector<char> compressed;
  std::vector<char> frames;
};

SegmentReader::SegmentReader(std::string path, FileSystem& files) : files_(files), path_(std::move(path)) {
  file_ = files_.open(path_, O_RDONLY | O_NOFOLLOW);
  const std::uint64_t size = files_.status(file_, path_).bytes;
  if (size < kSegmentHeaderBytes) {
    throw Error(
        fmt::format("journal segment '{}' is damaged at byte {}: the file ends inside its header", path_, size));
  }
  read_at(0, reinterpret_cast<char*>(&header_), sizeof header_);
  if (const std::string damage = header_damage(header_); !damage.empty()) {
    throw Error(fmt::format("cannot use journal segment '{}': {}", path_, damage));
  }
  file_bytes_ = size;
  limit_ = header_.complete() ? std::min(size, header_.complete_bytes) : size;
  base_ = std::min(kSegmentHeaderBytes, limit_);
  good_end_ = base_;
  expected_ = header_.first_number;
  if (header_.compressed != 0) {
    blocks_ = std::make_unique<Blocks>();
  }
}

SegmentReader::~SegmentReader() = default;

std::uint64_t SegmentReader::offset() const noexcept {
  return blocks_ ? blocks_->offset : good_end_;
}

SegmentReader::Step SegmentReader::next() {
  const char* const frame = window_ + at_;
  const FrameCheck check = check_frame(frame, have_ - at_, header_.salt);
  if (check.state == FrameState::valid && frame_header(frame).number == expected_) {
    take(check.bytes);
    return Step::record;
  }
  return next_elsewhere();
}

/// The frame at the window's place is the expected record.
inline void SegmentReader::take(std::uint64_t bytes) {
  read_frame(window_ + at_, record_);
  at_ += bytes;
  good_end_ = base_ + at_;
  ++expected_;
}

/// The next frame is not in the window, or not the expected one.
SegmentReader::Step SegmentReader::next_elsewhere() {
  while (!finished_) {
    if (have_ - at_ < kFrameHeaderBytes && !make_available(kFrameHeaderBytes)) {
      if (!rest_is_zero()) {
        note_fault(base_ + at_, "the record is not whole");
      }
      return finish();
    }
    FrameCheck check = check_frame(window_ + at_, have_ - at_, header_.salt);
    if (check.state == FrameState::longer && make_available(check.bytes)) {
      check = check_frame(window_ + at_, have_ - at_, header_.salt);
    }
    if (check.state == FrameState::valid) {
      const std::uint64_t number = frame_header(window_ + at_).number;
      if (number == expected_) {
        take(check.bytes);
        return Step::record;
      }
      if (number > expected_) {
        return hole_until(number);  // which is read again, as the expected one
      }
    }
    note_fault(base_ + at_, "the checksum of a record is wrong");
    if (!search()) {
      return finish();
    }
  }
  return Step::end;
}

/// The window is moved, or the next block taken, so that so many bytes from the next frame on can be looked at. False
/// when the segment has no more: the window then holds the rest.
bool SegmentReader::make_available(std::uint64_t bytes) {
  if (have_ - at_ >= bytes) {
    return true;
  }
  if (blocks_) {
    // A frame does not go beyond its block.
    return at_ == have_ && next_block() && have_ >= bytes;
  }
  const bool enough = bytes <= limit_ - (base_ + at_);
  const std::uint64_t wanted =
      enough ? std::max(bytes, std::min(kWindowBytes, limit_ - base_ - at_)) : limit_ - base_ - at_;
  if (wanted > kWindowBytes && !enough) {
    return false;  // a length that cannot be right: not worth reading the rest of the file at once
  }
  const std::uint64_t rest = have_ - at_;
  if (owned_bytes_ < wanted) {
    const std::uint64_t larger = std::max(kWindowBytes, wanted);
    auto memory = std::make_unique_for_overwrite<char[]>(larger);
    std::copy_n(window_ + at_, rest, memory.get());
    owned_ = std::move(memory);
    owned_bytes_ = larger;
  } else if (rest != 0) {
    std::memmove(owned_.get(), window_ + at_, rest);
  }
  window_ = owned_.get();
  base_ += at_;
  at_ = 0;
  have_ = rest;
  read_at(base_ + have_, owned_.get() + have_, wanted - have_);
  have_ = wanted;
  return enough;
}

/// The next block that is good; what lies between is noted as a fault.
bool SegmentReader::next_block() {
  Blocks& blocks = *blocks_;
  for (; limit_ - blocks.offset >= kBlockHeaderBytes; blocks.offset += kFrameAlignment) {
    BlockHeader header;
    read_at(blocks.offset, reinterpret_cast<char*>(&header), sizeof header);
    if (plausible(header, limit_ - blocks.offset)) {
      const std::uint64_t bytes = kBlockHeaderBytes + header.compressed_bytes;
      blocks.compressed.resize(bytes);
      read_at(blocks.offset, blocks.compressed.data(), bytes);
      if (expand_block({blocks.compressed.data(), bytes}, header_.salt, blocks.frames)) {
        base_ = blocks.offset;
        blocks.offset += std::min(aligned(bytes), limit_ - blocks.offset);
        window_ = blocks.frames.data();
        at_ = 0;
        have_ = blocks.frames.size();
        return true;
      }
    }
    note_fault(blocks.offset, "the checksum of a block is wrong");
  }
  return false;
}

/// Goes on to the next frame that is valid and whose number fits: between two records lie no more than the bytes hold.
bool SegmentReader::search() {
  const std::uint64_t began = base_ + at_;
  for (;;) {
    if (!nonzero_ && have_ - at_ >= kFrameAlignment) {
      nonzero_ = !all_zero(window_ + at_, kFrameAlignment);
    }
    at_ += std::min(kFrameAlignment, have_ - at_);
    if (have_ - at_ < kFrameHeaderBytes && !make_available(kFrameHeaderBytes)) {
      nonzero_ = nonzero_ || !rest_is_zero();
      if (!blocks_ || at_ == have_) {
        return false;
      }
      continue;
    }
    FrameCheck check = check_frame(window_ + at_, have_ - at_, header_.salt);
    if (check.state == FrameState::longer && make_available(check.bytes)) {
      check = check_frame(window_ + at_, have_ - at_, header_.salt);
    }
    if (check.state != FrameState::valid) {
      continue;
    }
    const std::uint64_t found = frame_header(window_ + at_).number;
    const std::uint64_t most = (base_ + at_ - std::min(began, base_ + at_)) / kFrameHeaderBytes;
    if (found >= expected_ && (blocks_ || found - expected_ <= most)) {
      return true;
    }
  }
}

void SegmentReader::note_fault(std::uint64_t offset, const char* reason) {
  if (noted_ == nullptr) {
    noted_ = reason;
    fault_.offset = offset;
    nonzero_ = blocks_ != nullptr;
  }
}

SegmentReader::Step SegmentReader::hole_until(std::uint64_t number) {
  if (noted_ == nullptr) {
    fault_.offset = base_ + at_;
  }
  fault_.reason = noted_ != nullptr ? noted_ : "records are missing";
  fault_.first_missing = std::exchange(expected_, number);
  fault_.next_number = number;
  noted_ = nullptr;
  return Step::hole;
}

SegmentReader::Step SegmentReader::finish() {
  finished_ = true;
  if (header_.complete()) {
    if (expected_ < header_.end_number) {
      if (noted_ == nullptr) {
        fault_.offset = limit_;
        noted_ = limit_ < header_.complete_bytes ? "the file is shorter than its header says" : nullptr;
      }
      return hole_until(header_.end_number);
    }
    return Step::end;
  }
  if (noted_ != nullptr && (nonzero_ || !rest_is_zero())) {
    fault_.reason = std::exchange(noted_, nullptr);
    fault_.first_missing = expected_;
    fault_.next_number = expected_;
    return Step::torn;
  }
  return Step::end;
}

bool SegmentReader::rest_is_zero() const noexcept {
  return all_zero(window_ + at_, have_ - at_);
}

void SegmentReader::read_at(std::uint64_t offset, char* to, std::uint64_t bytes) const {
  const std::size_t got = files_.read(file_, offset, to, static_cast<std::size_t>(bytes), path_);
  // It was cut off since it was opened, as the last segment is when its writer stops: no frames there.
  std::fill_n(to + got, bytes - got, '\0');
}

std::string SegmentReader::describe_early_end() const {
  return fmt::format(
      "journal segment '{}' is damaged at byte {}: record {} and what follows are gone, although {} bytes from there "
      "on "
      "were safe on the disk",
      path_, offset(), expected_, header_.synced_bytes - std::min(offset(), header_.synced_bytes));
}

std::string SegmentReader::describe_fault() const {
  std::string text = fmt::format("journal segment '{}' is damaged at byte {}: {}", path_, fault_.offset, fault_.reason);
  if (fault_.next_number > fault_.first_missing + 1) {
    text += fmt::format(" (records {} to {})", fault_.first_missing, fault_.next_number - 1);
  } else {
    text += fmt::format(" (record {})", fault_.first_missing);
  }
  return text;
}

}  // namespace weir::journal
