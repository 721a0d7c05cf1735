#include "state/checkpoint_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "state/state_directory.hpp"

namespace weir::state {
namespace {

// A chunk that an older file should hold is not there: then nothing that is stored can be relied on.
class StoredDamage : public Error {
 public:
  explicit StoredDamage(const std::string& what)
      : Error(what + ": an older chunk of the checkpoint is damaged (the next checkpoint is written whole)") {}
};

// Who is not let in, or has no descriptor left, learns nothing about what is stored: that is tried again, and nothing
// has to be written anew.
bool not_let_in(int error_number) noexcept {
  return error_number == EACCES || error_number == EPERM || error_number == EMFILE || error_number == ENFILE;
}

// Reads older chunks: what goes wrong is damage, but for that.
template <class Read>
void read_stored(Read read) {
  try {
    read();
  } catch (const FileError& error) {
    if (not_let_in(error.error_number())) throw;
    throw StoredDamage(error.what());
  } catch (const Error& error) {
    throw StoredDamage(error.what());
  }
}

constexpr ::mode_t kPrivate = 0600;

}  // namespace

/// A checkpoint on its way: the table, and where the bytes of this file's chunks come from.
struct CheckpointFiles::Plan {
  /// Bytes of this file, in its order: of the draft, or of an older file.
  struct Piece {
    std::string_view bytes;
    std::optional<ChunkPlace> from;
  };
  CheckpointTable table;
  std::vector<Piece> pieces;
  std::map<std::uint64_t, std::uint64_t> live;  ///< [older file] → bytes of it that the table refers to
  std::set<std::uint64_t> copied;               ///< older files whose chunks move into this one
  std::uint64_t new_bytes = 0;
  std::uint64_t copied_bytes = 0;
  std::uint64_t referenced_bytes = 0;
  std::uint64_t file_bytes = 0;
};

CheckpointFiles::CheckpointFiles(std::string directory, Retention retention, FileSystem& files)
    : directory_(std::move(directory)),
      retention_(retention),
      files_(files),
      scrubber_(directory_, retention.scrubbed_bytes, files) {
  look();
}

std::string CheckpointFiles::path_of(std::uint64_t number) const {
  return directory_ + "/" + checkpoint_name(number);
}

void CheckpointFiles::look() {
  const std::scoped_lock lock(mutex_);
  known_.clear();
  stored_.reset();
  for (const std::string& name : unfinished_checkpoints(files_, directory_)) files_.remove(directory_ + "/" + name);
  for (const std::uint64_t number : checkpoint_numbers(files_, directory_)) {
    File file;
    try {
      const ParsedHead head = read_head(path_of(number), files_, file.bytes);
      if (head.damage.empty() && head.version <= kCheckpointVersion && head.table.number == number) {
        file.needs = head.table.needs;
        file.references.emplace();
        for (const SectionTable& section : head.table.sections) {
          for (const ChunkPlace& place : section.chunks) file.references->insert(place.file);
        }
      }
    } catch (const Error&) {
      // load() says what is wrong with it; here it only means that nothing may be removed for its sake.
      file.references.reset();
    }
    known_.insert_or_assign(number, std::move(file));
    last_number_ = std::max(last_number_, number);
  }
}

std::vector<std::uint64_t> CheckpointFiles::kept_locked() const {
  std::vector<std::uint64_t> numbers;
  for (auto file = known_.rbegin(); file != known_.rend() && numbers.size() < std::max(retention_.keep, 1U); ++file) {
    numbers.push_back(file->first);
  }
  std::reverse(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::uint64_t> CheckpointFiles::kept() const {
  const std::scoped_lock lock(mutex_);
  return kept_locked();
}

Needs CheckpointFiles::needed() const {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::uint64_t> smallest;
  for (const std::uint64_t number : kept_locked()) {
    for (const auto& [name, value] : known_.at(number).needs) {
      const auto [entry, added] = smallest.emplace(name, value);
      if (!added) entry->second = std::min(entry->second, value);
    }
  }
  return {smallest.begin(), smallest.end()};
}

std::shared_ptr<const StoredSections> CheckpointFiles::stored() const {
  const std::scoped_lock lock(mutex_);
  return stored_;
}

void CheckpointFiles::forget_stored() {
  const std::scoped_lock lock(mutex_);
  stored_.reset();
}

void CheckpointFiles::sync_first(CheckpointDraft& draft, WriteResult& result) {
  for (FileToSync& file : draft.take_files()) unsynced_.push_back(std::move(file));
  try {
    while (!unsynced_.empty()) {
      const FileToSync& next = unsynced_.front();
      next.file ? files_.sync(next.file, next.path) : files_.sync_directory(next.path);
      unsynced_.erase(unsynced_.begin());
    }
  } catch (const Error&) {
    result.rows_at_risk = true;
    throw;
  }
}

CheckpointFiles::Plan CheckpointFiles::plan(CheckpointDraft& draft) {
  Plan plan;
  plan.table.number = last_number_ + 1;
  plan.table.written_ns = wall_clock_ns();
  plan.table.needs = draft.needs();
  for (CheckpointDraft::Section& section : draft.sections()) {
    SectionTable& table = plan.table.sections.emplace_back();
    table.name = section.name;
    for (const SectionWriter::Chunk& chunk : section.writer.chunks()) {
      if (chunk.place) {
        table.chunks.push_back(*chunk.place);
        plan.live[chunk.place->file] += chunk.place->bytes;
        continue;
      }
      table.chunks.push_back({plan.table.number, 0, chunk.data.size(), chunk_checksum(chunk.data)});
      plan.new_bytes += chunk.data.size();
    }
  }
  plan.file_bytes = head_bytes(plan.table) + plan.new_bytes + kCheckpointEnd.size();
  for (const auto& [file, bytes] : plan.live) {
    // The size is all that can be seen without reading; a copy reads, and so does whoever loads.
    const std::string path = path_of(file);
    std::optional<FileStatus> status;
    read_stored([&] { status = files_.status(path); });
    if (!status) throw StoredDamage(fmt::format("'{}' is gone", path));
    if (status->bytes != known_.at(file).bytes) {
      throw StoredDamage(fmt::format("'{}' has another size than it was written with", path));
    }
  }
  choose_copies(plan);

  std::uint64_t offset = head_bytes(plan.table);
  std::size_t section = 0;
  for (CheckpointDraft::Section& drafted : draft.sections()) {
    const std::vector<SectionWriter::Chunk>& chunks = drafted.writer.chunks();
    std::size_t chunk = 0;
    for (ChunkPlace& place : plan.table.sections[section++].chunks) {
      const std::string_view data = chunks[chunk++].data;
      if (place.file == plan.table.number) {
        plan.pieces.push_back({data, std::nullopt});
      } else if (plan.copied.contains(place.file)) {
        plan.pieces.push_back({{}, place});
        plan.copied_bytes += place.bytes;
        place.file = plan.table.number;
      } else {
        plan.referenced_bytes += place.bytes;
        continue;
      }
      place.offset = offset;
      offset += place.bytes;
    }
  }
  plan.file_bytes = offset + kCheckpointEnd.size();
  return plan;
}

// The files that the checkpoint refers to shall hold at most twice what it holds, and be not too many: those that give
// the most room for the least copying go first.
void CheckpointFiles::choose_copies(Plan& plan) const {
  struct Candidate {
    std::uint64_t file, live, bytes;
  };
  std::vector<Candidate> candidates;
  std::uint64_t held = plan.file_bytes;
  std::uint64_t live = plan.file_bytes;
  for (const auto& [file, bytes] : plan.live) {
    candidates.push_back({file, bytes, known_.at(file).bytes});
    held += candidates.back().bytes;
    live += bytes;
  }
  const auto take = [&](auto worse) {
    const auto worst = std::max_element(candidates.begin(), candidates.end(), worse);
    held -= worst->bytes - worst->live;
    plan.copied.insert(worst->file);
    candidates.erase(worst);
  };
  while (candidates.size() > retention_.most_files) {
    take([](const Candidate& a, const Candidate& b) { return a.live > b.live; });
  }
  while (!candidates.empty() && held > 2 * live + retention_.slack_bytes) {
    take([](const Candidate& a, const Candidate& b) {
      // The smaller share of live bytes is the worse one.
      return static_cast<double>(a.live) * static_cast<double>(b.bytes) >
             static_cast<double>(b.live) * static_cast<double>(a.bytes);
    });
  }
}

/// What is copied is verified by that.
void CheckpointFiles::scrub(const Plan& plan) {
  std::vector<ChunkPlace> older;
  for (const SectionTable& section : plan.table.sections) {
    for (const ChunkPlace& place : section.chunks) {
      if (place.file != plan.table.number) older.push_back(place);
    }
  }
  read_stored([&] { scrubber_.next(std::move(older)); });
}

void CheckpointFiles::write_file(const Plan& plan, const std::string& path) {
  const FileDescriptor file = files_.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, kPrivate);
  files_.write(file, encode_head(plan.table), path);
  ChunkReader older(directory_, files_);
  std::string chunk;
  for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
    if (plan.pieces[i].from) {
      chunk.clear();
      read_stored([&] { older.read(*plan.pieces[i].from, chunk); });
      files_.write(file, chunk, path);
      continue;
    }
    // New chunks that lie together in the draft go in one call.
    std::string_view run = plan.pieces[i].bytes;
    while (i + 1 < plan.pieces.size() && !plan.pieces[i + 1].from &&
           plan.pieces[i + 1].bytes.data() == run.data() + run.size()) {
      run = {run.data(), run.size() + plan.pieces[++i].bytes.size()};
    }
    if (!run.empty()) files_.write(file, run, path);
  }
  files_.write(file, kCheckpointEnd, path);
  files_.sync(file, path);
}

void CheckpointFiles::publish(const Plan& plan) {
  const std::string path = path_of(plan.table.number);
  const std::string unfinished = path + std::string(kUnfinished);
  std::string written = unfinished;
  try {
    write_file(plan, unfinished);
    files_.rename(unfinished, path);
    written = path;
    files_.sync_directory(directory_);
  } catch (...) {
    try {
      // Also under its final name: nobody knows whether it survives a power cut, so it must not count as written.
      files_.remove(written);
    } catch (const Error&) {
      // The next attempt, or the next start, writes over it or removes it.
    }
    throw;
  }
}

void CheckpointFiles::commit(CheckpointDraft& draft, Plan& plan) {
  auto stored = std::make_shared<StoredSections>();
  std::size_t section = 0;
  for (CheckpointDraft::Section& drafted : draft.sections()) {
    const std::vector<ChunkPlace>& places = plan.table.sections[section++].chunks;
    StoredChunks& chunks = (*stored)[drafted.name];
    std::set<std::uint64_t> twice;
    const std::vector<SectionWriter::Chunk>& written = drafted.writer.chunks();
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (!written[i].id) continue;
      const bool first = chunks.try_emplace(*written[i].id, StoredChunk{written[i].version, places[i]}).second;
      if (!first) twice.insert(*written[i].id);
    }
    // An id that means two chunks means none.
    for (const std::uint64_t id : twice) chunks.erase(id);
  }
  File file;
  file.bytes = plan.file_bytes;
  file.needs = plan.table.needs;
  file.references.emplace();
  for (const SectionTable& table : plan.table.sections) {
    for (const ChunkPlace& place : table.chunks) file.references->insert(place.file);
  }
  const std::scoped_lock lock(mutex_);
  known_.insert_or_assign(plan.table.number, std::move(file));
  last_number_ = plan.table.number;
  stored_ = std::move(stored);
}

