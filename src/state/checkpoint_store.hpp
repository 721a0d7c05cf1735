// Checkpoint files in the state directory: written whole to a new file, synced, renamed, the directory synced.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::state {

/// A checkpoint is a list of named sections; what is in them is up to the rooms that write them.
struct Section {
  std::string name;  ///< "stream/plugs", "query/plug_load", "sink/rows", "source/plugs/0"
  std::string bytes;
};

struct Checkpoint {
  std::uint64_t number = 0;     ///< ascending
  std::int64_t written_ns = 0;  ///< wall clock
  std::vector<Section> sections;
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

/// One process owns a state directory: a lock file is held (flock) as long as the store lives.
class CheckpointStore {
 public:
  /// @brief Opens or creates `directory` (mode 0700). @throws Error when it cannot be used, or is owned by another
  /// running process, which the message names by pid.
  explicit CheckpointStore(std::string directory, unsigned keep = 3);
  ~CheckpointStore();
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;

  /// @brief Writes the next checkpoint durably and removes the ones that are no longer kept. @throws Error; then the
  /// previous checkpoints are as they were.
  void write(const std::vector<Section>& sections);

  /// @brief The newest good checkpoint; nothing when the directory holds none. Damaged newer ones are skipped and
  /// described in `warnings`. @throws Error naming the files when there are checkpoints but all are damaged.
  std::optional<Checkpoint> load(std::vector<std::string>& warnings) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One checkpoint file as `weir inspect` shows it.
struct CheckpointFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string damage;               ///< empty: good
  std::uint32_t newer_version = 0;  ///< not 0: a format that this program does not read yet; `damage` says so
  Checkpoint checkpoint;
};
/// @brief Every checkpoint in the directory, oldest first, without taking the lock. @throws Error if it is no
/// directory.
std::vector<CheckpointFile> list_checkpoints(const std::string& directory);

}  // namespace weir::state
