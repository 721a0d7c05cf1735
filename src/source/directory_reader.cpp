#include "source/directory_reader.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "core/error.hpp"

namespace weir::source {
namespace {

bool unfinished(std::string_view name) {
  return name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part");
}

std::int64_t modified_ns(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + std::int64_t{status.st_mtim.tv_nsec};
}

}  // namespace

DirectoryReader::DirectoryReader(const spec::Source& spec, std::uint32_t index, const batch::SourcePosition& resume,
                                 const StopEvent* stop)
    : spec_(spec), index_(index), stop_(stop) {
  bound_.modified_ns = std::numeric_limits<std::int64_t>::min();
  parse(resume);
  std::vector<Found> found;
  list(found);
  admit(found);
}

void DirectoryReader::list(std::vector<Found>& found) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(spec_.path.c_str()), &::closedir);
  if (!directory) {
    throw Error(fmt::format("cannot read '{}': {}", spec_.path, std::strerror(errno)));
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    const char* name = entry->d_name;
    struct stat status {};
    if (unfinished(name) || ::fnmatch(spec_.pattern.c_str(), name, FNM_PERIOD) != 0 ||
        ::fstatat(::dirfd(directory.get()), name, &status, 0) != 0 || !S_ISREG(status.st_mode)) {
      continue;
    }
    found.push_back({{modified_ns(status), name}, static_cast<std::uint64_t>(status.st_size), 0});
  }
}

void DirectoryReader::scan() {
  std::vector<Found> found;
  try {
    list(found);
    listing_fails_ = false;
  } catch (const Error& error) {
    if (!std::exchange(listing_fails_, true)) {
      spdlog::warn("{}; looking again every {}", error.what(), to_string(spec_.poll));
    }
    return;
  }
  admit(found);
}

void DirectoryReader::admit(std::vector<Found>& found) {
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.file < b.file; });
  std::set<File> seen;
  for (Found& item : found) {
    seen.insert(item.file);
    if (seen_.contains(item.file)) {
      continue;
    }
    if (resumed_ && item.file == current_) {
      // First, whatever its place in the order: once another file is the current one, this one counts as read.
      item.offset = resume_offset_;
      waiting_.push_front(item);
    } else if (!resumed_ || (item.file > bound_ && !remembered_.contains(item.file))) {
      waiting_.push_back(item);
    } else {
      continue;
    }
    bytes_total_ += item.bytes - std::min(item.offset, item.bytes);
  }
  // A file that was replaced while it waited is waiting under its new time.
  std::erase_if(waiting_, [&](const Found& item) {
    const bool gone = !seen.contains(item.file);
    bytes_total_ -= gone ? item.bytes - std::min(item.offset, item.bytes) : 0;
    return gone;
  });
  seen_ = std::move(seen);
  resumed_ = false;
}

bool DirectoryReader::open_next() {
  const Found next = std::move(waiting_.front());
  waiting_.pop_front();
  const std::string path = spec_.path + "/" + next.file.name;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 ? errno == ENOENT : modified_ns(status) != next.file.modified_ns) {
    spdlog::warn("'{}' was removed or replaced before it was read", path);
    bytes_total_ -= next.bytes - std::min(next.offset, next.bytes);
    return false;
  }
  file_ = std::make_unique<FileReader>(path, spec_.format, index_, next.offset, stop_);
  bytes_done_ -= next.offset;  // bytes_read() counts what was read since the start
  remember(next.file);
  return true;
}

bool DirectoryReader::next(batch::MessageView& message) {
  for (;;) {
    if (!file_) {
      if (waiting_.empty()) {
        return false;
      }
      if (!open_next()) {
        continue;
      }
    }
    if (file_->next(message)) {
      message.position_detail = detail_;
      return true;
    }
    if (file_->stopped()) {
      return false;
    }
    bytes_done_ += file_->bytes_read();
    file_.reset();
  }
}

void DirectoryReader::remember(const File& file) {
  if (!current_.name.empty() && current_ > bound_) {
    remembered_.insert(current_);
  }
  current_ = file;
  const std::int64_t newest =
      std::max(file.modified_ns, remembered_.empty() ? file.modified_ns : remembered_.rbegin()->modified_ns);
  const std::int64_t oldest = newest - std::chrono::nanoseconds(kRememberTime).count();
  while (!remembered_.empty() && (remembered_.size() > kRememberFiles || remembered_.begin()->modified_ns < oldest)) {
    bound_ = *remembered_.begin();
    remembered_.erase(remembered_.begin());
  }
  detail_ = fmt::format("{}/{}/", bound_.modified_ns, bound_.name);
  for (const File& read : remembered_) {
    fmt::format_to(std::back_inserter(detail_), "{}/{}/", read.modified_ns, read.name);
  }
  fmt::format_to(std::back_inserter(detail_), "{}/{}/", current_.modified_ns, current_.name);
}

void DirectoryReader::parse(const batch::SourcePosition& resume) {
  if (resume.detail.empty()) {
    return;
  }
  std::vector<File> files;
  std::string_view rest = resume.detail;
  while (!rest.empty()) {
    File file;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), file.modified_ns);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    const std::size_t slash = error == std::errc() && digits < rest.size() && rest[digits] == '/'
                                  ? rest.find('/', digits + 1)
                                  : std::string_view::npos;
    if (slash == std::string_view::npos) {
      break;
    }
    file.name = rest.substr(digits + 1, slash - digits - 1);
    rest.remove_prefix(slash + 1);
    files.push_back(std::move(file));
  }
  if (!rest.empty() || files.size() < 2) {
    throw Error(fmt::format(
        "the saved position in directory '{}' is damaged; start with --discard-state to read all of it", spec_.path));
  }
  bound_ = files.front();
  remembered_.insert(files.begin() + 1, files.end() - 1);
  current_ = files.back();
  resume_offset_ = resume.offset;
  resumed_ = true;
}

}  // namespace weir::source
