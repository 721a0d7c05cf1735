#include "sink/output_file.hpp"

#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "core/log.hpp"
#include "sink/rotated_name.hpp"

namespace weir::sink {
namespace {

// Bytes collected before a write call: large enough that calls do not show, small enough to stay in cache.
constexpr std::size_t kBufferBytes = 256U << 10U;

// Rotated files that wait for the next checkpoint with an open descriptor. Where none comes, the oldest is synced.
constexpr std::size_t kMostUnsynced = 16;

std::uint64_t hash(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

// The bytes before `offset`, or nothing when the file does not exist or is shorter.
std::optional<std::string> read_tail(const std::string& path, std::uint64_t offset) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    throw system_error("open", path);
  }
  std::string tail(static_cast<std::size_t>(std::min<std::uint64_t>(offset, OutputFile::kTailBytes)), '\0');
  std::size_t have = 0;
  while (have < tail.size()) {
    const auto at = static_cast<::off_t>(offset - tail.size() + have);
    const ::ssize_t got = ::pread(file.get(), tail.data() + have, tail.size() - have, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("read", path);
    if (got == 0) return std::nullopt;
    have += static_cast<std::size_t>(got);
  }
  return tail;
}

bool is_at(const std::string& path, const FilePosition& position) {
  const auto tail = read_tail(path, position.offset);
  return tail && hash(*tail) == position.tail_hash;
}

// The name that the file of the position got if it was rotated since.
RotatedOrder next_order(const FilePosition& position) {
  return next_rotated({position.last_stamp, position.last_number}, *position.first_window_end_ns);
}

bool was_rotated(const FilePosition& position) {
  return position.first_window_end_ns && !is_at(position.path, position) &&
         is_at(rotated_path(position.path, next_order(position)), position);
}

// It had no rows: either it was rotated with its first ones, which come again, or there is nothing to miss.
bool had_no_rows(const FilePosition& position) {
  return !position.first_window_end_ns && position.offset <= position.header.size();
}

// A device or a pipe has no position.
bool is_no_file(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

// Puts the file of the position back under its own name if it was rotated since.
void undo_rotations(const FilePosition& position) {
  if (!was_rotated(position)) return;
  const RotatedOrder order = next_order(position);
  const std::string rotated = rotated_path(position.path, order);
  // The later files go first: a crash in between leaves a state from which the same steps lead on.
  for (const RotatedFile& file : rotated_files(position.path)) {
    if (order < file.order && ::unlink(file.path.c_str()) != 0) throw system_error("remove", file.path);
  }
  if (::rename(rotated.c_str(), position.path.c_str()) != 0) throw system_error("rename", rotated);
  sync_directory(parent_directory(position.path));
}

[[noreturn]] void refuse(const FilePosition& position) {
  struct ::stat status {};
  std::string found = "it is not there";
  if (::stat(position.path.c_str(), &status) == 0) {
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    found = bytes < position.offset ? fmt::format("it holds {} bytes, the checkpoint counts {}", bytes, position.offset)
                                    : "its rows are not those that the checkpoint counts";
  }
  throw Error(
      fmt::format("cannot go on with '{}': {} (put the file back, or start afresh with an empty state directory)",
                  position.path, found));
}

// Where the last whole row of the file ends; nothing: it has none.
std::optional<std::uint64_t> end_of_last_row(const std::string& path, std::uint64_t size) {
  const std::string end = read_tail(path, size).value_or(std::string());
  const std::size_t line_break = end.rfind('\n');
  if (line_break == std::string::npos) return std::nullopt;
  return size - (end.size() - line_break - 1);
}

[[noreturn]] void refuse_without_row(const std::string& path) {
  throw Error(fmt::format("'{}' does not end with a row (remove it, or choose another path)", path));
}

[[noreturn]] void refuse_shared(const std::string& path) {
  throw Error(fmt::format("'{}' is being written by another sink or process", path));
}

// Whether another process holds the file, and whether this one may write to it. @throws Error
void require_writable(const std::string& path) {
  if (::access(path.c_str(), W_OK) != 0) throw system_error("open", path);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) refuse_shared(path);
}

}  // namespace

void OutputFile::require_usable(const std::string& path, Beginning beginning) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) throw system_error("open", path);
    // Created by open(): with its directories, in the last one that is there.
    std::string directory = parent_directory(path);
    while (::access(directory.c_str(), W_OK | X_OK) != 0) {
      if (errno != ENOENT || directory == parent_directory(directory)) throw system_error("open", path);
      directory = parent_directory(directory);
    }
    return;
  }
  if (S_ISDIR(status.st_mode)) throw system_error("open", path, EISDIR);
  if (!S_ISREG(status.st_mode)) return;
  require_writable(path);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (beginning == Beginning::append && size != 0 && !end_of_last_row(path, size)) refuse_without_row(path);
}

