#include "journal/live_segment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "journal/frame.hpp"
#include "journal/segment_reader.hpp"

namespace weir::journal {
namespace {

// The mark of what is synced is a hint for the reader after a power cut. Where each message is synced, writing it each
// time would double the pages to write.
constexpr std::uint64_t kMarkEvery = 64U << 10U;

}  // namespace

std::string unfinished_path(const std::string& directory, std::uint64_t ordinal) {
  return fmt::format("{}/journal-{}{}", directory, ordinal, kUnfinishedSuffix);
}

std::shared_ptr<LiveSegment> LiveSegment::create(FileSystem& files, const std::string& directory, std::uint64_t ordinal,
                                                 std::uint64_t bytes) {
  const std::string path = unfinished_path(directory, ordinal);
  std::shared_ptr<LiveSegment> segment(new LiveSegment(files, directory, path));
  segment->file_ = files.open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  try {
    files.allocate(segment->file_, bytes, path);
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment->file_.get(), 0);
    if (memory == MAP_FAILED) {
      throw FileError("map", path, errno);
    }
    segment->memory_ = static_cast<char*>(memory);
    segment->capacity_ = segment->file_bytes_ = bytes;
    segment->guard_.emplace(memory, bytes);
    // Durable already: if a power cut spares the name that it gets and nothing else, it is known for what it is.
    SegmentHeader& header = segment->header();
    header = new_segment_header();
    header.first_number = kNotBegun;
    header.seal_identity();
    files.sync(segment->file_, path);
  } catch (...) {
    segment->discard();
    throw;
  }
  return segment;
}

LiveSegment::~LiveSegment() {
  guard_.reset();
  if (memory_ != nullptr) {
    ::munmap(memory_, capacity_);
  }
}

void LiveSegment::touch() noexcept {
#ifdef MADV_POPULATE_WRITE
  static_cast<void>(::madvise(memory_, capacity_, MADV_POPULATE_WRITE));  // refused by old kernels: slower, no more
#endif
}

void LiveSegment::begin(std::uint64_t first_number) {
  header().first_number = first_number;
  header().seal_identity();
  const std::string name = segment_path(directory_, first_number);
  files_.rename(path_, name);
  path_ = name;
}

void LiveSegment::discard() noexcept {
  if (!path_.ends_with(kUnfinishedSuffix)) {
    return;  // it has begun: the segment before it may tell of it by now, and the next start takes its name over
  }
  try {
    files_.remove(path_);
  } catch (const Error&) {
    return;  // the next start removes what is unfinished
  }
}

void LiveSegment::append(const Record& record, std::uint64_t bytes) noexcept {
  const std::uint64_t end = end_.load(std::memory_order_relaxed);
  write_frame(memory_ + end, record, header().salt);
  end_.store(end + bytes, std::memory_order_release);
}

void LiveSegment::sync() {
  const std::lock_guard lock(sync_mutex_);
  if (complete_) {
    return;
  }
  const std::uint64_t end = this->end();
  sync_file();
  if (!name_durable_) {
    files_.sync_directory(directory_);
    name_durable_ = true;
  }
  std::uint64_t& mark = header().synced_bytes;
  if (end - mark >= kMarkEvery) {
    mark = end;
  }
}

void LiveSegment::complete(std::uint64_t end_number, bool followed) {
  sync();
  if (followed) {
    files_.sync_directory(
        directory_);  // the other one's name must not be lost to a power cut once this one tells of it
  }
  const std::lock_guard lock(sync_mutex_);
  const std::uint64_t end = this->end();
  SegmentHeader& mine = header();
  mine.complete_bytes = end;
  mine.end_number = end_number;
  mine.seal_completion();
  if (followed) {
    mine.seal_followed();
  }
  sync_file();
  file_bytes_ = end;
  complete_ = true;
  files_.truncate(file_, end, path_);
}

std::string LiveSegment::describe_broken() const {
  return fmt::format(
      "journal segment '{}' was cut off by another program while Weir wrote to it, or its disk fails; what it held is "
      "lost as far as no checkpoint has it",
      path_);
}

bool LiveSegment::removed() const noexcept {
  struct ::stat status {};
  return ::fstat(file_.get(), &status) == 0 && status.st_nlink == 0;
}

void LiveSegment::sync_file() {
  if (!sync_failure_.empty()) {
    throw Error(sync_failure_);
  }
  try {
    files_.sync(file_, path_);
    if (broken() || files_.status(file_, path_).bytes < file_bytes_) {
      throw Error(describe_broken());
    }
  } catch (const Error& error) {
    sync_failure_ = error.what();
    throw;
  }
}

void mark_followed(FileSystem& files, const std::string& path) {
  SegmentHeader header = SegmentReader(path, files).header();
  if (header.complete() && !header.followed()) {
    header.seal_followed();
    const FileDescriptor file = files.open(path, O_RDWR);
    files.write(file, {reinterpret_cast<const char*>(&header), sizeof header}, path);
    files.sync(file, path);
  }
}

void complete_segment(FileSystem& files, const std::string& path, SegmentHeader header, std::uint64_t bytes,
                      std::uint64_t end_number) {
  const FileDescriptor file = files.open(path, O_RDWR | O_NOFOLLOW);
  // What lies behind is gone before the header calls the rest complete.
  files.truncate(file, bytes, path);
  files.sync(file, path);
  header.synced_bytes = bytes;
  header.complete_bytes = bytes;
  header.end_number = end_number;
  header.seal_completion();
  files.write(file, {reinterpret_cast<const char*>(&header), sizeof header}, path);
  files.sync(file, path);
}

}  // namespace weir::journal
