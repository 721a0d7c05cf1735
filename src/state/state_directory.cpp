#include "state/state_directory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/error.hpp"

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

std::string read_bytes(FileSystem& files, const FileDescriptor& file, std::uint64_t most, const std::string& path) {
  std::string bytes(static_cast<std::size_t>(most), '\0');
  bytes.resize(files.read(file, 0, bytes.data(), bytes.size(), path));
  return bytes;
}

std::string read_head_bytes(FileSystem& files, const FileDescriptor& file, std::uint64_t file_bytes,
                            const std::string& path) {
  const std::string frame = read_bytes(files, file, std::min<std::uint64_t>(file_bytes, kFrameBytes), path);
  const std::uint64_t bytes = head_bytes_in_frame(frame, file_bytes);
  return bytes == 0 ? frame : read_bytes(files, file, bytes, path);  // 0: no checkpoint file, as the frame will tell
}

}  // namespace

std::string checkpoint_name(std::uint64_t number) {
  return fmt::format("{}{:020}{}", kPrefix, number, kSuffix);
}

std::vector<std::uint64_t> checkpoint_numbers(FileSystem& files, const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : files.names_in(directory)) {
    if (const auto number = number_of(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::string> unfinished_checkpoints(FileSystem& files, const std::string& directory) {
  std::vector<std::string> names = files.names_in(directory);
  std::erase_if(names,
                [](const std::string& name) { return !name.starts_with(kPrefix) || !name.ends_with(kUnfinished); });
  return names;
}

FileDescriptor lock_directory(FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/LOCK";
  const auto link = [&] {
    return Error(
        fmt::format("'{}' is a link or no file: remove it, and let nobody else write to '{}'", path, directory));
  };
  FileDescriptor lock;
  try {
    // Whoever may put a link there must not choose which file is emptied.
    lock = files.open(path, O_RDWR | O_CREAT | O_NOFOLLOW);
  } catch (const FileError& error) {
    if (error.error_number() == ELOOP) throw link();
    throw;
  }
  if (const FileStatus status = files.status(lock, path); !status.regular || status.links != 1) throw link();
  if (!files.lock(lock, path)) {
    std::string owner = read_bytes(files, lock, files.status(lock, path).bytes, path);
    owner.erase(std::find(owner.begin(), owner.end(), '\n'), owner.end());
    throw Error(fmt::format("state directory '{}' is in use by process {}", directory, owner.empty() ? "?" : owner));
  }
  files.truncate(lock, 0, path);
  files.write(lock, fmt::format("{}\n", ::getpid()), path);
  return lock;
}

std::string exposed_directory(const std::string& directory) {
  struct ::stat status {};
  if (::stat(directory.c_str(), &status) != 0 || (status.st_mode & S_IWOTH) == 0) return {};
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if ((status.st_mode & S_ISVTX) != 0 && ours) return {};
  return fmt::format("every user of this machine can change the state in '{}' (chmod o-w)", directory);
}

const FileDescriptor& ChunkReader::file_of(const ChunkPlace& place) {
  if (open_.size() > kMostOpen) open_.clear();
  auto file = open_.find(place.file);
  if (file == open_.end()) {
    file = open_.emplace(place.file, files_.open(directory_ + "/" + checkpoint_name(place.file), O_RDONLY | O_NOFOLLOW))
               .first;
  }
  return file->second;
}

void ChunkReader::check_size(const ChunkPlace& place) {
  const std::string name = checkpoint_name(place.file);
  const std::uint64_t size = files_.status(file_of(place), name).bytes;
  if (place.offset > size || place.bytes > size - place.offset) throw Error(name + ": cut short");
}

void ChunkReader::read(const ChunkPlace& place, char* to) {
  const std::string name = checkpoint_name(place.file);
  const auto bytes = static_cast<std::size_t>(place.bytes);
  if (files_.read(file_of(place), place.offset, to, bytes, name) != bytes) throw Error(name + ": cut short");
  if (chunk_checksum({to, bytes}) != place.checksum) throw Error(name + ": checksum differs");
}

void ChunkReader::read(const ChunkPlace& place, std::string& out) {
  check_size(place);
  const std::size_t begin = out.size();
  out.resize(begin + static_cast<std::size_t>(place.bytes));
  read(place, out.data() + begin);
}

void ChunkReader::forget_cached(const ChunkPlace& first, const ChunkPlace& last) {
  // Of a page that is not wholly in the range nothing is forgotten, and nothing of one that is not written yet.
  constexpr std::uint64_t kLargestPage = std::uint64_t{64} << 10U;
  const std::uint64_t begin = first.offset / kLargestPage * kLargestPage;
  const std::uint64_t end = (last.offset + last.bytes + kLargestPage - 1) / kLargestPage * kLargestPage;
  static_cast<void>(::posix_fadvise(file_of(first).get(), static_cast<::off_t>(begin),
                                    static_cast<::off_t>(end - begin), POSIX_FADV_DONTNEED));
}

void ChunkReader::verify(const ChunkPlace& place) {
  const std::string name = checkpoint_name(place.file);
  const FileDescriptor& file = file_of(place);
  constexpr std::uint64_t kAtOnce = std::uint64_t{256} << 10U;
  std::string bytes(static_cast<std::size_t>(std::min(place.bytes, kAtOnce)), '\0');
  ChunkChecksum checksum;
  for (std::uint64_t at = 0; at < place.bytes; at += kAtOnce) {
    const auto size = static_cast<std::size_t>(std::min(place.bytes - at, kAtOnce));
    if (files_.read(file, place.offset + at, bytes.data(), size, name) != size) throw Error(name + ": cut short");
    checksum.add({bytes.data(), size});
  }
  if (checksum.value() != place.checksum) throw Error(name + ": checksum differs");
}

ParsedHead read_head(const std::string& path, FileSystem& files, std::uint64_t& file_bytes) {
  const FileDescriptor file = files.open(path, O_RDONLY | O_NOFOLLOW);
  file_bytes = files.status(file, path).bytes;
  return parse_head(read_head_bytes(files, file, file_bytes, path), file_bytes);
}

namespace {

/// The bytes of all sections, in memory of one piece. @return what is damaged, or nothing
std::string read_sections(const CheckpointTable& table, ChunkReader& reader, CheckpointFile& result) {
  std::uint64_t total = 0;
  for (const SectionTable& section : table.sections) {
    for (const ChunkPlace& place : section.chunks) {
      ++result.chunks;
      if (place.file != table.number) {
        ++result.referenced_chunks;
        result.referenced_bytes += place.bytes;
        result.references.insert(place.file);
      }
      try {
        reader.check_size(place);
      } catch (const Error& error) {
        return fmt::format("section '{}': {}", section.name, error.what());
      }
      total += place.bytes;
    }
  }
  Checkpoint& checkpoint = result.checkpoint;
  checkpoint.memory = LargeArray<char>(static_cast<std::size_t>(total));
  char* to = checkpoint.memory.data();
  for (const SectionTable& section : table.sections) {
    const char* const begin = to;
    for (const ChunkPlace& place : section.chunks) {
      try {
        reader.read(place, to);
      } catch (const FileError& error) {
        return fmt::format("section '{}': {}", section.name, error.what());
      } catch (const Error& error) {
        return place.file == table.number ? fmt::format("section '{}': checksum differs", section.name)
                                          : fmt::format("section '{}': {}", section.name, error.what());
      }
      to += place.bytes;
    }
    checkpoint.sections.push_back({section.name, {begin, static_cast<std::size_t>(to - begin)}});
  }
  return {};
}

}  // namespace

CheckpointFile read_checkpoint(const std::string& directory, std::uint64_t number, FileSystem& files) {
  CheckpointFile result;
  result.path = directory + "/" + checkpoint_name(number);
  ParsedHead head;
  std::string end;
  try {
    const FileDescriptor file = files.open(result.path, O_RDONLY | O_NOFOLLOW);
    result.bytes = files.status(file, result.path).bytes;
    head = parse_head(read_head_bytes(files, file, result.bytes, result.path), result.bytes);
    end.resize(static_cast<std::size_t>(std::min<std::uint64_t>(result.bytes, kCheckpointEnd.size())));
    end.resize(files.read(file, result.bytes - end.size(), end.data(), end.size(), result.path));
  } catch (const Error& error) {
    result.damage = error.what();
    return result;
  }
  if (head.damage.empty() && head.version > kCheckpointVersion) {
    result.newer_version = head.version;
    result.damage = fmt::format("written by a newer version of Weir: format {}, this program reads {}", head.version,
                                kCheckpointVersion);
    return result;
  }
  result.damage = head.damage;
  if (result.damage.empty() && head.table.number != number) {
    result.damage = fmt::format("it holds checkpoint {}", head.table.number);
  }
  if (result.damage.empty()) {
    ChunkReader reader(directory, files);
    result.damage = read_sections(head.table, reader, result);
  }
  if (result.damage.empty() && end != kCheckpointEnd) result.damage = "end mark differs";
  if (!result.damage.empty()) {
    result.checkpoint = {};
    return result;
  }
  result.checkpoint.number = number;
  result.checkpoint.written_ns = head.table.written_ns;
  result.checkpoint.needs = std::move(head.table.needs);
  return result;
}

}  // namespace weir::state
