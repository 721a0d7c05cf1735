#include "journal/segment_supply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/duration.hpp"

namespace weir::journal {
namespace {

constexpr std::chrono::milliseconds kRetryFullDisk{100};
// A segment that fills in this time is written to as fast as disks write; a slower one's pages are not worth writing
// twice.
constexpr std::chrono::seconds kBusy{2};

}  // namespace

SegmentSupply::SegmentSupply(FileSystem& files, std::string directory, std::uint64_t segment_bytes, Callbacks callbacks)
    : files_(files),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      callbacks_(std::move(callbacks)),
      wanted_bytes_(segment_bytes),
      taken_at_(std::chrono::steady_clock::now() - kBusy),
      thread_([this] { run(); }) {}

SegmentSupply::~SegmentSupply() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (ready_) {
    ready_->discard();
  }
}

std::shared_ptr<LiveSegment> SegmentSupply::take(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<LiveSegment> taken;
  if (ready_ && ready_->capacity() >= bytes) {
    taken = std::move(ready_);
    ready_.reset();
    wanted_bytes_ = segment_bytes_;
    const auto now = std::chrono::steady_clock::now();
    busy_ = now - std::exchange(taken_at_, now) < kBusy;
  } else {
    wanted_bytes_ = std::max(wanted_bytes_, bytes);
  }
  wake_.notify_all();
  return taken;
}

void SegmentSupply::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!failure_.empty() || (ready_ && ready_->capacity() >= wanted_bytes_)) {
      wake_.wait(lock);
    } else {
      prepare(lock);
    }
  }
}

void SegmentSupply::prepare(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t bytes = wanted_bytes_;
  const std::uint64_t ordinal = ordinal_++;
  const std::shared_ptr<LiveSegment> too_small = std::move(ready_);
  ready_.reset();
  const bool busy = busy_;
  lock.unlock();
  std::shared_ptr<LiveSegment> made;
  std::string failure;
  std::string full;
  try {
    if (too_small) {
      too_small->discard();
    }
    made = LiveSegment::create(files_, directory_, ordinal, bytes);
    if (busy) {
      made->touch();
    }
  } catch (const FileError& error) {
    (error.full() ? full : failure) = error.what();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!full.empty() && !disk_full_.exchange(true)) {
    callbacks_.notice(fmt::format("{}; the journal waits until {} are free, and so does what it receives", full,
                                  bytes_to_string(bytes)));
  }
  if (made && disk_full_.exchange(false)) {
    callbacks_.notice(fmt::format("there is room for the journal in '{}' again", directory_));
  }
  lock.lock();
  ready_ = std::move(made);
  failure_ = failure;
  if (full.empty()) {
    lock.unlock();
    callbacks_.changed(failure);
    lock.lock();
  } else if (!stopping_) {
    wake_.wait_for(lock, kRetryFullDisk);
  }
}

}  // namespace weir::journal
