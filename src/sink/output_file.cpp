#include "sink/output_file.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
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
std::optional<std::string> read_tail(FileSystem& files, const std::string& path, std::uint64_t offset) {
  if (!files.status(path)) return std::nullopt;
  const FileDescriptor file = files.open(path, O_RDONLY);
  std::string tail(static_cast<std::size_t>(std::min<std::uint64_t>(offset, OutputFile::kTailBytes)), '\0');
  if (files.read(file, offset - tail.size(), tail.data(), tail.size(), path) != tail.size()) return std::nullopt;
  return tail;
}

bool is_at(FileSystem& files, const std::string& path, const FilePosition& position) {
  const auto tail = read_tail(files, path, position.offset);
  return tail && hash(*tail) == position.tail_hash;
}

// The name that the file of the position got if it was rotated since.
RotatedOrder next_order(const FilePosition& position) {
  return next_rotated({position.last_stamp, position.last_number}, *position.first_window_end_ns);
}

bool was_rotated(FileSystem& files, const FilePosition& position) {
  return position.first_window_end_ns && !is_at(files, position.path, position) &&
         is_at(files, rotated_path(position.path, next_order(position)), position);
}

// It had no rows: either it was rotated with its first ones, which come again, or there is nothing to miss.
bool had_no_rows(const FilePosition& position) {
  return !position.first_window_end_ns && position.offset <= position.header.size();
}

// A device or a pipe has no position.
bool is_no_file(FileSystem& files, const std::string& path) {
  const auto status = files.status(path);
  return status && !status->regular;
}

// Puts the file of the position back under its own name if it was rotated since.
void undo_rotations(FileSystem& files, const FilePosition& position) {
  if (!was_rotated(files, position)) return;
  const RotatedOrder order = next_order(position);
  const std::string rotated = rotated_path(position.path, order);
  // The later files go first: a crash in between leaves a state from which the same steps lead on.
  for (const RotatedFile& file : rotated_files(files, position.path)) {
    if (order < file.order) files.remove(file.path);
  }
  files.rename(rotated, position.path);
  files.sync_directory(parent_directory(position.path));
}

[[noreturn]] void refuse(FileSystem& files, const FilePosition& position) {
  std::string found = "it is not there";
  if (const auto status = files.status(position.path)) {
    found = status->bytes < position.offset
                ? fmt::format("it holds {} bytes, the checkpoint counts {}", status->bytes, position.offset)
                : "its rows are not those that the checkpoint counts";
  }
  throw Error(
      fmt::format("cannot go on with '{}': {} (put the file back, or start afresh with an empty state directory)",
                  position.path, found));
}

// Where the last whole row of the file ends; nothing: it has none.
std::optional<std::uint64_t> end_of_last_row(FileSystem& files, const std::string& path, std::uint64_t size) {
  const std::string end = read_tail(files, path, size).value_or(std::string());
  const std::size_t line_break = end.rfind('\n');
  if (line_break == std::string::npos) return std::nullopt;
  return size - (end.size() - line_break - 1);
}

// Whether it holds a part of the header and nothing else: the rest of a start that failed there.
bool only_begins_header(FileSystem& files, const std::string& path, std::uint64_t size, std::string_view header) {
  return size < header.size() && read_tail(files, path, size) == header.substr(0, static_cast<std::size_t>(size));
}

[[noreturn]] void refuse_without_row(const std::string& path) {
  throw Error(fmt::format("'{}' does not end with a row (remove it, or choose another path)", path));
}

[[noreturn]] void refuse_shared(const std::string& path) {
  throw Error(fmt::format("'{}' is being written by another sink or process", path));
}

bool held_elsewhere(FileSystem& files, const FileDescriptor& file, const std::string& path) {
  try {
    return !files.lock(file, path);
  } catch (const FileError& error) {
    // A file system without locks: then nobody guards the file, as before there were locks.
    if (error.error_number() == EOPNOTSUPP || error.error_number() == ENOLCK || error.error_number() == ENOSYS)
      return false;
    throw;
  }
}

// Whether another process holds the file, and whether this one may write to it. @throws Error
void require_writable(FileSystem& files, const std::string& path) {
  files.require_access(path, W_OK);
  if (held_elsewhere(files, files.open(path, O_WRONLY | O_NONBLOCK), path)) refuse_shared(path);
}

}  // namespace

