#include "source/file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "core/utf8.hpp"
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
      encoding_(spec.encoding),
      input_(path_, spec.encoding),
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
      encoding_(spec.encoding),
      input_(path_, spec.encoding),
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
  plain_ = regular_ && owned_ && !is_packed(owned_, encoding_);
  if (!regular_) {
    // A line that never ends would never be told of.
    buffer_ = LineBuffer(max_message_, LineBuffer::LongLine::at_once);
  }
}

bool FileReader::is_packed(const FileDescriptor& file, spec::TextEncoding wanted) {
  std::array<char, kFormBytes> front{};
  ::ssize_t got = 0;
  do {
    got = ::pread(file.get(), front.data(), front.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return false;  // reading will say why
  }
  return TextInput::is_packed({front.data(), static_cast<std::size_t>(got)}, wanted);
}

bool FileReader::is_the_file_of(const batch::SourcePosition& resume) const {
  if (resume.detail.empty()) {  // written before positions had one
    return !plain_ || resume.offset <= total_;
  }
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;
  const char* const end = resume.detail.data() + resume.detail.size();
  const auto [colon, error] = std::from_chars(resume.detail.data(), end, bytes, 16);
  if (error != std::errc() || colon == end || *colon != ':' || std::from_chars(colon + 1, end, hash, 16).ptr != end) {
    throw Error(fmt::format("the saved position in '{}' is damaged", printable(path_)));
  }
  return (!plain_ || resume.offset <= total_) && hash_of_ends(fd_, bytes) == hash;
}

void FileReader::begin_at(std::uint64_t offset) {
  offset_ = offset;
  repeat_header_ = offset > 0 && has_header(format_);
  starts_file_ = offset == 0 || repeat_header_;
  if (!regular_ || !owned_) {
    return;
  }
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  go_to(repeat_header_ ? 0 : offset);
}

void FileReader::go_to(std::uint64_t offset) {
  at_ = plain_ ? offset : 0;
  skip_ = plain_ ? 0 : offset;
  ::lseek(fd_, static_cast<::off_t>(at_), SEEK_SET);
  if (plain_) {
    input_.set_plain();
  } else {
    input_.restart();
  }
}

std::size_t FileReader::read_raw(std::span<char> space) {
  space = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), end_ - std::min(at_, end_))));
  while (!space.empty()) {
    if (!regular_ && stop_.wait_with(fd_, POLLIN, std::chrono::nanoseconds(-1)) == StopEvent::Ready::stop) {
      stopped_ = true;
      input_.set_stopped();
      return 0;
    }
    const ::ssize_t bytes = ::read(fd_, space.data(), space.size());
    if (bytes < 0 && (errno == EINTR || (errno == EAGAIN && !regular_))) {
      continue;
    }
    if (bytes < 0) {
      cannot_read(path_, std::strerror(errno));
    }
    at_ += static_cast<std::uint64_t>(bytes);
    return static_cast<std::size_t>(bytes);
  }
  return 0;
}

bool FileReader::fill() {
  const TextInput::Raw raw = [this](std::span<char> to) { return read_raw(to); };
  const std::span<char> space = buffer_.space();
  while (skip_ > 0) {
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), skip_));
    const std::size_t got = stop_.is_set() ? 0 : input_.read(space.first(most), raw);
    if (got == 0) {
      stopped_ |= stop_.is_set();
      input_.require_whole();
      return false;
    }
    skip_ -= got;
  }
  std::size_t got = 0;
  // A whole block of a file; of a pipe what there is, so that a slow one is not held back.
  while (got < space.size() && (regular_ || got == 0)) {
    const std::size_t bytes = input_.read(space.subspan(got), raw);
    if (bytes == 0) {
      if (got == 0) {  // else what is in front of the damage comes first
        input_.require_whole();
      }
      break;
    }
    got += bytes;
  }
  buffer_.filled(got);
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
      return stopped_ || cut_off() ? Lines{} : buffer_.rest();
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
    go_to(offset_);
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
      look_for_invalid_utf8(lines.text);
    }
    offset_ += lines.bytes;
  }
  message.starts_file = !message.refused && std::exchange(starts_file_, false);
  message.source = index_;
  message.position_offset = offset_;
  if (has_position_) {
    const std::uint64_t bytes = bytes_read();
    if (const auto hash = hash_of_ends(fd_, bytes)) {
      detail_ = fmt::format("{:x}:{:x}", bytes, *hash);
    }
    message.position_detail = detail_;
  }
  return true;
}

void FileReader::look_for_invalid_utf8(std::string_view text) {
  if (told_of_encoding_) {
    return;
  }
  const std::size_t at = find_invalid_utf8(text);
  if (at == std::string_view::npos) {
    return;
  }
  told_of_encoding_ = true;
  log::warn(
      "'{}': byte {} of the text is no UTF-8: such bytes in keys become U+FFFD; if the file is Latin-1 or "
      "Windows-1252, write encoding = \"latin1\" in its source",
      printable(path_), offset_ + at);
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
