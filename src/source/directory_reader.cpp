#include "source/directory_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/file_list.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "source/file_identity.hpp"

namespace weir::source {
namespace {

bool unfinished(std::string_view name) {
  return name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part");
}

std::int64_t nanoseconds(const ::statx_timestamp& instant) {
  constexpr std::int64_t kMost = 4'000'000'000;  // seconds; some file systems keep instants that 64 bits do not hold
  return std::clamp<std::int64_t>(instant.tv_sec, -kMost, kMost) * 1'000'000'000 + std::int64_t{instant.tv_nsec};
}

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint32_t hash(std::string_view name, const std::array<std::uint64_t, 3>& numbers) {
  return static_cast<std::uint32_t>(
      XXH3_64bits_withSeed(name.data(), name.size(), XXH3_64bits(numbers.data(), sizeof numbers)));
}

std::optional<std::uint32_t> short_hash_of_ends(const FileDescriptor& file, std::uint64_t bytes) {
  const auto hash = hash_of_ends(file.get(), bytes);
  return hash ? std::optional(static_cast<std::uint32_t>(*hash)) : std::nullopt;
}

// Behind the last line break between the two places; `begin` when there is none.
std::uint64_t end_of_lines(const FileDescriptor& file, std::uint64_t begin, std::uint64_t end) {
  std::vector<char> block(64U << 10U);
  while (end > begin) {
    const std::uint64_t bytes = std::min<std::uint64_t>(end - begin, block.size());
    const ::ssize_t got = ::pread(file.get(), block.data(), bytes, static_cast<::off_t>(end - bytes));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    const void* const newline = got <= 0 ? nullptr : ::memrchr(block.data(), '\n', static_cast<std::size_t>(got));
    if (newline != nullptr) {
      return end - bytes + static_cast<std::uint64_t>(static_cast<const char*>(newline) - block.data()) + 1;
    }
    end -= bytes;
  }
  return begin;
}

}  // namespace

DirectoryReader::DirectoryReader(const spec::Source& spec, std::uint32_t index, const batch::SourcePosition& resume,
                                 Taking taking, const StopEvent* stop)
    : spec_(spec), index_(index), taking_(taking), stop_(stop), offset_(resume.offset) {
  if (const auto first = FirstDirectoryPosition::read(resume.detail)) {
    take_over(*first, resume.offset);
  } else {
    resume_at(resume);
  }
  admit(list());
}

void DirectoryReader::resume_at(const batch::SourcePosition& position) {
  try {
    const std::optional<ReadFile> last = read_.load(position.detail);
    // Where the text of a packed file ends is known when it was read: it is read again to see.
    if (last && !last->refused && (last->packed || position.offset < last->bytes)) {
      resumed_ = {last->id, position.offset};
    }
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", name_of_all(), error.what()));
  }
}

void DirectoryReader::take_over(const FirstDirectoryPosition& position, std::uint64_t offset) {
  for (const Listed& file : list()) {
    const FirstDirectoryPosition::File known{file.modified_ns, file.name};
    const FileDescriptor descriptor(::open(path_of(file).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const auto ends = short_hash_of_ends(descriptor, file.bytes);
    if (!position.was_read(known) || !ends) {
      continue;
    }
    read_.remember({file.id, file.bytes, *ends, stamp_of(file), false, false});
    if (position.was_being_read(known) && offset < file.bytes) {
      resumed_ = {file.id, offset};
    }
  }
}

std::optional<DirectoryReader::Listed> DirectoryReader::look_at(int directory, const char* name, int flags) {
  struct ::statx status {};
  if (::statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
    return std::nullopt;
  }
  // The device is left out: its number may change when the system starts anew. An inode that is used again has another
  // birth.
  const std::array<std::uint64_t, 2> born{
      status.stx_ino,
      (status.stx_mask & STATX_BTIME) != 0 ? static_cast<std::uint64_t>(nanoseconds(status.stx_btime)) : 0};
  Listed file;
  file.name = name;
  file.id = XXH3_64bits(born.data(), sizeof born);
  file.bytes = status.stx_size;
  file.modified_ns = nanoseconds(status.stx_mtime);
  file.changed_ns = nanoseconds(status.stx_ctime);
  file.link = S_ISLNK(status.stx_mode);
  file.regular = S_ISREG(status.stx_mode);
  return file;
}

std::uint32_t DirectoryReader::stamp_of(const Listed& file) {
  return hash(file.name, {file.bytes, static_cast<std::uint64_t>(file.modified_ns), 0});
}

std::uint32_t DirectoryReader::stamp_of_unreadable(const Listed& file) {
  return hash(file.name,
              {file.bytes, static_cast<std::uint64_t>(file.modified_ns), static_cast<std::uint64_t>(file.changed_ns)});
}

bool DirectoryReader::is_counted(const ReadFile& known, const Listed& file) {
  return known.refused && known.bytes == 0 && known.stamp == stamp_of_unreadable(file);
}

bool DirectoryReader::is_unchanged(const ReadFiles::Entry& known, const Listed& file) {
  return is_counted(known, file) ? !known.from_before : known.stamp == stamp_of(file);
}

std::string DirectoryReader::name_of_all() const {
  return spec_.paths.empty() ? fmt::format("directory '{}'", printable(spec_.path))
                             : fmt::format("files '{}'", printable(fmt::format("{}", fmt::join(spec_.paths, "', '"))));
}

// What is named is read, also through a link; in the order of the list.
std::vector<DirectoryReader::Listed> DirectoryReader::list_paths() const {
  const FileList files = list_files(spec_.paths);
  if (!files.mistakes.empty()) {
    throw Error(fmt::format("{}", fmt::join(files.mistakes, "; ")));
  }
  std::vector<Listed> listed;
  for (const std::string& path : files.files) {
    std::optional<Listed> file = look_at(AT_FDCWD, path.c_str(), 0);
    if (!file) {
      throw Error(fmt::format("cannot read '{}': {}", printable(path), std::strerror(errno)));
    }
    listed.push_back(std::move(*file));
  }
  return listed;
}

std::vector<DirectoryReader::Listed> DirectoryReader::list() {
  if (!spec_.paths.empty()) {
    return list_paths();
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(spec_.path.c_str()), &::closedir);
  if (!directory) {
    throw Error(fmt::format("cannot read '{}': {}", printable(spec_.path), std::strerror(errno)));
  }
  std::vector<Listed> listed;
  while (const ::dirent* entry = ::readdir(directory.get())) {
    const char* name = entry->d_name;
    if (unfinished(name) || ::fnmatch(spec_.pattern.c_str(), name, FNM_PERIOD) != 0) {
      continue;
    }
    std::optional<Listed> file = look_at(::dirfd(directory.get()), name, spec_.follow_links ? 0 : AT_SYMLINK_NOFOLLOW);
    if (!file && errno != ENOENT && !std::exchange(told_of_hidden_, true)) {
      log::warn("cannot look at '{}/{}': {}; such files are not read", printable(spec_.path), printable(name),
                std::strerror(errno));
    }
    if (file && file->link && !std::exchange(told_of_links_, true)) {
      log::warn("'{}' is a symbolic link, which is not read; follow_links = true reads what links name",
                printable(path_of(*file)));
    }
    if (file && file->regular) {
      listed.push_back(std::move(*file));
    }
  }
  std::sort(listed.begin(), listed.end(), [](const Listed& a, const Listed& b) { return a.name < b.name; });
  return listed;
}

void DirectoryReader::scan() {
  try {
    admit(list());
    listing_fails_ = false;
  } catch (const Error& error) {
    if (!std::exchange(listing_fails_, true)) {
      log::warn("{}; looking again every {}", error.what(), to_string(spec_.poll));
    }
  }
}

void DirectoryReader::admit(std::vector<Listed> listed) {
  std::map<std::string, Young> before;
  std::swap(before, young_);
  std::unordered_set<std::uint64_t> ids;  // a file with several names is read under the first
  bool written_in_front = false;
  read_.begin_listing();
  for (Listed& file : listed) {
    if (!ids.insert(file.id).second) {
      if (!spec_.paths.empty()) {
        log::warn("'{}' is a file of the list under another name too: it is read once", printable(path_of(file)));
      }
      continue;
    }
    const ReadFiles::Entry* const known = read_.find(file.id);
    if (resumed_ && file.id == resumed_->id) {
      waiting_.push_front(std::move(file));  // whatever its place in the order
      continue;
    }
    if (file.bytes == 0 || (known != nullptr && is_unchanged(*known, file))) {
      continue;
    }
    if (taking_ == Taking::when_complete) {
      const auto old = before.find(file.name);
      Young young = old != before.end() ? old->second : Young{};
      if (waits(file, young, written_in_front)) {
        young_.emplace(file.name, young);
        continue;
      }
    }
    bytes_total_ += file.bytes;
    waiting_.push_back(std::move(file));
  }
  if (resumed_ && (waiting_.empty() || waiting_.front().id != resumed_->id)) {
    log::warn(
        "{}: the file that was being read when Weir stopped is gone; what followed byte {} of its text is not read",
        name_of_all(), resumed_->offset);
    resumed_.reset();
  }
}

bool DirectoryReader::waits(const Listed& file, Young& young, bool& written_in_front) const {
  const Clock::time_point now = Clock::now();
  if (young.id != file.id || young.first_seen == Clock::time_point{}) {
    young.first_seen = now;
  }
  if (young.id != file.id || young.bytes != file.bytes || young.modified_ns != file.modified_ns) {
    young.id = file.id;
    young.bytes = file.bytes;
    young.modified_ns = file.modified_ns;
    young.unchanged_since = now;
    young.complete_since.reset();
  }
  // The second, where the file's clock is not ours.
  if (wall_clock_ns() - file.modified_ns < spec_.settle.count() && now - young.unchanged_since < spec_.settle) {
    written_in_front |= now - young.first_seen < spec_.settle;
    return true;
  }
  young.complete_since = young.complete_since.value_or(now);
  return written_in_front && now - *young.complete_since < spec_.settle;
}

Duration DirectoryReader::pause() const noexcept {
  if (!waiting_.empty()) {
    return Duration(0);
  }
  constexpr Duration kShortest = std::chrono::milliseconds(10);
  return young_.empty() ? spec_.poll : std::min(spec_.poll, std::max<Duration>(spec_.settle / 4, kShortest));
}

std::uint64_t DirectoryReader::bytes_read() const {
  return bytes_done_ + (file_ ? file_->bytes_read() : 0);
}

bool DirectoryReader::next(batch::MessageView& message) {
  for (;;) {
    if (file_) {
      if (hand_on(message)) {
        return true;
      }
      if (file_) {
        return false;  // stopped
      }
      continue;
    }
    if (waiting_.empty()) {
      return false;
    }
    Listed file = std::move(waiting_.front());
    waiting_.pop_front();
    if (begin(std::move(file), message)) {
      return true;
    }
  }
}

// A message of the current file; none and no file when it has come to its end.
bool DirectoryReader::hand_on(batch::MessageView& message) {
  std::string problem;
  bool for_good = false;
  try {
    if (file_->next(message)) {
      offset_ = message.position_offset;
      message.position_detail = std::exchange(detail_is_new_, false) ? std::string_view(detail_) : std::string_view{};
      return true;
    }
    if (file_->stopped()) {
      return false;
    }
    if (file_->cut_off()) {
      // What comes in place of it is another file.
      problem = fmt::format("'{}' was cut off at byte {} while it was read", printable(path_of(current_)), offset_);
    }
  } catch (const Error& error) {
    problem = error.what();
    for_good = true;
  }
  const std::uint64_t read = file_->bytes_read();
  bytes_done_ += read;
  file_.reset();
  if (std::exchange(detail_is_new_, false)) {
    read_.tell_all();
  }
  if (problem.empty()) {
    return false;
  }
  const std::uint32_t stamp = read == 0 ? stamp_of_unreadable(current_) : stamp_of(current_);
  const ReadFile given_up{current_.id, read, 0, stamp, false, for_good};
  if (read == 0 && counted_before_) {
    log::warn("{}", problem);
    read_.remember(given_up);
    return false;
  }
  offset_ = read;
  return refuse(problem, read_.add(given_up), message);
}

bool DirectoryReader::refuse(const std::string& what, std::string detail, batch::MessageView& message) {
  log::warn("{}", what);
  sample_ = what.substr(0, batch::kRefusedSample);
  detail_ = std::move(detail);
  message = {};
  message.payload = sample_;
  message.refused = batch::Malformed::unreadable;
  message.source = index_;
  message.position_offset = offset_;
  message.position_detail = detail_;
  return true;
}

bool DirectoryReader::begin(Listed file, batch::MessageView& message) {
  const std::string path = path_of(file);
  // What became a pipe meanwhile is not waited for, nor is a link followed that came in the file's place.
  FileDescriptor descriptor(::open(
      path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (spec_.follow_links || !spec_.paths.empty() ? 0 : O_NOFOLLOW)));
  if (!descriptor) {
    return cannot_open(file, errno, message);
  }
  std::optional<Listed> now = look_at(descriptor.get(), "", AT_EMPTY_PATH);
  if (!now || !now->regular) {
    return cannot_open(file, 0, message);
  }
  now->name = std::move(file.name);
  if (now->id != file.id && taking_ == Taking::when_complete) {
    log::warn("'{}' was replaced before it was read", printable(path));
    return false;  // the next listing shows the new one
  }
  file = std::move(*now);

  const ReadFiles::Entry* const known = read_.find(file.id);
  counted_before_ = known != nullptr && is_counted(*known, file);
  if (known == nullptr) {
    const ReadFiles::Entry* const copy = read_.find_copy(stamp_of(file));
    if (copy != nullptr && copy->bytes == file.bytes && short_hash_of_ends(descriptor, file.bytes) == copy->ends) {
      ReadFile same = static_cast<const ReadFile&>(*copy);
      same.id = file.id;
      read_.remember(same);
      return false;
    }
    return begin_anew(file, std::move(descriptor), 0, message);
  }
  if (known->bytes == 0) {
    return begin_anew(file, std::move(descriptor), 0, message);
  }
  const bool same = known->bytes <= file.bytes && ((known->refused && known->ends == 0) ||
                                                   short_hash_of_ends(descriptor, known->bytes) == known->ends);
  const bool resumed = resumed_ && resumed_->id == file.id;
  const std::uint64_t offset = resumed ? resumed_->offset : known->bytes;
  if (resumed) {
    resumed_.reset();
  }
  if (!same) {
    log::warn("'{}' has other content than when it was read: it is read from its beginning", printable(path));
    return begin_anew(file, std::move(descriptor), 0, message);
  }
  if (!resumed) {
    return grown(file, *known, std::move(descriptor), message);
  }
  const std::uint64_t end = known->bytes;
  if (known->packed && file.bytes > end) {
    waiting_.push_front(file);  // it is looked at again, for what was appended
  }
  read(file, std::move(descriptor), {offset, end});
  return hand_on(message);
}

bool DirectoryReader::begin_anew(const Listed& file, FileDescriptor descriptor, std::uint64_t from,
                                 batch::MessageView& message) {
  // A line that has no end yet goes on with what will be appended.
  const bool packed = FileReader::is_packed(descriptor, spec_.encoding);
  const std::uint64_t end = spec_.follow_growing && taking_ == Taking::when_complete && !packed
                                ? end_of_lines(descriptor, from, file.bytes)
                                : file.bytes;
  if (end == from) {
    read_.remember({file.id, from, short_hash_of_ends(descriptor, from).value_or(0), stamp_of(file), packed, false});
    return false;
  }
  const std::uint32_t ends = short_hash_of_ends(descriptor, end).value_or(0);  // 0: reading will say why not
  detail_ = read_.add({file.id, end, ends, stamp_of(file), packed, false});
  detail_is_new_ = true;
  read(file, std::move(descriptor), {from, end});
  return hand_on(message);
}

void DirectoryReader::read(const Listed& file, FileDescriptor descriptor, FileReader::Range range) {
  file_ = std::make_unique<FileReader>(spec_, index_, path_of(file), std::move(descriptor), range, stop_);
  current_ = file;
  offset_ = range.begin;
  bytes_done_ -= file_->bytes_read();  // bytes_read() counts what was read since the start
}

bool DirectoryReader::grown(const Listed& file, const ReadFile& known, FileDescriptor descriptor,
                            batch::MessageView& message) {
  ReadFile now = known;
  now.stamp = stamp_of(file);
  if (file.bytes == known.bytes || known.refused) {  // touched, or renamed; or told of before
    read_.remember(now);
    return false;
  }
  const bool packed = FileReader::is_packed(descriptor, spec_.encoding);
  if ((spec_.follow_growing || !spec_.paths.empty()) && !packed) {
    return begin_anew(file, std::move(descriptor), known.bytes, message);
  }
  now.refused = true;
  offset_ = known.bytes;
  return refuse(fmt::format("'{}' has grown after it was read: what was appended behind byte {} is not read; {}",
                            printable(path_of(file)), known.bytes,
                            packed ? "of a file that is compressed or not in UTF-8 it never is"
                                   : "growing = \"follow\" reads it"),
                read_.add(now), message);
}

bool DirectoryReader::cannot_open(const Listed& file, int error, batch::MessageView& message) {
  const std::string what = fmt::format("cannot read '{}': {}", printable(path_of(file)),
                                       error == 0 ? "it is no file" : std::strerror(error));
  const ReadFiles::Entry* const known = read_.find(file.id);
  if (resumed_ && resumed_->id == file.id) {
    offset_ = resumed_->offset;
    resumed_.reset();
    return refuse(what, read_.add({file.id, offset_, 0, stamp_of(file), false, true}), message);
  }
  if (known != nullptr && known->bytes > 0) {  // of what was appended since
    ReadFile now = static_cast<const ReadFile&>(*known);
    now.stamp = stamp_of(file);
    read_.remember(now);
    return refuse(what, {}, message);
  }
  if (error == ENOENT) {
    return refuse(what, {}, message);
  }
  const ReadFile unreadable{file.id, 0, 0, stamp_of_unreadable(file), false, true};
  if (known != nullptr && is_counted(*known, file)) {  // before the restart
    log::warn("{}", what);
    read_.remember(unreadable);
    return false;
  }
  offset_ = 0;
  return refuse(what, read_.add(unreadable), message);
}

}  // namespace weir::source
