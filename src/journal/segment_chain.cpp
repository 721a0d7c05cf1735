#include "journal/segment_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "journal/frame.hpp"

namespace weir::journal {
namespace {

// The end of a segment is kept free for ticks: while the disk is full the worker goes on, so that a checkpoint can be
// written which lets segments go. 1000 ticks are more than come between two checkpoints.
constexpr std::uint64_t kTickReserve = 64U << 10U;

}  // namespace

std::shared_ptr<LiveSegment> make_first_segment(const DurableOptions& options, RecoveredSegments& found) {
  std::uint64_t ordinal = 0;
  while (std::find(found.unfinished.begin(), found.unfinished.end(), unfinished_path(options.directory, ordinal)) !=
         found.unfinished.end()) {
    ++ordinal;
  }
  try {
    return LiveSegment::create(*options.files, options.directory, ordinal, options.segment_bytes);
  } catch (const FileError& error) {
    if (!error.full() || found.unfinished.empty()) {
      throw;
    }
  }
  // What a crash left unfinished has the room.
  for (const std::string& path : std::exchange(found.unfinished, {})) {
    options.files->remove(path);
  }
  return LiveSegment::create(*options.files, options.directory, ordinal, options.segment_bytes);
}

SegmentChain::SegmentChain(const DurableOptions& options, const RecoveredSegments& found,
                           std::shared_ptr<LiveSegment> first, std::mutex& mutex, std::function<void()> changed)
    : options_(options),
      mutex_(mutex),
      changed_(std::move(changed)),
      reserve_(std::min(kTickReserve, options.segment_bytes / 16)),
      kept_(found.segments.begin(), found.segments.end()),
      next_number_(found.next_number),
      synced_number_(found.next_number) {
  first->begin(next_number_);
  use(std::move(first));
  tell_the_last_of(found);
  const auto failed = [this](const std::string& what) {
    const std::lock_guard lock(mutex_);
    set_failure(what);
  };
  finisher_.emplace(
      *options_.files, options_.directory, options_.keep,
      SegmentFinisher::Callbacks{[this](const LiveSegment& segment) { completed(segment); }, failed, options_.notice});
  if (options_.keep) {
    for (const SegmentName& segment : found.segments) {
      finisher_->compress(segment.path);
    }
  }
  supply_.emplace(
      *options_.files, options_.directory, options_.segment_bytes,
      SegmentSupply::Callbacks{[this](const std::string& failure) { supply_changed(failure); }, options_.notice});
}

SegmentChain::~SegmentChain() {
  supply_.reset();
  std::unique_lock lock(mutex_);
  if (failure_.empty()) {
    finisher_->finish(active_, next_number_, false);
  }
  lock.unlock();
  finisher_.reset();
  if (!failure_.empty() && !told_of_failure_) {  // nobody asks for it any more
    options_.notice(fmt::format("{}; the next start puts the journal in order", failure_));
  }
}

/// Should the new segment be taken away one day, the one before it knows that there was one.
void SegmentChain::tell_the_last_of(const RecoveredSegments& found) {
  if (found.segments.empty()) {
    return;
  }
  options_.files->sync_directory(options_.directory);
  try {
    mark_followed(*options_.files, found.segments.back().path);
  } catch (const FileError&) {
    throw;
  } catch (const Error&) {
    if (!options_.skip_damage) {
      throw;
    }
  }
}

bool SegmentChain::append(Record& record) {
  const std::uint64_t bytes = frame_bytes(record);
  const std::uint64_t reserve = record.kind == Record::Kind::message ? reserve_ : 0;
  if (!active_->fits(bytes, reserve) && !rotate(bytes)) {
    return false;
  }
  record.number = next_number_++;
  active_->append(record, bytes);
  if (active_->broken()) {
    options_.notice(active_->describe_broken());  // a sender that acknowledges may end the process now
    set_failure(active_->describe_broken());
    return false;
  }
  return true;
}

bool SegmentChain::rotate(std::uint64_t bytes) {
  std::shared_ptr<LiveSegment> next = supply_->take(kSegmentHeaderBytes + bytes + reserve_);
  if (!next || !failure_.empty()) {
    return false;
  }
  const bool empty = active_->end() == kSegmentHeaderBytes;
  try {
    next->begin(next_number_);  // over an empty one, which has the same name
  } catch (const Error& error) {
    next->discard();
    set_failure(error.what());
    return false;
  }
  if (empty) {
    kept_.pop_back();
    unsynced_.pop_back();
  } else {
    finisher_->finish(active_, next_number_, true);
  }
  use(std::move(next));
  return true;
}

void SegmentChain::use(std::shared_ptr<LiveSegment> segment) {
  active_ = std::move(segment);
  to_read_.push_back(active_);
  unsynced_.push_back(active_);
  kept_.push_back({next_number_, active_->path()});
}

std::shared_ptr<LiveSegment> SegmentChain::after(const LiveSegment* segment) {
  if (segment == active_.get()) {
    return nullptr;
  }
  std::shared_ptr<LiveSegment> next = std::move(to_read_.front());
  to_read_.pop_front();
  return next;
}

bool SegmentChain::sync_before(std::unique_lock<std::mutex>& lock, std::uint64_t number) {
  while (synced_number_ < number && failure_.empty()) {
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    syncing_ = true;
    const std::uint64_t target = next_number_;
    const std::vector<std::shared_ptr<LiveSegment>> segments = unsynced_;
    lock.unlock();
    std::string failure;
    try {
      for (const std::shared_ptr<LiveSegment>& segment : segments) {
        segment->sync();
      }
    } catch (const Error& error) {
      failure = error.what();
    }
    lock.lock();
    syncing_ = false;
    if (failure.empty()) {
      synced_number_ = target;
      tell_of_removal();
    } else {
      set_failure(failure);
    }
    synced_.notify_all();
  }
  return failure_.empty();
}

/// Of the active segment: the others are removed by release_before().
void SegmentChain::tell_of_removal() {
  if (active_->removed() && !std::exchange(told_of_removal_, true)) {
    options_.notice(
        fmt::format("journal segment '{}' was removed while Weir writes to it: what it holds ends with this process "
                    "(stop Weir gracefully, which saves it in a checkpoint, then start it with --skip-damage)",
                    active_->path()));
  }
}

void SegmentChain::completed(const LiveSegment& segment) {
  const std::lock_guard lock(mutex_);
  std::erase_if(unsynced_, [&](const std::shared_ptr<LiveSegment>& one) { return one.get() == &segment; });
}

void SegmentChain::supply_changed(const std::string& failure) {
  const std::lock_guard lock(mutex_);
  if (failure.empty()) {
    changed_();
  } else {
    set_failure(failure);
  }
}

void SegmentChain::set_failure(const std::string& what) {
  if (failure_.empty()) {
    failure_ = what;
  }
  synced_.notify_all();
  changed_();
}

void SegmentChain::release_before(std::uint64_t number) noexcept {
  const std::lock_guard release(release_mutex_);
  for (std::string path = next_to_release(number); !path.empty(); path = next_to_release(number)) {
    try {
      options_.files->remove(path);
    } catch (const Error&) {
      return;
    }
    const std::lock_guard lock(mutex_);
    kept_.pop_front();
  }
}

std::string SegmentChain::next_to_release(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  return kept_.size() > 1 && kept_[1].first_number <= number ? kept_.front().path : std::string();
}

}  // namespace weir::journal