void OutputFile::require_at(const FilePosition& position) {
  if (is_no_file(position.path)) return;
  if (is_at(position.path, position)) return require_writable(position.path);
  if (had_no_rows(position)) return require_usable(position.path, Beginning::overwrite);
  if (!was_rotated(position)) refuse(position);
  require_writable(rotated_path(position.path, next_order(position)));
}

bool OutputFile::has_rows_after(const FilePosition& position) {
  struct ::stat status {};
  if (was_rotated(position)) return true;
  return ::stat(position.path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         static_cast<std::uint64_t>(status.st_size) > std::max<std::uint64_t>(position.offset, position.header.size());
}

OutputFile::OutputFile(System system, std::string path, std::string header, RotationRule rule, Beginning beginning)
    : system_(system), path_(std::move(path)), header_(std::move(header)), rule_(rule) {
  make_directories(parent_directory(path_));
  open_current();
  if (beginning == Beginning::append && rotates()) follow_rotated();
  if (beginning == Beginning::append && regular_ && go_on_behind_last_row()) return;
  if (regular_ && ::ftruncate(file_.get(), 0) != 0) throw system_error("empty", path_);
  begin_file();
}

OutputFile::OutputFile(System system, const FilePosition& position, RotationRule rule)
    : system_(system),
      path_(position.path),
      header_(position.header),
      rule_(rule),
      offset_(position.offset),
      first_window_end_ns_(position.first_window_end_ns),
      newest_window_end_ns_(position.newest_window_end_ns),
      last_stamp_(position.last_stamp),
      last_number_(position.last_number) {
  require_at(position);
  if (had_no_rows(position) && (is_no_file(path_) || !is_at(path_, position))) {
    make_directories(parent_directory(path_));
    open_current();
    if (regular_ && ::ftruncate(file_.get(), 0) != 0) throw system_error("empty", path_);
    begin_file();
    return;
  }
  undo_rotations(position);
  open_current();
  if (!regular_) return;
  if (::ftruncate(file_.get(), static_cast<::off_t>(offset_)) != 0) throw system_error("cut off", path_);
  tail_ = read_tail(path_, offset_).value_or(std::string());
}

void OutputFile::open_current() {
  file_ = open_output(system_.files, path_, O_WRONLY | O_APPEND, system_.mode);
  struct ::stat status {};
  if (::fstat(file_.get(), &status) != 0) throw system_error("look at", path_);
  regular_ = S_ISREG(status.st_mode);
  if (regular_) lock();
  directory_changed_ = true;
}

void OutputFile::lock() {
  // Other errors mean a file system without locks: then nobody guards the file, as before there were locks.
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    refuse_shared(path_);
  }
}

// The next rotation must not take the name of a file that is there.
void OutputFile::follow_rotated() {
  if (const std::vector<RotatedFile> files = rotated_files(path_); !files.empty()) {
    last_stamp_ = files.back().order.stamp;
    last_number_ = files.back().order.number;
  }
}

bool OutputFile::go_on_behind_last_row() {
  struct ::stat status {};
  if (::fstat(file_.get(), &status) != 0) throw system_error("look at", path_);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0) return false;
  // A process that was killed may have left a part of a row, which nobody could read.
  const std::optional<std::uint64_t> end = end_of_last_row(path_, size);
  if (!end) refuse_without_row(path_);
  offset_ = *end;
  if (offset_ != size && ::ftruncate(file_.get(), static_cast<::off_t>(offset_)) != 0)
    throw system_error("cut off", path_);
  tail_ = read_tail(path_, offset_).value_or(std::string());
  return true;
}

void OutputFile::begin_file() {
  offset_ = 0;
  tail_.clear();
  buffer_ = header_;
  first_window_end_ns_.reset();
}

std::int64_t OutputFile::period(std::int64_t window_end_ns) const noexcept {
  const std::int64_t every = rule_.every.count();
  const std::int64_t last = window_end_ns - 1;  // a window that ends on the boundary belongs to what lies before it
  return last >= 0 ? last / every : -((-last - 1) / every) - 1;
}

