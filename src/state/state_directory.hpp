// The files in a state directory: their names, the lock, and reading checkpoints back. Throws nothing on damage but
// says what is damaged. Thread-safe: nothing is kept between calls but open descriptors in a ChunkReader.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.hpp"
#include "state/checkpoint_format.hpp"
#include "state/checkpoint_store.hpp"

namespace weir::state {

/// What a file is called until it is whole.
inline constexpr std::string_view kUnfinished = ".tmp";

/// @brief "checkpoint-00000000000000000007.weir"
std::string checkpoint_name(std::uint64_t number);
/// @brief The numbers of the checkpoint files in the directory, ascending. @throws Error
std::vector<std::uint64_t> checkpoint_numbers(FileSystem& files, const std::string& directory);
/// @brief The names of checkpoint files that were never finished. @throws Error
std::vector<std::string> unfinished_checkpoints(FileSystem& files, const std::string& directory);

/// @brief Takes the lock of the directory and writes this process's number into it. @throws Error naming the process
/// that has it, or when the lock is a link to another file.
FileDescriptor lock_directory(FileSystem& files, const std::string& directory);
/// @brief A sentence when others can remove or replace what is in the directory, or nothing.
std::string exposed_directory(const std::string& directory);

/// Reads chunks, which may lie in several files.
class ChunkReader {
 public:
  ChunkReader(std::string directory, FileSystem& files) : directory_(std::move(directory)), files_(files) {}
  /// @brief Appends the chunk to `out`. @throws Error naming the file when it is missing or cut short, or when the
  /// checksum differs.
  void read(const ChunkPlace& place, std::string& out);
  /// @brief The same to `to`, which has room for place.bytes.
  void read(const ChunkPlace& place, char* to);
  /// @brief Whether read() would succeed, without the memory for it. @throws Error as read()
  void verify(const ChunkPlace& place);
  /// @brief Has the system forget, as far as it listens, what it remembers of the file between the two, so that the
  /// next read comes from the disk. @throws Error when there is no such file
  void forget_cached(const ChunkPlace& first, const ChunkPlace& last);
  /// @brief Whether the file is as long as the chunk says: to be known before memory is asked for. @throws Error
  void check_size(const ChunkPlace& place);

 private:
  const FileDescriptor& file_of(const ChunkPlace& place);
  std::string directory_;
  FileSystem& files_;
  std::map<std::uint64_t, FileDescriptor> open_;
};

/// @brief The head of a checkpoint file alone. @throws Error when it cannot be read. @param file_bytes gets its length
ParsedHead read_head(const std::string& path, FileSystem& files, std::uint64_t& file_bytes);

/// @brief A checkpoint with the bytes of all sections, every checksum verified.
CheckpointFile read_checkpoint(const std::string& directory, std::uint64_t number, FileSystem& files);

}  // namespace weir::state