void OutputFile::require_usable(FileSystem& files, const std::string& path, std::string_view header,
                                Beginning beginning) {
  const auto status = files.status(path);
  if (!status) {
    // Created by open(): with its directories, in the last one that is there.
    std::string directory = parent_directory(path);
    while (!files.status(directory) && directory != parent_directory(directory)) {
      directory = parent_directory(directory);
    }
    files.require_access(directory, W_OK | X_OK);
    return;
  }
  if (status->directory) throw FileError("open", path, EISDIR);
  if (!status->regular) return;
  require_writable(files, path);
  if (beginning == Beginning::append && status->bytes != 0 && !end_of_last_row(files, path, status->bytes) &&
      !only_begins_header(files, path, status->bytes, header)) {
    refuse_without_row(path);
  }
}

void OutputFile::require_at(FileSystem& files, const FilePosition& position) {
  if (is_no_file(files, position.path)) return;
  if (is_at(files, position.path, position)) return require_writable(files, position.path);
  if (had_no_rows(position)) return require_usable(files, position.path, position.header, Beginning::overwrite);
  if (!was_rotated(files, position)) refuse(files, position);
  require_writable(files, rotated_path(position.path, next_order(position)));
}

bool OutputFile::has_rows_after(FileSystem& files, const FilePosition& position) {
  if (was_rotated(files, position)) return true;
  const auto status = files.status(position.path);
  return status && status->regular && status->bytes > std::max<std::uint64_t>(position.offset, position.header.size());
}

OutputFile::OutputFile(System system, std::string path, std::string header, RotationRule rule, Beginning beginning)
    : system_(system), path_(std::move(path)), header_(std::move(header)), rule_(rule) {
  system_.files.make_directories(parent_directory(path_));
  open_current();
  if (beginning == Beginning::append && rotates()) follow_rotated();
  if (beginning == Beginning::append && regular_ && go_on_behind_last_row()) return;
  if (regular_) system_.files.truncate(file_, 0, path_);
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
  require_at(system_.files, position);
  if (had_no_rows(position) && (is_no_file(system_.files, path_) || !is_at(system_.files, path_, position))) {
    system_.files.make_directories(parent_directory(path_));
    open_current();
    if (regular_) system_.files.truncate(file_, 0, path_);
    begin_file();
    return;
  }
  undo_rotations(system_.files, position);
  open_current();
  if (!regular_) return;
  system_.files.truncate(file_, offset_, path_);
  tail_ = read_tail(system_.files, path_, offset_).value_or(std::string());
}

void OutputFile::open_current() {
  file_ = open_output(system_.files, path_, O_WRONLY | O_APPEND, system_.mode);
  regular_ = system_.files.status(file_, path_).regular;
  if (regular_) lock();
  directory_changed_ = true;
}

void OutputFile::lock() {
  if (held_elsewhere(system_.files, file_, path_)) refuse_shared(path_);
}

// The next rotation must not take the name of a file that is there.
void OutputFile::follow_rotated() {
  if (const std::vector<RotatedFile> files = rotated_files(system_.files, path_); !files.empty()) {
    last_stamp_ = files.back().order.stamp;
    last_number_ = files.back().order.number;
  }
}

bool OutputFile::go_on_behind_last_row() {
  const std::uint64_t size = system_.files.status(file_, path_).bytes;
  if (size == 0) return false;
  // A process that was killed may have left a part of a row, which nobody could read.
  const std::optional<std::uint64_t> end = end_of_last_row(system_.files, path_, size);
  if (!end && only_begins_header(system_.files, path_, size, header_)) return false;
  if (!end) refuse_without_row(path_);
  offset_ = *end;
  if (offset_ != size) system_.files.truncate(file_, offset_, path_);
  tail_ = read_tail(system_.files, path_, offset_).value_or(std::string());
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
    if (!regular_) throw;
    try {
      system_.files.truncate(file_, offset_, path_);
    } catch (const FileError&) {
      throw Error(fmt::format("{}; its last row may be incomplete", error.what()));
    }
    throw;
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
    to_sync.push_back({system_.files.duplicate(file_, path_), path_});
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
  system_.files.unlock(file_);
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