std::string& OutputFile::begin_row(std::int64_t window_end_ns) {
  if (rule_.every.count() != 0 && rotates() && first_window_end_ns_ &&
      period(window_end_ns) > period(newest_window_end_ns_)) {
    rotate();
  }
  row_begin_ = buffer_.size();
  row_window_end_ns_ = window_end_ns;
  return buffer_;
}

void OutputFile::end_row() {
  buffer_.push_back('\n');
  if (rule_.bytes != 0 && rotates() && first_window_end_ns_ && offset_ + buffer_.size() > rule_.bytes) {
    const std::string row = buffer_.substr(row_begin_);
    buffer_.resize(row_begin_);
    rotate();
    buffer_.append(row);
  }
  newest_window_end_ns_ =
      first_window_end_ns_ ? std::max(newest_window_end_ns_, row_window_end_ns_) : row_window_end_ns_;
  if (!first_window_end_ns_) first_window_end_ns_ = row_window_end_ns_;
  if (buffer_.size() >= kBufferBytes) flush();
}

void OutputFile::write_buffer() {
  try {
    system_.files.write(file_, buffer_, path_);
  } catch (const FileError& error) {
    // Half a row is worse than none for whoever reads the file now; a restart cuts there anyway.
    if (!regular_ || ::ftruncate(file_.get(), static_cast<::off_t>(offset_)) == 0) throw;
    throw Error(fmt::format("{}; its last row may be incomplete", error.what()));
  }
}

void OutputFile::flush() {
  if (buffer_.empty()) return;
  if (regular_) {
    system_.disk.retry(path_, [this] { write_buffer(); });
  } else {
    write_buffer();  // a device that is full stays full
  }
  offset_ += buffer_.size();
  if (buffer_.size() >= kTailBytes) {
    tail_.assign(buffer_, buffer_.size() - kTailBytes);
  } else {
    tail_.append(buffer_);
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  }
  buffer_.clear();
}

// Rows go on into a file that nobody finds by its name, and the next start will miss it.
void OutputFile::tell_of_removal() {
  struct ::stat mine {};
  struct ::stat named {};
  const bool there = ::fstat(file_.get(), &mine) != 0 ||
                     (::stat(path_.c_str(), &named) == 0 && named.st_ino == mine.st_ino && named.st_dev == mine.st_dev);
  if (!there && !removed_) {
    log::warn(
        "'{}' was {} while Weir writes to it: its rows go on into that file, and the next start is refused (put it "
        "back "
        "under its name; to take files away, set rotate_bytes or rotate_every)",
        path_, mine.st_nlink == 0 ? "removed" : "renamed or replaced");
  }
  removed_ = !there;
}

FilePosition OutputFile::checkpoint(std::vector<FileToSync>& to_sync) {
  flush();
  if (regular_) {
    tell_of_removal();
    for (FileToSync& file : rotated_) to_sync.push_back(std::move(file));
    rotated_.clear();
    FileDescriptor own(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
    if (!own) throw system_error("duplicate", path_);
    to_sync.push_back({std::move(own), path_});
    if (directory_changed_) to_sync.push_back({{}, parent_directory(path_)});
    directory_changed_ = false;
  }
  return {path_, header_, offset_, hash(tail_), first_window_end_ns_, newest_window_end_ns_, last_stamp_, last_number_};
}

void OutputFile::give_final_name() {
  flush();
  const RotatedOrder order = next_rotated({last_stamp_, last_number_}, *first_window_end_ns_);
  const std::string name = rotated_path(path_, order);
  system_.disk.retry(path_, [&] { system_.files.rename(path_, name); });
  last_stamp_ = order.stamp;
  last_number_ = order.number;
  directory_changed_ = true;
  // Whoever goes on from here may have to give it its old name back and write to it again.
  static_cast<void>(::flock(file_.get(), LOCK_UN));
  rotated_.push_back({std::move(file_), name});
}

void OutputFile::rotate() {
  give_final_name();
  if (rotated_.size() > kMostUnsynced) {
    system_.files.sync(rotated_.front().file, rotated_.front().path);
    rotated_.erase(rotated_.begin());
  }
  system_.disk.retry(path_, [this] { open_current(); });
  begin_file();
}

void OutputFile::close() {
  if (!file_) return;
  if (rotates() && first_window_end_ns_) {
    give_final_name();
    for (const FileToSync& file : rotated_) system_.files.sync(file.file, file.path);
    rotated_.clear();
    system_.files.sync_directory(parent_directory(path_));
  } else {
    flush();
  }
  file_.reset();
}

}  // namespace weir::sink
