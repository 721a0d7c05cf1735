#include "state/checkpoint_store.hpp"

#include <dirent.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "core/posix_file.hpp"
#include "core/time_text.hpp"
#include "state/checkpoint_format.hpp"

namespace weir::state {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".weir";
constexpr std::string_view kUnfinished = ".tmp";
constexpr std::size_t kDigits = 20;  // of 2^64: names sort as numbers

std::string file_name(std::uint64_t number) {
  return fmt::format("{}{:020}{}", kPrefix, number, kSuffix);
}

std::optional<std::uint64_t> number_of(std::string_view name) {
  if (name.size() != kPrefix.size() + kDigits + kSuffix.size()) return std::nullopt;
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size(), kDigits);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::vector<std::string> names_in(const std::string& directory) {
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::opendir(directory.c_str()), close);
  if (!stream) throw system_error("read directory", directory);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const ::dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) throw system_error("read directory", directory);
  return names;
}

// Ascending.
std::vector<std::uint64_t> numbers_in(const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names_in(directory)) {
    if (const auto number = number_of(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string read_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw system_error("open", path);
  struct ::stat status {};
  if (::fstat(file.get(), &status) != 0) throw system_error("look at", path);
  std::string bytes(static_cast<std::size_t>(std::max<::off_t>(status.st_size, 0)), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ::ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

CheckpointFile read_checkpoint(const std::string& directory, std::uint64_t number) {
  CheckpointFile file;
  file.path = directory + "/" + file_name(number);
  std::string bytes;
  try {
    bytes = read_file(file.path);
  } catch (const Error& error) {
    file.damage = error.what();
    return file;
  }
  file.bytes = bytes.size();
  const ParsedCheckpoint parsed = parse_checkpoint(bytes);
  if (parsed.version > kCheckpointVersion) {
    file.newer_version = parsed.version;
    file.damage = fmt::format("written by a newer version of Weir: format {}, this program reads {}", parsed.version,
                              kCheckpointVersion);
    return file;
  }
  file.damage = parsed.damage;
  if (file.damage.empty() && parsed.number != number) {
    file.damage = fmt::format("it holds checkpoint {}", parsed.number);
  }
  if (!file.damage.empty()) return file;
  file.checkpoint.number = parsed.number;
  file.checkpoint.written_ns = parsed.written_ns;
  for (const auto& [name, section] : parsed.sections) {
    file.checkpoint.sections.push_back({std::string(name), std::string(section)});
  }
  return file;
}

FileDescriptor lock_directory(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) throw system_error("open", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw system_error("lock", path);
    std::string owner = read_file(path);
    owner.erase(std::find(owner.begin(), owner.end(), '\n'), owner.end());
    throw Error(fmt::format("state directory '{}' is in use by process {}", directory, owner.empty() ? "?" : owner));
  }
  if (::ftruncate(lock.get(), 0) != 0) throw system_error("write", path);
  if (const int error = write_all(lock.get(), fmt::format("{}\n", ::getpid())); error != 0) {
    throw system_error("write", path, error);
  }
  return lock;
}

}  // namespace

const std::string* Checkpoint::find(std::string_view name) const {
  for (const Section& section : sections) {
    if (section.name == name) return &section.bytes;
  }
  return nullptr;
}

struct CheckpointStore::Impl {
  std::string directory;
  std::size_t keep;
  FileDescriptor lock;
  std::uint64_t last_number = 0;

  void write_unfinished(const std::string& path, std::uint64_t number, const std::vector<Section>& sections) const;
  void remove_old() const;
};

CheckpointStore::CheckpointStore(std::string directory, unsigned keep)
    : impl_(std::make_unique<Impl>(Impl{std::move(directory), std::max(keep, 1U), {}, 0})) {
  make_directories(impl_->directory, 0700);
  impl_->lock = lock_directory(impl_->directory);
  for (const std::string& name : names_in(impl_->directory)) {
    if (!name.starts_with(kPrefix)) continue;
    if (name.ends_with(kUnfinished)) {
      const std::string path = impl_->directory + "/" + name;
      if (::unlink(path.c_str()) != 0) throw system_error("remove", path);
    } else if (const auto number = number_of(name)) {
      impl_->last_number = std::max(impl_->last_number, *number);
    }
  }
}

CheckpointStore::~CheckpointStore() = default;

void CheckpointStore::Impl::write_unfinished(const std::string& path, std::uint64_t number,
                                             const std::vector<Section>& sections) const {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) throw system_error("create", path);
  int error = write_all(file.get(), encode_checkpoint_head(number, wall_clock_ns(), sections));
  for (const Section& section : sections) {
    if (error == 0) error = write_all(file.get(), section.bytes);
  }
  if (error == 0) error = write_all(file.get(), kCheckpointEnd);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(path.c_str());
  throw system_error("write", path, error);
}

void CheckpointStore::Impl::remove_old() const {
  std::vector<std::uint64_t> numbers = numbers_in(directory);
  if (numbers.size() <= keep) return;
  numbers.resize(numbers.size() - keep);
  for (const std::uint64_t number : numbers) {
    const std::string path = directory + "/" + file_name(number);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw system_error("remove", path);
  }
}

void CheckpointStore::write(const std::vector<Section>& sections) {
  const std::uint64_t number = impl_->last_number + 1;
  const std::string path = impl_->directory + "/" + file_name(number);
  const std::string unfinished = path + std::string(kUnfinished);
  impl_->write_unfinished(unfinished, number, sections);
  if (::rename(unfinished.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(unfinished.c_str());
    throw system_error("rename", unfinished, error);
  }
  impl_->last_number = number;
  sync_directory(impl_->directory);
  impl_->remove_old();
}

std::optional<Checkpoint> CheckpointStore::load(std::vector<std::string>& warnings) const {
  const std::vector<std::uint64_t> numbers = numbers_in(impl_->directory);
  std::vector<std::string> damaged;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    CheckpointFile file = read_checkpoint(impl_->directory, *number);
    // An older file would be a step back in time that nobody asked for.
    if (file.newer_version != 0) throw Error(fmt::format("cannot use '{}': {}", file.path, file.damage));
    if (file.damage.empty()) {
      for (const std::string& text : damaged) warnings.push_back(fmt::format("{}; using {}", text, file_name(*number)));
      return std::move(file.checkpoint);
    }
    damaged.push_back(fmt::format("{} is damaged ({})", file_name(*number), file.damage));
  }
  if (damaged.empty()) return std::nullopt;
  std::string list;
  for (const std::string& text : damaged) list.append(list.empty() ? "" : ", ").append(text);
  throw Error(
      fmt::format("no checkpoint in '{}' can be used: {} (restore one from a copy, or start afresh with an empty "
                  "state directory)",
                  impl_->directory, list));
}

std::vector<CheckpointFile> list_checkpoints(const std::string& directory) {
  std::vector<CheckpointFile> files;
  for (const std::uint64_t number : numbers_in(directory)) files.push_back(read_checkpoint(directory, number));
  return files;
}

}  // namespace weir::state
