// Reads what is stored again, a little with each checkpoint. A chunk may be kept for months, in one file for all
// checkpoints that are kept; if it rots, that has to be noticed while memory still has what it held.
//
// Used by the store's thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/file_system.hpp"
#include "state/checkpoint_format.hpp"

namespace weir::state {

class Scrubber {
 public:
  /// @param bytes of chunks for each call of next(), on average
  Scrubber(std::string directory, std::uint64_t bytes, FileSystem& files)
      : directory_(std::move(directory)), bytes_(bytes), files_(files) {}
  /// @brief Reads the next ones of these chunks, which may be others than the last time, in the order of files.
  /// @throws Error naming the file when a chunk cannot be read or its checksum differs
  void next(std::vector<ChunkPlace> chunks);

 private:
  const std::string directory_;
  const std::uint64_t bytes_;
  FileSystem& files_;
  std::uint64_t left_ = 0;  ///< bytes that may be read; a chunk that is larger waits until they suffice
  std::uint64_t file_ = 0;  ///< where the last one ended
  std::uint64_t offset_ = 0;
};

}  // namespace weir::state
