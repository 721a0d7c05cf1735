// Checkpoints in the state directory, written in the background and in proportion to what changed.
//
//   engine's thread   draft() → sections of what changed → start_write()          … poll(): done, or why not
//   store's thread    sync the files the draft names → make the deferred chunks → write under a temporary name, sync,
//                     rename, sync the directory → remove what is neither kept nor referenced
//
// A checkpoint refers to chunks in older files; those stay as long as a kept checkpoint refers to them. Where they hold
// mostly what nobody needs any more, the chunks are copied into the new file. An error leaves every earlier checkpoint
// as it was, and the next attempt begins from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.hpp"
#include "core/large_array.hpp"
#include "state/checkpoint_draft.hpp"
#include "state/checkpoint_format.hpp"

namespace weir::state {

/// A checkpoint is a list of named sections; what is in them is up to the rooms that write them.
struct Section {
  std::string name;        ///< "stream/plugs", "query/plug_load", "sink/rows"
  std::string_view bytes;  ///< in the checkpoint's memory
};

struct Checkpoint {
  std::uint64_t number = 0;     ///< ascending
  std::int64_t written_ns = 0;  ///< wall clock
  Needs needs;
  std::vector<Section> sections;
  LargeArray<char> memory;  ///< what the sections show
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
};

/// How a write ended.
struct WriteResult {
  std::uint64_t number = 0;  ///< of the checkpoint; 0: none was written
  std::string error;         ///< one line; empty: all went well. With a number: files could not be removed
  /// A file that the draft named could not be synced. What was written to it may be lost although a later sync
  /// succeeds: whoever wrote it must go back to the last checkpoint.
  bool rows_at_risk = false;
  std::uint64_t new_bytes = 0;         ///< of chunks written for the first time
  std::uint64_t copied_bytes = 0;      ///< of chunks moved out of old files
  std::uint64_t referenced_bytes = 0;  ///< of chunks that stayed where they were
};

/// What stays in the directory.
struct Retention {
  unsigned keep = 3;                                    ///< checkpoints, the newest ones
  std::uint64_t slack_bytes = std::uint64_t{1} << 20U;  ///< unused bytes that are never worth a copy
  std::size_t most_files = 64;                          ///< files that one checkpoint refers to
  /// Bytes of older chunks that are read again with each checkpoint, on average: a gigabyte of state in three hours at
  /// a checkpoint every ten seconds.
  std::uint64_t scrubbed_bytes = std::uint64_t{1} << 20U;
};

/// One process owns a state directory: a lock file is held (flock) as long as the store lives. One thread at a time,
/// the engine's.
class CheckpointStore {
 public:
  /// @brief Opens or creates `directory` (mode 0700). `files` outlives the store. @throws Error when it cannot be used,
  /// or is owned by another running process, which the message names by pid.
  explicit CheckpointStore(std::string directory, Retention retention = {}, FileSystem& files = real_file_system());
  ~CheckpointStore();  ///< finishes a write that runs
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;

  /// @brief An empty draft of the next checkpoint; waits for a write that runs. It knows what is stored already, so
  /// nothing may be written or loaded between draft() and the write of it.
  CheckpointDraft draft();
  /// @brief Writes it durably in the background. @throws std::logic_error when a write runs.
  void start_write(CheckpointDraft draft);
  /// @brief start_write(), wait() and poll(). @throws Error when no checkpoint was written.
  WriteResult write(CheckpointDraft draft);

  /// @brief Whether a write runs.
  [[nodiscard]] bool busy() const;
  void wait();
  /// @brief How the last write ended, once; nothing while one runs, or when it was told before.
  std::optional<WriteResult> poll();

  /// @brief For each name the smallest number that a kept checkpoint needs, also those found at the start.
  [[nodiscard]] Needs needed() const;

  /// @brief The newest good checkpoint; nothing when the directory holds none. Damaged newer ones are skipped and
  /// described in `warnings`. The next checkpoint is written whole. @throws Error naming the files when there are
  /// checkpoints but all are damaged.
  std::optional<Checkpoint> load(std::vector<std::string>& warnings);

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
  bool only_chunks = false;         ///< it stays only because newer checkpoints refer to its chunks
  std::uint64_t chunks = 0;         ///< in all sections
  std::uint64_t referenced_chunks = 0, referenced_bytes = 0;  ///< of them, those in older files
  std::set<std::uint64_t> references;                         ///< these files
  Checkpoint checkpoint;
};
/// @brief Every checkpoint in the directory, oldest first, without taking the lock. @throws Error if it is no
/// directory.
std::vector<CheckpointFile> list_checkpoints(const std::string& directory);

}  // namespace weir::state
