// State that changes at random and is saved again and again, beside what every checkpoint must hold: the oracle of the
// store's tests. And the file system calls of a store, counted, with one that fails.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/file_system.hpp"
#include "state/checkpoint_store.hpp"

namespace weir::test {

class ChangingState {
 public:
  explicit ChangingState(std::uint64_t seed) : random_(seed) {}

  /// @brief Some chunks change, come or go.
  void change() {
    for (auto& chunks : sections_) {
      for (auto& [id, chunk] : chunks) {
        if (random_() % 4 == 0) chunk = {chunk.version + 1, text()};
      }
      if (random_() % 2 == 0) chunks.erase(first_ + random_() % 8);
      if (random_() % 3 != 0) chunks[next_++] = {0, text()};
    }
    if (next_ > first_ + 24) first_ += 8;
  }
  /// @brief Puts the state into the draft; returns what a full save of it would hold.
  std::map<std::string, std::string> save(state::CheckpointDraft& draft) {
    std::map<std::string, std::string> whole;
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      const std::string name = "section " + std::to_string(s);
      state::SectionWriter& section = draft.section(name);
      const auto put = [&](const std::string& bytes, bool write) {
        whole[name] += bytes;
        if (write) section.out().raw(bytes.data(), bytes.size());
      };
      put(text(), true);
      for (const auto& [id, chunk] : sections_[s]) put(chunk.bytes, section.begin_chunk(id, chunk.version));
      section.end_chunk();
      put(random_() % 2 == 0 ? std::string() : text(), true);
    }
    draft.section("nothing");
    whole["nothing"];
    return whole;
  }
  std::mt19937_64& random() { return random_; }

 private:
  struct Chunk {
    std::uint64_t version = 0;
    std::string bytes;
  };
  std::string text() {
    return std::string(random_() % 40, static_cast<char>('a' + random_() % 26)) + std::to_string(random_());
  }
  std::mt19937_64 random_;
  std::vector<std::map<std::uint64_t, Chunk>> sections_{3};
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
};

inline std::map<std::string, std::string> sections_of(const state::Checkpoint& checkpoint) {
  std::map<std::string, std::string> sections;
  for (const state::Section& section : checkpoint.sections) sections[section.name] = std::string(section.bytes);
  return sections;
}

/// Counts what a store asks of the system; the call number `fail_at` fails, and the ones after it as long as `lasting`.
class CountedFileSystem : public FileSystem {
 public:
  std::uint64_t calls = 0;
  std::uint64_t fail_at = 0;  ///< 0: none
  int error_number = EIO;
  bool lasting = false;
  std::uint64_t written = 0;  ///< bytes

  FileDescriptor open(const std::string& path, int flags, ::mode_t mode) override {
    step("open", path);
    return FileSystem::open(path, flags, mode);
  }
  void write(const FileDescriptor& file, std::string_view bytes, const std::string& path) override {
    if (fails()) {
      FileSystem::write(file, bytes.substr(0, bytes.size() / 2), path);  // a torn write
      throw FileError("write", path, error_number);
    }
    written += bytes.size();
    FileSystem::write(file, bytes, path);
  }
  void sync(const FileDescriptor& file, const std::string& path) override {
    step("sync", path);
    FileSystem::sync(file, path);
  }
  void rename(const std::string& from, const std::string& to) override {
    step("rename", from);
    FileSystem::rename(from, to);
  }
  void remove(const std::string& path) override {
    step("remove", path);
    FileSystem::remove(path);
  }
  void sync_directory(const std::string& directory) override {
    step("sync directory", directory);
    FileSystem::sync_directory(directory);
  }

 private:
  bool fails() {
    ++calls;
    return fail_at != 0 && (calls == fail_at || (lasting && calls > fail_at));
  }
  void step(std::string_view action, const std::string& path) {
    if (fails()) throw FileError(action, path, error_number);
  }
};

}  // namespace weir::test
