#include "state/state_directory.hpp"

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

namespace weir::state {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".weir";
constexpr std::size_t kDigits = 20;  // of 2^64: names sort as numbers
constexpr std::size_t kMostOpen = 128;

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

std::uint64_t size_of(const FileDescriptor& file, const std::string& path) {
  struct ::stat status {};
  if (::fstat(file.get(), &status) != 0) throw system_error("look at", path);
  return static_cast<std::uint64_t>(std::max<::off_t>(status.st_size, 0));
}

// As many of the bytes at `offset` as there are.
std::size_t read_at(const FileDescriptor& file, std::uint64_t offset, char* to, std::size_t bytes,
                    const std::string& path) {
  std::size_t have = 0;
  while (have < bytes) {
    const ::ssize_t got = ::pread(file.get(), to + have, bytes - have, static_cast<::off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

std::string read_bytes(const FileDescriptor& file, std::uint64_t most, const std::string& path) {
  std::string bytes(static_cast<std::size_t>(most), '\0');
  bytes.resize(read_at(file, 0, bytes.data(), bytes.size(), path));
  return bytes;
}

}  // namespace

std::string checkpoint_name(std::uint64_t number) {
  return fmt::format("{}{:020}{}", kPrefix, number, kSuffix);
}

std::vector<std::uint64_t> checkpoint_numbers(const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names_in(directory)) {
    if (const auto number = number_of(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::string> unfinished_checkpoints(const std::string& directory) {
  std::vector<std::string> names = names_in(directory);
  std::erase_if(names,
                [](const std::string& name) { return !name.starts_with(kPrefix) || !name.ends_with(kUnfinished); });
  return names;
}

FileDescriptor lock_directory(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) throw system_error("open", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw system_error("lock", path);
    std::string owner = read_bytes(lock, size_of(lock, path), path);
    owner.erase(std::find(owner.begin(), owner.end(), '\n'), owner.end());
    throw Error(fmt::format("state directory '{}' is in use by process {}", directory, owner.empty() ? "?" : owner));
  }
  if (::ftruncate(lock.get(), 0) != 0) throw system_error("write", path);
  if (const int error = write_all(lock.get(), fmt::format("{}\n", ::getpid())); error != 0) {
    throw system_error("write", path, error);
  }
  return lock;
}

void ChunkReader::read(const ChunkPlace& place, std::string& out) {
  const std::string name = checkpoint_name(place.file);
  const std::string path = directory_ + "/" + name;
  if (open_.size() > kMostOpen) open_.clear();
  auto file = open_.find(place.file);
  if (file == open_.end()) file = open_.emplace(place.file, files_.open(path, O_RDONLY)).first;
  const std::uint64_t size = size_of(file->second, path);
  // Before anything is allocated.
  if (place.offset > size || place.bytes > size - place.offset) throw Error(name + ": cut short");
  const std::size_t begin = out.size();
  out.resize(begin + static_cast<std::size_t>(place.bytes));
  const std::size_t got = read_at(file->second, place.offset, out.data() + begin, out.size() - begin, path);
  if (got != place.bytes) throw Error(name + ": cut short");
  if (chunk_checksum(std::string_view(out).substr(begin)) != place.checksum) throw Error(name + ": checksum differs");
}

ParsedHead read_head(const std::string& path, FileSystem& files, std::uint64_t& file_bytes) {
  const FileDescriptor file = files.open(path, O_RDONLY);
  file_bytes = size_of(file, path);
  const std::string frame = read_bytes(file, std::min<std::uint64_t>(file_bytes, kFrameBytes), path);
  return parse_head(read_bytes(file, head_bytes_in_frame(frame, file_bytes), path), file_bytes);
}

CheckpointFile read_checkpoint(const std::string& directory, std::uint64_t number, FileSystem& files) {
  CheckpointFile result;
  result.path = directory + "/" + checkpoint_name(number);
  std::string bytes;
  try {
    const FileDescriptor file = files.open(result.path, O_RDONLY);
    bytes = read_bytes(file, size_of(file, result.path), result.path);
  } catch (const Error& error) {
    result.damage = error.what();
    return result;
  }
  result.bytes = bytes.size();
  ParsedHead head = parse_checkpoint(bytes);
  if (head.version > kCheckpointVersion) {
    result.newer_version = head.version;
    result.damage = fmt::format("written by a newer version of Weir: format {}, this program reads {}", head.version,
                                kCheckpointVersion);
    return result;
  }
  result.damage = head.damage;
  if (result.damage.empty() && head.table.number != number) {
    result.damage = fmt::format("it holds checkpoint {}", head.table.number);
  }
  if (!result.damage.empty()) return result;

  ChunkReader reader(directory, files);
  for (const SectionTable& table : head.table.sections) {
    Section section{table.name, {}};
    for (const ChunkPlace& place : table.chunks) {
      ++result.chunks;
      if (place.file == number) {
        section.bytes.append(bytes, static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.bytes));
        continue;
      }
      ++result.referenced_chunks;
      result.referenced_bytes += place.bytes;
      result.references.insert(place.file);
      try {
        reader.read(place, section.bytes);
      } catch (const Error& error) {
        result.damage = fmt::format("section '{}': {}", table.name, error.what());
        result.checkpoint.sections.clear();
        return result;
      }
    }
    result.checkpoint.sections.push_back(std::move(section));
  }
  result.checkpoint.number = number;
  result.checkpoint.written_ns = head.table.written_ns;
  result.checkpoint.needs = std::move(head.table.needs);
  return result;
}

}  // namespace weir::state