void CheckpointFiles::remove_unneeded() {
  std::set<std::uint64_t> needed;
  for (const std::uint64_t number : kept()) {
    needed.insert(number);
    const File& file = known_.at(number);
    if (!file.references) return;
    needed.insert(file.references->begin(), file.references->end());
  }
  std::vector<std::uint64_t> unneeded;
  for (const auto& [number, file] : known_) {
    if (!needed.contains(number)) unneeded.push_back(number);
  }
  for (const std::uint64_t number : unneeded) {
    files_.remove(path_of(number));
    const std::scoped_lock lock(mutex_);
    known_.erase(number);
  }
}

WriteResult CheckpointFiles::write(CheckpointDraft& draft) {
  WriteResult result;
  try {
    sync_first(draft, result);
    for (CheckpointDraft::Section& section : draft.sections()) section.writer.resolve();
    Plan next = plan(draft);
    scrub(next);
    publish(next);
    commit(draft, next);
    result.number = next.table.number;
    result.new_bytes = next.new_bytes;
    result.copied_bytes = next.copied_bytes;
    result.referenced_bytes = next.referenced_bytes;
    remove_unneeded();
  } catch (const StoredDamage& error) {
    forget_stored();
    result.error = error.what();
  } catch (const Error& error) {
    result.error = error.what();
  }
  return result;
}

}  // namespace weir::state
