// The checkpoint files of one directory: writes drafts, knows what refers to what, removes what is no longer needed.
//
// write() runs on the store's thread, everything else on the engine's; they share what stands under the mutex.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/file_system.hpp"
#include "core/file_to_sync.hpp"
#include "state/checkpoint_draft.hpp"
#include "state/checkpoint_store.hpp"
#include "state/scrubber.hpp"

namespace weir::state {

class CheckpointFiles {
 public:
  /// @brief Looks at what is there and removes what was never finished. @throws Error
  CheckpointFiles(std::string directory, Retention retention, FileSystem& files);

  /// @brief Writes the next checkpoint. Throws nothing but std::bad_alloc: an error is part of the result.
  WriteResult write(CheckpointDraft& draft);

  /// @brief The numbers that load() may use, ascending: the newest ones.
  [[nodiscard]] std::vector<std::uint64_t> kept() const;
  [[nodiscard]] Needs needed() const;
  /// @brief What the newest checkpoint of this process holds; nullptr: the next one is to be written whole.
  [[nodiscard]] std::shared_ptr<const StoredSections> stored() const;
  void forget_stored();
  /// @brief Looks again at what is there; while no write() runs. @throws Error
  void look();

 private:
  /// What is known of a file.
  struct File {
    std::uint64_t bytes = 0;
    std::optional<std::set<std::uint64_t>> references;  ///< nothing: not known, so it may be any older file
    Needs needs;
  };
  struct Plan;

  [[nodiscard]] std::vector<std::uint64_t> kept_locked() const;
  [[nodiscard]] std::string path_of(std::uint64_t number) const;
  void sync_first(CheckpointDraft& draft, WriteResult& result);
  [[nodiscard]] Plan plan(CheckpointDraft& draft);
  void choose_copies(Plan& plan) const;
  void scrub(const Plan& plan);
  void write_file(const Plan& plan, const std::string& path);
  void publish(const Plan& plan);
  void commit(CheckpointDraft& draft, Plan& plan);
  void remove_unneeded();

  const std::string directory_;
  const Retention retention_;
  FileSystem& files_;
  Scrubber scrubber_;
  std::vector<FileToSync> unsynced_;  ///< of this draft, and of earlier ones that could not be synced

  mutable std::mutex mutex_;
  std::map<std::uint64_t, File> known_;
  std::shared_ptr<const StoredSections> stored_;
  std::uint64_t last_number_ = 0;
};

}  // namespace weir::state
