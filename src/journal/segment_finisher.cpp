#include "journal/segment_finisher.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "journal/frame.hpp"
#include "journal/segment_reader.hpp"

namespace weir::journal {
namespace {

// What a graceful stop may take: a segment is compressed in a fraction of a second.
constexpr std::size_t kCompressAtStop = 4;

// The first error is the one to tell; what stays behind is removed by the next start.
void remove_quietly(FileSystem& files, const std::string& path) noexcept {
  try {
    files.remove(path);
  } catch (const Error&) {
    return;
  }
}

}  // namespace

SegmentFinisher::SegmentFinisher(FileSystem& files, std::string directory, bool compress, Callbacks callbacks)
    : files_(files),
      directory_(std::move(directory)),
      compress_(compress),
      callbacks_(std::move(callbacks)),
      thread_([this] { run(); }) {}

SegmentFinisher::~SegmentFinisher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void SegmentFinisher::finish(std::shared_ptr<LiveSegment> segment, std::uint64_t end_number, bool followed) {
  {
    const std::lock_guard lock(mutex_);
    full_.push_back({std::move(segment), end_number, followed});
  }
  wake_.notify_all();
}

void SegmentFinisher::compress(std::string path) {
  {
    const std::lock_guard lock(mutex_);
    plain_.push_back(std::move(path));
  }
  wake_.notify_all();
}

void SegmentFinisher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!full_.empty()) {
      const Full full = std::move(full_.front());
      full_.pop_front();
      lock.unlock();
      complete(full);
      lock.lock();
      continue;
    }
    if (stopping_ && plain_.size() > kCompressAtStop) {
      plain_.erase(plain_.begin(), plain_.end() - kCompressAtStop);
    }
    if (!plain_.empty()) {
      const std::string path = std::move(plain_.front());
      plain_.pop_front();
      lock.unlock();
      rewrite(path);
      lock.lock();
      continue;
    }
    if (stopping_) {
      return;
    }
    wake_.wait(lock);
  }
}

void SegmentFinisher::complete(const Full& full) {
  try {
    full.segment->complete(full.end_number, full.followed);
  } catch (const std::exception& error) {
    callbacks_.failed(error.what());
    return;
  }
  callbacks_.completed(*full.segment);
  if (compress_) {
    compress(full.segment->path());
  }
}

void SegmentFinisher::rewrite(const std::string& path) {
  try {
    compress_segment(files_, directory_, path);
  } catch (const std::exception& error) {
    callbacks_.notice(fmt::format("{}; the segment stays uncompressed", error.what()));
  }
}

void compress_segment(FileSystem& files, const std::string& directory, const std::string& path) {
  SegmentReader reader(path, files);
  if (reader.header().compressed != 0 || !reader.header().complete()) {
    return;
  }
  const std::string unfinished = path + std::string(kUnfinishedSuffix);
  try {
    const FileDescriptor file = files.open(unfinished, O_RDWR | O_CREAT | O_EXCL, 0600);
    SegmentHeader header = reader.header();
    header.compressed = 1;
    header.seal_identity();
    const auto header_bytes = [&header] {
      return std::string_view(reinterpret_cast<const char*>(&header), sizeof header);
    };
    files.write(file, header_bytes(), unfinished);
    std::uint64_t bytes = kSegmentHeaderBytes;
    std::string frames;
    std::uint64_t first_number = header.first_number;
    const auto write_block = [&](std::uint64_t end_number) {
      const std::string block = compress_block(frames, first_number, end_number, header.salt);
      files.write(file, block, unfinished);
      bytes += block.size();
      first_number = end_number;
      frames.clear();
    };
    for (auto step = reader.next(); step != SegmentReader::Step::end; step = reader.next()) {
      if (step != SegmentReader::Step::record) {
        throw Error(reader.describe_fault());
      }
      const Record& record = reader.record();
      const std::uint64_t frame = frame_bytes(record);
      if (!frames.empty() && frames.size() + frame > kBlockBytes) {
        write_block(record.number);
      }
      frames.resize(frames.size() + frame);
      write_frame(frames.data() + frames.size() - frame, record, header.salt);
    }
    if (!frames.empty()) {
      write_block(header.end_number);
    }
    files.sync(file, unfinished);
    header.synced_bytes = bytes;
    header.complete_bytes = bytes;
    header.seal_completion();
    const FileDescriptor again = files.open(unfinished, O_WRONLY | O_NOFOLLOW);
    files.write(again, header_bytes(), unfinished);
    files.sync(again, unfinished);
    files.rename(unfinished, path);
  } catch (...) {
    remove_quietly(files, unfinished);
    throw;
  }
  files.sync_directory(directory);
}

}  // namespace weir::journal
