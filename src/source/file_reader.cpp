#include "source/file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/arrival_clock.hpp"
#include "core/error.hpp"

namespace weir::source {
namespace {

[[noreturn]] void cannot_read(const std::string& path, const char* why) {
  throw Error(fmt::format("cannot read '{}': {}", path, why));
}

std::string display_name(const std::string& path) {
  return path == "-" ? "standard input" : fmt::format("'{}'", path);
}

}  // namespace

FileReader::FileReader(const std::string& path, const spec::Format& format, std::uint32_t index, std::uint64_t offset,
                       const StopEvent* stop)
    : path_(path), index_(index), stop_(stop), comment_(format.comment), offset_(offset), buffer_(display_name(path)) {
  if (path != "-") {
    owned_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  fd_ = path == "-" ? STDIN_FILENO : owned_.get();
  struct stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    cannot_read(path, std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    cannot_read(path, "it is a directory; use type = \"directory\"");
  }
  regular_ = S_ISREG(status.st_mode);
  total_ = regular_ ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (!regular_ || !owned_) {
    offset_ = 0;
    return;
  }
  if (offset_ > total_) {
    throw Error(
        fmt::format("cannot resume '{}' after {} bytes: it has only {}; was it replaced?", path, offset_, total_));
  }
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  repeat_header_ = offset_ > 0 && format.kind == spec::FormatKind::csv && (format.columns.empty() || format.header);
  if (!repeat_header_) {
    ::lseek(fd_, static_cast<off_t>(offset_), SEEK_SET);
  }
}

bool FileReader::fill() {
  const std::span<char> space = buffer_.space();
  std::size_t got = 0;
  // A whole block of a file; of a pipe what there is, so that a slow one is not held back.
  while (got < space.size() && (regular_ || got == 0)) {
    if (!regular_ && stop_ != nullptr &&
        stop_->wait_with(fd_, POLLIN, std::chrono::nanoseconds(-1)) == StopEvent::Ready::stop) {
      stopped_ = true;
      return false;
    }
    const ssize_t bytes = ::read(fd_, space.data() + got, space.size() - got);
    if (bytes < 0 && errno == EINTR) {
      continue;
    }
    if (bytes < 0) {
      cannot_read(path_, std::strerror(errno));
    }
    if (bytes == 0) {
      break;
    }
    got += static_cast<std::size_t>(bytes);
  }
  buffer_.filled(got);
  return got > 0;
}

std::string_view FileReader::next_block() {
  for (;;) {
    if (const std::string_view lines = buffer_.lines(); !lines.empty()) {
      return lines;
    }
    if (!fill()) {
      // What follows the last newline is a line too; after a stop it may be half of one.
      return stopped_ ? std::string_view{} : buffer_.rest();
    }
  }
}

std::string FileReader::header_line() {
  std::string_view block = next_block();
  while (!block.empty()) {
    const std::size_t newline = block.find('\n');
    const std::string_view line = block.substr(0, newline == std::string_view::npos ? block.size() : newline + 1);
    const bool blank = line.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!blank && (comment_ == '\0' || line.front() != comment_)) {
      return std::string(line);
    }
    block.remove_prefix(line.size());
    if (block.empty()) {
      block = next_block();
    }
  }
  return {};
}

bool FileReader::next(batch::MessageView& message) {
  if (stop_ != nullptr && stop_->is_set()) {
    stopped_ = true;
    return false;
  }
  message = {};
  message.starts_file = !begun_ && (offset_ == 0 || repeat_header_);
  begun_ = true;
  if (repeat_header_) {
    repeat_header_ = false;
    header_ = header_line();
    buffer_.clear();
    ::lseek(fd_, static_cast<off_t>(offset_), SEEK_SET);
    message.payload = header_;
  }
  if (message.payload.empty()) {
    message.payload = next_block();
    if (message.payload.empty()) {
      return false;
    }
    offset_ += message.payload.size();
  }
  message.source = index_;
  message.arrival_ns = arrival_clock_ns();
  message.position_offset = offset_;
  return true;
}

}  // namespace weir::source
