#include "source/file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "source/file_identity.hpp"

namespace weir::source {
namespace {

[[noreturn]] void cannot_read(const std::string& path, const char* why) {
  throw Error(fmt::format("cannot read '{}': {}", printable(path), why));
}

const StopEvent& never_stopped() {
  static const StopEvent event;
  return event;
}

bool is_standard_input(const spec::Source& spec) {
  return spec.kind == spec::SourceKind::standard_input || spec.path == "-";
}

bool has_header(const spec::Format& format) {
  return format.kind == spec::FormatKind::csv && (format.columns.empty() || format.header);
}

}  // namespace

FileReader::FileReader(const spec::Source& spec, std::uint32_t index, const batch::SourcePosition& resume,
                       const StopEvent* stop)
    : format_(spec.format),
      max_message_(spec.max_message),
      path_(is_standard_input(spec) ? "standard input" : spec.path),
      index_(index),
      stop_(stop != nullptr ? *stop : never_stopped()),
      buffer_(spec.max_message, LineBuffer::LongLine::at_its_end) {
  if (is_standard_input(spec)) {
    fd_ = STDIN_FILENO;
  } else {
    // A pipe that nobody writes to would be waited for in open(), where no stop is heard.
    owned_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    fd_ = owned_.get();
  }
  open();
  has_position_ = regular_ && owned_;
  if (!has_position_ || resume.offset == 0) {
    begin_at(0);
  } else if (is_the_file_of(resume)) {
    begin_at(resume.offset);
  } else {
    log::warn("'{}' is not the file that was read before, it was replaced or cut off: it is read from its beginning",
              printable(path_));
    begin_at(0);
  }
}

FileReader::FileReader(const spec::Source& spec, std::uint32_t index, std::string path, FileDescriptor file,
                       Range range, const StopEvent* stop)
    : format_(spec.format),
      max_message_(spec.max_message),
      path_(std::move(path)),
      index_(index),
      stop_(stop != nullptr ? *stop : never_stopped()),
      owned_(std::move(file)),
      fd_(owned_.get()),
      end_(range.end),
      buffer_(spec.max_message, LineBuffer::LongLine::at_its_end) {
  open();
  begin_at(range.begin);
}

void FileReader::open() {
  struct ::stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    cannot_read(path_, std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    cannot_read(path_, "it is a directory; use type = \"directory\"");
  }
  regular_ = S_ISREG(status.st_mode);
  total_ = regular_ ? std::min(static_cast<std::uint64_t>(status.st_size), end_) : 0;
  if (!regular_) {
    // A line that never ends would never be told of.
    buffer_ = LineBuffer(max_message_, LineBuffer::LongLine::at_once);
  }
}

bool FileReader::is_the_file_of(const batch::SourcePosition& resume) const {
  if (resume.detail.empty()) {  // written before positions had one
    return resume.offset <= total_;
  }
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;
  const char* const end = resume.detail.data() + resume.detail.size();
  const auto [colon, error] = std::from_chars(resume.detail.data(), end, bytes, 16);
  if (error != std::errc() || colon == end || *colon != ':' || std::from_chars(colon + 1, end, hash, 16).ptr != end) {
    throw Error(fmt::format("the saved position in '{}' is damaged", printable(path_)));
  }
  return resume.offset <= total_ && hash_of_ends(fd_, bytes) == hash;
}

void FileReader::begin_at(std::uint64_t offset) {
  offset_ = at_ = offset;
  repeat_header_ = offset > 0 && has_header(format_);
  starts_file_ = offset == 0 || repeat_header_;
  if (!regular_ || !owned_) {
    return;
  }
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (!repeat_header_) {
    ::lseek(fd_, static_cast<::off_t>(offset), SEEK_SET);
  }
}

bool FileReader::fill() {
  std::span<char> space = buffer_.space();
  space = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), end_ - std::min(at_, end_))));
  std::size_t got = 0;
  // A whole block of a file; of a pipe what there is, so that a slow one is not held back.
  while (got < space.size() && (regular_ || got == 0)) {
    if (!regular_ && stop_.wait_with(fd_, POLLIN, std::chrono::nanoseconds(-1)) == StopEvent::Ready::stop) {
      stopped_ = true;
      return false;
    }
    const ::ssize_t bytes = ::read(fd_, space.data() + got, space.size() - got);
    if (bytes < 0 && (errno == EINTR || (errno == EAGAIN && !regular_))) {
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
  at_ += got;
  return got > 0;
}

Lines FileReader::next_lines() {
  for (;;) {
    if (const Lines lines = buffer_.lines()) {
      return lines;
    }
    if (stop_.is_set()) {  // a line that is too long may be longer than anybody would wait for
      stopped_ = true;
      return {};
    }
    if (!fill()) {
      // What follows the last newline is a line too; after a stop, or of a file that was cut off, it may be half of
      // one.
      const bool cut_off = end_ != kToItsEnd && at_ < end_;
      return stopped_ || cut_off ? Lines{} : buffer_.rest();
    }
  }
}

std::string FileReader::header_line() {
  std::string line;
  for (Lines lines = next_lines(); lines && line.empty(); lines = next_lines()) {
    std::string_view block = lines.too_long ? std::string_view{} : lines.text;
    while (!block.empty() && line.empty()) {
      const std::size_t newline = block.find('\n');
      const std::string_view first = block.substr(0, newline == std::string_view::npos ? block.size() : newline + 1);
      const bool blank = first.find_first_not_of(" \t\r\n") == std::string_view::npos;
      if (!blank && (format_.comment == '\0' || first.front() != format_.comment)) {
        line = first;
      }
      block.remove_prefix(first.size());
    }
  }
  return line;
}

bool FileReader::next(batch::MessageView& message) {
  if (stop_.is_set()) {
    stopped_ = true;
    return false;
  }
  message = {};
  if (repeat_header_) {
    repeat_header_ = false;
    header_ = header_line();
    buffer_.clear();
    at_ = offset_;
    ::lseek(fd_, static_cast<::off_t>(offset_), SEEK_SET);
    message.payload = header_;
  }
  if (message.payload.empty()) {
    const Lines lines = next_lines();
    if (!lines) {
      return false;
    }
    if (lines.too_long) {
      refuse(lines, message);
    } else {
      message.payload = lines.text;
    }
    offset_ += lines.bytes;
  }
  message.starts_file = !message.refused && std::exchange(starts_file_, false);
  message.source = index_;
  message.position_offset = offset_;
  if (has_position_) {
    if (const auto hash = hash_of_ends(fd_, offset_)) {
      detail_ = fmt::format("{:x}:{:x}", offset_, *hash);
    }
    message.position_detail = detail_;
  }
  return true;
}

void FileReader::refuse(const Lines& line, batch::MessageView& message) {
  const std::string most = bytes_to_string(max_message_);
  if (starts_file_ && has_header(format_) && (format_.comment == '\0' || line.text.front() != format_.comment)) {
    throw Error(
        fmt::format("cannot read '{}': its header line is longer than max_message = {}", printable(path_), most));
  }
  message.payload = line.text;
  message.refused = batch::Malformed::too_large;
  if (!std::exchange(told_of_long_line_, true)) {
    log::warn("'{}': the line at byte {} is longer than max_message = {} and is refused (too_large)", printable(path_),
              offset_, most);
  }
}

}  // namespace weir::source
