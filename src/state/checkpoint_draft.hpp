// What goes into the next checkpoint, collected in memory on the engine's thread and then handed to the store.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/file_to_sync.hpp"
#include "state/section_writer.hpp"

namespace weir::state {

/// What the newest checkpoint holds, by section.
using StoredSections = std::map<std::string, StoredChunks, std::less<>>;
/// Memory of earlier drafts, by section: what a section needs, it needs again.
using SectionBuffers = std::map<std::string, Writer, std::less<>>;

class CheckpointDraft {
 public:
  struct Section {
    std::string name;
    SectionWriter writer;
  };

  /// CheckpointStore::draft() makes them.
  CheckpointDraft(std::shared_ptr<const StoredSections> stored, SectionBuffers buffers)
      : stored_(std::move(stored)), buffers_(std::move(buffers)) {}

  /// @brief Begins the next section; valid as long as the draft. Names are unique in a checkpoint.
  SectionWriter& section(std::string name);
  /// @brief The checkpoint is of use only while `name` keeps what it has from `number` on.
  void need(std::string name, std::uint64_t number) { needs_.emplace_back(std::move(name), number); }
  /// @brief These are on the disk before the checkpoint is.
  void sync(std::vector<FileToSync> files);

  // For the store.
  [[nodiscard]] std::deque<Section>& sections() noexcept { return sections_; }
  [[nodiscard]] const Needs& needs() const noexcept { return needs_; }
  [[nodiscard]] std::vector<FileToSync> take_files() noexcept { return std::move(files_); }
  /// @brief The buffers of all sections; the draft is of no use then.
  [[nodiscard]] SectionBuffers take_buffers();

 private:
  std::shared_ptr<const StoredSections> stored_;
  SectionBuffers buffers_;
  std::deque<Section> sections_;
  Needs needs_;
  std::vector<FileToSync> files_;
};

}  // namespace weir::state
