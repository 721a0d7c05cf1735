#include "state/checkpoint_store.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "state/checkpoint_files.hpp"
#include "state/state_directory.hpp"

namespace weir::state {

std::optional<std::string_view> Checkpoint::find(std::string_view name) const {
  for (const Section& section : sections) {
    if (section.name == name) return section.bytes;
  }
  return std::nullopt;
}

struct CheckpointStore::Impl {
  Impl(std::string path, FileDescriptor the_lock, Retention retention, FileSystem& file_system)
      : directory(std::move(path)),
        files(file_system),
        lock(std::move(the_lock)),
        checkpoints(directory, retention, files) {}

  void run();

  std::string directory;
  FileSystem& files;
  FileDescriptor lock;
  CheckpointFiles checkpoints;

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::optional<CheckpointDraft> next;  ///< to be written
  bool writing = false;
  bool stop = false;
  std::optional<WriteResult> result;
  SectionBuffers buffers;
  std::thread thread;
};

namespace {

FileDescriptor own(const std::string& directory, FileSystem& files) {
  files.make_directories(directory, 0700);
  return lock_directory(files, directory);
}

}  // namespace

CheckpointStore::CheckpointStore(std::string directory, Retention retention, FileSystem& files) {
  FileDescriptor lock = own(directory, files);
  impl_ = std::make_unique<Impl>(std::move(directory), std::move(lock), retention, files);
}

CheckpointStore::~CheckpointStore() {
  if (!impl_->thread.joinable()) return;
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stop = true;
    impl_->changed.notify_all();
  }
  impl_->thread.join();
}

void CheckpointStore::Impl::run() {
  std::unique_lock guard(mutex);
  for (;;) {
    changed.wait(guard, [this] { return stop || next; });
    if (!next) return;
    CheckpointDraft draft = *std::exchange(next, std::nullopt);
    guard.unlock();
    WriteResult done;
    try {
      done = checkpoints.write(draft);
    } catch (const std::exception& error) {
      done.error = fmt::format("cannot write a checkpoint to '{}': {}", directory, error.what());
    }
    SectionBuffers used = draft.take_buffers();
    guard.lock();
    buffers = std::move(used);
    result = std::move(done);
    writing = false;
    changed.notify_all();
  }
}

CheckpointDraft CheckpointStore::draft() {
  wait();
  const std::scoped_lock lock(impl_->mutex);
  return {impl_->checkpoints.stored(), std::exchange(impl_->buffers, {})};
}

void CheckpointStore::start_write(CheckpointDraft draft) {
  const std::scoped_lock lock(impl_->mutex);
  if (impl_->writing) throw std::logic_error("a checkpoint is being written");
  impl_->next = std::move(draft);
  impl_->writing = true;
  impl_->result.reset();
  if (!impl_->thread.joinable()) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
  }
  impl_->changed.notify_all();
}

WriteResult CheckpointStore::write(CheckpointDraft draft) {
  start_write(std::move(draft));
  wait();
  WriteResult result = *poll();
  if (result.number == 0) throw Error(result.error);
  return result;
}

bool CheckpointStore::busy() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->writing;
}

void CheckpointStore::wait() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return !impl_->writing; });
}

std::optional<WriteResult> CheckpointStore::poll() {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->writing ? std::nullopt : std::exchange(impl_->result, std::nullopt);
}

Needs CheckpointStore::needed() const {
  return impl_->checkpoints.needed();
}

std::optional<Checkpoint> CheckpointStore::load(std::vector<std::string>& warnings) {
  wait();
  if (std::string exposed = exposed_directory(impl_->directory); !exposed.empty()) {
    warnings.push_back(std::move(exposed));
  }
  impl_->checkpoints.look();
  const std::vector<std::uint64_t> numbers = impl_->checkpoints.kept();
  std::vector<std::string> damaged;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    CheckpointFile file = read_checkpoint(impl_->directory, *number, impl_->files);
    // An older file would be a step back in time that nobody asked for.
    if (file.newer_version != 0) throw Error(fmt::format("cannot use '{}': {}", file.path, file.damage));
    if (file.damage.empty()) {
      for (const std::string& text : damaged) {
        warnings.push_back(fmt::format("{}; using {}", text, checkpoint_name(*number)));
      }
      return std::move(file.checkpoint);
    }
    damaged.push_back(fmt::format("{} is damaged ({})", checkpoint_name(*number), file.damage));
  }
  if (damaged.empty()) return std::nullopt;
  std::string list;
  for (const std::string& text : damaged) list.append(list.empty() ? "" : ", ").append(text);
  throw Error(
      fmt::format("no checkpoint in '{}' can be used: {} (restore one from a copy, or start afresh with an empty "
                  "state directory)",
                  impl_->directory, list));
}

std::vector<CheckpointFile> list_checkpoints(const std::string& directory) {
  std::vector<CheckpointFile> files;
  std::set<std::uint64_t> referenced;
  const std::vector<std::uint64_t> numbers = checkpoint_numbers(real_file_system(), directory);
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    CheckpointFile file = read_checkpoint(directory, *number, real_file_system());
    // The running process may have removed it meanwhile.
    const std::vector<std::uint64_t> now = checkpoint_numbers(real_file_system(), directory);
    if (!file.damage.empty() && !std::binary_search(now.begin(), now.end(), *number)) continue;
    if (files.size() >= Retention{}.keep && referenced.contains(*number)) {
      // Its own checkpoint is over: what that referred to may be gone. The newer ones verified the chunks they need.
      file.only_chunks = true;
      file.damage.clear();
      file.checkpoint.number = *number;
    }
    if (files.size() < Retention{}.keep) referenced.insert(file.references.begin(), file.references.end());
    files.push_back(std::move(file));
  }
  std::reverse(files.begin(), files.end());
  return files;
}

}  // namespace weir::state
